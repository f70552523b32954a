"""GitHub's own OpenAPI description, held against what is asked of it and what a stand-in answers.

The description is large and not ours: it is read from the file that GITHUB_OPENAPI names (``api.github.com.json`` of the npm package
``@octokit/openapi``); without one, tests skip by its name.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema
import pytest

WIDE = ("ref", "path", "basehead", "branch")
SCALARS = ("string", "integer", "number", "boolean", "array", "object")


@dataclass(frozen=True)
class Exchange:
    """A question and its answer."""

    method: str
    target: str
    given: Any
    status: int
    answer: Any


@dataclass
class Description:
    """The description of an interface; see :func:`description`."""

    document: dict[str, Any]
    _found: dict[tuple[str, str], str] = field(default_factory=dict)

    def complaints(self, exchange: Exchange) -> list[str]:
        """What in *exchange* is not as described: an unknown address, query, field, type or status."""
        path = unquote(urlsplit(exchange.target).path)
        place = self._place(path, exchange.method.lower())
        if place is None:
            return [f"{exchange.method} {path}: not described"]
        operation = self.document["paths"][place][exchange.method.lower()]
        said = [*self._query(operation, exchange), *self._body(operation, exchange), *self._answer(operation, exchange)]
        return [f"{exchange.method} {place}: {one}" for one in said]

    def _place(self, path: str, method: str) -> str | None:
        fits = [
            place
            for pattern, place in self._patterns
            if pattern.fullmatch(path) and method in self.document["paths"][place]
        ]
        # The one with the fewest gaps: `/pulls/comments` is no pull request.
        return min(fits, key=lambda place: place.count("{"), default=None)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(re.compile(_pattern(place)), place) for place in self.document["paths"]]

    def _query(self, operation: Mapping[str, Any], exchange: Exchange) -> list[str]:
        known = {one["name"] for one in map(self._resolved, operation.get("parameters", ())) if one["in"] == "query"}
        return [f"query {name!r}" for name, _ in parse_qsl(urlsplit(exchange.target).query) if name not in known]

    def _body(self, operation: Mapping[str, Any], exchange: Exchange) -> list[str]:
        described = operation.get("requestBody")
        if described is None or exchange.given is None:
            return (
                []
                if described is None and exchange.given in (None, {})
                else ["no body is described, or none given"][: described is None]
            )
        schema = self._resolved(described)["content"]["application/json"]["schema"]
        # The description says so in words only: an array of labels may be given directly.
        given = (
            {"labels": exchange.given}
            if "You can also pass an `array` of labels" in json.dumps(schema)
            else exchange.given
        )
        return self._violations(self._converted(schema, strict=True), given, "asked")

    def _answer(self, operation: Mapping[str, Any], exchange: Exchange) -> list[str]:
        described = operation["responses"].get(str(exchange.status))
        if described is None:
            return [f"status {exchange.status} is not described"]
        content = self._resolved(described).get("content", {}).get("application/json")
        if content is None or exchange.status >= 400:
            return []
        return self._violations(self._converted(content["schema"], strict=False), exchange.answer, "answered")

    def _violations(self, schema: Any, value: Any, what: str) -> list[str]:
        validator = jsonschema.Draft202012Validator(schema)
        return [f"{what} {'/'.join(map(str, one.path))}: {one.message[:200]}" for one in validator.iter_errors(value)]

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            found: Any = self.document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                found = found[name.replace("~1", "/")]
            schema = found
        return schema

    def _converted(self, schema: Any, *, strict: bool, depth: int = 0) -> Any:
        """*schema* as JSON Schema, without what a stand-in may leave out; a field that is not described is an error."""
        schema = self._resolved(schema)
        if depth > 9:
            return {}
        deeper = {"strict": strict, "depth": depth + 1}
        made = _kind(schema)
        if "properties" in schema:
            made["properties"] = {name: self._converted(one, **deeper) for name, one in schema["properties"].items()}
            if not schema.get("additionalProperties"):
                made["additionalProperties"] = False
        if "items" in schema:
            made["items"] = self._converted(schema["items"], **deeper)
        if strict and "required" in schema:
            made["required"] = schema["required"]
        for key in ("oneOf", "anyOf"):
            if key in schema and "properties" not in schema:
                made["anyOf"] = [self._converted(one, **deeper) for one in schema[key]]
        if "allOf" in schema:
            made["allOf"] = [self._converted(one, **deeper) for one in schema["allOf"]]
        return made


def _kind(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The type of *schema*, and what a value alone must be."""
    made: dict[str, Any] = {key: schema[key] for key in ("enum", "pattern", "minLength") if key in schema}
    if schema.get("type") in SCALARS:
        made["type"] = [schema["type"], *(["null"] if schema.get("nullable") else [])]
    if schema.get("nullable") and "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def _pattern(place: str) -> str:
    """The paths that *place* stands for, where ``{gap}`` is any name, or with slashes in it where it is a ref or a file."""
    words = re.split(r"\{(\w+)\}", place)
    gaps = [".+" if gap in WIDE else "[^/]+" for gap in words[1::2]]
    return "".join(f"{re.escape(word)}{gap}" for word, gap in zip(words[::2], [*gaps, ""], strict=True))


def description() -> Description:
    """The description; skips where there is none."""
    named = os.environ.get("GITHUB_OPENAPI")
    if not named:
        pytest.skip("GITHUB_OPENAPI names no description of GitHub's interface")
    return Description(json.loads(Path(named).read_text(encoding="utf-8")))
