"""What every document keeps to, whatever it is about."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import NoneType
from typing import get_args

import pytest

import argosy.domain
from argosy.domain.documents import Document


def _documents() -> list[type[Document]]:
    for module in pkgutil.iter_modules(argosy.domain.__path__):
        importlib.import_module(f"argosy.domain.{module.name}")
    return sorted(_below(Document), key=lambda kind: kind.__qualname__)


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
