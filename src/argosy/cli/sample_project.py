"""The sample project that came with argosy: a model's folder, its gates, the environment repo that it starts with, and the schemas.

In the wheel it lies beside the code, in a checkout at the checkout's root. Which files of it concern one model is known by their places.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import argosy
from argosy import errors
from argosy.cli.demonstration import script
from argosy.cli.models import WORKFLOWS
from argosy.templates import folder

ENVIRONMENT_REPO = Path("gitops-env")
PARTS = (WORKFLOWS, ENVIRONMENT_REPO, Path("docs", "schema"))
DATA = "data.py"
"""The program of a sample model that writes its data."""


def checkout(named: Path | None) -> Path:
    """The checkout of the environment repo: *named*, ``gitops-env``, or the working directory. Raises UsageError where it is none."""
    place = named or (ENVIRONMENT_REPO if ENVIRONMENT_REPO.is_dir() else Path())
    if not (place / "models").is_dir():
        raise errors.UsageError(f"{place.absolute()} is no environment repo: it has no folder models/; pass --folder")
    return place


def root() -> Path:
    """The folder of the sample. Raises Misconfigured where this installation has none."""
    package = Path(argosy.__file__).parent
    places = [package / "sample", package.parents[1]]
    found = next((place for place in places if all((place / part).is_dir() for part in PARTS)), None)
    if found is None:
        raise errors.Misconfigured(f"this argosy came without its sample project ({places[0]}); install it anew")
    return found


def models(sample: Path) -> list[str]:
    """The models of *sample*, those that can be demonstrated first."""
    found = sorted(path.parent for path in (sample / WORKFLOWS).glob(f"*/{folder.PIPELINE}"))
    return [path.name for path in sorted(found, key=lambda path: not (path / script.FILE).exists())]


def fresh(model: str | None) -> dict[Path, bytes]:
    """What a project with *model* alone, or with no model yet, has of the sample that came with this argosy, by its place."""
    return dict(files(root(), model))


def place(path: Path, content: bytes) -> None:
    """Write the whole file *path* or nothing of it; one that is there keeps its mode, and a link to it stays."""
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(content)
        if path.exists():
            shutil.copymode(path, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def files(sample: Path, model: str | None) -> Iterator[tuple[Path, bytes]]:
    """What a project with *model* alone, or with no model yet, has of *sample*: each path, relative to the project, and its content."""
    others = set(models(sample)) - {model}
    for path in sorted(found for part in PARTS for found in (sample / part).rglob("*")):
        relative = path.relative_to(sample)
        named = {*relative.parts, relative.stem}
        if path.is_file() and not named & {*others, "__pycache__"}:
            yield relative, path.read_bytes()
