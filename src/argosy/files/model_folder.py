"""Reads the files of a model's folder; says on which line a setting is wrong and what was probably meant.

Owns the files of people: ``model.yaml``, policies and ``expectations.json``. What the settings mean is ``argosy.domain.model_settings``.
"""

import contextlib
import difflib
import functools
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from argosy import errors, scratch
from argosy.domain import auto_merge, expectations, model_settings, overrides, policy
from argosy.domain.answers import answer_settings
from argosy.domain.setting_problems import SettingProblem

Read = TypeVar("Read", bound=BaseModel)
Location = tuple[int | str, ...]
Form = Literal["yaml", "json"]
Json = dict[str, Any]
WORDS = {
    "timezone_aware": "a time needs its zone, such as 2026-06-01T00:00:00Z",
    "model_type": "expected settings by their names, such as {name: value}",
    "dict_type": "expected settings by their names, such as {name: value}",
}
"""Messages by kind of problem, where pydantic's own words name no way out."""
DEEPEST_NESTING = 100
"""Collections within one another; the readers' stacks take some hundreds."""
MOST_ENTRIES = 100_000
"""Of a file, aliases unfolded: more than any folder has, and few enough to be read at once."""
MOST_REMEMBERED = 16
"""Files whose content is kept as it was understood: those of a folder and its gates, and few more."""
DEEPEST = 4
"""The depth to which misplaced settings are looked for."""


def load_settings(path: Path, parts: Collection[str] = ()) -> model_settings.ModelSettings:
    """The settings in *path*, or nothing but *parts* of them. Raises Misconfigured with the line, the field and a suggestion."""
    if is_of_answers(path):
        raise errors.Misconfigured(
            f"{path}: the model answers in words (`task: answers`), and this is for models of tables; see docs/language-models.md"
        )
    found = load(path, model_settings.ModelSettings)
    return found.only(parts) if parts else found


def load_answers(path: Path, parts: Collection[str] = ()) -> answer_settings.AnswerSettings:
    """The settings of a language model in *path*, or nothing but *parts* of them. Raises Misconfigured as :func:`load_settings` does."""
    found = load(path, answer_settings.AnswerSettings)
    return found.only(parts) if parts else found


def load_any(path: Path, parts: Collection[str] = ()) -> model_settings.CommonSettings:
    """The settings in *path*, of a model of tables or a language model. Raises Misconfigured as :func:`load_settings` does."""
    found: model_settings.CommonSettings = load_answers(path) if is_of_answers(path) else load_settings(path)
    return found.only(parts) if parts else found


def is_of_answers(path: Path) -> bool:
    """Whether the settings in *path* are those of a language model; what cannot be read is not."""
    return (
        path.is_file()
        and re.search(r"^task:\s*['\"]?answers\b", path.read_text("utf-8", "replace"), re.MULTILINE) is not None
    )


def load_policy(path: Path) -> policy.Policy:
    """The policy in *path*. Raises Misconfigured with the line, the field and a suggestion."""
    return load(path, policy.Policy)


def policy_of(content: bytes, place: str) -> policy.Policy:
    """The policy whose text is *content*. Raises Misconfigured as :func:`load_policy` does, with *place* for its file."""
    return _of_text(content, place, policy.Policy)


def overrides_of(content: bytes, place: str) -> overrides.Overrides:
    """The overrides whose text is *content*. Raises Misconfigured as :func:`load_policy` does, with *place* for its file."""
    return _of_text(content, place, overrides.Overrides)


def merge_rules_of(content: bytes, place: str) -> auto_merge.MergeRules:
    """When requests merge by themselves, by the text *content* of the file *place*. Raises Misconfigured as :func:`load_policy` does."""
    return _of_text(content, place, auto_merge.MergeRules)


def _of_text(content: bytes, place: str, kind: type[Read]) -> Read:
    with scratch.folder("policy") as folder:
        file = folder / "rules.yaml"
        file.write_bytes(content)
        try:
            return load(file, kind)
        except errors.Misconfigured as error:
            raise errors.Misconfigured(str(error).replace(str(file), place)) from None


def load_expectations(path: Path) -> expectations.Expectations:
    """The expectations in *path*. Raises Misconfigured with the line, the field and a suggestion."""
    return load_with_lines(path, expectations.Expectations, form="json")[0]


def load(path: Path, kind: type[Read]) -> Read:
    """Read the YAML file *path* as a *kind*; every problem is reported, each with its line."""
    return load_with_lines(path, kind)[0]


def load_with_lines(path: Path, kind: type[Read], form: Form = "yaml") -> tuple[Read, "SettingLines"]:
    """As :func:`load`, and where in the file, which has *form*, each setting stands."""
    return _understood(path, kind, form, _text(path))


@functools.lru_cache(maxsize=MOST_REMEMBERED)
def _understood(path: Path, kind: type[Read], form: Form, text: str) -> tuple[Read, "SettingLines"]:
    """What *text*, the content of *path*, says. Each manifest of a folder asks for the same files, and reading YAML takes its time."""
    node, content = _compose(path, form, text)
    try:
        return kind.model_validate(content), SettingLines(path, node)
    except ValidationError as error:
        found = _meant(node, error.errors())
        raise errors.Misconfigured(errors.listed(_problem(path, node, kind, each) for each in found)) from None


class SettingLines:
    """The lines of a file's settings."""

    def __init__(self, path: Path, node: yaml.Node) -> None:
        self._path = path
        self._node = node

    def at(self, problem: SettingProblem) -> str:
        """*problem* with its file and line."""
        return f"{self._path}:{_line(self._node, problem.location)}: {problem}"


def line_of(path: Path, *location: int | str) -> int:
    """The line of the value at *location* in the YAML file *path*, or of what would hold it. Raises Misconfigured."""
    return _line(_compose(path, "yaml", _text(path))[0], location)


class _Loader(yaml.SafeLoader):
    """YAML without surprises: ``no`` and ``on`` stay words, as in YAML 1.2, and a key given twice is an error."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same YAML, read by compiled code where there is some."""


_QuickLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(f"{path} cannot be read: {error}") from error


def _compose(path: Path, form: Form, text: str) -> tuple[yaml.Node, Any]:
    """The places of the file *path*, whose content is *text*, and what it says."""
    # JSON is YAML but for tabs that set it in.
    as_yaml = text.expandtabs(2) if form == "json" else text
    _refuse_deep(path, as_yaml)
    content = _json(path, text) if form == "json" else None
    try:
        node = _node(as_yaml)
        if not isinstance(node, yaml.MappingNode):
            raise errors.Misconfigured(f"{path}:1: expected a mapping of settings")
        _Reading(path).check(node, ())
        return node, content if form == "json" else _Loader("").construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise errors.Misconfigured(f"{path}:{line}: this is not YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        raise errors.Misconfigured(f"{path}: this is not YAML: {error.reason} at character {error.position}") from None


def _node(text: str) -> yaml.Node | None:
    with contextlib.suppress(yaml.YAMLError):  # which the other reader says, in the same words everywhere
        return yaml.compose(text, Loader=_QuickLoader)
    return yaml.compose(text, Loader=_Loader)


def _refuse_deep(path: Path, text: str) -> None:
    """Refuse nesting that the readers' stacks do not take; what is no YAML or JSON at all, they say themselves."""
    for loader in (_QuickLoader, _Loader):  # the second where the first does not get to the end
        with contextlib.suppress(yaml.YAMLError):
            _demand_flat(path, yaml.parse(text, Loader=loader))
            return


def _demand_flat(path: Path, events: Iterator[yaml.Event]) -> None:
    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST_NESTING:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise errors.Misconfigured(f"{path}:{line}: nested deeper than any setting is ({DEEPEST_NESTING})")


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.Misconfigured(f"{path}:{error.lineno}: this is not JSON: {error.msg}") from None


class _Reading:
    """Looks at the nodes of a file before anything is made of them: what a library would end on, or never end on, is said with its line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = 0
        self._loader = _Loader("")

    def check(self, node: yaml.Node, within: tuple[yaml.Node, ...]) -> None:
        """Raise Misconfigured where *node*, which lies *within* others, cannot be read; an alias counts as what it stands for."""
        self._entries += 1
        if self._entries > MOST_ENTRIES:
            raise self._said(node, f"aliases unfold into more than {MOST_ENTRIES:,} entries")
        if any(node is outer for outer in within):
            raise self._said(node, "an anchor holds itself")
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            for _, value in node.value:
                self.check(value, (*within, node))
        elif isinstance(node, yaml.SequenceNode):
            for entry in node.value:
                self.check(entry, (*within, node))
        else:
            self._check_scalar(node)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._said(key, "a setting's name is a text")
            if key.value in seen:
                raise self._said(key, f"{key.value!r} is given twice")
            seen.add(key.value)

    def _check_scalar(self, node: yaml.Node) -> None:
        try:
            self._loader.construct_object(node)
        except (
            ValueError,
            KeyError,
            AttributeError,
        ):  # what PyYAML makes of a value that is not what its tag or form says
            kind = node.tag.rpartition(":")[2]
            raise self._said(node, f"{str(node.value)[:40]!r} is no {kind} that can be read") from None

    def _said(self, node: yaml.Node, problem: str) -> errors.Misconfigured:
        return errors.Misconfigured(f"{self._path}:{node.start_mark.line + 1}: {problem}")


def _problem(path: Path, node: yaml.Node, kind: type[BaseModel], details: ErrorDetails) -> str:
    location = _yaml_location(node, tuple(details.get("ctx", {}).get("at", details["loc"])))
    line = _line(node, location)
    field = ".".join(str(part) for part in location) or "the file"
    if details["type"] == "extra_forbidden":
        return f"{path}:{line}: unknown setting {field!r}{_suggestion(kind.model_json_schema(), details['loc'])}"
    if details["type"] == "missing":
        return f"{path}:{line}: {field!r} is missing"
    message = WORDS.get(details["type"]) or details["msg"].removeprefix("Value error, ")
    return f"{path}:{line}: {field}: {message}{_given(details)}"


def _meant(node: yaml.Node, found: list[ErrorDetails]) -> list[ErrorDetails]:
    """*found* without what is wrong only if a document that may be one of several kinds is taken for another than it resembles most."""
    tried: dict[Location, Counter[int | str]] = {}
    for details in found:
        for place, kind in _kinds(node, details["loc"]):
            tried.setdefault(place, Counter())[kind] += 1
    meant = {place: min(kinds, key=lambda kind: kinds[kind]) for place, kinds in tried.items()}
    return [each for each in found if all(meant[place] == kind for place, kind in _kinds(node, each["loc"]))]


def _kinds(node: yaml.Node, location: Location) -> list[tuple[Location, int | str]]:
    """The places on the way to *location* where pydantic took one of several kinds, each with that kind."""
    return [(location[:position], location[position]) for position in _added(node, location)]


def _given(details: ErrorDetails) -> str:
    value = details["input"]
    return f" (given: {value!r})" if isinstance(value, str | int | float | bool) else ""


def _suggestion(schema: Json, location: Location) -> str:
    """A suggestion for the setting at *location*, which *schema* does not have."""
    places = [schema]
    for part in location[:-1]:
        places = [found for place in places for found in _inside(schema, place, part)]
    here = sorted({name for place in places for name in _settings(schema, place)})
    word = str(location[-1])
    if close := difflib.get_close_matches(word, here, n=1, cutoff=0.7):
        return f"; did you mean {close[0]!r}?"
    known = dict(_everywhere(schema, schema))
    if home := known.get(word):
        return f"; {word!r} is a setting of {home!r}"
    close = difflib.get_close_matches(word, [*here, *known], n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _settings(schema: Json, place: Json) -> Json:
    """The settings of the document that *place* of *schema* describes, each with its own description."""
    return {name: value for part in _alternatives(schema, place) for name, value in part.get("properties", {}).items()}


def _inside(schema: Json, place: Json, part: int | str) -> list[Json]:
    """Schemas that *part* (pydantic's name) leads to: a setting, an entry of a list or mapping, or one of several documents."""
    tagged = place.get("discriminator", {}).get("mapping", {})
    if part in tagged:
        return [{"$ref": tagged[part]}]
    found: list[Json] = []
    for one in _alternatives(schema, place):
        inner = one.get("items") if isinstance(part, int) else one.get("properties", {}).get(part)
        inner = inner or one.get("additionalProperties")
        found += [inner] if isinstance(inner, dict) else []
    # A part that names an alternative by its type leads to where we are.
    return found or [place]


def _alternatives(schema: Json, place: Json) -> list[Json]:
    """The documents that may stand at *place*."""
    if reference := place.get("$ref"):
        return _alternatives(schema, schema["$defs"][reference.rsplit("/", 1)[-1]])
    several = place.get("anyOf") or place.get("oneOf") or place.get("allOf")
    return [one for each in several for one in _alternatives(schema, each)] if several else [place]


def _everywhere(schema: Json, place: Json, home: Location = ()) -> Iterator[tuple[str, str]]:
    """Every setting below *place*, which is at *home*, and what it is a setting of."""
    for name, inner in _settings(schema, place).items():
        yield name, ".".join(map(str, home))
        for entries in (inner, *_inside(schema, inner, 0), *_inside(schema, inner, "")):
            yield from _everywhere(schema, entries, (*home, name)) if len(home) < DEEPEST else ()


def _yaml_location(node: yaml.Node, location: Location) -> Location:
    """*location* without the parts that pydantic adds for unions, which the file does not have."""
    added = _added(node, location)
    return tuple(part for position, part in enumerate(location) if position not in added)


def _added(node: yaml.Node, location: Location) -> list[int]:
    """Which parts of *location* the file does not have; its last is what is missing, if anything is."""
    added = []
    current: yaml.Node | None = node
    for position, part in enumerate(location):
        following = _child(current, part)
        if following is None and position < len(location) - 1:
            added.append(position)
        else:
            current = following[1] if following else None
    return added


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
