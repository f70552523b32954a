"""Writes ``second.yaml`` into a checkout of the environment repo, or takes it out: what people then review as any other rule."""

import argparse
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import sample_project, second_model
from argosy.cli.second_model import ChosenSecond
from argosy.domain import environment_layout
from argosy.domain.second_file import SecondFile
from argosy.promotion import approval
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to *parser*."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--environment",
        "--env",
        default=environment_layout.PRODUCTION,
        help="beside whose version; default production",
    )
    second_model.add_arguments(parser)
    parser.add_argument("--stop", action="store_true", help="take the second version out again")
    parser.add_argument("--folder", type=Path, help="the checkout; default gitops-env, or the working directory")


def run(arguments: argparse.Namespace) -> int:
    """Write the file, or remove it."""
    folder = sample_project.checkout(arguments.folder)
    asked = (arguments.shadow, arguments.split, arguments.shadow_share)
    if arguments.stop and any(each is not None for each in asked):
        raise errors.UsageError("--stop takes the second version out; pass it without --shadow and --split")
    path = folder / environment_layout.second_path(arguments.model, arguments.environment)
    said = _stop(path) if arguments.stop else _begin(path, arguments)
    print(f"{said}; commit it to a branch, and open a request for it: `argosy env check` says what is wrong with it")
    return errors.DONE


def _stop(path: Path) -> str:
    if not path.exists():
        raise errors.UsageError(f"{path} is not there: no second version is tried, or --folder is no checkout of main")
    path.unlink()
    return f"{path} is removed"


def _begin(path: Path, arguments: argparse.Namespace) -> str:
    settings = Settings.from_environment()
    first = approval.find(wiring.forge(settings), arguments.model, arguments.environment)
    second = second_model.chosen(settings, first, arguments)
    if second is None:
        raise errors.UsageError("which version is to be tried? --shadow VERSION, --split VERSION=PERCENT, or --stop")
    written = _file(second)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written.yaml(), encoding="utf-8")
    return f"{path}: {written.said()} beside version {first.version.version}"


def _file(second: ChosenSecond) -> SecondFile:
    percent = second.share * 100
    if abs(percent - round(percent)) > 1e-9 or not round(percent):
        raise errors.UsageError(f"{percent:g} %: an environment repo says whole percents; pass 1 to 100 of them")
    version, signature = second.approval.version, second.approval.signature
    if signature is None:
        raise errors.Rejected(
            f"version {version.version} of {version.model} has no signature beside it, and no server loads what is not signed"
        )
    return SecondFile(
        role=second.role,
        percent=round(percent),
        version=version.version,
        model_digest=version.model_digest,
        storage_uri=version.storage_uri,
        signature=signature.decode(),
    )
