#!/usr/bin/env bash
# Kubernetes' Python client 37.0.2: a lease renewed at a whole second is refused by the API server.
#
# Guess: a datetime is written as the field's type asks. Seen: renewTime and acquireTime of a Lease, and eventTime of an Event, are MicroTime, which
# is read with exactly six digits of fraction; the client writes isoformat(), which leaves them out where the microseconds are 0, and a real
# API server answers 400 (seen with 1.34.4). With times from the clock that is one write in a million; with times rounded to seconds, as a test, a
# copy or another client makes them, it is each.
#
# What Argosy does about it: it writes no leases and no events; who does gives such times a microsecond.
#
# PYTHON=… findings/kubernetes-lease-at-whole-second.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check kubernetes==37.0.2
fi
cd "$scratch"
cat > try.py <<'P'
import datetime
import importlib.metadata

from kubernetes import client

print("kubernetes", importlib.metadata.version("kubernetes"))
for microsecond in (0, 1):
    moment = datetime.datetime(2026, 1, 1, 12, 0, 0, microsecond, tzinfo=datetime.timezone.utc)
    lease = client.V1Lease(spec=client.V1LeaseSpec(holder_identity="a", renew_time=moment, acquire_time=moment))
    written = client.ApiClient().sanitize_for_serialization(lease)["spec"]
    print(written)
    assert written["renewTime"] == written["acquireTime"]
    assert ("." in written["renewTime"]) == (microsecond == 1)
P
"$python" -W ignore try.py
