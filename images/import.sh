#!/bin/sh
# import.sh [OPTION OF ctr ...]    brings the archives beside this file to the containerd of this node, for nodes without a registry.
# `make images` puts it beside them. Kubernetes looks for an image by the name that a manifest has in full: images.lock pins
# argosy/<target>@sha256:…, which is docker.io/argosy/<target>@sha256:…, and containerd makes that name only where it is told the base of it.
set -eu
cd "$(dirname "$0")"
for archive in *.tar; do
    ctr "$@" --namespace k8s.io images import --digests --base-name "docker.io/argosy/${archive%.tar}" "$archive"
done
