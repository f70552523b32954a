"""The paths of this machine that a step sees beside the system: what the user named, what goes with its Secrets, what it declares to read.

All of it is shown at the path by which it was named, links followed: whoever looks for it there finds it. What is only to be read is shown
read-only, and with it what links inside it lead to, unless it is part of the system.
"""

import functools
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argosy.engine.attempts.cache import READS
from argosy.engine.manifest.model import Template
from argosy.engine.options import Place
from argosy.engine.processes import readable, system
from argosy.engine.processes.view import Bind

MOST_ENTRIES = 100_000
"""Of a folder to be read, how many entries are looked at for links that lead out of it."""


@dataclass
class VisiblePaths:
    """The paths that steps of one run see. *here*: what declared reads are relative to; None: they are not trusted. *volumes*: folders that
    steps are given to write to, beside those that are named for it."""

    everybody: Sequence[Place] = ()
    by_secret: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    here: Path | None = None
    volumes: Sequence[Path] = ()
    _known: "dict[Place, _Found]" = field(default_factory=dict)

    def of(self, template: Template) -> list[Bind]:
        """The paths that a process of *template*, its arguments in place, sees."""
        places = [*self.everybody, *self._declared(template)]
        for name in _secrets_of(template):
            places += self.by_secret.get(name, ())
        return list({bind.target: bind for place in places for bind in self._shown(place)}.values())

    def is_seen(self, path: Path) -> bool:
        """True where every step sees *path*."""
        return system.is_shown(path) or any(path.is_relative_to(place.path) for place in self.everybody)

    def _declared(self, template: Template) -> Iterator[Place]:
        """The paths below the run's folder that the step reads, by its annotation."""
        if self.here is None:
            return
        for name in json.loads(template.metadata.annotations.get(READS) or "[]"):
            path = _plain(self.here / name)
            if "://" not in name and path.is_relative_to(self.here):
                yield Place(path)

    def _shown(self, place: Place) -> list[Bind]:
        if self._written and _leads_away(_plain(place.path), self._written):
            return []
        found = self._known.get(place)
        if found is None or not found.is_current():
            found = self._known[place] = _looked_up(place, self._written)
        return found.binds

    @functools.cached_property
    def _written(self) -> frozenset[str]:
        """The folders in which a step may put a link, without links on the way, as they are before the first step."""
        places = [*self.everybody, *(place for given in self.by_secret.values() for place in given)]
        return frozenset(map(os.path.realpath, (*self.volumes, *(place.path for place in places if place.writable))))


@dataclass(frozen=True)
class _Found:
    """The binds that show a place. *folders*: those that have links, as they were then."""

    binds: list[Bind]
    folders: Mapping[str, readable.State]

    def is_current(self) -> bool:
        """True where all of it is still there, and links lead where they did. A link in a folder that had none is not noticed."""
        there = bool(self.binds) and all(os.path.lexists(bind.source) for bind in self.binds)
        return there and all(state and readable.state(folder) == state for folder, state in self.folders.items())


def _looked_up(place: Place, written: Collection[str]) -> _Found:
    path = _plain(place.path)
    if not path.exists() or path == Path("/"):
        return _Found([], {})
    own = Bind(path, str(path), read_only=not place.writable)
    if place.writable:  # anybody may have put a link there
        return _Found([own], {})
    links = list(_led_to(str(path), written))
    targets = [target for target in dict.fromkeys(target for _, target in links) if not system.is_whole(target)]
    shown = [Bind(Path(target), target, read_only=True) for target in targets]
    return _Found([own, *shown], {folder: readable.state(folder) for folder in {folder for folder, _ in links}})


def _led_to(folder: str, written: Collection[str]) -> Iterator[tuple[str, str]]:
    """The folders below *folder* with links that lead out of it, and where they lead; but for those in the folders *written*, where it is
    a step that may have put them."""
    looked, real = 0, os.path.realpath(folder)
    if _is_inside(real, written):
        return
    for place, folders, files in os.walk(folder):
        if f"{real}{place.removeprefix(folder)}" in written:
            folders.clear()
            continue
        looked += len(folders) + len(files)
        if looked > MOST_ENTRIES:
            return
        for name in (*folders, *files):
            path = f"{place}/{name}"
            if os.path.islink(path) and os.path.exists(path):  # noqa: PTH110, PTH114 - there may be many
                target = os.path.normpath(os.path.join(place, os.readlink(path)))  # noqa: PTH115, PTH118
                if target != folder and not target.startswith(f"{folder}/"):
                    yield place, target


def _leads_away(path: Path, written: Collection[str]) -> bool:
    """True where a link in one of the folders *written* is what leads from *path* out of them."""
    if _is_inside(os.path.realpath(path), written):
        return False
    return any(
        place.is_symlink() and _is_inside(os.path.realpath(place.parent), written) for place in (path, *path.parents)
    )


def _is_inside(real: str, folders: Collection[str]) -> bool:
    return any(f"{real}/".startswith(f"{folder}/") for folder in folders)


def _plain(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay: it is found by this name


def _secrets_of(template: Template) -> Iterator[str]:
    """The Secrets that the container of *template* takes values from."""
    container = template.main_container
    yield from (source.secret.name for source in container.env_from if source.secret)
    sources = (entry.value_from for entry in container.env)
    yield from (source.secret.name for source in sources if source and source.secret)
