"""Which models of a project changed since a commit, and why: of a repository of many models, those that a verb has to look at again.

A model is its folder, what of the project that imports, names or links to, its data where git has that, its gates, and the pinned images of
its steps. What changed is git's word (``files.tree_changes``), what a folder is made of ``templates.folder``'s.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import argosy
from argosy import errors
from argosy.cli import code_identity, models
from argosy.domain import environment_layout
from argosy.files import tree_changes
from argosy.files.tree_changes import TreeChanges
from argosy.report import plain_text
from argosy.templates import folder

IN_NO_RUN = {folder.RETRAINING, folder.SCHEDULE, folder.SCORING, folder.WATCH}
"""Manifests that say when a pipeline runs, and nothing of what it does."""
SHOWN_REASONS = 3
DATA, GATES = Path("data"), Path("gitops-env")


@dataclass(frozen=True)
class ChangedModels:
    """The models of a project, by whether they changed."""

    ref: str
    base: str
    """The commit at which the history of *ref* was left."""
    changed: dict[Path, list[str]]
    """The folder of a model to why it counts as changed."""
    unchanged: list[Path]
    gone: list[str]
    """What became of the folders that were models', each in one line."""
    uncommitted: int
    """How many files that changed are in no commit."""

    def say(self, stream: TextIO) -> None:
        """Say which changed, why, and which did not."""
        count, total = len(self.changed), len(self.changed) + len(self.unchanged)
        print(f"{count} of {total} models changed since {self.ref} ({self.base[:12]})", file=stream)
        width = max((len(model.name) for model in self.changed), default=0)
        for model, reasons in self.changed.items():
            more = f", and {len(reasons) - SHOWN_REASONS} more" if len(reasons) > SHOWN_REASONS else ""
            said = f"{', '.join(reasons[:SHOWN_REASONS])}{more}"
            print(plain_text.line(f"  {model.name:<{width}}  {said}"), file=stream)
        for line in self.gone:
            print(plain_text.line(f"  {line}"), file=stream)
        if self.unchanged and count:
            print(plain_text.line(f"  unchanged: {', '.join(model.name for model in self.unchanged)}"), file=stream)
        if self.uncommitted:
            files = "file that counts is" if self.uncommitted == 1 else "files that count are"
            print(f"note: {self.uncommitted} {files} in no commit as now", file=sys.stderr)

    def say_json(self) -> None:
        """Print one JSON object a model."""
        for model in sorted([*self.changed, *self.unchanged]):
            why = self.changed.get(model, [])
            print(json.dumps({"model": model.name, "folder": str(model), "changed": bool(why), "why": why}))


def add_argument(parser: argparse.ArgumentParser, verb: str) -> None:
    """Declare how changed models are asked for, for *verb*."""
    parser.add_argument(
        "--changed-since",
        metavar="REF",
        help=f"{verb} those models of this project whose files changed since this branch left REF: a branch, tag or commit of git; "
        "of the models that are named, where some are",
    )


def chosen(named: Sequence[Path], ref: str | None) -> list[Path]:
    """The folders that a verb is to look at: those *named*; with *ref*, those of them (of all, where none is named) that changed since.

    Which those are is said on standard error. Raises UsageError where neither is given, or a file is named beside *ref*.
    """
    if ref is None:
        if not named:
            raise errors.UsageError(f"name a model's folder, such as {models.WORKFLOWS}/NAME, or --changed-since REF")
        return list(named)
    if other := next((path for path in named if not path.is_dir()), None):
        raise errors.UsageError(f"{models.no_folder(other)}; --changed-since chooses among folders of models")
    found = find(ref, named)
    found.say(sys.stderr)
    return list(found.changed)


def find(ref: str, among: Sequence[Path] = (), *, for_run: bool = False) -> ChangedModels:
    """The models of this project (of *among*, where some are given) that changed since *ref*.

    *for_run*: leave out what changes nothing in a run: texts for people, and the manifests that only start it.
    Raises UsageError where there is no model, or git knows no *ref*, Misconfigured where there is no git.
    """
    changes = tree_changes.since(ref, Path.cwd())
    folders = sorted(among) or sorted(path.parent for path in models.WORKFLOWS.glob(f"*/{folder.PIPELINE}"))
    gone = [] if among else list(_gone(changes))
    if not folders and not gone:
        raise errors.UsageError(f"{Path.cwd()} has no {models.WORKFLOWS}/ with models; `argosy init` writes one")
    found = {model: list(dict.fromkeys(_reasons(model, changes, for_run=for_run))) for model in folders}
    return ChangedModels(
        ref,
        changes.base,
        {model: reasons for model, reasons in found.items() if reasons},
        [model for model, reasons in found.items() if not reasons],
        gone,
        changes.uncommitted,
    )


def _gone(changes: TreeChanges) -> Iterator[str]:
    """What became of each folder that was a model's and is no more."""
    moved = {before: now for now, before in changes.renamed.items()}
    here = Path.cwd().resolve() / models.WORKFLOWS
    for path in sorted(changes.gone):
        if path.name == folder.PIPELINE and path.parent.parent == here and not path.exists():
            after = next((now for before, now in moved.items() if before.parent == path.parent), None)
            became = f"moved to {_shown(after.parent)}" if after else "deleted: nothing of it is run"
            yield f"{path.parent.name}: its folder was {became}"


def _reasons(model: Path, changes: TreeChanges, *, for_run: bool) -> Iterator[str]:
    own, absolute = model.resolve(), Path.cwd().resolve() / model
    root = absolute.parents[1]
    yield from _of_folder({own, absolute}, changes, for_run=for_run)
    taken = folder.taken_in(model, lambda path: path.is_file() or path in changes.gone)
    for path, how in taken.items():
        if any(changed == path or changed.is_relative_to(path) for changed in changes.files):
            yield f"{_shown(path)} ({how})"
    for place, what in (
        (root / DATA / model.name, "its data"),
        (root / DATA / f"{model.name}.dvc", "its data"),
        (root / GATES / environment_layout.policy_path(model.name), "its gates"),
    ):
        for path in sorted(changes.files):
            if path == place or path.is_relative_to(place):
                yield f"{_shown(path)} ({what})"
    yield from _of_images(model, root, changes, for_run=for_run)
    yield from _of_argosy(changes, for_run=for_run)


def _of_folder(places: set[Path], changes: TreeChanges, *, for_run: bool) -> Iterator[str]:
    for path in sorted(changes.files):
        place = next((place for place in places if path.is_relative_to(place)), None)
        if place is None or (for_run and (path.suffix == ".md" or path.name in IN_NO_RUN)):
            continue
        if path == place / folder.MANIFEST and for_run and _says_the_same(path, changes):
            continue
        before = changes.renamed.get(path)
        if before and not before.is_relative_to(place):
            yield f"{_shown(path)} (was {_shown(before)})"
        else:
            yield f"{_shown(path)}{' (deleted)' if path in changes.gone else ''}"


def _says_the_same(manifest: Path, changes: TreeChanges) -> bool:
    """True where *manifest* differs in the digest of its sources alone, which names what no step of it is made of."""
    before = changes.before(manifest)
    if before is None or not manifest.is_file():
        return False
    line = re.compile(rb"^    " + re.escape(folder.SOURCES.encode()) + rb": \S+\n", re.MULTILINE)
    return line.sub(b"", before) == line.sub(b"", manifest.read_bytes())


def _of_images(model: Path, root: Path, changes: TreeChanges, *, for_run: bool) -> Iterator[str]:
    """Whether another image is pinned; for a run, one that the model's steps name."""
    lock = root / folder.LOCK
    if lock not in changes.files:
        return
    others = _other_pins(changes.before(lock), lock.read_bytes() if lock.is_file() else None)
    manifest = model / folder.MANIFEST
    if for_run and others is not None and manifest.is_file():
        text = manifest.read_text(encoding="utf-8")
        others = {name for name in others if re.search(rf"image: \S*/{re.escape(name)}[@:]", text)}
        if not others:
            return
    yield f"{_shown(lock)} ({'pins ' + ', '.join(sorted(others)) if others else 'the pinned images'})"


def _other_pins(before: bytes | None, now: bytes | None) -> set[str] | None:
    """The images that are pinned otherwise than before; None where all are, or nobody can tell."""
    try:
        old, new = json.loads(before or b""), json.loads(now or b"")
        if old["repository"] != new["repository"]:
            return None
        pins = [{name: pin["digest"] for name, pin in each["images"].items()} for each in (old, new)]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return {name for name in pins[0] | pins[1] if pins[0].get(name) != pins[1].get(name)}


def _of_argosy(changes: TreeChanges, *, for_run: bool) -> Iterator[str]:
    """Whether argosy itself, where it is a part of the repository, changed: on this machine it is what steps run."""
    package = Path(argosy.__file__).resolve().parent
    for path in sorted(changes.files):
        if path.is_relative_to(package) and path != package:
            part = path.relative_to(package).parts[0]
            if not for_run or part not in code_identity.NOT_IN_STEPS:
                yield f"{_shown(path)} (argosy itself)"
                return


def _shown(path: Path) -> str:
    return os.path.relpath(path)
