"""Scalars where Argo's own type takes any and keeps a text: ``value: 6``, ``default: 0.00001``, ``enum: [true]``.

A number becomes what a float of 64 bits holds of it, written without an exponent; an empty list or object an empty text.
"""

from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import values
from argosy.engine.manifest import schema
from argosy.engine.nodes import Json


def text(value: object) -> Any:
    """*value* as Argo's text, where it is a scalar; anything else as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value in ([], {}):
        return ""
    return values.without_exponent(float(value)) if isinstance(value, int | float) else value


def settled(body: Mapping[str, object], kind: str) -> Json:
    """*body*, a resource or object of the type *kind*, with texts where Argo has texts. What is not of its type stays as it is."""
    fields = schema.TYPES[kind].runs
    return {name: _of_type(value, fields.get(name, schema.FREE)) for name, value in body.items()}


def _of_type(value: object, type_name: str) -> object:
    if type_name == schema.TEXT:
        return text(value)
    if type_name.startswith("[") and isinstance(value, list):
        return [_of_type(entry, type_name[1:-1]) for entry in value]
    if not isinstance(value, dict):
        return value
    if type_name.startswith("{"):
        return {name: _of_type(entry, type_name[1:-1]) for name, entry in value.items()}
    return settled(value, type_name) if type_name in schema.TYPES else value
