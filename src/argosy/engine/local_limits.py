"""The limits of this machine for a workflow: images that can run, volumes and secrets that are known, paths and limits it can be given.

Whether Argo would take the workflow is ``validation``'s business.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from argosy import errors
from argosy.engine.attempts import (
    container_roles,
    containers,
    environment,
    fields,
    local_images,
    memory_limits,
    resource,
    volumes,
)
from argosy.engine.attempts.environment import EnvironmentFailure, Sources
from argosy.engine.attempts.volumes import Claims, VolumeFailure
from argosy.engine.attempts.workspace import ROOT_VARIABLE, PathFailure, Workspace, input_paths
from argosy.engine.manifest import claims, resources
from argosy.engine.manifest.artifact_model import KINDS, Artifact
from argosy.engine.manifest.model import Spec, Template
from argosy.engine.manifest.pod_model import Container, EnvFromSource, EnvVarSource, KeySelector, Volume
from argosy.engine.manifest.reach import Reached
from argosy.engine.options import RunOptions
from argosy.engine.processes import isolation


def check(spec: Spec, reached: Iterable[Reached], options: RunOptions, path: Path, workflow: str) -> str | None:
    """Raise Misconfigured where a step of the file *path*, one of *reached*, cannot run here.

    Returns the container engine, where one is needed. Raises TryAgain where that does not answer.
    """
    program = containers.engine()
    needed: list[tuple[str, str]] = []
    for where, template in ((f"{path}: {entry.place}", entry.template) for entry in reached):
        _check_headers(template, options, where)
        _check_cluster(template, options, where)
        if not template.is_containers:
            continue
        mountable = claims.all_of(spec, template, workflow)
        held = Claims(Path(), frozenset(claims.own(spec, workflow).values()), options.volumes)
        for member in container_roles.containers_of_pod(template):
            place = f"{where}: container {member.name!r}" if member.apart else where
            container = member.template.main_container
            _check_volumes(container, mountable, held, options, place)
            _check_limits(container, place)
            if local_images.is_process(container.image, options.process_images):
                _check_process(member.template, mountable, held, place)
            else:
                _check_image(template, member, program, place)
                needed.append((where, container.image))
            _check_references(container, options, place)
    return _answering(*needed[0]) if needed else None


def _answering(where: str, image: str) -> str:
    """The container engine. Raises TryAgain where none answers."""
    program, refusals = containers.answering()
    if program is None:
        raise errors.TryAgain(
            f"{where}: its image {image!r} needs a container engine, and {refusals}; start it, or run the image as a process with "
            f"--local-image '{image}'"
        )
    return program


def _check_headers(template: Template, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where a request sends a value of a Secret that is not known here."""
    for header in template.http.headers:
        wanted = header.value_from.secret if header.value_from else None
        if wanted and wanted.key not in options.secrets.get(wanted.name, {}):
            raise errors.Misconfigured(
                f"{where}.http.headers: {header.name} needs the Secret {wanted.name!r} "
                f"with the key {wanted.key!r}, which is not known here; name a file with it (-f)"
            )


def _check_cluster(template: Template, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where *template* acts on a cluster, and there is none it may act on."""
    if template.kind == "resource" and (lack := resource.missing(template, options.cluster)):
        raise errors.Misconfigured(f"{where}.resource: {lack}")


def _check_image(template: Template, member: container_roles.PodContainer, program: str | None, where: str) -> None:
    """Raise Misconfigured where nothing here can run the image of *member*, which is not to run as a process."""
    image = member.template.main_container.image
    if program is None:
        raise errors.Misconfigured(
            f"{where}: template {template.name!r} needs the image {image!r}, and neither podman nor docker is on PATH; "
            f"install one, or run it as a process with --local-image '{image}'"
        )
    if template.sidecars:
        raise errors.Misconfigured(
            f"{where}: with sidecars, {image!r} would need the network of its pod, which {program} does not share here; "
            f"run it as a process with --local-image '{image}'"
        )


def _check_volumes(
    container: Container, mountable: list[Volume], held: Claims, options: RunOptions, where: str
) -> None:
    """Raise Misconfigured where a volume that is mounted cannot be had on this machine."""
    try:
        volumes.check(mountable, container.volume_mounts, Sources(options.config_maps, options.secrets), held)
    except (VolumeFailure, EnvironmentFailure) as failure:
        raise errors.Misconfigured(f"{where}: {failure}") from None


def _check_process(template: Template, mountable: list[Volume], held: Claims, where: str) -> None:
    container = template.main_container
    if not container.command:
        raise errors.Misconfigured(
            f"{where}: has no command, and a process has no image to take one from; say which program runs"
        )
    mounts = [mount.written for mount in (*mountable, *container.volume_mounts)]
    if "{{" in str((mounts, container.working_dir, template.outputs.written, input_paths(template))):
        return  # known only when it runs
    try:
        workspace = Workspace(Path("/nowhere"), template, mountable, held)
    except PathFailure as failure:
        raise errors.Misconfigured(f"{where}: {failure}") from None
    path = workspace.needs_view()
    if path and not isolation.here().private_files:
        raise errors.Misconfigured(
            f"{where}: uses {path}, which takes a view of the file system of the process's own; here: {isolation.here().reason}. "
            f"Put the path under ${ROOT_VARIABLE}"
        )


def check_locations(artifacts: Iterable[tuple[str, Artifact]], options: RunOptions, path: Path) -> None:
    """Raise Misconfigured where the location of one of *artifacts* names a key of a Secret that is not known here."""
    for where, artifact in artifacts:
        for selector in resources.selectors({kind: artifact.written.get(kind) for kind in KINDS}):
            if selector.key not in options.secrets.get(selector.name, {}) and not selector.optional:
                raise errors.Misconfigured(
                    f"{path}: {where}: needs the Secret {selector.name!r} with the key {selector.key!r}, which is not known "
                    "here; name a file with it (-f)"
                )


def _check_limits(container: Container, where: str) -> None:
    """Raise Misconfigured where a limit on memory is no quantity."""
    if "{{" not in str(container.resources.written):
        try:
            memory_limits.limit_of(container)
        except ValueError as error:
            raise errors.Misconfigured(f"{where}: resources.limits.memory: {error}") from None


def limits_without_effect(reached: Iterable[Reached]) -> Iterator[str]:
    """The limits of the workflow's containers that nobody holds them to on this machine."""
    for template in (entry.template for entry in reached if entry.template.is_containers):
        for member in container_roles.containers_of_pod(template):
            for name in member.template.main_container.resources.limits:
                if name != "memory" or not memory_limits.is_limited():
                    yield f"resources.limits.{name}"


def _check_references(container: Container, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where the environment refers to what this machine does not have."""
    for entry in container.env:
        source = entry.value_from
        if source and source.field and "{{" not in str(source.written):
            try:
                environment.field_of(source.field, fields.SAMPLE)
            except EnvironmentFailure as failure:
                raise errors.Misconfigured(f"{where}: env {entry.name}: {failure}") from None
        if source:
            _check_source(source, options, where)
    for given in container.env_from:
        _check_source(given, options, where)


def _check_source(source: EnvVarSource | EnvFromSource, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where *source* is a ConfigMap or Secret, or an entry of one, that is not known and not optional."""
    known = (("ConfigMap", source.config_map, options.config_maps), ("Secret", source.secret, options.secrets))
    for kind, reference, values_of in known:
        if reference is None or reference.optional or "{{" in str(reference.written):
            continue
        values = values_of.get(reference.name)
        wanted = reference.key if isinstance(reference, KeySelector) else None
        if values is None or (wanted is not None and wanted not in values):
            key = f" with the key {wanted!r}" if wanted is not None else ""
            raise errors.Misconfigured(f"{where}: needs the {kind} {reference.name!r}{key}, which is not known here")
