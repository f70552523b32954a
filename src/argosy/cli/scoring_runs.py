"""``argosy run MODEL-score``: the workflow that scores tables, under the name that it has on a cluster, with the tables of this machine."""

import argparse
import datetime
import sys
from pathlib import Path

from argosy import errors
from argosy.cli import manifests, models, parameters
from argosy.domain import table_places
from argosy.settings import Settings
from argosy.templates import folder

SUFFIX = "-score"


def take_in(arguments: argparse.Namespace) -> None:
    """Where *arguments* ask for the scoring of a model: have them name its manifest, compiled anew, and let its steps see the tables.

    Raises UsageError where the model scores none, Misconfigured where it cannot be compiled.
    """
    model = None if arguments.file else _model(arguments.model)
    if model is None:
        return
    manifest = _fresh(model)
    if manifest is None:
        raise errors.UsageError(
            f"{model / folder.ARTIFACTS['settings']} has no `scoring`, which says what is scored; `argosy score {model.name} --in TABLES "
            "--out FOLDER` scores any table at once"
        )
    given, root = parameters.given(arguments), Settings.from_environment().data_root
    as_of = given.get("as-of") or f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    arguments.allow += [*_shown(given.get("in"), as_of, root), *_written(given.get("out"), as_of, root)]
    arguments.file, arguments.model = [manifest], None


def _model(name: str | None) -> Path | None:
    """The folder of the model whose scoring *name* is; None where it is something else."""
    if name is None or not name.endswith(SUFFIX) or Path(name).exists():
        return None
    model = models.WORKFLOWS / name.removesuffix(SUFFIX).replace("-", "_")
    return model if model.is_dir() else None


def _fresh(model: Path) -> Path | None:
    manifest, text = model / folder.SCORING, manifests.scoring(model)
    if text is None:
        return None
    if not manifest.exists() or manifest.read_text(encoding="utf-8") != text:
        manifests.write(manifest, text)
        print(f"{manifest} was not up to date with its folder: compiled", file=sys.stderr)
    return manifest


def _shown(place: str | None, as_of: str, root: Path) -> list[str]:
    path = _path(place, as_of)
    if path is None:
        return []
    if not (root / path).exists():
        raise errors.UsageError(f"-p in={place}: there is no {path}")
    return [str(root / path)]


def _path(place: str | None, as_of: str) -> Path | None:
    return table_places.path_of(place.replace(table_places.AS_OF, as_of)) if place else None


def _written(place: str | None, as_of: str, root: Path) -> list[str]:
    path = _path(place, as_of)
    if path is None:
        return []
    try:
        (root / path).mkdir(parents=True, exist_ok=True)  # a step sees only what is there when it starts
    except OSError as error:
        raise errors.UsageError(f"-p out={place}: the folder cannot be made: {error.strerror}") from error
    return [f"{root / path}:rw"]
