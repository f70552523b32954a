"""Volumes of a pod: where each lies on this machine, and what those hold that are made from ConfigMaps, Secrets and the pod itself.

``emptyDir`` and ``ephemeral`` volumes are folders of the attempt. A claim of the workflow's own ``volumeClaimTemplates`` is a folder of the
run, kept from step to step; any other claim is a folder of this machine that the caller names.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from argosy.engine import nodes
from argosy.engine.attempts import fields
from argosy.engine.attempts.environment import EnvironmentFailure, Sources, field_of
from argosy.engine.manifest.claims import CLAIM
from argosy.engine.nodes import Json
from argosy.engine.state import trees

FILLED = ("secret", "configMap", "downwardAPI", "projected")
MODE = 0o644
FOLDER = "volumes"
"""Where an attempt has its volumes, in its folder."""


class VolumeFailure(Exception):
    """A volume cannot be had here."""


@dataclass(frozen=True)
class Claims:
    """Where claims lie: those of the run below *own*, others as *given*, by the claim's name."""

    own: Path
    names: frozenset[str]
    """The claims of the run."""
    given: Mapping[str, Path]

    def folder(self, claim: str) -> Path:
        """The folder of the claim *claim*. Raises VolumeFailure where nobody said."""
        if claim in self.names and nodes.is_resource_name(claim):
            return self.own / claim
        if claim in self.given:
            return self.given[claim]
        raise VolumeFailure(
            f"the PersistentVolumeClaim {claim!r} is not on this machine; give it a folder with --volume {claim}=FOLDER, or name its file"
        )


NO_CLAIMS = Claims(Path(), frozenset(), {})


def source_of(volume: Mapping[str, Any], attempt: Path, claims: Claims) -> Path:
    """The folder that *volume* is, for the attempt with the folder *attempt*. Raises VolumeFailure where there can be none."""
    if not nodes.is_resource_name(volume["name"]):
        raise VolumeFailure(f"volume {volume['name']!r}: a name has lower case letters, digits and '-'")
    if CLAIM in volume:
        return claims.folder(volume[CLAIM]["claimName"])
    return attempt / FOLDER / str(volume["name"])


def is_read_only(volume: Mapping[str, Any], mount: Mapping[str, Any]) -> bool:
    """Whether the step may not write to *volume* through *mount*."""
    return bool(mount.get("readOnly") or (volume.get(CLAIM) or {}).get("readOnly") or is_filled(volume))


def sub_path(mount: Mapping[str, Any]) -> PurePosixPath:
    """The part of its volume that *mount* shows. Raises VolumeFailure where that is no part of it."""
    path = PurePosixPath(mount.get("subPath") or ".")
    if path.is_absolute() or ".." in path.parts:
        raise VolumeFailure(f"volumeMount {mount['name']!r}: subPath {str(path)!r} leads out of the volume")
    return path


def fill(volume: Mapping[str, Any], folder: Path, sources: Sources, facts: Mapping[str, str]) -> None:
    """Write to *folder* what *volume* holds as the step begins. Raises EnvironmentFailure where it is not known here."""
    for files in _parts(volume):
        for path, content, mode in _files(files, sources, facts):
            target = folder / _plain(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch(mode=0o600)
            target.write_text(content, encoding="utf-8")
            target.chmod(mode)


def _parts(volume: Mapping[str, Any]) -> Iterator[Json]:
    """What *volume* is put together from, each part as a volume of its own."""
    projected = volume.get("projected")
    if projected is None:
        yield from ({kind: volume[kind]} for kind in FILLED if kind in volume)
        return
    mode = {"defaultMode": projected["defaultMode"]} if "defaultMode" in projected else {}
    for source in projected.get("sources") or []:
        yield from ({kind: {**mode, **(source[kind] or {})}} for kind in FILLED if kind in source)


def _files(part: Json, sources: Sources, facts: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """The files of one part: path, content, mode."""
    ((kind, body),) = part.items()
    mode = int(body.get("defaultMode", MODE))
    if kind == "downwardAPI":
        for item in body.get("items") or []:
            yield item["path"], field_of(item.get("fieldRef") or {}, facts), int(item.get("mode", mode))
        return
    name, values = _values(kind, body, sources)
    for item in body.get("items") or [{"key": key, "path": key} for key in values]:
        if item["key"] in values:
            yield item["path"], values[item["key"]], int(item.get("mode", mode))
        elif not body.get("optional"):
            raise EnvironmentFailure(f"{name} has no key {item['key']!r} on this machine")


def _values(kind: str, body: Mapping[str, Any], sources: Sources) -> tuple[str, Mapping[str, str]]:
    secret = kind == "secret"
    name = body.get("secretName") or body.get("name") or ""
    known = sources.secrets if secret else sources.config_maps
    said = f"{'Secret' if secret else 'ConfigMap'} {name!r}"
    if name not in known and not body.get("optional"):
        raise EnvironmentFailure(f"{said} is not known on this machine")
    return said, known.get(name, {})


def _plain(path: str) -> PurePosixPath:
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts:
        raise EnvironmentFailure(f"{path!r} is not a path inside a volume")
    return plain


def check(
    volumes: Sequence[Mapping[str, Any]], mounts: Sequence[Mapping[str, Any]], sources: Sources, claims: Claims
) -> None:
    """Raise VolumeFailure or EnvironmentFailure where a volume that is mounted cannot be had here."""
    wanted = {mount["name"] for mount in mounts}
    for volume in volumes:
        if volume["name"] not in wanted or "{{" in str(volume):
            continue
        if CLAIM in volume:
            claims.folder(volume[CLAIM]["claimName"])
        for part in _parts(volume):
            kind, body = next(iter(part.items()))
            list(_files({kind: body}, sources, fields.SAMPLE))


def is_of_the_attempt(volume: Mapping[str, Any]) -> bool:
    """Whether *volume* is an empty folder of each attempt's own."""
    return not any(kind in volume for kind in (CLAIM, *FILLED))


def is_filled(volume: Mapping[str, Any]) -> bool:
    """Whether *volume* holds something as a step begins that :func:`fill` writes."""
    return any(kind in volume for kind in FILLED)


def hold_state(volumes: Sequence[Mapping[str, Any]], mounts: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a step finds more in its volumes, or leaves more there, than a cache knows of."""
    wanted = {mount["name"] for mount in mounts}
    return any(volume["name"] in wanted and not is_of_the_attempt(volume) for volume in volumes)


def remove(attempt: Path) -> None:
    """Remove the volumes of the attempt with the folder *attempt*, which is over."""
    with contextlib.suppress(OSError):
        trees.remove(attempt / FOLDER)


def remove_claims(own: Path) -> None:
    """Remove the claims of a run that is over."""
    trees.remove(own)
