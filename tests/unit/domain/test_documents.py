"""What every document keeps to, whatever it is about."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import get_args

import pytest

import argosy
from argosy import errors
from argosy.domain.documents import Document
from argosy.domain.search import Choice

BASES = re.compile(r"^class \w+\((\w+)", re.MULTILINE)


def _documents() -> list[type[Document]]:
    package = Path(argosy.__file__).parent
    bases = {path: set(BASES.findall(path.read_text(encoding="utf-8"))) for path in sorted(package.rglob("*.py"))}
    known = {"Document"}
    while (
        True
    ):  # wherever they are: what is not loaded is not looked at, and what another test has loaded is no reason to look
        for path in [path for path, named in bases.items() if path.parent == package / "domain" or named & known]:
            importlib.import_module(".".join(("argosy", *path.relative_to(package).with_suffix("").parts)))
            del bases[path]
        found = sorted(_below(Document), key=lambda kind: kind.__qualname__)
        if known >= (names := {kind.__name__ for kind in found}):
            return found
        known |= names


def _below(kind: type[Document]) -> Iterator[type[Document]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("argosy."):
            yield child
        yield from _below(child)


def test_there_are_documents() -> None:
    """The checks below look at something."""
    assert len(_documents()) > 20


@pytest.mark.parametrize("kind", _documents(), ids=lambda kind: kind.__name__)
def test_what_may_be_absent_has_a_default(kind: type[Document]) -> None:
    """None is not written; a field that may be None must be readable when it is not there."""
    optional = [name for name, field in kind.model_fields.items() if NoneType in get_args(field.annotation)]
    assert [name for name in optional if kind.model_fields[name].is_required()] == []


@pytest.mark.parametrize("kind", _documents(), ids=lambda kind: kind.__name__)
def test_documents_are_frozen_and_know_their_fields(kind: type[Document]) -> None:
    """A document is a value, and a field that nobody declared is an error."""
    assert kind.model_config.get("frozen")
    assert kind.model_config.get("extra") == "forbid"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, r"x\.json does not exist; the step that writes it has not run", id="missing"),
        pytest.param("{", r"x\.json is no Choice of this version: the whole: Invalid JSON", id="truncated"),
        pytest.param('{"trial": 1}', r"x\.json is no Choice of this version: score: Field required", id="field"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    """File, field and what to do; never a traceback."""
    if content is not None:
        (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=message):
        Choice.read(tmp_path / "x.json")
