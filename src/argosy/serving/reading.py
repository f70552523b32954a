"""Reads a body's JSON so that nobody can make it costly, and so that nothing in it is lost without a word.

A parser holds all other requests up while it runs, so what a body holds is counted before it is parsed. Parsers keep the last of two equal
keys; here two are refused.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from argosy.serving.request_problems import RequestProblem, shown

SPARE = 1_000
"""Values and brackets beyond those of the largest request: names, parameters, shapes."""
_NO_NUMBER = re.compile(r"NaN|nan|Infinity|None")


class JsonLimits:
    """Limits on the JSON of one body, for one model."""

    def __init__(self, rows: int, columns: int) -> None:
        """*rows*: most in one request; *columns*: features and join keys."""
        # A value may hold commas and brackets as text. Twice as many values as fit is more than honest texts have.
        self._values = 2 * rows * (columns + 1) + SPARE
        self._brackets = rows * (columns + 1) + SPARE

    def check(self, body: bytes) -> None:
        """Raises RequestProblem (413) for a body that holds more than any request needs."""
        # A body this short cannot.
        if len(body) <= self._brackets:
            return
        if body.count(b",") > self._values or body.count(b"[") + body.count(b"{") > self._brackets:
            raise RequestProblem(413, "the body holds more values than any request needs; send fewer rows a request")


def loads(body: bytes) -> Any:
    """*body* as JSON; NaN, Infinity, numbers beyond a double and nesting deeper than 1,024 are none. Raises RequestProblem (400, 422)."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestProblem(400, f"the body is not JSON: {_advice(body, error) or error}") from None
    # Each key has a colon of its own. More colons than keys: a text with one in it, or a key that was there twice.
    if type(value) is dict and body.count(b":") != _keys(value):
        _refuse_twins(body)
    return value


def _advice(body: bytes, error: orjson.JSONDecodeError) -> str:
    """What to do about *error*, where its words do not say it: many clients write NaN, or another encoding; empty otherwise."""
    if not body:
        return "it is empty"
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return (
            f"byte {undecodable.start} is 0x{body[undecodable.start]:02x}, and the text is not UTF-8; send it as UTF-8"
        )
    if found := _NO_NUMBER.match(error.doc, error.pos):
        return (
            f"{found[0]} is no value of JSON; write null for a missing number: line {error.lineno} column {error.colno}"
        )
    return ""


def _keys(value: dict[str, Any]) -> int:
    """Number of keys at the places where the protocols have objects: at the top, in rows and tensors, in their parameters."""
    count = len(value)
    for inner in value.values():
        kind = type(inner)
        if kind is dict:
            count += len(inner)
        elif kind is list:
            for row in inner:
                if type(row) is dict:
                    count += len(row)
                    parameters = row.get("parameters")
                    if type(parameters) is dict:
                        count += len(parameters)
    return count


class _Twins(dict[str, Any]):
    """An object in which *key* was there twice."""

    key = ""


def _refuse_twins(body: bytes) -> None:
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_int=_nothing, parse_float=_nothing)
        found = next(_twins(value, ""), None)
    except RecursionError:
        raise RequestProblem(400, "the body is nested too deep") from None
    if found is not None:
        raise RequestProblem(422, "the key came twice; which value is meant?", field=found)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    twins = _Twins(made)
    twins.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return twins


def _nothing(_: str) -> None:
    """A number, which nobody reads here; Python refuses very long ones."""


def _twins(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Twins):
        yield f"{path}{shown(value.key)}" if not value.key.isidentifier() else f"{path}{value.key}"
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _twins(inner, f"{path}{key[:60]}.")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _twins(inner, f"{path.removesuffix('.')}[{place}].")
