"""An attempt's own files: where each path that the manifest names really lies, and which of them the process must be shown there.

Under the attempt's folder: ``root/`` (what a container has at ``$ARGOSY_ROOT``), ``tmp/`` (its ``/tmp``), ``volumes/<name>/``, ``files/``
(every other path), ``main.log``, ``stdout``. A path under ``$ARGOSY_ROOT`` needs no private view of the file system; any other does.
"""

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from argosy.engine.attempts.volumes import (
    NO_CLAIMS,
    Claims,
    VolumeFailure,
    is_of_the_attempt,
    is_read_only,
    source_of,
    sub_path,
)
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Container, Volume
from argosy.engine.processes.view import PLACE, Bind
from argosy.engine.state import trees

ROOT_VARIABLE = "ARGOSY_ROOT"
ROOT = PurePosixPath("/")
TMP = PurePosixPath("/tmp")  # noqa: S108 - the path inside the step's own view


class PathFailure(Exception):
    """A path of the manifest cannot be given to a step."""


@dataclass(frozen=True)
class Shown:
    """*source* (of this machine) is what the process finds at *target*."""

    source: Path
    target: PurePosixPath
    read_only: bool = False


class Workspace:
    """The files of one attempt of *template*, in *folder*. *claims*: where volumes lie that are not the attempt's own.

    *pod*: where volumes lie that it shares with other containers of its pod. *is_seen*: whether the step finds a folder of this machine in
    its place.
    """

    def __init__(
        self,
        folder: Path,
        template: Template,
        volumes: Sequence[Volume],
        claims: Claims = NO_CLAIMS,
        *,
        pod: Path | None = None,
        is_seen: Callable[[Path], bool] = Path.is_dir,
    ) -> None:
        self.folder = folder
        self._is_seen = is_seen
        self._pod = pod
        self.root = folder / "root"
        self.scratch = folder / "tmp"
        self.log = folder / "main.log"
        self.stdout = folder / "stdout"
        self.work = folder / "work"
        container = template.main_container
        self._volume_mounts = [PurePosixPath(mount.mount_path) for mount in container.volume_mounts]
        self.given_root = _given_root(container)
        self.mounts: dict[PurePosixPath, Path] = {}
        self.files: dict[PurePosixPath, Path] = {}
        self.volumes: dict[str, Path] = {}
        """The folder of each volume that is mounted, by name."""
        self._linked: dict[PurePosixPath, Path] = {}
        self._left_to_step: set[PurePosixPath] = set()
        """Outputs whose folders the step makes itself."""
        self._read_only: set[PurePosixPath] = set()
        self._add_volumes(container, {volume.name: volume for volume in volumes}, claims)
        self.top = self.scratch.with_name(f"{self.scratch.name}{PLACE}")
        """The folder for what the process writes directly into its ``/``."""
        self._add_files(template, container)

    def prepare(self) -> None:
        """Make the folders, empty: what a killed attempt left is gone."""
        trees.remove(self.folder)
        self.folder.mkdir(parents=True)
        root = [self.root] if self.given_root else []
        for folder in (*root, *self.volumes.values(), self.scratch, self.work):
            folder.mkdir(parents=True, exist_ok=True)

    def mirror(self, main: "Workspace", inputs: list[str]) -> None:
        """Show the input artifacts *inputs* of the container with the files *main* here too."""
        self.files |= {_plain(path): main.path(path) for path in inputs}

    def prepare_mounts(self) -> None:
        """Make the places that are mounted, once the volumes hold what they hold: a part of one may be a file."""
        for path, place in self.mounts.items():
            if not self.holds(place):  # what an earlier step left in the volume is a link
                raise PathFailure(f"{str(path)!r} would show {place.resolve()}, which is in no volume of the step")
            if not place.exists():
                place.mkdir(parents=True)
        for path, source in self._linked.items():
            link = self.root / path.relative_to(self.given_root or ROOT)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)

    def prepare_outputs(self) -> None:
        """Make the folders that outputs will lie in, but for those that the step is to make."""
        for path in self._outputs:
            if path not in self._left_to_step:
                self._make_folder(self.path(str(path)).parent, path)

    def _make_folder(self, folder: Path, path: PurePosixPath) -> None:
        """Make the *folder* that the step wants for *path*. Raises PathFailure where what an earlier step left is a link on the way."""
        if not self.holds(folder):
            raise PathFailure(f"{str(path)!r} would lie in {folder.resolve()}, which is in no volume of the step")
        folder.mkdir(parents=True, exist_ok=True)

    def holds(self, path: Path) -> bool:
        """True where what *path* leads to, links followed, lies in the attempt's folder or in a volume of it."""
        try:
            target = path.resolve()
        except RuntimeError:  # it leads round in a circle, and nowhere else
            return True
        return any(target.is_relative_to(folder.resolve()) for folder in (self.folder, *self.volumes.values()))

    def is_own(self, path: Path) -> bool:
        """True where *path* lies in the attempt's folder, and goes with it."""
        return path.is_relative_to(self.folder)

    def is_place(self, path: Path) -> bool:
        """True where *path* is a folder that the step has whatever lies in it: a volume, ``/tmp``, ``$ARGOSY_ROOT``."""
        return path in (self.scratch, self.root, *self.mounts.values())

    def is_in_image(self, inside: str) -> bool:
        """True where the container's path *inside* is in no volume."""
        return not any(PurePosixPath(inside).is_relative_to(mount) for mount in self._volume_mounts)

    def clear(self) -> None:
        """Remove everything but the log."""
        for entry in self.folder.iterdir():
            if entry != self.log:
                with contextlib.suppress(OSError):
                    trees.remove(entry)

    def path(self, inside: str) -> Path:
        """The path on this machine of the container's path *inside*."""
        wanted = PurePosixPath(inside)
        for mount, source in self._places():
            if wanted.is_relative_to(mount):
                return source / wanted.relative_to(mount)
        raise PathFailure(f"{inside!r} is not an absolute path")

    def shown(self) -> list[Shown]:
        """The files that a private view of the file system must show, beside its own ``/tmp``, once inputs are in place; often nothing."""
        there = {path: source for path, source in self.files.items() if source.exists()}
        return [
            Shown(source, target, target in self._read_only)
            for target, source in sorted({**self.mounts, **there}.items())
        ]

    def own(self, script: Path | None) -> list[Bind]:
        """The files that the process finds at their paths here, because it is told those: folders of its own, and its *script*."""
        root = [self.root] if self.given_root else []
        linked = [(source, path in self._read_only) for path, source in self._linked.items()]
        return [
            *(Bind(folder, str(folder)) for folder in (self.work, *root)),
            *(Bind(source, str(source), read_only) for source, read_only in linked),
            *([Bind(script, str(script), read_only=True)] if script else []),
        ]

    def translated(self, value: str) -> str:
        """A variable's value, where it is a path under ``$ARGOSY_ROOT``, as the path it has here."""
        if self.given_root and PurePosixPath(value).is_relative_to(self.given_root):
            return str(self.root / PurePosixPath(value).relative_to(self.given_root))
        return value

    def working_folder(self, inside: str, *, has_view: bool) -> Path:
        """The process's working folder, made where there is none, by the name under which the process finds it.

        Most images have none of their own, which is ``/``: a step that hands on what lies there may well write it by its name only.
        """
        if not inside:
            return Path(ROOT) if self._directly_in_root() else self.work
        if not self._has_place(PurePosixPath(inside)):
            return Path(inside)  # a folder of this machine
        folder = self.path(inside)
        self._make_folder(folder, PurePosixPath(inside))
        below_root = self.given_root and PurePosixPath(inside).is_relative_to(self.given_root)
        return Path(inside) if has_view and not below_root else folder

    def needs_view(self) -> PurePosixPath | None:
        """A path that only a private view of the file system can give a process, or None where it needs none."""
        return next(iter(sorted({**self.mounts, **self.files, **self._directly_in_root()})), None)

    def _directly_in_root(self) -> dict[PurePosixPath, None]:
        return {path: None for path in self._outputs if not self._has_place(path)}

    def _places(self) -> list[tuple[PurePosixPath, Path]]:
        """All mounts, the deepest first."""
        places = {**self._own_places(), ROOT: self.top}
        return sorted(places.items(), key=lambda place: len(place[0].parts), reverse=True)

    def _own_places(self) -> dict[PurePosixPath, Path]:
        places = {TMP: self.scratch, **self.mounts, **self.files}
        if self.given_root:
            places[self.given_root] = self.root
        return places

    def _has_place(self, path: PurePosixPath) -> bool:
        return any(path.is_relative_to(mount) for mount in self._own_places())

    def _add_volumes(self, container: Container, volumes: Mapping[str, Volume], claims: Claims) -> None:
        for mount in container.volume_mounts:
            path = PurePosixPath(mount.mount_path)
            if mount.name not in volumes:
                raise PathFailure(f"volumeMount {mount.name!r} names no volume")
            volume = volumes[mount.name]
            below = self.given_root is not None and path.is_relative_to(self.given_root)
            # An empty volume at or below $ARGOSY_ROOT, or at /tmp, is a folder that the step has anyhow.
            if (below or path == TMP) and is_of_the_attempt(volume) and self._pod is None:
                continue
            try:
                folder = source_of(volume, self._pod or self.folder, claims)
                source = folder / sub_path(mount)
            except VolumeFailure as failure:
                raise PathFailure(str(failure)) from None
            self.volumes[mount.name] = folder
            if is_of_the_attempt(volume) and self._stands_for(path, source):
                continue
            self.mounts[path] = source
            if is_read_only(volume, mount):
                self._read_only.add(path)
            if below:
                self._linked[path] = source  # it is looked for under what stands for $ARGOSY_ROOT here

    def _stands_for(self, path: PurePosixPath, source: Path) -> bool:
        """True where the part *source* of a volume that a pod's containers share is simply what a step has at *path* anyhow."""
        if path == self.given_root:
            self.root = source
        elif path == TMP:
            self.scratch = source
        return path in (self.given_root, TMP)

    def shares_scratch(self) -> bool:
        """True where the step's ``/tmp`` is a volume of the pod."""
        return self.scratch.parent != self.folder

    def _add_files(self, template: Template, container: Container) -> None:
        """A place of its own for every path that no mount covers: an output's folder, because the step makes it; an input by itself."""
        self._outputs = [_plain(path) for path in output_paths(template)]
        for path in self._outputs:
            if not self._has_place(path) and (path.parent != ROOT or Path(path).is_dir()):
                place = self._room(path)
                _refuse_to_hide(path, place)
                self.mounts[place] = self._file(place)
                if place == path.parent.parent:
                    self._left_to_step.add(path)
        for path in (_plain(path) for path in input_paths(template)):
            if not self._has_place(path):
                _refuse_to_hide(path, path)
                self.files[path] = self._file(path)
        working = container.working_dir
        if working:
            _plain(working)
        there = working and Path(working).is_dir() and self._is_seen(Path(working))
        if working and not there and not self._has_place(PurePosixPath(working)):
            self.mounts[PurePosixPath(working)] = self._file(PurePosixPath(working))

    def _room(self, path: PurePosixPath) -> PurePosixPath:
        """The folder to mount for the output *path*: the one it lies in, which an image may well have.

        Below a folder such as /mnt, which every image has and leaves empty, a step makes its own, and may fail where it finds one: there
        that folder is mounted, unless something that is needed lies in it. An output that is a folder of this machine, too, is mounted.
        """
        if path.parent == ROOT:
            return path
        above = path.parent.parent
        if str(above) not in _FOR_OTHERS or not Path(above).is_dir() or Path(path.parent).exists():
            return path.parent
        needed = (self.folder, Path.cwd(), Path(sys.prefix), Path(sys.base_prefix))
        return path.parent if any(place.is_relative_to(above) for place in needed) else above

    def _file(self, inside: PurePosixPath) -> Path:
        return self.folder / "files" / inside.relative_to("/")


def _plain(inside: str) -> PurePosixPath:
    path = PurePosixPath(inside)
    if ".." in path.parts or not path.is_absolute():
        raise PathFailure(f"{inside!r} is not a plain absolute path")
    return path


_FOR_OTHERS = ("/media", "/mnt", "/srv")
"""The folders that the Filesystem Hierarchy Standard leaves to whoever uses a system."""


def _refuse_to_hide(path: PurePosixPath, folder: PurePosixPath) -> None:
    """Raise PathFailure where a *folder* of the step's own, for its output *path*, would hide what every process needs."""
    needed = (*_SYSTEM, sys.prefix, sys.base_prefix)
    if any(Path(one).is_relative_to(folder) for one in needed) or str(folder) in _SYSTEM:
        where = "is a folder" if folder == path else f"lies in {folder},"
        raise PathFailure(
            f"{str(path)!r} {where} which a process of this machine needs; give it a folder of its own, such as /data/{path.name}"
        )


_SYSTEM = (
    "/bin",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local/bin",
)


def input_paths(template: Template) -> list[str]:
    """The paths of the input artifacts of *template*."""
    return [artifact.path for artifact in template.inputs.artifacts if artifact.path]


def output_paths(template: Template) -> list[str]:
    """The paths of the output artifacts and parameters of *template*."""
    outputs = template.outputs
    paths = [artifact.path for artifact in outputs.artifacts]
    return [path for path in (*paths, *(parameter.value_from.path for parameter in outputs.parameters)) if path]


def _given_root(container: Container) -> PurePosixPath | None:
    values = (entry.value for entry in container.env if entry.name == ROOT_VARIABLE and entry.value)
    return next(map(PurePosixPath, values), None)
