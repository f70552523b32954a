"""Finds runs of this machine by what a person types: a run's name, the beginning of it, or its model's newest, as ``upsell/latest``."""

from collections.abc import Iterator
from pathlib import Path

from argosy import errors
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder
from argosy.ports.runs import AGAIN
from argosy.templates import folder as folders

LATEST = "latest"


def named(home: Path, reference: str) -> RunFolder:
    """The run that *reference* names: ``upsell/latest``, a run's name, or the beginning of it. Raises UsageError."""
    model, slash, rest = reference.partition("/")
    return of_model(home, model, None if rest == LATEST else rest) if slash else runs.find(home, reference)


def of_model(home: Path, model: str, run: str | None) -> RunFolder:
    """The *run* of *model* under *home*, by its name or the beginning of it; None: the newest. Raises UsageError where there is none."""
    if run is not None:
        folder = runs.find(home, run)
        if model and (other := model_of(folder)) != model:
            of = f"of {other}" if other else "no model's"
            raise errors.UsageError(f"run {folder.run} is {of}, not of {model}; `argosy runs` lists them")
        return folder
    for folder in newest(home, model):
        if not _reproduces(folder):
            return folder
    known = sorted({name for folder in runs.newest_first(home) if (name := model_of(folder))})
    there = f"; runs are of {', '.join(known)}" if known else f"; `argosy run {model}` begins one"
    raise errors.UsageError(f"there is no run of {model!r} under {home / 'runs'}{there}")


def newest(home: Path, model: str, pipeline: str = "") -> Iterator[RunFolder]:
    """The runs of *model*, the newest first, with those that only try whether another comes out again.

    *pipeline*: only runs whose names begin with it and a hyphen; of others no manifest is read, and a home has thousands.
    """
    for folder in runs.from_newest(home):
        if folder.run.startswith(f"{pipeline}-" if pipeline else "") and model_of(folder) == model:
            yield folder


def before(home: Path, model: str, run: str) -> Iterator[str]:
    """The names of the whole runs of *model* that began before *run*, the newest first."""
    later = True
    for folder in runs.from_newest(home):
        if not later and model_of(folder) == model and not _reproduces(folder):
            yield folder.run
        later = later and folder.run != run


def _reproduces(folder: RunFolder) -> bool:
    """True where the run in *folder* only tried whether another comes out again: it is no news of its model."""
    return AGAIN in (folder.manifest()["metadata"].get("annotations") or {})


def model_of(folder: RunFolder) -> str | None:
    """The model that the run in *folder* is of; None where it is no model's, or never began."""
    if not (folder.path / runs.MANIFEST).exists():
        return None
    found: str | None = (folder.manifest()["metadata"].get("annotations") or {}).get(folders.MODEL)
    return found
