"""Runs a model's ``pipeline.py`` and writes the manifest it describes, the same bytes for the same sources."""

import runpy
import sys
from pathlib import Path

from hera.workflows import WorkflowTemplate

from argosy import errors
from argosy.templates import folder, pipeline

HEADER = (
    "# Written by `argosy compile`. Change pipeline.py and compile again; a change made here runs, but is not kept.\n"
)


def compile_folder(model: Path) -> str:
    """The text of the manifest that *model*'s ``pipeline.py`` compiles to. Raises Misconfigured where it describes none."""
    source = model / folder.PIPELINE
    if not source.exists():
        raise errors.Misconfigured(f"{source} is not there; a model's folder has a {folder.PIPELINE}")
    pipeline.compiled.clear()
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        runpy.run_path(str(source))
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return HEADER + _text(source, pipeline.compiled)


def _text(source: Path, compiled: list[WorkflowTemplate]) -> str:
    if len(compiled) != 1:
        raise errors.Misconfigured(
            f"{source} describes {len(compiled)} pipelines; expected one `with pipeline.of(__file__)` block"
        )
    text: str = compiled[0].to_yaml()
    return text
