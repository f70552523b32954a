"""The approved version of a model in an environment: named by main and not rejected; and its bundle and features from the model store.

Left to others: whether signature and release hold, which ``promotion.verification`` says of the files before anything is loaded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle, environment_layout, release, suggestion
from argosy.domain.promotion_requests import State
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class Approval:
    """The approved version of one model in one environment."""

    version: release.Version
    signature: bytes | None
    """Of the bundle; None where none was committed."""
    verifying_keys: bytes | None = None
    """The public keys that main has at that moment; None where it has none."""


def find(forge: Forge, model: str, environment: str) -> Approval:
    """The approval of *model* in *environment*.

    Raises UsageError for a model or an environment that does not exist, Rejected where nothing is approved or it was
    recalled.
    """
    if environment not in environment_layout.ENVIRONMENTS:
        raise errors.UsageError(
            f"there is no environment {environment!r}; environments: {', '.join(environment_layout.ENVIRONMENTS)}"
        )
    if not model.isidentifier():
        raise errors.UsageError(f"{model!r} cannot be the name of a model{_meant(forge, model)}")
    main, path = Main.now(forge), environment_layout.version_path(model, environment)
    version = main.version(model, environment)
    if version is None:
        _refuse_unknown(model, main)
        if retired := main.retired(model):
            raise errors.Rejected(f"{model} is served nowhere any more. {retired.said}")
        raise errors.Rejected(
            f"no version of {model} is approved for {environment}: main has no {path}. `argosy run {model}` proposes one, "
            "`argosy pr list` shows what waits for review"
        )
    if version.model != model:
        raise errors.Misconfigured(f"{path} is about {version.model!r}; revert the commit that changed it")
    if reason := main.rejection(model, version.model_digest):
        raise errors.Rejected(f"version {version.version} of {model} was taken out of service: {reason}")
    return Approval(version, main.bundle_signature(model, environment), main.verifying_keys())


def known(main: Main, name: str) -> str:
    """The model of *main* that *name* means. Raises UsageError where it has none of that name."""
    model = name.replace("-", "_")
    models = main.models()
    if model not in models:
        raise errors.UsageError(
            f"the environment repo knows no model {name!r}{suggestion.choices(model, models, 'models')}"
        )
    return model


@dataclass(frozen=True)
class NamedPlace:
    """Where a version is named: main, main before, or the commit of an open request; and in which environment."""

    main: Main
    environment: str
    version: release.Version


def numbered(forge: Forge, model: str, number: int) -> Approval:
    """Version *number* of *model* as some environment serves it, an open request proposes it, or an environment served it before.

    Raises UsageError where there is none, Rejected where it was recalled.
    """
    main = Main.now(forge)
    return approved(main, named(main, model, lambda version: version.version == number, f"version {number}"))


def named(main: Main, model: str, wanted: Callable[[release.Version], bool], called: str) -> NamedPlace:
    """Where the version of *model* that is *wanted*, and *called* so in messages, is named. Raises as :func:`numbered` does."""
    for at, environment in _places(main, model):
        version = at.version(model, environment)
        if version is None or version.model != model or not wanted(version):
            continue
        if reason := main.rejection(model, version.model_digest):
            raise errors.Rejected(f"version {version.version} of {model} was taken out of service: {reason}")
        return NamedPlace(at, environment, version)
    _refuse_unknown(model, main)
    raise errors.UsageError(
        f"no environment serves or served {called} of {model}, and no open request proposes it; "
        "`argosy pr list` shows what was proposed"
    )


def approved(main: Main, place: NamedPlace) -> Approval:
    """The approval of the version named at *place*, by the keys of *main*."""
    version = place.version
    signature = place.main.bundle_signature(version.model, place.environment)
    return Approval(version, signature, main.verifying_keys())


def _places(main: Main, model: str) -> Iterator[tuple[Main, str]]:
    """Where versions of *model* are named, in which environment: on main, in open requests, and on main before."""
    yield from ((main, environment) for environment in environment_layout.ENVIRONMENTS)
    for request in main.forge.requests():
        subject = request.subject
        if request.state is State.OPEN and subject.model == model and subject.kind == "promotion":
            yield Main(main.forge, request.head, called=request.branch), subject.environment
    for environment in environment_layout.ENVIRONMENTS:
        for at in main.servings(model, environment):
            yield at, environment


def _meant(forge: Forge, model: str) -> str:
    """The end of a sentence about *model*, which is no name: the one that was meant, where it is nearly one."""
    plain = model.replace("-", "_")
    return suggestion.did_you_mean(plain, Main.now(forge).models()) if plain.isidentifier() else ""


def _refuse_unknown(model: str, main: Main) -> None:
    """Refuse a model that main has no policy for: it was mistyped, or never heard of."""
    if main.policy(model):
        return
    known = sorted({*main.models(), *(request.subject.model for request in main.forge.requests())})
    if known:
        hint = suggestion.choices(model, known, "models")
    else:
        hint = f" yet: main has no {environment_layout.policy_path(model)}; `argosy run` in the model's project proposes it"
    raise errors.UsageError(f"the environment repo knows no model {model!r}{hint}")


def fetch_bundle(artifacts: Artifacts, version: release.Version, into: Path) -> Path:
    """Copy the bundle of *version* to the folder *into*, which is returned. Raises Misconfigured where the store has none."""
    try:
        artifacts.get(version.storage_uri, into)
    except errors.Misconfigured as error:
        raise errors.Misconfigured(f"{error}. {remedy(version)}") from error
    return into


def fetch_proven_bundle(artifacts: Artifacts, version: release.Version, into: Path) -> Path:
    """Copy the bundle of *version* to the folder *into*, which is returned once its digest is proven; signatures are not looked at.

    Raises Rejected where other files lie there, Misconfigured where the store has none.
    """
    fetch_bundle(artifacts, version, into)
    if (digest := bundle.digest(into)) != version.model_digest:
        raise errors.Rejected(
            f"the bundle at {version.storage_uri} is {digest}, but {version.model_digest} is approved. {remedy(version)}"
        )
    return into


def fetch_online(artifacts: Artifacts, version: release.Version, store: release.OnlineStore, into: Path) -> Path:
    """Copy the files of *store*, the online store of *version*, to the folder *into*, which is returned once its digest is proven.

    Raises Rejected where other files lie there.
    """
    artifacts.get(store.uri, into)
    if (digest := bundle.digest(into)) != store.digest:
        raise errors.Rejected(
            f"the online store at {store.uri} is {digest}, but {store.digest} is approved. Nothing is served. {remedy(version)}"
        )
    return into


def remedy(version: release.Version) -> str:
    """The advice for stored files that are not those that were approved."""
    return (
        "Restore the stored files from a copy, or remove their folder and run "
        f"`argosy run {version.model}`: the same data and code store the same model again"
    )
