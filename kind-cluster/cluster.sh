#!/usr/bin/env bash
# cluster.sh up IMAGE | images | down    makes a cluster with kind, brings our images to its node, removes it. `make kind-up` calls this; it
# alone calls kind and docker. Safe to repeat.
set -euo pipefail
cd "$(dirname "$0")"
name=argosy
node=$name-control-plane

case "${1:-}" in
    up)
        kind get clusters | grep -qx "$name" || kind create cluster --name "$name" --config cluster.yaml --image "$2" --wait 180s
        kubectl config use-context "kind-$name"
        # Whatever deletes and drains looks for this label, so that it never touches a cluster that somebody needs.
        kubectl label namespace kube-system argosy.dev/disposable=true --overwrite
        ;;
    images)
        # `kind load` gives an image the name of its tag; pods ask for what images.lock pins, which import.sh knows.
        docker exec "$node" rm -rf /argosy-images
        docker cp ../dist/images "$node":/argosy-images
        docker exec "$node" sh /argosy-images/import.sh
        docker exec "$node" rm -rf /argosy-images
        ;;
    down)
        kind delete cluster --name "$name"
        ;;
    *)
        echo "usage: cluster.sh up IMAGE | images | down" >&2
        exit 2
        ;;
esac
