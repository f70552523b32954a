"""Values of the other resources of the given files: those of ConfigMaps and Secrets, and the artifact repository.

Values of Secrets are read from the files again when a run is resumed: no file of a run ever holds one.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from argosy import errors
from argosy.engine import nodes
from argosy.engine.manifest import checking, loading
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.loading import Manifest, ManifestDocument
from argosy.engine.manifest.pod_model import KeySelector
from argosy.engine.nodes import Json

Values = dict[str, dict[str, str]]

REPOSITORIES = "artifact-repositories"
DEFAULT_REPOSITORY = "workflows.argoproj.io/default-artifact-repository"


def config_maps(manifest: Manifest) -> Values:
    """The values of the ConfigMaps among the given files."""
    found = [document for document in manifest.others if document.kind == loading.CONFIG_MAP]
    return {document.name: dict(document.body.get("data") or {}) for document in found}


def label_of(document: ManifestDocument, label: str) -> str | None:
    """The value of *document*'s *label*."""
    return document.metadata.labels.get(label)


def secret_files(manifest: Manifest) -> tuple[str, ...]:
    """The given files that hold Secrets."""
    found = [document.path for document in manifest.others if document.kind == loading.SECRET]
    return tuple(dict.fromkeys(str(path.absolute()) for path in found))


def claims(manifest: Manifest, folder: Path) -> dict[str, Path]:
    """The folders of the PersistentVolumeClaims among the given files: each in *folder*, the same for every run. Raises Misconfigured."""
    found = [document for document in manifest.others if document.kind == loading.CLAIM]
    for document in found:
        if not nodes.is_resource_name(document.name):
            raise errors.Misconfigured(f"{document.path}: metadata.name: {document.name!r} is no name of a resource")
    return {document.name: folder / document.name for document in found}


def secrets(files: Iterable[str]) -> Values:
    """The values of the Secrets in *files*. Raises Misconfigured where a file is gone or a value is not what it should be."""
    documents = (document for file in files for document in loading.documents(Path(file)))
    return {document.name: _values(document) for document in documents if document.kind == loading.SECRET}


def _values(document: ManifestDocument) -> dict[str, str]:
    values = {}
    for name, encoded in (document.body.get("data") or {}).items():
        try:
            values[name] = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise errors.Misconfigured(
                f"{document.path}: Secret {document.name!r}: data.{name} is not text in base64; plain text belongs in stringData"
            ) from None
    return values | dict(document.body.get("stringData") or {})


def repository(manifest: Manifest, reference: Json | None) -> Json | None:
    """The ``s3`` location of the artifact repository that the files provide; None where they provide none.

    Raises Misconfigured where the repository that *reference* names is not in its ConfigMap, or is none that is known here.
    """
    name = (reference or {}).get("configMap") or REPOSITORIES
    found = next((one for one in manifest.others if one.kind == loading.CONFIG_MAP and one.name == name), None)
    if found is None:
        return None
    key = (reference or {}).get("key") or found.metadata.annotations.get(DEFAULT_REPOSITORY) or ""
    text = (found.body.get("data") or {}).get(key)
    if text is None:
        if reference is None:
            return None
        raise errors.Misconfigured(
            f"{found.path}: ConfigMap {name!r}: config map missing key {key!r} for the artifact repository"
        )
    return _location(found, key, text)


def _location(config_map: ManifestDocument, key: str, text: str) -> Json:
    where = f"{config_map.path}: data.{key}"
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise errors.Misconfigured(f"{where}: is no YAML: {error}") from None
    checking.check(ManifestDocument(Path(where), "ArtifactRepository", key, body))
    location: Json = body["s3"]
    for field in ("endpoint", "bucket"):
        if not location.get(field):
            raise errors.Misconfigured(f"{where}: s3.{field}: is required")
    return {name: value for name, value in location.items() if name not in ("keyFormat", "keyPrefix")}


def locations(value: object, where: str) -> Iterator[tuple[str, Artifact]]:
    """The artifacts anywhere under *value*, each with its path."""
    if isinstance(value, list):
        for position, entry in enumerate(value):
            yield from locations(entry, f"{where}[{position}]")
    elif isinstance(value, dict):
        for key, entry in value.items():
            if key == "artifacts" and isinstance(entry, list):
                yield from ((f"{where}.artifacts[{at}]", Artifact(artifact)) for at, artifact in enumerate(entry))
            else:
                yield from locations(entry, f"{where}.{key}")


def selectors(value: object) -> Iterator[KeySelector]:
    """The keys of Secrets that a location names: its fields that end in ``Secret``."""
    if isinstance(value, dict):
        for name, entry in value.items():
            if name.endswith("Secret") and isinstance(entry, dict) and "key" in entry:
                yield KeySelector(entry)
            else:
                yield from selectors(entry)
