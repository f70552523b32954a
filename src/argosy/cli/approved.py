"""Finds out what an environment serves, and fetches it: what ``serve`` and ``drift`` have in common."""

import difflib
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, wiring
from argosy.domain import promotion, release
from argosy.ports.forge import Forge
from argosy.settings import Settings


@dataclass(frozen=True)
class Approval:
    """What main of the environment repo says about one model in one environment."""

    version: release.Version
    signature: bytes | None
    """Of the bundle; None where none was committed."""


def find(settings: Settings, model: str, environment: str) -> Approval:
    """What is approved. Raises UsageError for a model or an environment that does not exist, Rejected where nothing is approved or it was
    recalled."""
    if environment not in promotion.ENVIRONMENTS:
        raise errors.UsageError(
            f"there is no environment {environment!r}; environments: {', '.join(promotion.ENVIRONMENTS)}"
        )
    if not model.isidentifier():
        raise errors.UsageError(f"{model!r} cannot be the name of a model")
    forge = wiring.forge(settings)
    head = forge.head()
    path = promotion.version_path(model, environment)
    text = forge.read(path, head)
    if text is None:
        _refuse_unknown(model, forge, head)
        raise errors.Rejected(
            f"no version of {model} is approved for {environment}: main has no {path}. `argosy run {model}` proposes one, "
            "`argosy pr list` shows what waits for review"
        )
    version = release.parse(text.decode(errors="replace"), path)
    if version.model != model:
        raise errors.Misconfigured(f"{path} is about {version.model!r}; revert the commit that changed it")
    if reason := promotion.rejection(forge.read(promotion.rejected_path(model, version.model_digest), head)):
        raise errors.Rejected(f"version {version.version} of {model} was taken out of service: {reason}")
    signature = forge.read(f"{promotion.evidence_folder(model, environment)}/{promotion.BUNDLE_SIGNATURE}", head)
    return Approval(version, signature)


def _refuse_unknown(model: str, forge: Forge, head: str) -> None:
    """Refuse a model that main has no policy for: it was mistyped, or never heard of."""
    path = promotion.policy_path(model)
    if forge.read(path, head) is not None:
        return
    close = difflib.get_close_matches(model, {request.subject.model for request in forge.requests()}, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f": main has no {path}"
    raise errors.UsageError(f"the environment repo knows no model {model!r}{hint}")


def fetch_bundle(settings: Settings, version: release.Version, into: Path) -> Path:
    """Copy the bundle of *version* to the folder *into*, which is returned. Raises Misconfigured where the store has none."""
    try:
        wiring.artifacts(settings).get(version.storage_uri, into)
    except errors.Misconfigured as error:
        raise errors.Misconfigured(f"{error}. {remedy(version)}") from error
    return into


def fetch_online(settings: Settings, version: release.Version, store: release.OnlineStore, into: Path) -> Path:
    """Copy the files of *store*, the online store of *version*, to the folder *into*, which is returned once its digest is proven.

    Raises Rejected where other files lie there.
    """
    from argosy.domain import bundle

    wiring.artifacts(settings).get(store.uri, into)
    if (digest := bundle.digest(into)) != store.digest:
        raise errors.Rejected(
            f"the online store at {store.uri} is {digest}, but {store.digest} is approved. Nothing is served. {remedy(version)}"
        )
    return into


def remedy(version: release.Version) -> str:
    """What to do about stored files that are not those that were approved."""
    return (
        "Restore the stored files from a copy, or remove their folder and run "
        f"`argosy run {version.model}`: the same data and code store the same model again"
    )
