"""Volumes of a pod: where each lies on this machine, and what those hold that are made from ConfigMaps, Secrets and the pod itself.

``emptyDir`` and ``ephemeral`` volumes are folders of the attempt. A claim of the workflow's own ``volumeClaimTemplates`` is a folder of the
run, kept from step to step; any other claim is a folder of this machine that the caller names.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from argosy.engine import nodes
from argosy.engine.attempts import fields
from argosy.engine.attempts.environment import EnvironmentFailure, Sources, Values, field_of
from argosy.engine.manifest.pod_model import FilesSource, FilesVolume, Volume, VolumeFile, VolumeMount
from argosy.engine.state import trees

MODE = 0o644
FOLDER = "volumes"
"""The folder of an attempt's volumes, in the attempt's own."""


class VolumeFailure(Exception):
    """A volume cannot be had here."""


@dataclass(frozen=True)
class Claims:
    """The folders of claims: those of the run below *own*, others as *given*, by the claim's name."""

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


def source_of(volume: Volume, attempt: Path, claims: Claims) -> Path:
    """The folder that *volume* is, for the attempt with the folder *attempt*. Raises VolumeFailure where there can be none."""
    if not nodes.is_resource_name(volume.name):
        raise VolumeFailure(f"volume {volume.name!r}: a name has lower case letters, digits and '-'")
    return claims.folder(volume.claim.name) if volume.claim else attempt / FOLDER / volume.name


def is_read_only(volume: Volume, mount: VolumeMount) -> bool:
    """True where the step may not write to *volume* through *mount*."""
    return mount.read_only or (volume.claim is not None and volume.claim.read_only) or is_filled(volume)


def sub_path(mount: VolumeMount) -> PurePosixPath:
    """The part of its volume that *mount* shows. Raises VolumeFailure where that is no part of it."""
    path = PurePosixPath(mount.sub_path or ".")
    if path.is_absolute() or ".." in path.parts:
        raise VolumeFailure(f"volumeMount {mount.name!r}: subPath {str(path)!r} leads out of the volume")
    return path


def fill(volume: Volume, folder: Path, sources: Sources, facts: Mapping[str, str]) -> None:
    """Write to *folder* what *volume* holds as the step begins. Raises EnvironmentFailure where it is not known here."""
    for path, content, mode in _files(volume, sources, facts):
        target = folder / _plain(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_text(content, encoding="utf-8")
        target.chmod(mode)


def _files(volume: Volume, sources: Sources, facts: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """The files of *volume*: path, content, mode."""
    if volume.projected is None:
        yield from _files_of(volume, MODE, sources, facts)
        return
    mode = volume.projected.default_mode
    for source in volume.projected.sources:
        yield from _files_of(source, MODE if mode is None else mode, sources, facts)


def _files_of(
    source: FilesSource, mode: int, sources: Sources, facts: Mapping[str, str]
) -> Iterator[tuple[str, str, int]]:
    if source.secret:
        yield from _entries(f"Secret {source.secret.source_name!r}", source.secret, sources.secrets, mode)
    if source.config_map:
        yield from _entries(
            f"ConfigMap {source.config_map.source_name!r}", source.config_map, sources.config_maps, mode
        )
    if source.downward:
        mode = mode if source.downward.default_mode is None else source.downward.default_mode
        for item in source.downward.items:
            yield item.path, field_of(item.field, facts), mode if item.mode is None else item.mode


def _entries(said: str, volume: FilesVolume, known: Values, mode: int) -> Iterator[tuple[str, str, int]]:
    """The entries of the ConfigMap or Secret *said* as files."""
    values = known.get(volume.source_name)
    if values is None and not volume.optional:
        raise EnvironmentFailure(f"{said} is not known on this machine")
    values = values or {}
    mode = mode if volume.default_mode is None else volume.default_mode
    for item in volume.items or [VolumeFile({"key": key, "path": key}) for key in values]:
        if item.key in values:
            yield item.path, values[item.key], mode if item.mode is None else item.mode
        elif not volume.optional:
            raise EnvironmentFailure(f"{said} has no key {item.key!r} on this machine")


def _plain(path: str) -> PurePosixPath:
    plain = PurePosixPath(path)
    if plain.is_absolute() or ".." in plain.parts or not plain.parts:
        raise EnvironmentFailure(f"{path!r} is not a path inside a volume")
    return plain


def check(volumes: Sequence[Volume], mounts: Sequence[VolumeMount], sources: Sources, claims: Claims) -> None:
    """Raise VolumeFailure or EnvironmentFailure where a volume that is mounted cannot be had here."""
    wanted = {mount.name for mount in mounts}
    for volume in volumes:
        if volume.name not in wanted or "{{" in str(volume.written):
            continue
        if volume.claim:
            claims.folder(volume.claim.name)
        list(_files(volume, sources, fields.SAMPLE))


def is_of_the_attempt(volume: Volume) -> bool:
    """True where *volume* is an empty folder of each attempt's own."""
    return volume.claim is None and not is_filled(volume)


def is_filled(volume: Volume) -> bool:
    """True where *volume* holds something as a step begins that :func:`fill` writes."""
    return any((volume.secret, volume.config_map, volume.downward, volume.projected))


def hold_state(volumes: Sequence[Volume], mounts: Sequence[VolumeMount]) -> bool:
    """True where a step finds more in its volumes, or leaves more there, than a cache knows of."""
    wanted = {mount.name for mount in mounts}
    return any(volume.name in wanted and not is_of_the_attempt(volume) for volume in volumes)


def remove(attempt: Path) -> None:
    """Remove the volumes of the attempt with the folder *attempt*, which is over."""
    with contextlib.suppress(OSError):
        trees.remove(attempt / FOLDER)


def remove_claims(own: Path) -> None:
    """Remove the claims of a run that is over."""
    trees.remove(own)
