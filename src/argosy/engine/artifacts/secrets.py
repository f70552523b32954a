"""The values that a location names in Secrets. They are used and never kept, printed, or put on a command line."""

from collections.abc import Mapping

from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.manifest.pod_model import KeySelector

Secrets = Mapping[str, Mapping[str, str]]


def one(selector: KeySelector | None, secrets: Secrets) -> str | None:
    """The value that *selector* names; None where nothing is asked for. Raises ArtifactFailure where it is not known here."""
    if selector is None:
        return None
    value = secrets.get(selector.name, {}).get(selector.key)
    if value is None and not selector.optional:
        raise ArtifactFailure(
            f"Secret {selector.name!r} has no key {selector.key!r} on this machine; name a file with that Secret"
        )
    return value
