#!/usr/bin/env bash
# A throw-away Kubernetes with Argo Workflows, for tests that need one. Needs docker (or podman), kind, kubectl and helm. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")"
ARGO_VERSION=${ARGO_VERSION:-v4.1.2}

kind get clusters | grep -qx argosy || kind create cluster --config cluster.yaml --wait 120s
kubectl config use-context kind-argosy
# Tests that delete and drain look for this label, so that they never touch a cluster that somebody needs.
kubectl label namespace kube-system argosy.dev/disposable=true --overwrite
kubectl get namespace argo >/dev/null 2>&1 || kubectl create namespace argo
# The full definitions are larger than the annotation that a client-side apply writes.
kubectl apply --server-side --namespace argo \
  --filename "https://github.com/argoproj/argo-workflows/releases/download/$ARGO_VERSION/install.yaml"
# The controller reads it anew by itself.
kubectl apply --server-side --force-conflicts --filename controller.yaml
kubectl --namespace argo rollout status deployment/workflow-controller --timeout 180s
kubectl apply --server-side --filename namespace.yaml
helm upgrade --install argosy ../charts/platform --namespace argosy --values platform.yaml
echo "ready: kubectl config use-context kind-argosy; ./down.sh removes it"
