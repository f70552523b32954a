"""Where an artifact says it lies."""

from collections.abc import Mapping
from typing import Any

KINDS = ("s3", "http", "artifactory", "git")
ALL_KINDS = (*KINDS, "raw", "hdfs", "oss", "gcs", "azure", "plugin")
_CONTENT = {"s3": "key", "http": "url", "artifactory": "url", "git": "repo"}
"""Without which field each kind is no location."""


def kind_of(artifact: Mapping[str, Any]) -> str | None:
    """The kind of *artifact*'s location; None where it has none outside the run."""
    return next((kind for kind in KINDS if (artifact.get(kind) or {}).get(_CONTENT[kind])), None)


def has_location(artifact: Mapping[str, Any]) -> bool:
    """Whether *artifact* says where its content is."""
    return "raw" in artifact or "stored" in artifact or kind_of(artifact) is not None
