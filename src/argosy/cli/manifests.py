"""A model's manifest on disk: compiled, written, and compiled anew where its folder has changed since."""

import os
import sys
from pathlib import Path

from argosy.templates import folder


def fresh(model: Path) -> Path:
    """The manifest of the folder *model*, compiled anew, and said so, where it is not of what is there now.

    Raises Misconfigured where the folder cannot be compiled.
    """
    manifest = model / folder.MANIFEST
    if not folder.is_fresh(model):
        there = manifest.exists()
        write(manifest, compiled(model))
        print(f"{manifest} was {'not up to date with its folder' if there else 'not there'}: compiled", file=sys.stderr)
    return manifest


def fresh_retraining(model: Path) -> Path:
    """The template that retrains the folder *model*, compiled anew where it is not of what is there now. Raises Misconfigured."""
    manifest = model / folder.RETRAINING
    if not folder.is_fresh(model, folder.RETRAINING):
        write(manifest, retraining(model))
    return manifest


def compiled(model: Path) -> str:
    """The manifest that the folder *model* compiles to. Raises Misconfigured."""
    from argosy.cli import folder_check
    from argosy.templates import compiler  # not before: hera takes most of a second

    folder_check.refuse(model)
    return compiler.compile_folder(model)


def retraining(model: Path) -> str:
    """The template that retrains *model*, of the folder as it is. Raises Misconfigured."""
    from argosy.templates import retrain_workflow

    return retrain_workflow.compile_folder(model)


def schedule(model: Path) -> str | None:
    """The CronWorkflow that starts the pipeline of *model*; None where its settings have no schedule. Raises Misconfigured."""
    from argosy.templates import schedule as schedules

    return schedules.compile_folder(model)


def watch(model: Path) -> str | None:
    """The template that looks at what *model* answers, and its CronWorkflow; None without a monitor in settings. Raises Misconfigured."""
    from argosy.templates import watch_schedule

    return watch_schedule.compile_folder(model)


def scoring(model: Path) -> str | None:
    """The template that scores tables with *model*, and its CronWorkflow; None without ``scoring`` in settings. Raises Misconfigured."""
    from argosy.templates import score_workflow

    return score_workflow.compile_folder(model)


def write(manifest: Path, text: str) -> None:
    """Write the whole *manifest* or nothing of it."""
    partial = manifest.with_name(f".{manifest.name}.{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(manifest)
    finally:
        partial.unlink(missing_ok=True)
