"""What must hold of an environment repo as it lies there, and of one change to it: pure checks of paths and contents.

Whether policies and values can be read is their readers' business; whether a signature is right is a check of its request.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from argosy import errors
from argosy.domain import promotion, release
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence

VALUES = re.compile(r"models/(?P<model>[^/]+)/values\.yaml")
OF_MODEL = re.compile(r"models/(?P<model>[^/]+)/(?P<rest>.+)")
NOTE = re.compile(r"models/[^/]+/rejected/[0-9a-f]{64}\.txt")
OF_VERSION = {"modelDigest", "storageUri", "onlineStore", "evidenceDigest", "policyDigest", "version"}
"""What `version.yaml` alone says."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file."""

    path: str
    said: str


def models(paths: Iterable[str]) -> list[str]:
    """The models that have a folder."""
    return sorted({found["model"] for path in paths if (found := OF_MODEL.fullmatch(path))})


def problems(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """What is wrong with the repo whose files are *files* (path to content)."""
    for model in models(files):
        yield from _folder(model, files)
        for environment in promotion.ENVIRONMENTS:
            yield from _served(model, environment, files)
    for path in files:
        if "/rejected/" in path and path.startswith("models/") and not NOTE.fullmatch(path):
            yield Problem(
                path, "takes nothing out of service: its name must be a model digest's 64 hex digits and .txt"
            )


def _folder(model: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    for path, why in (
        (f"models/{model}/values.yaml", "the chart has nothing to render it with"),
        (promotion.policy_path(model), "without gates nothing of it can be promoted"),
    ):
        if path not in files:
            yield Problem(path, f"is missing, and models/{model}/ is there: {why}")


def _served(model: str, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    path = promotion.version_path(model, environment)
    if path not in files:
        return
    try:
        version = release.parse(files[path].decode(errors="replace"), path)
    except errors.Misconfigured as error:
        yield Problem(path, str(error).removeprefix(f"{path}: "))
        return
    if version.model != model:
        yield Problem(path, f"is about {version.model!r}")
    note = promotion.rejected_path(model, version.model_digest)
    if why := promotion.rejection(files.get(note)):
        yield Problem(path, f"names a model that was taken out of service ({note}): {why}")
    yield from _evidence(version, environment, files)


def _evidence(version: release.Version, environment: str, files: Mapping[str, bytes]) -> Iterator[Problem]:
    folder = promotion.evidence_folder(version.model, environment)
    for name in (promotion.BUNDLE_SIGNATURE, promotion.EVIDENCE_SIGNATURE):
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
    if evidence.model_digest != version.model_digest:
        yield Problem(path, "is about another model than version.yaml")


def restated(values: Mapping[str, object]) -> list[str]:
    """What a model's shared values say although `version.yaml` alone may."""
    return sorted(OF_VERSION & values.keys())


def beyond_one_model(changed: Iterable[str]) -> list[Problem]:
    """What a change of the paths *changed* does that one request may not: a second model or environment, or a rule beside a version."""
    paths = sorted(changed)
    places = {place: path for path in reversed(paths) if (place := _place(path))}
    if not places:
        return []
    first, *others = sorted(places)
    found = [
        Problem(
            places[other],
            f"promotes {' in '.join(other)} beside {' in '.join(first)}; one request, one model, one environment",
        )
        for other in others
    ]
    rules = [path for path in paths if path.startswith(("policies/", "clusters/", "keys/", ".github/"))]
    return found + [
        Problem(path, "changes together with a version that it judges; make it a request of its own") for path in rules
    ]


def _place(path: str) -> tuple[str, str] | None:
    found = OF_MODEL.fullmatch(path)
    environment = found["rest"].partition("/")[0] if found else ""
    return (
        (found["model"], environment)
        if found and environment in promotion.ENVIRONMENTS and not path.endswith(".md")
        else None
    )
