"""Runs a model's ``pipeline.py`` and writes the manifest it describes, the same bytes for the same sources."""

import contextlib
import importlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

from hera.workflows import WorkflowTemplate

from argosy import errors
from argosy.templates import folder, manifest_yaml, pipeline

HEADER = (
    "# Written by `argosy compile`. Change pipeline.py and compile again; a change made here runs, but is not kept.\n"
)


def compile_folder(model: Path) -> str:
    """The text of the manifest that *model*'s ``pipeline.py`` compiles to. Raises Misconfigured where it describes none.

    It may import modules of its project, by their place below the project's folder.
    """
    source = model / folder.PIPELINE
    if not source.exists():
        raise errors.Misconfigured(f"{source} is not there; a model's folder has a {folder.PIPELINE}")
    pipeline.compiled.clear()
    with _project(model.resolve().parents[1]):
        try:
            runpy.run_path(str(source))
        except ImportError as error:
            raise errors.Misconfigured(
                f"{source} imports what is neither installed nor below {model.resolve().parents[1]}: {error}"
            ) from error
    return HEADER + _text(source, pipeline.compiled)


@contextlib.contextmanager
def _project(root: Path) -> Iterator[None]:
    """Have the modules of the project at *root* found, after all that is installed, and forgotten afterwards: another project, or a test
    that changed them, has its own. Leaves no bytecode in it."""
    before = set(sys.modules)
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.append(str(root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(root))
        sys.dont_write_bytecode = writes_bytecode
        for name in set(sys.modules) - before:
            if _is_below(root, name):
                del sys.modules[name]


def _is_below(root: Path, name: str) -> bool:
    """True where the module *name* lies at its place below *root*; what is installed there lies deeper."""
    places = [getattr(sys.modules[name], "__file__", None), *getattr(sys.modules[name], "__path__", ())]
    own = root.joinpath(*name.split("."))
    return any(place and Path(place) in {own, own / "__init__.py", own.with_name(f"{own.name}.py")} for place in places)


def _text(source: Path, compiled: list[WorkflowTemplate]) -> str:
    if len(compiled) != 1:
        raise errors.Misconfigured(
            f"{source} describes {len(compiled)} pipelines; expected one `with pipeline.of(__file__)` block"
        )
    text: str = manifest_yaml.of(compiled[0])
    return text
