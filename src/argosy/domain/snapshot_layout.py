"""Where accepted snapshots lie in the model store: by model and digest, so that equal data lies there once."""

import re

SNAPSHOTS = "snapshots/"
MANIFEST = "manifest.json"
EARLIER, SNAPSHOT = "earlier.json", "snapshot"
"""Of what ``fetch-accepted`` hands on: which snapshot it is, and its folder."""
_NAME = re.compile(r"snapshots/(?P<model>[^/]+)/(?P<hex>[0-9a-f]{64})")


def store_name(model: str, digest: str) -> str:
    """The name of the folder of the snapshot *digest*."""
    return f"{SNAPSHOTS}{model}/{digest.removeprefix('sha256:')}"


def parsed(name: str) -> tuple[str, str] | None:
    """Model and digest of the folder *name*; None where it is no snapshot's."""
    found = _NAME.fullmatch(name)
    return (found["model"], f"sha256:{found['hex']}") if found else None
