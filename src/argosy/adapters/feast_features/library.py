"""What this package takes of Feast, imported in a third of the time: its checks of arguments are built when they are first asked.

Feast has typeguard check what its classes are given. Typeguard compiles a whole module anew for each function that it is to check, hundreds
of times while Feast is imported, in every process. Here a constructor's check is built when that is first called: so whoever writes
definitions is told as before. What Feast hands to its own methods is not checked.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import typeguard

T = TypeVar("T", bound=Callable[..., Any])

_checked = typeguard.typechecked
"""Has one function, or all of a class, checked from now on."""


def _checked_when_called(target: T) -> T:
    """*target*; where it is a class, with a constructor that is checked from its first call on."""
    if isinstance(target, type) and "__init__" in vars(target):
        constructor = vars(target)["__init__"]

        @functools.wraps(constructor)
        def first(*arguments: Any, **named: Any) -> None:
            checked = _checked(constructor)
            type.__setattr__(target, "__init__", checked)
            checked(*arguments, **named)

        type.__setattr__(target, "__init__", first)
    return target


@contextlib.contextmanager
def _checks_come_later() -> Iterator[None]:
    """Classes that are to be checked have that built later."""
    before = typeguard.typechecked
    typeguard.typechecked = _checked_when_called  # type: ignore[assignment]
    try:
        yield
    finally:
        typeguard.typechecked = before


@contextlib.contextmanager
def _same_environment() -> Iterator[None]:
    """Feast sets variables that have Prometheus' client keep its counts in a folder of Feast's, in children too, where the folder goes
    when their parent ends. Here nobody serves by Feast, whose counts these would be."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]


with _checks_come_later(), _same_environment():
    from feast import (
        Entity,
        FeatureService,
        FeatureStore,
        FeatureView,
        Field,
        FileSource,
        OnDemandFeatureView,
        ValueType,
    )
    from feast.protos.feast.core.Registry_pb2 import Registry
    from feast.types import Bool, Float32, Float64, Int32, Int64, String

__all__ = [
    "Bool",
    "Entity",
    "FeatureService",
    "FeatureStore",
    "FeatureView",
    "Field",
    "FileSource",
    "Float32",
    "Float64",
    "Int32",
    "Int64",
    "OnDemandFeatureView",
    "Registry",
    "String",
    "ValueType",
]
