"""Reads the files of a model's folder; says on which line a setting is wrong and what was probably meant.

Owns the files of people: ``model.yaml``, policies and ``expectations.json``. What the settings mean is ``argosy.domain.model_settings``.
"""

import difflib
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from argosy import errors, scratch
from argosy.domain import expectations, model_settings, policy
from argosy.domain.problems import Problem

Read = TypeVar("Read", bound=BaseModel)
Location = tuple[int | str, ...]
Form = Literal["yaml", "json"]


def load_settings(path: Path, parts: Collection[str] = ()) -> model_settings.ModelSettings:
    """The settings in *path*, or nothing but *parts* of them. Raises Misconfigured with the line, the field and a suggestion."""
    found = load(path, model_settings.ModelSettings)
    return found.only(parts) if parts else found


def load_policy(path: Path) -> policy.Policy:
    """The policy in *path*. Raises Misconfigured with the line, the field and a suggestion."""
    return load(path, policy.Policy)


def policy_of(content: bytes, place: str) -> policy.Policy:
    """The policy whose text is *content*. Raises Misconfigured as :func:`load_policy` does, with *place* for its file."""
    with scratch.folder("policy") as folder:
        file = folder / "policy.yaml"
        file.write_bytes(content)
        try:
            return load_policy(file)
        except errors.Misconfigured as error:
            raise errors.Misconfigured(str(error).replace(str(file), place)) from None


def load_expectations(path: Path) -> expectations.Expectations:
    """The expectations in *path*. Raises Misconfigured with the line, the field and a suggestion."""
    return load_with_lines(path, expectations.Expectations, form="json")[0]


def load(path: Path, kind: type[Read]) -> Read:
    """Read the YAML file *path* as a *kind*; every problem is reported, each with its line."""
    return load_with_lines(path, kind)[0]


def load_with_lines(path: Path, kind: type[Read], form: Form = "yaml") -> tuple[Read, "Lines"]:
    """As :func:`load`, and where in the file, which has *form*, each setting stands."""
    node, content = _compose(path, form)
    try:
        return kind.model_validate(content), Lines(path, node)
    except ValidationError as error:
        raise errors.Misconfigured(errors.listed(_problem(path, node, kind, each) for each in error.errors())) from None


class Lines:
    """Where the settings of a file stand."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self._path = path
        self._node = node

    def at(self, problem: Problem) -> str:
        """*problem* with its file and line."""
        return f"{self._path}:{_line(self._node, problem.location)}: {problem}"


def line_of(path: Path, *location: int | str) -> int:
    """Where in the YAML file *path* the value at *location* is, or what would hold it. Raises Misconfigured."""
    return _line(_compose(path, "yaml")[0], location)


class _Loader(yaml.SafeLoader):
    """YAML without surprises: ``no`` and ``on`` stay words, as in YAML 1.2, and a key given twice is an error."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


def _compose(path: Path, form: Form) -> tuple[yaml.Node, Any]:
    """The file's places, and what it says."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(f"{path} cannot be read: {error}") from error
    content = _json(path, text) if form == "json" else None
    try:
        # JSON is YAML but for tabs that set it in.
        node = yaml.compose(text.expandtabs(2) if form == "json" else text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise errors.Misconfigured(f"{path}:{line}: this is not YAML: {error.problem}") from None
    if not isinstance(node, yaml.MappingNode):
        raise errors.Misconfigured(f"{path}:1: expected a mapping of settings")
    _refuse_twice(path, node)
    return node, content if form == "json" else _Loader("").construct_document(node)


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.Misconfigured(f"{path}:{error.lineno}: this is not JSON: {error.msg}") from None


def _refuse_twice(path: Path, node: yaml.Node) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise errors.Misconfigured(f"{path}:{key.start_mark.line + 1}: {key.value!r} is given twice")
            seen.add(key.value)
            _refuse_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for entry in node.value:
            _refuse_twice(path, entry)


def _problem(path: Path, node: yaml.Node, kind: type[BaseModel], details: ErrorDetails) -> str:
    location = _yaml_location(node, tuple(details.get("ctx", {}).get("at", details["loc"])))
    line = _line(node, location)
    field = ".".join(str(part) for part in location) or "the file"
    if details["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown setting {field!r}{_suggestion(str(location[-1]), _fields(kind))}"
    if details["type"] == "missing":
        return f"{path}:{line}: {field!r} is missing"
    message = details["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {field}: {message}{_given(details)}"


def _given(details: ErrorDetails) -> str:
    value = details["input"]
    return f" (given: {value!r})" if isinstance(value, str | int | float | bool) else ""


def _suggestion(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _fields(kind: type[BaseModel]) -> list[str]:
    """Every field name in *kind* and the documents inside it; a suggestion may come from any level."""
    names: set[str] = set()
    schema = kind.model_json_schema()
    for part in [schema, *schema.get("$defs", {}).values()]:
        names.update(part.get("properties", {}))
    return sorted(names)


def _yaml_location(node: yaml.Node, location: Location) -> Location:
    """*location* without the parts that pydantic adds for unions, which the file does not have."""
    kept: list[int | str] = []
    current: yaml.Node | None = node
    for position, part in enumerate(location):
        following = _child(current, part)
        if following is None and position < len(location) - 1:
            continue
        kept.append(part)
        current = following[1] if following else None
    return tuple(kept)


def _line(node: yaml.Node, location: Location) -> int:
    line = node.start_mark.line
    current: yaml.Node | None = node
    for part in location:
        following = _child(current, part)
        if following is None:
            break
        line, current = following
    return line + 1


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    """The line and the node that *part* leads to."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line, node.value[part]
    return None


def as_yaml(value: dict[str, Any]) -> str:
    """*value* as YAML in the order given."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)
