"""Feast's own checks of what its classes are given: built when they are first asked, and as strict as they were."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import typeguard

from argosy.adapters.feast_features import library


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: library.Entity(name=5), 'argument "name" .int. is not an instance of str', id="entity"),
        pytest.param(lambda: library.Field(name="x", dtype=float), 'argument "dtype"', id="field"),
        pytest.param(lambda: library.FileSource(path=3), 'argument "path"', id="source"),
    ],
)
def test_a_wrong_argument_is_told_as_feast_tells_it(make: Callable[[], Any], message: str) -> None:
    """Each time, not only when the check is built."""
    for _ in range(2):
        with pytest.raises(typeguard.TypeCheckError, match=message):
            make()


def test_a_check_is_built_when_it_is_first_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is while Feast is imported, and none twice."""
    built: list[Callable[..., Any]] = []

    def building(constructor: Callable[..., Any]) -> Callable[..., Any]:
        built.append(constructor)
        return constructor

    class Thing:
        def __init__(self, name: str) -> None:
            self.name = name

    written = vars(Thing)["__init__"]
    monkeypatch.setattr(library, "_checked", building)
    with library._checks_come_later():
        assert typeguard.typechecked(Thing) is Thing
    assert built == []
    assert [Thing("a").name, Thing(name="b").name] == ["a", "b"]
    assert built == [written]


def test_nothing_else_is_checked_otherwise() -> None:
    """Typeguard is as it was for whoever uses it beside Feast."""
    assert typeguard.typechecked is library._checked


def test_the_environment_stays_as_it_was() -> None:
    """Feast's metrics would have every process that is started later keep its own in a folder of Feast's, which goes."""
    program = "import os; before = dict(os.environ); import argosy.adapters.feast_features.library; assert os.environ == before"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PROMETHEUS_")}
    subprocess.run([sys.executable, "-c", program], env=clean, check=True)
