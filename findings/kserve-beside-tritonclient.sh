#!/usr/bin/env bash
# kserve 0.21.0 and tritonclient 2.73.0: a process that has imported one client for gRPC cannot import the other.
#
# Guess: two clients of one protocol can be used side by side, to compare servers or to move from one to the other. Seen: each brings
# generated messages of the package `inference`, Protocol Buffers keep one pool of names a process, and the second import ends with
# "duplicate symbol 'inference.ServerLiveRequest'".
#
# What Argosy does about it: its server describes the messages in a pool of its own, so that neither client is in its way; its tests run
# each client in a process of its own.
set -euo pipefail
python=${PYTHON:-python3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$python" -m venv v
v/bin/pip install --quiet --disable-pip-version-check kserve==0.21.0 "tritonclient[grpc]==2.73.0"
v/bin/python - <<'P'
import sys

import tritonclient.grpc  # noqa: F401

try:
    import kserve  # noqa: F401
except TypeError as error:
    print(f"TypeError: {error}")
    sys.exit("duplicate symbol" not in str(error))
sys.exit("both were imported")
P
echo "as it was found"
