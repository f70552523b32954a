"""Manifests from files: which resources they hold, and the one that is run. Which fields one may have is ``schema``'s business."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engine.expressions import values
from argosy.engine.manifest import kubernetes_yaml
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Json

LARGEST_FILE = 3 * 1024 * 1024
"""Bytes. What an API server takes in one request."""

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
    try:
        return kubernetes_yaml.read(_text(path))
    except kubernetes_yaml.NotYaml as error:
        raise errors.Misconfigured(f"{path}: {error}") from None


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
