"""What main named for an environment, now and before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy import errors
from argosy.domain import promotion, release
from argosy.ports.forge import Forge


@dataclass(frozen=True)
class Earlier:
    """A version that main named before, with its files as they were."""

    version: release.Version
    files: Mapping[str, bytes] = field(repr=False)
    """The version file and the evidence beside it."""


def served(forge: Forge, model: str, environment: str, at: str) -> release.Version | None:
    """What main named at commit *at*; None where it named nothing. Raises Misconfigured where the file cannot be understood."""
    path = promotion.version_path(model, environment)
    text = forge.read(path, at)
    return release.parse(text.decode(errors="replace"), f"{at[:12]}:{path}") if text is not None else None


def earlier(forge: Forge, live: release.Version, environment: str, at: str) -> Earlier | None:
    """The newest version that main named before *live*, and that was not taken out of service itself (as of commit *at*)."""
    for commit in forge.history(promotion.version_path(live.model, environment)):
        before = _readable(forge, live.model, environment, commit)
        if before is None or before.model_digest == live.model_digest:
            continue
        if forge.read(promotion.rejected_path(live.model, before.model_digest), at) is None:
            return Earlier(before, forge.contents(promotion.served_paths(live.model, environment), commit))
    return None


def _readable(forge: Forge, model: str, environment: str, at: str) -> release.Version | None:
    """What main named at commit *at*; None too where the file cannot be understood: that is no version to go back to."""
    try:
        return served(forge, model, environment, at)
    except errors.Misconfigured:
        return None
