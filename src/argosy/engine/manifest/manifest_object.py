"""An object of a manifest by the names and types of its fields, as its class declares them.

What is not written is an empty text, list or object, or None where the type has it. A view reads the JSON under it when a field is first
asked for, and not again: nothing is changed through it, and what is made of what is written (laid over defaults, its variables replaced)
gets a view of its own. That it is written right is for ``checking`` and ``validation`` to say.
"""

import functools
import re
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, get_args, get_origin, get_type_hints

from argosy.engine.nodes import Json


class ManifestObject:
    """An object of a manifest, *written* as JSON. A field whose key is not its own name in camelCase has it beside its type."""

    def __init__(self, written: Json) -> None:
        self.written: Final = written

    if not TYPE_CHECKING:  # which would take any attribute for one that is there

        def __getattr__(self, name: str) -> Any:
            """The field *name*, kept as an attribute of the object's own, which is found before this is asked."""
            if (field := fields(type(self)).get(name)) is None:
                raise AttributeError(f"{type(self).__name__} has no field {name!r}")
            found = self.__dict__[name] = field.read(self.written.get(field.key))
            return found


class Named(ManifestObject):
    """An object of a list whose entries have names."""

    name: str


class Field(NamedTuple):
    """A field of a kind of object. *read*: makes of its JSON, None where there is none, what it is."""

    key: str
    read: Callable[[Any], Any]


@functools.cache
def fields(kind: type[ManifestObject]) -> Mapping[str, Field]:
    """The fields that *kind* declares, and those of its bases."""
    return {name: _field(name, hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _field(name: str, hint: object) -> Field:
    if get_origin(hint) is Annotated:
        hint, key = get_args(hint)
    else:
        key = re.sub(r"_(\w)", lambda match: match[1].upper(), name)
    return Field(key, _reader(hint))


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
    if get_origin(hint) is list:
        entry = _reader(kinds[0]) if _is_view(kinds[0]) or get_origin(kinds[0]) else None
        return lambda value: [entry(one) for one in value or ()] if entry else value or []
    if get_origin(hint) is dict:
        entry = _reader(kinds[1]) if _is_view(kinds[1]) else None
        return lambda value: {key: entry(one) for key, one in (value or {}).items()} if entry else value or {}
    return lambda value: hint(value or {})


def _is_view(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, ManifestObject)
