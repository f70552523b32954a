#!/usr/bin/env bash
# Removes the cluster that up.sh made.
set -euo pipefail
kind delete cluster --name argosy
