"""An attempt's own files: where each path that the manifest names really lies, and which of them the process must be shown there.

Under the attempt's folder: ``root/`` (what a container has at ``$ARGOSY_ROOT``), ``tmp/`` (its ``/tmp``), ``volumes/<name>/``, ``files/``
(every other path), ``main.log``, ``stdout``. A path under ``$ARGOSY_ROOT`` needs no private view of the file system; any other does.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from argosy.engine.machine.scopes import text
from argosy.engine.nodes import Json

ROOT_VARIABLE = "ARGOSY_ROOT"
TMP = PurePosixPath("/tmp")  # noqa: S108 - the path inside the step's own view


class PathFailure(Exception):
    """A path of the manifest cannot be given to a step."""


@dataclass(frozen=True)
class Shown:
    """*source* (of this machine) is what the process finds at *target*."""

    source: Path
    target: PurePosixPath


class Workspace:
    """The files of one attempt of *template*, in *folder*."""

    def __init__(self, folder: Path, template: Mapping[str, Any], volumes: list[Json]) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.scratch = folder / "tmp"
        self.log = folder / "main.log"
        self.stdout = folder / "stdout"
        self.work = folder / "work"
        container = container_of(template)
        self.given_root = _given_root(container)
        self.mounts: dict[PurePosixPath, Path] = {}
        self._add_volumes(container, {volume["name"]: volume for volume in volumes})
        self._add_files(template, container)

    def prepare(self) -> None:
        """Make the folders, empty: what a killed attempt left is gone."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        for folder in (self.root, self.scratch, self.work, *self.mounts.values()):
            folder.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Remove everything but the log."""
        for entry in self.folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry != self.log:
                entry.unlink()

    def path(self, inside: str) -> Path:
        """Where the container's path *inside* lies on this machine."""
        wanted = PurePosixPath(inside)
        for mount, source in self._places():
            if wanted.is_relative_to(mount):
                return source / wanted.relative_to(mount)
        raise PathFailure(f"{inside!r} is not an absolute path")

    def shown(self) -> list[Shown]:
        """What a private view of the file system must show, beside its own ``/tmp``; empty where none is needed."""
        return [Shown(source, mount) for mount, source in sorted(self.mounts.items())]

    def translated(self, value: str) -> str:
        """A variable's value, where it is a path under ``$ARGOSY_ROOT``, as the path it has here."""
        if self.given_root and PurePosixPath(value).is_relative_to(self.given_root):
            return str(self.root / PurePosixPath(value).relative_to(self.given_root))
        return value

    def working_folder(self, inside: str | None) -> Path:
        """The process's working folder as the process sees it."""
        if not inside:
            return self.work
        if self._has_place(PurePosixPath(inside)) or not Path(inside).is_dir():
            self.path(inside).mkdir(parents=True, exist_ok=True)
        if self.given_root and PurePosixPath(inside).is_relative_to(self.given_root):
            return self.path(inside)
        return Path(inside)

    def _places(self) -> list[tuple[PurePosixPath, Path]]:
        """All mounts, the deepest first."""
        places = {TMP: self.scratch, **self.mounts}
        if self.given_root:
            places[self.given_root] = self.root
        return sorted(places.items(), key=lambda place: len(place[0].parts), reverse=True)

    def _has_place(self, path: PurePosixPath) -> bool:
        return any(path.is_relative_to(mount) for mount, _ in self._places())

    def _add_volumes(self, container: Mapping[str, Any], volumes: Mapping[str, Json]) -> None:
        for mount in container.get("volumeMounts") or []:
            path = PurePosixPath(mount["mountPath"])
            if mount["name"] not in volumes:
                raise PathFailure(f"volumeMount {mount['name']!r} names no volume")
            # A volume at or below $ARGOSY_ROOT, or at /tmp, is a folder that the step has anyhow.
            if path != TMP and not (self.given_root and path.is_relative_to(self.given_root)):
                sub_path = mount.get("subPath") or ""
                self.mounts[path] = self.folder / "volumes" / mount["name"] / sub_path

    def _add_files(self, template: Mapping[str, Any], container: Mapping[str, Any]) -> None:
        """A place of its own for the folder of every path that no mount covers."""
        for path in (PurePosixPath(path) for path in paths_of(template)):
            if ".." in path.parts or not path.is_absolute():
                raise PathFailure(f"{str(path)!r} is not a plain absolute path")
            if not self._has_place(path):
                if len(path.parent.parts) < 2:
                    raise PathFailure(
                        f"{str(path)!r} lies directly in /; `argosy run` needs a folder of its own for it, such as /data{path}"
                    )
                self.mounts[path.parent] = self.folder / "files" / path.parent.relative_to("/")
        working = container.get("workingDir")
        if working and not self._has_place(PurePosixPath(working)) and not Path(working).is_dir():
            self.mounts[PurePosixPath(working)] = self.folder / "files" / PurePosixPath(working).relative_to("/")


def container_of(template: Mapping[str, Any]) -> Json:
    """The container of a container or script template."""
    found: Json = template.get("container") or template.get("script") or {}
    return found


def paths_of(template: Mapping[str, Any]) -> list[str]:
    """All paths that the inputs and outputs of *template* name."""
    inputs, outputs = template.get("inputs") or {}, template.get("outputs") or {}
    paths = [artifact.get("path") for part in (inputs, outputs) for artifact in part.get("artifacts") or []]
    paths += [(parameter.get("valueFrom") or {}).get("path") for parameter in outputs.get("parameters") or []]
    return [path for path in paths if path]


def _given_root(container: Mapping[str, Any]) -> PurePosixPath | None:
    for entry in container.get("env") or []:
        if entry["name"] == ROOT_VARIABLE and entry.get("value"):
            return PurePosixPath(text(entry["value"]))
    return None
