"""Artifacts and parameters between the object store and an attempt's files. The words of a failure are those of Argo's executor."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.engine.artifacts import archives
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.locations import kind_of
from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts.workspace import Workspace
from argosy.engine.nodes import Json, Outputs
from argosy.engine.state.objects import ObjectStore

LONGEST_RESULT = 256 * 1024
LONGEST_PARAMETER = 256 * 1024
"""What a cluster's object could not hold either."""

SAVED = "/var/run/argo/outputs"
"""Where Argo's executor keeps what a container leaves in its own file system; its messages say so."""

MOUNTED = "/mainctrfs"
"""Where it finds what a container leaves in a volume."""


class TransferFailure(Exception):
    """An input could not be put in place, or an output is not there."""


def deliver(template: Mapping[str, Any], workspace: Workspace, store: ObjectStore, remote: Remote) -> None:
    """Put the input artifacts of *template* where it expects them. Raises TransferFailure."""
    for artifact in (template.get("inputs") or {}).get("artifacts") or []:
        if not artifact.get("path"):
            continue
        target = workspace.path(artifact["path"])
        try:
            _put(artifact, target, store, remote)
        except (FileNotFoundError, ArtifactFailure) as error:
            if not artifact.get("optional") or not isinstance(error, FileNotFoundError | ArtifactMissing):
                raise TransferFailure(
                    f"init: Error (exit code 64): artifact {artifact['name']} failed to load: {error}"
                ) from None
            if kind_of(artifact):
                target.mkdir(parents=True)  # the place at which a pod would have had it mounted


def _put(artifact: Json, target: Path, store: ObjectStore, remote: Remote) -> None:
    if "raw" in artifact:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(artifact["raw"].get("data") or "", encoding="utf-8")
    elif "stored" in artifact:
        stored = artifact["stored"]
        if stored.get("leaving"):
            raise TransferFailure(f"init: Error (exit code 64): illegal symlink target: {stored['leaving']}")
        if artifact.get("subPath") and not stored.get("plain"):
            raise FileNotFoundError(
                f"subPath {artifact['subPath']!r} of an archived artifact; declare it with `archive: none: {{}}`"
            )
        store.deliver(stored["digest"], target, artifact.get("subPath"))
    elif kind_of(artifact):
        remote.load(artifact, target)
    else:
        return
    if artifact.get("mode") is not None:
        _change_mode(target, int(artifact["mode"]), recurse=bool(artifact.get("recurseMode")))


def _change_mode(path: Path, mode: int, *, recurse: bool) -> None:
    if recurse and path.is_dir():
        for entry in path.rglob("*"):
            entry.chmod(mode)
    path.chmod(mode)


def collect(
    template: Mapping[str, Any], workspace: Workspace, store: ObjectStore, remote: Remote, *, keeps_result: bool
) -> tuple[Outputs, list[str]]:
    """The outputs of an attempt that ended, artifacts moved into *store*, and what is missing of them."""
    outputs, missing = Outputs(), []
    declared = template.get("outputs") or {}
    if keeps_result:
        outputs.result = _result(workspace.stdout)
    for parameter in declared.get("parameters") or []:
        try:
            value = _parameter(parameter, workspace)
        except TransferFailure as failure:
            missing.append(str(failure))
        else:
            outputs.parameters[parameter["name"]] = value
    for artifact in declared.get("artifacts") or []:
        try:
            found = _artifact(artifact, declared["artifacts"], workspace, store, remote)
        except (TransferFailure, ArtifactFailure) as failure:
            missing.append(str(failure))
        else:
            outputs.artifacts |= {artifact["name"]: found} if found else {}
    return outputs, missing


def _artifact(
    artifact: Json, declared: list[Json], workspace: Workspace, store: ObjectStore, remote: Remote
) -> Json | None:
    """The output *artifact* of those *declared*, kept; None where it may be missing and is. Raises TransferFailure, ArtifactFailure."""
    if not artifact.get("path"):
        return None
    path = workspace.path(artifact["path"])
    if not path.exists():
        if artifact.get("optional"):
            return None
        saved = f"{SAVED}/artifacts{artifact['path'].rstrip('/')}.tgz"
        where = saved if workspace.is_in_image(artifact["path"]) else MOUNTED + artifact["path"]
        raise TransferFailure(f"open {where}: no such file or directory; ")
    source = _inside(path, workspace)
    links = list(archives.links_of(source))
    leaving = next((f"{link} -> {target}" for link, target in links if archives.leaves(link, target)), "")
    if links and "none" in (artifact.get("archive") or {}):
        if leaving and workspace.is_in_image(artifact["path"]):
            raise TransferFailure(f"illegal symlink target: {leaving}; ")
        source = _without_links(source, workspace)
    location = remote.save(artifact, source) if kind_of(artifact) else {}
    kept = {**_stored(artifact, source, store, leaving), **location}
    others = [workspace.path(other["path"]) for other in declared if other.get("path")]
    shared = sum(path.is_relative_to(other) or other.is_relative_to(path) for other in others) > 1
    if shared or not workspace.is_own(source):
        store.deliver(kept["stored"]["digest"], source, None)  # another artifact, or another step, has these files too
    return kept


def _result(stdout: Path) -> str:
    with stdout.open("rb") as content:
        content.seek(max(0, stdout.stat().st_size - LONGEST_RESULT - 1))
        tail = content.read()
    tail = tail.removesuffix(b"\n")
    return tail[-LONGEST_RESULT:].decode("utf-8", errors="replace")


def _parameter(parameter: Json, workspace: Workspace) -> str:
    source = parameter.get("valueFrom") or {}
    if not source.get("path"):
        return parameter.get("value") or ""
    path = _inside(workspace.path(source["path"]), workspace)
    try:
        if path.stat().st_size > LONGEST_PARAMETER:
            raise TransferFailure(
                f"output parameter {parameter['name']!r} has {path.stat().st_size} bytes; a cluster keeps at most {LONGEST_PARAMETER}: "
                "hand it on as an artifact"
            )
        return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
    except OSError as error:
        if source.get("default") is not None:
            return str(source["default"]).removesuffix("\n")
        kept = f"{SAVED}/parameters" if workspace.is_in_image(source["path"]) else MOUNTED
        raise TransferFailure(f"open {kept}{source['path']}: {(error.strerror or '').lower()}") from None


def _inside(path: Path, workspace: Workspace) -> Path:
    """*path*, unless it is a link that leaves the attempt's files: a step hands on what it wrote, nothing of this machine's."""
    if path.is_symlink():
        target = path.resolve()
        own = (workspace.folder, *workspace.volumes.values())
        if not any(target.is_relative_to(folder.resolve()) for folder in own):
            raise TransferFailure(f"{path.name} is a link to {target}, which is not the step's own")
        return target
    return path


_KEPT = ("name", "optional", "archive", "globalName", "artifactGC")


def _stored(artifact: Json, path: Path, store: ObjectStore, leaving: str) -> Json:
    """*leaving*: the first link that points out of the archive, which will not be unpacked because of it."""
    archive = artifact.get("archive") or {}
    kept = {key: value for key, value in artifact.items() if key in _KEPT}
    stored: Json = {"kind": "folder" if path.is_dir() else "file", "plain": "none" in archive}
    if leaving and not stored["plain"] and "zip" not in archive:
        stored["leaving"] = leaving
    return {**kept, "stored": {"digest": store.take(path), **stored}}


def _without_links(source: Path, workspace: Workspace) -> Path:
    """The folder *source* as a bucket has it, where there are no links."""
    copy = Path(tempfile.mkdtemp(prefix="plain-", dir=workspace.folder)) / source.name
    shutil.copytree(
        source, copy, ignore=lambda folder, names: [name for name in names if Path(folder, name).is_symlink()]
    )
    return copy
