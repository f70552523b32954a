"""Manifests from files: YAML as Kubernetes reads it, with what YAML allows and Kubernetes does not refused in plain words.

Kubernetes reads YAML 1.1: ``on``, ``yes`` and ``no``, and with kubectl and argo also ``y`` and ``n``, are booleans. Dates stay text.
Duplicate keys, anchors that contain themselves or unfold into millions of entries are refused. Which fields a document may have is
``schema``'s business.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from argosy import errors
from argosy.engine.expressions import values
from argosy.engine.manifest import numbers
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Json

LARGEST_FILE = 3 * 1024 * 1024
"""Bytes. What an API server takes in one request."""

LARGEST_DOCUMENT = 500_000
"""Entries, anchors unfolded."""

DEEPEST = 200
"""The depth to which collections may nest."""

KINDS = ("Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow")
CONFIG_MAP = "ConfigMap"
CLAIM = "PersistentVolumeClaim"
SECRET = "Secret"  # noqa: S105 - the kind of a resource
API_VERSION = "argoproj.io/v1alpha1"


@dataclass(frozen=True)
class ManifestDocument:
    """One resource of a file."""

    path: Path
    kind: str
    name: str
    body: Json
    written: Json | None = None
    """*body* with the fields that are null, where it can have any: to the API server they are not there, yet it has to know them."""

    @property
    def metadata(self) -> ObjectMeta:
        """The resource's metadata."""
        return ObjectMeta(self.body.get("metadata") or {})


@dataclass(frozen=True)
class Manifest:
    """The resources of the given files. *main*: the one that is run."""

    main: ManifestDocument
    others: tuple[ManifestDocument, ...]

    def all(self) -> tuple[ManifestDocument, ...]:
        """Every resource."""
        return (self.main, *self.others)


def load(paths: Iterable[Path]) -> Manifest:
    """The resources in *paths*: the one Workflow among them is run; without one, the first WorkflowTemplate that has an entrypoint.

    Raises Misconfigured where a file is not a manifest, there is nothing to run, or there are several Workflows.
    """
    found = [document for path in paths for document in documents(path)]
    workflows = [document for document in found if document.kind in ("Workflow", "CronWorkflow")]
    templates = [document for document in found if document.kind in KINDS]
    startable = [document for document in templates if _has_entrypoint(document.body.get("spec"))]
    runnable = workflows or startable[:1]
    if len(runnable) != 1:
        names = ", ".join(f"{document.kind} {document.name!r}" for document in runnable) or "none"
        raise errors.Misconfigured(
            f"expected one Workflow (or one WorkflowTemplate with an entrypoint) to run, found {names}; name one file with one"
        )
    main = runnable[0]
    return Manifest(main, tuple(document for document in found if document is not main))


def _has_entrypoint(spec: object) -> bool:
    return isinstance(spec, dict) and bool(spec.get("entrypoint"))


def documents(path: Path) -> list[ManifestDocument]:
    """The resources in the file *path*. Raises Misconfigured where it is no manifest."""
    found = [_document(path, body) for body in bodies(path) if body is not None]
    if not found:
        raise errors.Misconfigured(f"{path} is empty; expected an Argo Workflow")
    return [document for group in found for document in group]


def bodies(path: Path) -> list[Any]:
    """The content of the YAML documents of the file *path*, as Kubernetes reads them. Raises Misconfigured where it cannot be read."""
    text = _text(path)
    try:
        if text.lstrip().startswith("{") and (body := _from_json(text)) is not None:
            return [body]
        _demand_flat(text)
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise errors.Misconfigured(f"{path}: {_in_words(error)}") from None
    except RecursionError:
        raise errors.Misconfigured(f"{path}: nested too deeply to be a manifest") from None


def parameters(path: Path) -> dict[str, str]:
    """The parameters in the file *path*, one object; as Argo reads it, what is no text is handed over as its JSON.

    Raises Misconfigured where it holds none.
    """
    try:
        found = bodies(path)
    except errors.Misconfigured as error:
        raise errors.Misconfigured(f"--parameter-file: {error}") from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise errors.Misconfigured(f"{path} does not hold an object of parameters")
    return {name: value if isinstance(value, str) else values.to_json(value) for name, value in found[0].items()}


def _from_json(text: str) -> Json | None:
    """The one object of *text*, where that is JSON: YAML's readers do not know two of its escapes for one character."""
    try:
        body: Json = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_int=numbers.of_integer,
            parse_float=numbers.of_float,
            parse_constant=numbers.of_float,
        )
    except (ValueError, OverflowError, RecursionError):
        return None  # said by YAML's reader, with the line
    return body if _is_flat(body) else None


def _without_doubles(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _is_flat(body: Any) -> bool:
    """True where *body* nests no deeper than a manifest can."""
    level = [body]
    for _ in range(DEEPEST):
        level = [entry for value in level for entry in (value.values() if isinstance(value, dict) else value)]
        level = [entry for entry in level if isinstance(entry, dict | list)]
        if not level:
            return True
    return False


def _demand_flat(text: str) -> None:
    """Raise where *text* nests deeper than a manifest can: the parser's C code would run out of stack and take the process with it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise yaml.MarkedYAMLError(problem="nested too deeply to be a manifest", problem_mark=event.start_mark)  # type: ignore[arg-type]
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise errors.Misconfigured(
                f"{path} has {path.stat().st_size} bytes; a cluster takes at most {LARGEST_FILE}"
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise errors.Misconfigured(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise errors.Misconfigured(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None


def _document(path: Path, body: object) -> list[ManifestDocument]:
    if not isinstance(body, dict):
        raise errors.Misconfigured(f"{path}: expected a Kubernetes resource, found {type(body).__name__}")
    if body.get("kind") in ("List", "WorkflowList"):
        return [document for item in body.get("items") or [] for document in _document(path, item)]
    kind = body.get("kind")
    if kind in (CONFIG_MAP, SECRET, CLAIM):
        return [ManifestDocument(path, kind, _name_of(body), body)]
    if kind not in KINDS:
        raise errors.Misconfigured(
            f"{path}: kind is {kind!r}; `argosy run` takes {', '.join((*KINDS, CONFIG_MAP, SECRET, CLAIM))}"
        )
    if body.get("apiVersion") != API_VERSION:
        raise errors.Misconfigured(f"{path}: apiVersion is {body.get('apiVersion')!r}; expected {API_VERSION}")
    return [ManifestDocument(path, kind, _name_of(body), _without_nulls(body), body)]


def _without_nulls(value: object) -> Any:
    """*value* without the fields that are null: to the API server they are not there. The items of loops are data, and stay."""
    if isinstance(value, dict):
        return {
            key: entry if key == "withItems" else _without_nulls(entry)
            for key, entry in value.items()
            if entry is not None
        }
    return [_without_nulls(entry) for entry in value] if isinstance(value, list) else value


def _name_of(body: Json) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name") or metadata.get("generateName") or "") if isinstance(metadata, dict) else ""


def _in_words(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return str(error)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """YAML as Kubernetes reads it."""

    def construct_document(self, node: object) -> Any:
        _measure(node, {}, set())
        return super().construct_document(node)

    def construct_mapping(self, node: object, deep: bool = False) -> Any:  # noqa: ARG002 - the base class asks for it
        constructed: Json = {}
        for key_node, value_node in _pairs(node):
            key = _key(self.construct_object(key_node, deep=True), key_node)
            if key in constructed:
                raise _wrong(key_node, f"the key {key!r} is there twice")
            constructed[key] = self.construct_object(value_node, deep=True)
        return constructed


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    """The keys and values of the mapping *node*, with what ``<<`` merges into it. argo and kubectl let no key be there twice by it."""
    for key, value in node.value:
        if key.tag != "tag:yaml.org,2002:merge":
            yield key, value
            continue
        for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(merged, yaml.MappingNode):
                raise _wrong(key, "<< merges an object, or a list of objects")
            yield from _pairs(merged)


def _key(key: Any, node: Any) -> str:
    if isinstance(key, bool):
        raise _wrong(node, f"{node.value!r} is a boolean in YAML 1.1, which Kubernetes reads; quote it")
    if key is None:
        raise _wrong(node, "a key is text, not null; quote it")
    if isinstance(key, list | dict):
        raise _wrong(node, "a key is text, not a list or an object")
    return str(key)


def _wrong(node: Any, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _measure(node: Any, sizes: dict[int, int], open_nodes: set[int]) -> int:
    """The number of entries below *node* with anchors unfolded. Raises where an anchor contains itself or unfolds without measure."""
    key = id(node)
    if key in open_nodes:
        raise yaml.MarkedYAMLError(problem="an anchor contains itself", problem_mark=node.start_mark)
    if key not in sizes:
        open_nodes.add(key)
        sizes[key] = 1 + sum(_measure(child, sizes, open_nodes) for child in _children(node))
        open_nodes.discard(key)
    if sizes[key] > LARGEST_DOCUMENT:
        raise yaml.MarkedYAMLError(
            problem=f"the document unfolds into more than {LARGEST_DOCUMENT} entries", problem_mark=node.start_mark
        )
    return sizes[key]


def _children(node: object) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _number(loader: Any, node: Any) -> float | int | str:
    written: str = loader.construct_scalar(node)
    try:
        return numbers.of_float(written)
    except OverflowError:
        return written  # to Go's YAML it is no number then
    except ValueError as error:
        raise _wrong(node, str(error)) from None


def _integer(loader: Any, node: Any) -> int | float | str:
    try:
        return numbers.of_integer(loader.construct_scalar(node))
    except ValueError:
        return _number(loader, node)  # 08 is no octal number, and a decimal one all the same


def _boolean(loader: Any, node: Any) -> bool:
    written = loader.construct_scalar(node)
    if written.lower() not in _BOOLEANS:
        raise _wrong(node, f"{written!r} is no boolean")
    return _BOOLEANS[written.lower()]


def _binary(loader: Any, node: Any) -> str:
    try:
        return base64.b64decode("".join(loader.construct_scalar(node).split()), validate=True).decode(errors="replace")
    except binascii.Error:
        raise _wrong(node, "is not base64") from None


def _as_it_stands(loader: Any, node: Any) -> object:
    """The value under a tag that means nothing to Go's YAML: text, a list or an object."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_BOOLEANS = dict.fromkeys(("y", "yes", "true", "on"), True) | dict.fromkeys(("n", "no", "false", "off"), False)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO"),
    ("int", r"^[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?_*[0-9][0-9_]*)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^(?:<<)$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
for _tag, _constructor in {
    "bool": _boolean,
    "int": _integer,
    "float": _number,
    "binary": _binary,
    **dict.fromkeys(("str", "map", "seq", "set", "omap", "pairs", "timestamp", "merge", "value"), _as_it_stands),
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _constructor)
_Loader.add_constructor(None, _as_it_stands)
