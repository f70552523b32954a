"""The subject of a change to the environment repo, by the paths that its commit changes: one model in one environment, or rules.

Pure rules over paths, kinds and modes, the same for every forge. What a request's text says about itself is only a claim; it is held
against the subject that is found here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from argosy import errors
from argosy.domain import environment_layout, evidence, release, second_file, version_file
from argosy.domain.promotion_requests import Subject

PLAIN_FILE = "100644"
KINDS_OF_MODE = {"100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}
MODEL = r"models/(?P<model>[a-z][a-z0-9_]{0,62})"
SERVED = re.compile(
    rf"{MODEL}/(?P<environment>{'|'.join(environment_layout.ENVIRONMENTS)})/(?:version\.yaml|retired\.yaml|evidence/.+)"
)
SECOND = re.compile(rf"{MODEL}/(?P<environment>{'|'.join(environment_layout.ENVIRONMENTS)})/second\.yaml")
NOTE = re.compile(rf"{MODEL}/rejected/(?P<digest>[0-9a-f]{{64}})\.txt")
RULES = re.compile(
    r"(policies|clusters|keys|\.github|\.gitlab|\.gitea)/.*|(docs/)?CODEOWNERS|(.*/)?\.git[a-z]+|models/[^/]+/values\.yaml"
    r"|models/[^/]+/[^/]+/second\.yaml",
    re.IGNORECASE | re.DOTALL,
)
"""Files that decide how a version is judged, rendered, served or reviewed."""


class Kind(StrEnum):
    """A file's change. A renamed file is one that was removed and one that was added."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True)
class TreeEntry:
    """A file in a commit's tree: git's mode (six digits) and the id of its content."""

    mode: str
    blob: str


@dataclass(frozen=True)
class ChangedFile:
    """A file that a commit changes. *mode*: git's, at that commit; of a removed file, the one it had."""

    path: str
    kind: Kind
    mode: str = PLAIN_FILE


@dataclass(frozen=True)
class Problem:
    """One problem of a changed file."""

    path: str
    said: str


Place = tuple[str, str]
"""A model and an environment."""


def difference(before: Mapping[str, TreeEntry], after: Mapping[str, TreeEntry]) -> list[ChangedFile]:
    """The files that differ between two trees, each given whole, as path to entry."""
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return [ChangedFile(path, *_became(before.get(path), after.get(path))) for path in paths]


def _became(before: TreeEntry | None, after: TreeEntry | None) -> tuple[Kind, str]:
    if after is None:
        return Kind.REMOVED, before.mode if before else PLAIN_FILE
    return (Kind.CHANGED if before else Kind.ADDED), after.mode


def place_of(path: str) -> Place | None:
    """The model and environment that the file *path* belongs to: ``version.yaml``, ``retired.yaml``, or evidence beside it."""
    found = SERVED.fullmatch(path)
    return (found["model"], found["environment"]) if found else None


def served(changed: Iterable[ChangedFile]) -> list[Place]:
    """The places that get a version or evidence. A place that only loses files is retired: a matter of rules."""
    return sorted({place for one in changed if one.kind is not Kind.REMOVED and (place := place_of(one.path))})


def tried(changed: Sequence[ChangedFile]) -> Place | None:
    """The place where *changed* begins, changes or ends the experiment with a second version; None where it changes anything else, too."""
    found = SECOND.fullmatch(changed[0].path) if len(changed) == 1 else None
    return (found["model"], found["environment"]) if found else None


def problems(changed: Iterable[ChangedFile]) -> list[Problem]:
    """Changes in *changed* that one request may not make: a second model or environment, a rule or any other file beside a version."""
    files = sorted(changed, key=lambda one: one.path)
    places = served(files)
    if not places:
        return []
    first = places[0]
    of_place = _of_retirement if _retires(files, first) else _of_promotion
    refused = [Problem(one.path, said) for one in files for said in _refusals(one, first, of_place)]
    return refused + _too_many_notes(files)


def _retires(changed: Iterable[ChangedFile], place: Place) -> bool:
    """True where *changed* takes what *place* serves out, and says so beside it: a version file that only goes is a matter of rules."""
    kinds = {one.path: one.kind for one in changed}
    said = kinds.get(environment_layout.retired_path(*place), Kind.REMOVED)
    return kinds.get(environment_layout.version_path(*place)) is Kind.REMOVED and said is not Kind.REMOVED


def _renews(changed: Iterable[ChangedFile], place: Place) -> bool:
    """True where *changed* are signatures of *place* and nothing else: what is served stays, and who vouches for it is another."""
    folder = environment_layout.evidence_folder(*place)
    signatures = {f"{folder}/{name}" for name in environment_layout.SIGNATURES}
    return all(one.path in signatures and one.kind is Kind.CHANGED for one in changed)


def _of_retirement(one: ChangedFile, place: Place) -> Iterable[str]:
    if one.path == environment_layout.second_path(*place):
        if one.kind is not Kind.REMOVED:
            yield f"is {one.kind} together with a version that is retired; a second version stands beside a first"
    elif one.path not in (environment_layout.version_path(*place), environment_layout.retired_path(*place)):
        yield "changes together with a version that is retired; its evidence stays what it was"


def _of_promotion(one: ChangedFile, place: Place) -> Iterable[str]:
    if one.kind is Kind.REMOVED and one.path == environment_layout.version_path(*place):
        yield "is removed, and evidence beside it changes; a request names a version"
    elif one.kind is not Kind.REMOVED and one.path == environment_layout.retired_path(*place):
        yield "says that a version is retired, and none goes; a request names a version, or retires it"


def _refusals(one: ChangedFile, first: Place, of_place: Callable[[ChangedFile, Place], Iterable[str]]) -> Iterable[str]:
    yield from _unplain(one)
    place = place_of(one.path)
    if place == first or (of_place is _of_retirement and one.path == environment_layout.second_path(*first)):
        yield from of_place(one, first)
    elif place:
        yield f"promotes {' in '.join(place)} beside {' in '.join(first)}; one request, one model, one environment"
    elif (note := NOTE.fullmatch(one.path)) and note["model"] == first[0] and one.kind is not Kind.REMOVED:
        return
    elif is_rule(one.path):
        yield f"is a rule, and {one.kind} together with a version that it judges; make it a request of its own"
    else:
        yield f"is {one.kind} together with a version of {' in '.join(first)}; make it a request of its own"


def _unplain(one: ChangedFile) -> Iterator[str]:
    if one.kind is not Kind.REMOVED and one.mode != PLAIN_FILE:
        yield f"is {KINDS_OF_MODE.get(one.mode, f'of mode {one.mode}')}; a request holds plain files only"


def _too_many_notes(files: Iterable[ChangedFile]) -> list[Problem]:
    notes = [one.path for one in files if NOTE.fullmatch(one.path) and one.kind is not Kind.REMOVED]
    return [Problem(path, "takes a second model out of service; one request, one model") for path in notes[1:]]


def is_rule(path: str) -> bool:
    """True where the file *path* decides how versions are judged, rendered, served or reviewed."""
    return RULES.fullmatch(path) is not None


def subject(changed: Sequence[ChangedFile], read: Callable[[str], bytes | None]) -> Subject:
    """The subject of a request whose commit makes the changes *changed*; *read*: a file of that commit.

    Raises Rejected, with every path that is wrong, where it is about no version, about several, or about anything else besides.
    """
    if place := tried(changed):
        return _tried(*place, changed[0], read)
    if found := problems(changed):
        raise errors.Rejected("; ".join(f"{one.path} {one.said}" for one in found))
    if not (places := served(changed)):
        paths = ", ".join(one.path for one in changed[:5]) or "nothing"
        raise errors.Rejected(f"its commit changes no version ({paths}); what it changes, people must review and merge")
    if _retires(changed, places[0]):
        return _stated(*places[0], environment_layout.retired_path(*places[0]), read).model_copy(
            update={"retires": True}
        )
    if _renews(changed, places[0]):
        return _stated(*places[0], environment_layout.version_path(*places[0]), read).model_copy(
            update={"renews": True}
        )
    return _described(*places[0], _reverted(changed), read)


def _reverted(changed: Iterable[ChangedFile]) -> str | None:
    notes = (NOTE.fullmatch(one.path) for one in changed if one.kind is not Kind.REMOVED)
    return next((f"sha256:{note['digest']}" for note in notes if note), None)


def _described(model: str, environment: str, reverts: str | None, read: Callable[[str], bytes | None]) -> Subject:
    path = environment_layout.version_path(model, environment)
    version = _version(path, read(path))
    if version.model != model:
        raise errors.Rejected(f"{path} is about {version.model!r}")
    beside = environment_layout.evidence_path(model, environment)
    return Subject(
        model=model,
        environment=environment,
        model_digest=version.model_digest,
        version=version.version,
        champion_digest=None if reverts else _champion(beside, read(beside)),
        policy_digest=version.policy_digest,
        reverts=reverts,
    )


def _stated(model: str, environment: str, path: str, read: Callable[[str], bytes | None]) -> Subject:
    """What the version file at *path* says that is served, or was."""
    version = _version(path, read(path))
    if version.model != model:
        raise errors.Rejected(f"{path} is about {version.model!r}")
    return Subject(
        model=model,
        environment=environment,
        model_digest=version.model_digest,
        version=version.version,
        policy_digest=version.policy_digest,
    )


def _tried(model: str, environment: str, one: ChangedFile, read: Callable[[str], bytes | None]) -> Subject:
    """What the file *one* says is tried beside what *environment* serves of *model*; nothing, where it goes."""
    live = _stated(model, environment, environment_layout.version_path(model, environment), read)
    if one.kind is Kind.REMOVED:
        return live.model_copy(update={"tries": "nothing"})
    if refused := list(_unplain(one)):
        raise errors.Rejected(f"{one.path} {refused[0]}")
    content = read(one.path) or b""  # what keeps a forge from answering says nothing of the commit
    try:
        second = second_file.parse(content, one.path)
    except errors.Misconfigured as error:
        raise errors.Rejected(str(error)) from None
    its = {"model_digest": second.model_digest, "version": second.version, "champion_digest": live.model_digest}
    return live.model_copy(update={**its, "tries": second.role, "percent": second.percent, "until": second.until})


def _version(path: str, content: bytes | None) -> release.Version:
    if content is None:
        raise errors.Rejected(f"its commit has no {path}")
    try:
        return version_file.parse(content, path)
    except errors.Misconfigured as error:
        raise errors.Rejected(str(error)) from None


def _champion(path: str, content: bytes | None) -> str | None:
    if content is None:
        raise errors.Rejected(f"its commit has no {path}")
    try:
        return evidence.parse(content, path).champion.model_digest
    except errors.Misconfigured as error:
        raise errors.Rejected(str(error)) from None


def disagreements(claimed: Subject, found: Subject) -> list[str]:
    """Differences between a request's text and its commit, one line each."""
    said, done = claimed.model_dump(), found.model_dump()
    return [
        f"{name.replace('_', ' ')}: its text says {said[name]}, its commit {done[name]}"
        for name in said
        if said[name] != done[name]
    ]


def overlap(ours: Iterable[ChangedFile], theirs: Iterable[ChangedFile]) -> list[str]:
    """The paths of *theirs* that lie where *ours* does: a merge of texts would mix the two into something that nobody checked."""
    paths = {one.path for one in ours}
    places = {place_of(path) for path in paths} - {None}
    return [one.path for one in theirs if one.path in paths or place_of(one.path) in places]
