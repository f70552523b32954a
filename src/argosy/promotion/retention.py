"""Which folders of the model store have served their time, and which may not go: what is served, asked for, unexpired, held or new.

Whatever cannot be read is kept, and said. Left to others: what lies on a laptop beside the store, and who removes what is found here.
"""

import datetime
import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from argosy import errors
from argosy.domain import environment_layout, release, snapshot_layout
from argosy.domain.bundle import RELEASE, Release, name_in_store
from argosy.domain.promotion_requests import Request, State
from argosy.ports.artifacts import Artifacts, StoredFolder
from argosy.promotion import standing, subjects
from argosy.promotion.standing import Main

BUNDLES, ONLINE = "models/", release.ONLINE
SNAPSHOTS = snapshot_layout.SNAPSHOTS
YOUNG = datetime.timedelta(days=7)
"""Age below which nothing goes: a pipeline stores features, then the bundle that names them, and then asks for a request."""
GRACE = datetime.timedelta(days=7)
"""Time after its term for which a release is kept, so that a server that is told late still says why."""
UNKNOWN = ""
"""In place of a digest: of a snapshot that nobody can name."""
_BUNDLE = re.compile(r"models/(?P<model>[^/]+)/(?:[0-9a-f]{12}-)?(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class FolderFate:
    """One folder of the store."""

    folder: StoredFolder
    goes: bool
    why: str


def judged(main: Main, artifacts: Artifacts, now: datetime.datetime) -> Iterator[FolderFate]:
    """Every folder of *artifacts*: whether it may go at *now*, and why.

    Raises TryAgain where forge or store fail, Misconfigured where main names a version that cannot be understood: then nothing may go.
    """
    named = _named(main)
    needed: dict[str, str] = dict(named)
    for folder in artifacts.folders(BUNDLES):
        found, online = _of_bundle(folder, named, main, artifacts, now)
        if not found.goes and online:
            needed.setdefault(name_in_store(online), f"features of {folder.name}, which stays")
        yield found
    for folder in artifacts.folders(ONLINE):
        why = needed.get(name_in_store(folder.uri)) or _young(folder, now)
        yield FolderFate(folder, why is None, why or "no bundle that stays names it")


def judged_snapshots(
    main: Main,
    artifacts: Artifacts,
    now: datetime.datetime,
    kept_for: datetime.timedelta,
    bundles: Iterable[FolderFate],
) -> Iterator[FolderFate]:
    """Every snapshot of *artifacts*: whether it may go at *now*, where it is *kept_for* so long. *bundles*: as they were judged.

    Raises as :func:`judged` does.
    """
    needed = _trained_on(main)
    staying = {name_in_store(one.folder.uri): one.why for one in bundles if not one.goes}
    history = functools.cache(lambda model: _trained_on_before(main, model, staying))
    folders = [(parsed, each) for each in artifacts.folders(SNAPSHOTS) if (parsed := snapshot_layout.parsed(each.name))]
    newest = {parsed[0]: each.name for parsed, each in sorted(folders, key=lambda found: (found[1].at, found[1].name))}
    for (model, digest), folder in folders:
        why = needed.get(digest) or _young(folder, now)
        if why is None and newest[model] == folder.name:
            why = "the newest that was accepted: the next data is held against it"
        if why is None and (held := main.note(environment_layout.hold_path(model))):
            why = f"held ({environment_layout.hold_path(model)}): {held}"
        if why is None and now - folder.at < kept_for:
            why = f"accepted {folder.at:%Y-%m-%d}, less than {kept_for.days} days ago"
        if why is None:
            why = history(model).get(digest) or history(model).get(UNKNOWN)
        yield FolderFate(
            folder, why is None, why or f"accepted {folder.at:%Y-%m-%d}; no model that is still kept was trained on it"
        )


def _trained_on(main: Main) -> dict[str, str]:
    """The snapshots of what main serves and open requests name, each with who needs it."""
    found: dict[str, str] = {}
    for model in main.models():
        for environment in environment_layout.ENVIRONMENTS:
            if evidence := main.evidence(model, environment):
                found.setdefault(evidence.snapshot_digest, f"{model} in {environment} was trained on it")
    for request in main.forge.requests():
        if request.state is State.OPEN:
            _add_data_of(found, main, request)
    return found


def _trained_on_before(main: Main, model: str, staying: Mapping[str, str]) -> dict[str, str]:
    """The snapshots of versions that main once named and whose bundle is *staying*: whoever may serve one may ask what it was made of.

    At UNKNOWN: why any other may be one, too. What main once had stays as it is, so that no failure of it would ever end.
    """
    found: dict[str, str] = {}
    unread: dict[str, str] = {}
    sought = {uri for uri in staying if _is_bundle_of(model, uri)}
    for environment in environment_layout.ENVIRONMENTS:
        for then in main.servings(model, environment):
            if not sought:
                break
            version = standing.understood(then, model, environment)
            if version is None or (uri := name_in_store(version.storage_uri)) not in sought:
                continue
            read = then.holding(environment_layout.evidence_path(model, environment))
            try:
                evidence = read.evidence(model, environment)
            except errors.Misconfigured as error:
                unread[uri] = (
                    f"nobody knows what version {version.version} was trained on, and its bundle stays: {error}"
                )
                continue
            if evidence:
                sought.discard(uri)
                found.setdefault(
                    evidence.snapshot_digest,
                    f"version {version.version}, which {environment} served, was trained on it, and its bundle stays: {staying[uri]}",
                )
    unknown = [why for uri, why in unread.items() if uri in sought]
    return {**found, UNKNOWN: "; ".join(unknown)} if unknown else found


def _is_bundle_of(model: str, uri: str) -> bool:
    matched = _BUNDLE.search(uri)
    return matched is not None and matched["model"] == model


def _add_data_of(found: dict[str, str], main: Main, request: Request) -> None:
    proposed = subjects.proposed(main.forge, request)
    for path in main.forge.contents(["models"], request.head):
        place = re.fullmatch(r"models/([^/]+)/([^/]+)/version\.yaml", path)
        if (
            place
            and place[2] in environment_layout.ENVIRONMENTS
            and (evidence := proposed.evidence(place[1], place[2]))
        ):
            found.setdefault(evidence.snapshot_digest, f"what request {request.number} proposes was trained on it")


def _of_bundle(
    folder: StoredFolder, named: dict[str, str], main: Main, artifacts: Artifacts, now: datetime.datetime
) -> tuple[FolderFate, str | None]:
    """What becomes of the bundle *folder*, and the address of the features that its release names."""
    released = _release(artifacts, folder)
    online = released.online_store.uri if released and released.online_store else None
    why = named.get(name_in_store(folder.uri)) or _held(main, folder) or _young(folder, now)
    if why is None and released is None:
        why = "its release cannot be read, so nobody knows its term"
    if why is None and released and now < released.not_after + GRACE:
        why = f"may be served until {released.not_after:%Y-%m-%d}"
    gone = f"expired {released.not_after:%Y-%m-%d}, and nothing names it" if released else ""
    return FolderFate(folder, why is None, why or gone), online


def _release(artifacts: Artifacts, folder: StoredFolder) -> Release | None:
    try:
        return Release.model_validate_json(artifacts.read(folder.name, RELEASE) or b"")
    except ValidationError:
        return None


def _named(main: Main) -> dict[str, str]:
    """The addresses that main and the open requests name, each with who does."""
    found: dict[str, str] = {}
    models = main.models()
    known = main.knowing(models)  # at once: of fifty models a server is not asked for each
    for model in models:
        for environment in environment_layout.ENVIRONMENTS:
            _add(found, known, model, environment, f"served in {environment}")
            if (second := known.second(model, environment)) is not None:
                found.setdefault(name_in_store(second.storage_uri), f"{second.role} in {environment}")
    for request in main.forge.requests():
        if request.state is State.OPEN:
            _add_request(found, main, request)
    return found


def _add_request(found: dict[str, str], main: Main, request: Request) -> None:
    proposed = subjects.proposed(main.forge, request)
    for model, environment in subjects.brings(main, request):
        _add(found, proposed, model, environment, f"named by request {request.number}")


def _add(found: dict[str, str], main: Main, model: str, environment: str, why: str) -> None:
    version = main.version(model, environment)
    if version is None:
        return
    found.setdefault(name_in_store(version.storage_uri), why)
    if version.online_store:
        found.setdefault(name_in_store(version.online_store.uri), why)


def _held(main: Main, folder: StoredFolder) -> str | None:
    """Why a legal hold of main's keeps *folder*; None where none does."""
    matched = _BUNDLE.fullmatch(folder.name)
    if matched is None:
        return "its name is none of a bundle's"
    paths = (
        environment_layout.hold_path(matched["model"]),
        environment_layout.hold_path(matched["model"], matched["digest"]),
    )
    for path in paths:
        if why := main.note(path):
            return f"held ({path}): {why}"
    return None


def _young(folder: StoredFolder, now: datetime.datetime) -> str | None:
    return f"stored {folder.at:%Y-%m-%d}, less than {YOUNG.days} days ago" if now - folder.at < YOUNG else None
