"""The published description of the Open Inference Protocol, held against what is here.

It is not ours: it is read from the folder that OPEN_INFERENCE_PROTOCOL names, ``specification/protocol`` of the repository
``kserve/open-inference-protocol``; without one, tests skip by its name.
"""

import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

Fields = dict[int, tuple[str, str, bool]]
"""By number: name, type as it is written, whether repeated."""
_FIELD = re.compile(r"(repeated )?(map<\s*string,\s*\w+>|[\w.]+) (\w+) = (\d+);")


def folder() -> Path:
    """Where the description lies; skips where it is nowhere."""
    named = os.environ.get("OPEN_INFERENCE_PROTOCOL")
    if not named:
        pytest.skip("OPEN_INFERENCE_PROTOCOL names no description of the protocol")
    return Path(named)


def messages() -> dict[str, Fields]:
    """The messages of the protocol over gRPC, by name, one inside another with a dot between."""
    text = re.sub(r"//[^\n]*", "", (folder() / "open_inference_grpc.proto").read_text(encoding="utf-8"))
    words = re.findall(r"message \w+|oneof \w+|[{}]|[^{};]+;", text)
    found: dict[str, Fields] = {}
    inside: list[str] = []
    name = ""
    for word in map(str.strip, words):
        if word.startswith(("message", "oneof")):
            name = word.split()[1] if word.startswith("message") else ""
        elif word == "{":
            inside.append(name)
            found.setdefault(_path(inside), {})
            name = ""
        elif word == "}":
            inside.pop()
        elif field := _FIELD.fullmatch(re.sub(r"\s+", " ", word)):
            found[_path(inside)][int(field[4])] = (field[3], field[2].replace(" ", ""), bool(field[1]))
    return {message: fields for message, fields in found.items() if message}


def _path(inside: list[str]) -> str:
    return ".".join(filter(None, inside))


class RestDescription:
    """The protocol over HTTP."""

    def __init__(self) -> None:
        self._document = yaml.safe_load((folder() / "open_inference_rest.yaml").read_text(encoding="utf-8"))

    def check(self, schema: str, given: Any) -> None:
        """Raises where *given* is not as the *schema* of this name says."""
        reference = {"$ref": f"#/components/schemas/{schema}", "components": self._document["components"]}
        jsonschema.validate(given, reference)

    def addresses(self) -> list[tuple[str, str]]:
        """Method and path of each operation."""
        return [
            (method, path)
            for path, operations in self._document["paths"].items()
            for method in operations
            if method != "parameters"
        ]
