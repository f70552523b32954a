"""The rules for an environment repo as it lies there, and for one change to it: pure checks of paths and contents.

Whether policies and values can be read is their readers' business; whether a signature is right is a check of its request.
"""

import contextlib
import datetime
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from argosy import errors
from argosy.domain import changes, environment_layout, merge_checks, release, second_file, version_file
from argosy.domain.bundle import RELEASE, Release
from argosy.domain.changes import Problem
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence

BY_DIGEST = r"[^@\s]+@sha256:[0-9a-f]{64}"
VALUES = re.compile(r"models/(?P<model>[^/]+)/values\.yaml")
OF_MODEL = re.compile(r"models/(?P<model>[^/]+)/(?P<rest>.+)")
NOTE = re.compile(r"models/[^/]+/rejected/[0-9a-f]{64}\.txt")
OF_VERSION = {"modelDigest", "storageUri", "onlineStore", "evidenceDigest", "policyDigest", "version", "image"}
"""Values that `version.yaml` alone sets."""
OF_CLUSTER = {"environment", "signature", "verifyingKey"}
"""Values that Argo CD alone sets, from where a file lies."""
LOADED = re.compile(
    r"LD_.*|DYLD_.*|GLIBC_TUNABLES|GCONV_PATH|PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE|PLATLIBDIR|WARNINGS|EXECUTABLE"
    r"|PYCACHEPREFIX|CASEOK)|PATH|HOME|BASH_ENV|ENV|OPENSSL_(CONF|MODULES|ENGINES)|ARGOSY_.*"
)
"""Variables by which a process loads other code, or by which the server would take another store, key or log than the chart gave it."""


def models(paths: Iterable[str]) -> list[str]:
    """The models that have a folder."""
    return sorted({found["model"] for path in paths if (found := OF_MODEL.fullmatch(path))})


def places(paths: Iterable[str]) -> list[changes.Place]:
    """The models that are served, and where. Of one that was retired the evidence stays, and it is not among them."""
    found = {path: place for path in paths if (place := changes.place_of(path))}
    return sorted(place for path, place in found.items() if path == environment_layout.version_path(*place))


def problems(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Problems of the repo whose files are *files* (path to content)."""
    for model in models(files):
        yield from _folder(model, files)
        for environment in environment_layout.ENVIRONMENTS:
            yield from _served(model, environment, files)
    yield from look_alikes(files)
    for path in files:
        if "/rejected/" in path and path.startswith("models/") and not NOTE.fullmatch(path):
            yield Problem(
                path, "takes nothing out of service: its name must be a model digest's 64 hex digits and .txt"
            )


def _folder(model: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    for path, why in (
        (f"models/{model}/values.yaml", "the chart has nothing to render it with"),
        (environment_layout.policy_path(model), "without gates nothing of it can be promoted"),
    ):
        if path not in files:
            yield Problem(path, f"is missing, and models/{model}/ is there: {why}")


def _served(model: str, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    path = environment_layout.version_path(model, environment)
    yield from _retired(model, environment, files)
    if path not in files:
        if (second := environment_layout.second_path(model, environment)) in files:
            yield Problem(second, "names a second version, and there is no first: remove it, or promote a version")
        return
    version = yield from _version(path, model, files)
    if version is None:
        return
    note = environment_layout.rejected_path(model, version.model_digest)
    if why := environment_layout.rejection(files.get(note)):
        yield Problem(path, f"names a model that was taken out of service ({note}): {why}")
    yield from _second(version, environment, files)
    yield from _evidence(version, environment, files)
    yield from _released(version, environment_layout.evidence_folder(version.model, environment), files)


def _retired(model: str, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    path = environment_layout.retired_path(model, environment)
    if path not in files:
        return
    if environment_layout.version_path(model, environment) in files:
        yield Problem(path, "says that the model is retired, and version.yaml beside it that it is served; remove one")
    yield from _version(path, model, files)


def _second(version: release.Version, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    path = environment_layout.second_path(version.model, environment)
    if path not in files:
        return
    try:
        second = second_file.parse(files[path], path)
    except errors.Misconfigured as error:
        yield Problem(path, str(error).removeprefix(f"{path}: "))
        return
    note = environment_layout.rejected_path(version.model, second.model_digest)
    if why := environment_layout.rejection(files.get(note)):
        yield Problem(path, f"names a model that was taken out of service ({note}): {why}")


def overdue(files: Mapping[str, bytes], today: datetime.date) -> Iterator[Problem]:
    """Second versions among *files* whose last day was before *today*. No fault of whoever changes something else: it is only said."""
    for model in models(files):
        for environment in environment_layout.ENVIRONMENTS:
            path = environment_layout.second_path(model, environment)
            with contextlib.suppress(errors.Misconfigured):  # said elsewhere
                if path in files and (second := second_file.parse(files[path], path)).is_over(today):
                    stop = f"argosy shadow {model} --environment {environment} --stop --reason TEXT"
                    yield Problem(path, f"was to be tried until {second.until}: `{stop}`, or another --until")


def _version(path: str, model: str, files: Mapping[str, bytes]) -> Generator[Problem, None, release.Version | None]:
    """What is wrong in the file of a version of *model* at *path*; returns the version, None where the file holds none."""
    try:
        version = version_file.parse(files[path], path)
    except errors.Misconfigured as error:
        yield Problem(path, str(error).removeprefix(f"{path}: "))
        return None
    if version.model != model:
        yield Problem(path, f"is about {version.model!r}")
    return version


def _evidence(version: release.Version, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    folder = environment_layout.evidence_folder(version.model, environment)
    for name in (environment_layout.BUNDLE_SIGNATURE, environment_layout.EVIDENCE_SIGNATURE):
        if f"{folder}/{name}" not in files:
            yield Problem(f"{folder}/{name}", "is missing: what is not signed is not served")
    path = f"{folder}/evidence.json"
    content = files.get(path)
    if content is None:
        yield Problem(path, "is missing: nothing says why this version may be served")
    elif sha256(content) != version.evidence_digest:
        yield Problem(path, "is not the evidence whose digest version.yaml has")
    else:
        yield from _of_model(path, content, version)


def _of_model(path: str, content: bytes, version: release.Version) -> Iterator[Problem]:
    try:
        evidence = Evidence.model_validate_json(content)
    except ValidationError as error:
        yield Problem(path, f"cannot be read: {error.errors()[0]['msg']}")
        return
    if evidence.model_digest != version.model_digest or evidence.model != version.model:
        yield Problem(path, "is about another model than version.yaml")
    if evidence.policy_digest != version.policy_digest:
        yield Problem(path, "was judged by another policy than version.yaml names")
    if evidence.verdict != "promote":
        yield Problem(path, f"says {evidence.verdict!r}, and its model is served")
    doubts = evidence.provenance.doubts()
    served_in = next(
        name
        for name in environment_layout.ENVIRONMENTS
        if path.startswith(f"{environment_layout.folder(version.model, name)}/")
    )
    if doubts and evidence.must_be_repeatable(served_in):
        yield Problem(path, f"is of a model that cannot be made again: {'; '.join(doubts)}")


def _released(version: release.Version, folder: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Differences between *version* and the release beside its evidence; earlier Argosys put none there."""
    path = f"{folder}/{RELEASE}"
    if path not in files:
        return
    try:
        released = Release.model_validate_json(files[path])
    except ValidationError as error:
        yield Problem(path, f"cannot be read: {error.errors()[0]['msg']}")
        return
    check = merge_checks.of_release(version, released, legacy=False)
    if not check.passed:
        yield Problem(f"{folder.rpartition('/')[0]}/version.yaml", check.reason)


def below_minimum(model: str, values: Mapping[str, object], files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Versions of *model* that are older than its shared *values* let anybody serve."""
    oldest = values.get("minimumVersion")
    if not isinstance(oldest, int):
        return
    for environment in environment_layout.ENVIRONMENTS:
        for path, parse in (
            (environment_layout.version_path(model, environment), version_file.parse),
            (environment_layout.second_path(model, environment), second_file.parse),
        ):
            with contextlib.suppress(errors.Misconfigured):  # said elsewhere
                if path in files and (found := parse(files[path], path).version) < oldest:
                    yield Problem(
                        path, f"version {found} is older than minimumVersion ({oldest}) in models/{model}/values.yaml"
                    )


def look_alikes(paths: Iterable[str]) -> Iterator[Problem]:
    """Paths that are another's, or are meant to be served, but for upper and lower case: some file systems take them for one."""
    known: dict[str, str] = {}
    for path in sorted(paths):
        first = known.setdefault(path.casefold(), path)
        if first != path:
            yield Problem(path, f"differs from {first} in upper and lower case only")
        elif changes.place_of(path) is None and changes.place_of(path.casefold()):
            yield Problem(path, "is read by nothing: names in the environment repo are lower case")


def opened(model: str, values: Mapping[str, Any]) -> str | None:
    """What to say of *values* by which *model* answers whoever reaches its pods; None where callers prove who they are."""
    access = values.get("access")
    if not isinstance(access, Mapping) or access.get("enabled") is not False:
        return None
    return f"access.enabled is false: whoever reaches the pods of {model} may ask, in every environment; see that this is meant"


def forbidden(values: Mapping[str, Any]) -> Iterator[str]:
    """Values of a model's ``values.yaml``, which production shares, that may not be set there."""
    for name in sorted(OF_VERSION & values.keys()):
        yield f"{name}: version.yaml says this, and nothing else may"
    for name in sorted(OF_CLUSTER & values.keys()):
        yield f"{name}: Argo CD says this, by the environment that a file lies in, and nothing else may"
    if "second" in values:
        yield "second: second.yaml beside a version says this, for one environment, and nothing else may"
    if values.get("unsigned"):
        yield "unsigned: these values are production's too, and it serves nothing unsigned; for a try, pass it by hand"
    server = values.get("server")
    yield from _forbidden_of_server(server if isinstance(server, Mapping) else {})


def _forbidden_of_server(server: Mapping[str, Any]) -> Iterator[str]:
    if (image := server.get("image")) and not re.fullmatch(BY_DIGEST, str(image)):
        yield f"server.image: {image} is no image by digest (<name>@sha256:<64 hex digits>); what a tag names changes after the review"
    for name in _loaded(server.get("env")):
        yield f"server.env: {name} would make the server load other code, or trust another place, than what was reviewed"


def forbidden_of_environment(values: object) -> Iterator[str]:
    """Values of an environment's ``server.yaml`` that may not be set there: it is there for the image alone."""
    if values is None:
        return
    server = values.get("server") if isinstance(values, Mapping) else None
    if (
        not isinstance(values, Mapping)
        or set(values) != {"server"}
        or not isinstance(server, Mapping)
        or set(server) != {"image"}
    ):
        yield "says something else than `server: {image: <name>@sha256:<64 hex digits>}`; other values belong to a model's values.yaml"
    elif server["image"]:
        yield from _forbidden_of_server(server)
    else:
        yield "server.image: is empty, which takes the image away that models name; leave it out"


def _loaded(variables: object) -> list[str]:
    entries = variables if isinstance(variables, list) else []
    names = [str(entry.get("name")) for entry in entries if isinstance(entry, Mapping)]
    return [name for name in names if LOADED.fullmatch(name)]
