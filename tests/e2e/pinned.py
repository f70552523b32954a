"""Images as manifests and values name them: by the digests of images/images.lock, which `make images` writes."""

import json

import pytest

from e2e.cluster import ROOT

LOCK = ROOT / "images" / "images.lock"


def image(target: str) -> str:
    """The image *target* as a node knows it. Skips where no image was built, or that one was not."""
    if not LOCK.exists():
        pytest.skip("there is no images/images.lock: run `make images`, and dist/images/import.sh on the node")
    known = json.loads(LOCK.read_text(encoding="utf-8"))
    if target not in known["images"]:
        pytest.skip(f"images/images.lock has no {target}: run `make images`")
    repository = known["repository"]
    host = "" if "." in repository.partition("/")[0] else "docker.io/"
    return f"{host}{repository}/{target}@{known['images'][target]['digest']}"
