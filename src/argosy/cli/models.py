"""Finds the models of the project at hand: a model is a folder ``workflows/<model>`` of the working folder."""

import difflib
from pathlib import Path

from argosy import errors
from argosy.templates import folder

WORKFLOWS = Path("workflows")


def folder_of(name: str) -> Path:
    """The folder of the model *name*, which may be a path to it. Raises UsageError with what was probably meant."""
    places = (WORKFLOWS / name, WORKFLOWS / name.replace("-", "_"), Path(name))
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise errors.UsageError(
            doubt(name) or f"there is no model {name!r}: {Path.cwd()} has no {WORKFLOWS}/ with models"
        )
    return found


def doubt(name: str) -> str | None:
    """Why *name* is probably a slip; None where the project has a model of that name, or this is no project's folder."""
    known = sorted(path.parent.name for path in WORKFLOWS.glob(f"*/{folder.PIPELINE}"))
    wanted = name.removeprefix(f"{WORKFLOWS}/").rstrip("/")
    if not known or wanted.replace("-", "_") in known:
        return None
    close = difflib.get_close_matches(wanted.replace("-", "_"), known, n=1)
    return f"there is no model {wanted!r} in {WORKFLOWS}/; " + (
        f"did you mean {close[0]!r}" if close else f"it has {', '.join(known)}"
    )


def no_folder(path: Path) -> str:
    """Why *path*, which is no folder, cannot be that of a model, with the one that was probably meant."""
    if path.exists():
        return f"{path} is a file; name the folder of a model, such as {WORKFLOWS}/NAME"
    return f"there is no folder {path}{hint(path)}"


def hint(path: Path) -> str:
    """The end of the line that says there is no *path*: the model's folder that was probably meant, where one is near."""
    folders = [found.parent for found in WORKFLOWS.glob(f"*/{folder.PIPELINE}")]
    close = difflib.get_close_matches(path.name.replace("-", "_"), [found.name for found in folders], n=1)
    return f"; did you mean {WORKFLOWS / close[0]}" if close else ""
