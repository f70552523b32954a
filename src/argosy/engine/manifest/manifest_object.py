"""An object of a manifest by the names and types of its fields, as its class declares them.

What is not written is an empty text, list or object, or None where the type has it. A view reads the JSON under it when a field is first
asked for, and not again: nothing is changed through it, and what is made of what is written (laid over defaults, its variables replaced)
gets a view of its own. That it is written right is for ``checking`` and ``validation`` to say.
"""

import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from argosy.engine.nodes import Json


class ManifestObject:
    """An object of a manifest, *written* as JSON. A field whose key is not its own name in camelCase has it beside its type."""

    def __init__(self, written: Json) -> None:
        self.written: Final = written

    def __init_subclass__(cls) -> None:
        for name in inspect.get_annotations(cls):
            setattr(cls, name, Field(cls, name))


class Field:
    """A field that the class *of* declares. What was read of an object is an attribute of its own, and found before this one."""

    def __init__(self, of: type, name: str) -> None:
        self._of = of
        self._name = name

    def __get__(self, this: ManifestObject | None, _: type) -> object:
        if this is None:
            return self
        found = self._read(this.written.get(self.key))
        setattr(this, self._name, found)
        return found

    @functools.cached_property
    def key(self) -> str:
        """The key under which the field is written."""
        hint = _hints(self._of)[self._name]
        if get_origin(hint) is Annotated:
            return str(get_args(hint)[1])
        return re.sub(r"_(\w)", lambda match: match[1].upper(), self._name)

    @functools.cached_property
    def _read(self) -> Callable[[Any], Any]:
        """Makes of the field's JSON, None where there is none, what it is."""
        hint = _hints(self._of)[self._name]
        return _reader(get_args(hint)[0] if get_origin(hint) is Annotated else hint)


@functools.cache
def _hints(of: type) -> Mapping[str, Any]:
    """The types of the fields of *of*. Only now, because an object may hold others of a class that is declared later."""
    return get_type_hints(of, include_extras=True)


class Named(ManifestObject):
    """An object of a list whose entries have names."""

    name: str


def _reader(hint: Any) -> Callable[[Any], Any]:
    """The reader of a field of the type *hint*."""
    kinds = get_args(hint)
    if hint is str:
        return lambda value: "" if value is None else str(value)
    if hint is bool:
        return bool
    if isinstance(hint, types.UnionType):
        kind = kinds[0] if _is_view(kinds[0]) else lambda value: value
        return lambda value: None if value is None else kind(value)
    if get_origin(hint) is dict:
        read = _reader(kinds[1]) if _is_view(kinds[1]) else lambda value: value
        return lambda value: {key: read(entry) for key, entry in value.items()} if value else {}
    if get_origin(hint) is list and _is_view(kinds[0]):
        return lambda value: [kinds[0](entry or {}) for entry in value] if value else []
    if get_origin(hint) is list and get_origin(kinds[0]):
        read = _reader(kinds[0])
        return lambda value: [read(entry) for entry in value or ()]
    return (lambda value: value or []) if get_origin(hint) is list else lambda value: hint(value or {})


def _is_view(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, ManifestObject)
