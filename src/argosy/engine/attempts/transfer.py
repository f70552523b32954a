"""Artifacts and parameters between the object store and an attempt's files. The words of a failure are those of Argo's executor."""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from argosy import errors
from argosy.engine.artifacts import archives
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts.workspace import Workspace
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import Parameter, Template
from argosy.engine.nodes import Json, Outputs
from argosy.engine.state import object_store, trees
from argosy.engine.state.object_store import ObjectStore

LONGEST_RESULT = 256 * 1024
LONGEST_PARAMETER = 256 * 1024
"""A longer one no cluster's object could hold either."""

LONGEST_SHOWN = 200
"""Characters of a path that a message repeats."""

SAVED = "/var/run/argo/outputs"
"""The folder in which Argo's executor keeps what a container leaves in its own file system; its messages say so."""

MOUNTED = "/mainctrfs"
"""The folder in which it finds what a container leaves in a volume."""


class TransferFailure(Exception):
    """An input could not be put in place, or an output is not there."""


class Unsaved(TransferFailure):
    """An output is there, and cannot be kept. What keeps it is in the container itself, which ends with :data:`UNSAVED`.

    *begun*: an empty file was made for it, which is its value then.
    """

    def __init__(self, reason: str, *, begun: bool = False) -> None:
        super().__init__(reason)
        self.begun = begun


UNSAVED = 64
"""The exit code of Argo's program in a container whose outputs it could not keep."""


@dataclass
class Collected:
    """The outputs of an attempt. *missing*: what is wrong with its outputs; *unsaved*: why its container did not end well for them."""

    outputs: Outputs
    missing: list[str] = field(default_factory=list)
    unsaved: str = ""


def deliver(template: Template, workspace: Workspace, store: ObjectStore, remote: Remote) -> None:
    """Put the input artifacts of *template* where it expects them. Raises TransferFailure."""
    for artifact in template.inputs.artifacts:
        if not artifact.path:
            continue
        try:
            _put(artifact, workspace, store, remote)
        except (OSError, ArtifactFailure) as error:
            if isinstance(error, OSError) and errors.is_disk_full(error):
                raise
            missing = isinstance(error, FileNotFoundError | ArtifactMissing)
            if not artifact.optional or not missing:
                raise TransferFailure(
                    f"init: Error (exit code 64): artifact {artifact.name} failed to load: {error}"
                ) from None
            if artifact.location_kind:
                # The place at which a pod would have had it mounted.
                workspace.path(artifact.path).mkdir(parents=True, exist_ok=True)


def _put(artifact: Artifact, workspace: Workspace, store: ObjectStore, remote: Remote) -> None:
    """Put *artifact* at its path, in place of what is there. Raises OSError, ArtifactFailure, TransferFailure."""
    target = workspace.path(artifact.path)
    if not workspace.holds(target.parent):  # a volume may hold what another step has put there
        raise TransferFailure(
            f"init: Error (exit code 64): artifact {artifact.name} failed to load: {artifact.path} leads out of its volume"
        )
    if workspace.is_place(target):
        with tempfile.TemporaryDirectory(prefix="input-", dir=workspace.folder) as folder:
            staged = Path(folder) / "staged"
            _load(artifact, staged, store, remote)
            _empty_into(staged, target, artifact)
    else:
        if os.path.lexists(target):
            _make_room(target, artifact.path, workspace)
        _load(artifact, target, store, remote)
    if artifact.mode is not None and target.exists():
        _change_mode(target, artifact.mode, recurse=artifact.recurse_mode)


def _empty_into(staged: Path, target: Path, artifact: Artifact) -> None:
    """Move what is in the folder *staged* to the folder *target*, which a step has anyhow."""
    if not staged.exists():
        return
    if not staged.is_dir():
        raise ArtifactFailure(f"it is a file, and {artifact.path} is a folder")
    for entry in staged.iterdir():
        shutil.move(entry, target / entry.name)


def _make_room(target: Path, inside: str, workspace: Workspace) -> None:
    """Remove what the artifact at *inside* takes the place of. Raises ArtifactFailure where that is a folder of a volume, and not empty."""
    if not workspace.is_in_image(inside) and trees.is_folder(target) and any(target.iterdir()):
        raise ArtifactFailure(f"rename {MOUNTED}{inside}.tmp {MOUNTED}{inside}: file exists")
    trees.remove(target)


def _load(artifact: Artifact, target: Path, store: ObjectStore, remote: Remote) -> None:
    if artifact.raw is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(artifact.raw.data, encoding="utf-8")
    elif stored := artifact.stored:
        if stored.leaving:
            raise TransferFailure(f"init: Error (exit code 64): illegal symlink target: {stored.leaving}")
        if artifact.sub_path and not stored.plain:
            raise FileNotFoundError(
                f"subPath {artifact.sub_path!r} of an archived artifact; declare it with `archive: none: {{}}`"
            )
        store.deliver(stored.digest, target, artifact.sub_path or None)
    elif artifact.location_kind:
        remote.load(artifact, target)


def _change_mode(path: Path, mode: int, *, recurse: bool) -> None:
    if recurse and path.is_dir():
        for entry in trees.walk(path):
            if not entry.is_symlink():
                entry.chmod(mode)
    path.chmod(mode)


def collect(
    template: Template, workspace: Workspace, store: ObjectStore, remote: Remote, *, keeps_result: bool
) -> Collected:
    """The outputs of an attempt that ended, artifacts moved into *store*."""
    collected = Collected(Outputs())
    declared = template.outputs
    if keeps_result:
        collected.outputs.result = _result(workspace.stdout)
    for parameter in declared.parameters:
        with _noting(collected):
            _take_parameter(parameter, workspace, collected.outputs)
    for artifact in declared.artifacts:
        with _noting(collected):
            found = _artifact(artifact, declared.artifacts, workspace, store, remote)
            collected.outputs.artifacts |= {artifact.name: found} if found else {}
    return collected


@contextlib.contextmanager
def _noting(collected: Collected) -> Iterator[None]:
    """Write down in *collected* what is wrong with one output."""
    try:
        yield
    except Unsaved as failure:
        collected.unsaved = collected.unsaved or str(failure)
    except (TransferFailure, ArtifactFailure) as failure:
        collected.missing.append(str(failure))


def _artifact(
    artifact: Artifact, declared: list[Artifact], workspace: Workspace, store: ObjectStore, remote: Remote
) -> Json | None:
    """The output *artifact* of those *declared*, kept; None where it may be missing and is. Raises TransferFailure, ArtifactFailure."""
    if not artifact.path:
        return None
    inside = artifact.path
    path = workspace.path(inside)
    with _unsaved_as(
        f"failed to tarball the output {inside} to {SAVED}/artifacts{inside.rstrip('/')}.tgz", workspace, inside
    ):
        if not _is_there(path):
            if artifact.optional:
                return None
            saved = f"{SAVED}/artifacts{inside.rstrip('/')}.tgz"
            where = saved if workspace.is_in_image(inside) else MOUNTED + inside
            raise TransferFailure(f"open {where}: no such file or directory; ")
        source = _inside(path, workspace)
        left_out = _left_out(source, inside, without_links=artifact.archive.is_none)
        leaving = next(archives.leaving(source), "")
        if leaving and artifact.archive.is_none and workspace.is_in_image(inside):
            raise TransferFailure(f"illegal symlink target: {leaving}; ")
        if left_out:
            source = _copy_without(left_out, source, workspace)
        location = remote.save(artifact, source) if artifact.location_kind else {}
        kept = {**_stored(artifact, source, store, leaving), **location}
        others = [workspace.path(other.path) for other in declared if other.path]
        shared = sum(path.is_relative_to(other) or other.is_relative_to(path) for other in others) > 1
        if not left_out and (shared or not workspace.is_own(source)):
            store.deliver(
                kept["stored"]["digest"], source, None
            )  # another artifact, or another step, has these files too
        return kept


@contextlib.contextmanager
def _unsaved_as(doing: str, workspace: Workspace, inside: str) -> Iterator[None]:
    """Turn what the file system says of the output *inside* into the words of whoever saves it: what is in a volume, Argo's executor."""
    try:
        yield
    except OSError as error:
        if errors.is_disk_full(error) or not _is_of(error, workspace, inside):
            raise
        reason = _reason(error, workspace, inside)
        if workspace.is_in_image(inside):
            raise Unsaved(f"{doing}: {reason}") from None
        raise TransferFailure(f"{reason}; ") from None


def _is_of(error: OSError, workspace: Workspace, inside: str) -> bool:
    """True where *error* is one of the output *inside* itself, not of where it is kept."""
    place = Path(os.fsdecode(error.filename)) if error.filename else None
    return error.errno is None or (place is not None and place.is_relative_to(workspace.path(inside)))


def _reason(error: OSError, workspace: Workspace, inside: str) -> str:
    """The words of *error*, its path as the step knows it."""
    if error.errno is None:
        return str(error)
    words = os.strerror(error.errno).lower()
    if not error.filename:
        return words
    place = Path(os.fsdecode(error.filename))
    own = workspace.path(inside)
    known = PurePosixPath(inside) / place.relative_to(own) if place.is_relative_to(own) else PurePosixPath(inside)
    return f"{_CALLS.get(error.errno, 'open')} {str(known)[:LONGEST_SHOWN]}: {words}"


_CALLS = {errno.ELOOP: "stat", errno.ENAMETOOLONG: "lstat"}
"""In which of its calls Go comes upon an error."""


def _is_there(path: Path) -> bool:
    """True where there is a file or folder at *path*. Raises OSError where a link leads round in a circle."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _left_out(source: Path, inside: str, *, without_links: bool) -> set[Path]:
    """The entries of the folder *source*, the output *inside*, that no archive of it holds. Raises OSError where there can be none."""
    if not source.is_dir():
        if not source.is_file():
            raise OSError(f"{inside} is not a regular file or directory")
        return set()
    left_out = set()
    for entry in trees.walk(source):
        if entry.is_socket():
            raise OSError("archive/tar: sockets not supported")
        if trees.is_special(entry) or (without_links and entry.is_symlink()):
            left_out.add(entry)
    return left_out


def _take_parameter(parameter: Parameter, workspace: Workspace, outputs: Outputs) -> None:
    try:
        outputs.parameters[parameter.name] = _parameter(parameter, workspace)
    except Unsaved as failure:
        if failure.begun:
            outputs.parameters[parameter.name] = ""
        raise


def _result(stdout: Path) -> str:
    with stdout.open("rb") as content:
        content.seek(max(0, stdout.stat().st_size - LONGEST_RESULT - 1))
        tail = content.read()
    tail = tail.removesuffix(b"\n")
    return tail[-LONGEST_RESULT:].decode("utf-8", errors="replace")


def _parameter(parameter: Parameter, workspace: Workspace) -> str:
    source = parameter.value_from
    if not source.path:
        return parameter.value or ""
    inside = source.path
    path = _inside(workspace.path(inside), workspace)
    try:
        return _content(parameter.name, inside, path).removesuffix("\n")
    except OSError as error:
        if workspace.is_in_image(inside) and error.errno != errno.ENOENT:
            # Argo's program in the container does not get as far as a default.
            raise _unsaved_parameter(error, workspace, inside) from None
        if source.default is not None:
            return source.default.removesuffix("\n")
        kept = f"{SAVED}/parameters" if workspace.is_in_image(inside) else MOUNTED
        raise TransferFailure(f"open {kept}{inside}: {(error.strerror or str(error)).lower()}") from None


def _unsaved_parameter(error: OSError, workspace: Workspace, inside: str) -> Unsaved:
    if error.errno is None:
        return Unsaved(f"failed to copy {inside} to {SAVED}/parameters/{inside}: {error}", begun=True)
    return Unsaved(f"failed to open {inside}: {_reason(error, workspace, inside)}")


def _content(name: str, inside: str, path: Path) -> str:
    """The text of the output parameter *name*. Raises OSError where there is no file of it."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise OSError(f"write {SAVED}/parameters/{inside}: copy_file_range: is a directory")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(f"read {inside}: is not a regular file")
    if found.st_size > LONGEST_PARAMETER:
        raise TransferFailure(
            f"output parameter {name!r} has {found.st_size} bytes; a cluster keeps at most {LONGEST_PARAMETER}: "
            "hand it on as an artifact"
        )
    return b"".join(trees.read(path)).decode(errors="replace")


def _inside(path: Path, workspace: Workspace) -> Path:
    """*path*, unless it, or a folder it is in, is a link that leaves the attempt's files: a step hands on what it wrote, nothing of this
    machine's."""
    try:
        target = path.resolve()
    except RuntimeError:  # it leads round in a circle
        return path
    if not workspace.holds(path):
        raise TransferFailure(f"{path.name} is a link to {target}, which is not the step's own")
    return target if path.is_symlink() else path


_KEPT = ("name", "optional", "archive", "globalName", "artifactGC")


def _stored(artifact: Artifact, path: Path, store: ObjectStore, leaving: str) -> Json:
    """*leaving*: the first link that points out of the archive, which will not be unpacked because of it."""
    archive = artifact.archive
    kept = {key: value for key, value in artifact.written.items() if key in _KEPT}
    stored: Json = {"kind": "folder" if path.is_dir() else "file", "plain": archive.is_none}
    if leaving and not archive.is_none and archive.zip is None:
        stored["leaving"] = leaving
    return {**kept, "stored": {"digest": store.take(path), **stored}}


def _copy_without(left_out: Collection[Path], source: Path, workspace: Workspace) -> Path:
    """The folder *source* as whoever unpacks an archive of it has it."""
    copy = Path(tempfile.mkdtemp(prefix="plain-", dir=workspace.folder)) / source.name
    object_store.copy(source, copy, left_out.__contains__)
    return copy
