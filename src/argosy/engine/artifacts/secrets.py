"""The values that a location names in Secrets. They are used and never kept, printed, or put on a command line."""

from collections.abc import Mapping
from typing import Any

from argosy.engine.artifacts.failures import ArtifactFailure

Secrets = Mapping[str, Mapping[str, str]]


def one(selector: Mapping[str, Any] | None, secrets: Secrets) -> str | None:
    """The value that *selector* names; None where nothing is asked for. Raises ArtifactFailure where it is not known here."""
    if not selector:
        return None
    value = secrets.get(selector.get("name", ""), {}).get(selector.get("key", ""))
    if value is None and not selector.get("optional"):
        raise ArtifactFailure(
            f"Secret {selector.get('name')!r} has no key {selector.get('key')!r} on this machine; name a file with that Secret"
        )
    return value
