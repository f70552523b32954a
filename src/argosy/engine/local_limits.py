"""What a workflow asks of this machine: images that can run, volumes and secrets that are known, paths and limits it can be given.

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
from argosy.engine.attempts.workspace import ROOT_VARIABLE, PathFailure, Workspace, container_of, input_paths
from argosy.engine.manifest import claims, locations, model, resources
from argosy.engine.manifest.reach import Reached
from argosy.engine.nodes import Json
from argosy.engine.options import RunOptions
from argosy.engine.processes import isolation


def check(spec: Json, reached: Iterable[Reached], options: RunOptions, path: Path, workflow: str) -> str | None:
    """Raise Misconfigured where a step of the file *path*, one of *reached*, cannot run here.

    Returns the container engine, where one is needed. Raises TryAgain where that does not answer.
    """
    program = containers.engine()
    needed: list[tuple[str, str]] = []
    for where, template in ((f"{path}: {entry.place}", entry.template.written) for entry in reached):
        _check_headers(template, options, where)
        _check_cluster(template, options, where)
        if not _runs_containers(template):
            continue
        mountable = claims.all_of(spec, template, workflow)
        held = Claims(Path(), frozenset(map(claims.name_of, claims.own(spec, workflow))), options.volumes)
        for member in container_roles.containers_of_pod(template):
            place = f"{where}: container {member.name!r}" if member.apart else where
            container = container_of(member.template)
            _check_volumes(container, mountable, held, options, place)
            _check_limits(container, place)
            if local_images.is_process(container.get("image") or "", options.process_images):
                _check_process(member.template, mountable, held, place)
            else:
                _check_image(template, member, program, place)
                needed.append((where, container.get("image") or ""))
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


def _runs_containers(template: Json) -> bool:
    return any(kind in template for kind in model.CONTAINERS)


def _check_headers(template: Json, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where a request sends a value of a Secret that is not known here."""
    for header in (template.get("http") or {}).get("headers") or []:
        wanted = (header.get("valueFrom") or {}).get("secretKeyRef")
        if wanted and wanted["key"] not in options.secrets.get(wanted.get("name", ""), {}):
            raise errors.Misconfigured(
                f"{where}.http.headers: {header['name']} needs the Secret {wanted.get('name')!r} "
                f"with the key {wanted['key']!r}, which is not known here; name a file with it (-f)"
            )


def _check_cluster(template: Json, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where *template* acts on a cluster, and there is none it may act on."""
    if "resource" in template and (lack := resource.missing(template, options.cluster)):
        raise errors.Misconfigured(f"{where}.resource: {lack}")


def _check_image(template: Json, member: container_roles.PodContainer, program: str | None, where: str) -> None:
    """Raise Misconfigured where nothing here can run the image of *member*, which is not to run as a process."""
    image = container_of(member.template).get("image") or ""
    if program is None:
        raise errors.Misconfigured(
            f"{where}: template {template.get('name')!r} needs the image {image!r}, and neither podman nor docker is on PATH; "
            f"install one, or run it as a process with --local-image '{image}'"
        )
    if template.get("sidecars"):
        raise errors.Misconfigured(
            f"{where}: with sidecars, {image!r} would need the network of its pod, which {program} does not share here; "
            f"run it as a process with --local-image '{image}'"
        )


def _check_volumes(container: Json, mountable: list[Json], held: Claims, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where a volume that is mounted cannot be had on this machine."""
    try:
        volumes.check(
            mountable, container.get("volumeMounts") or [], Sources(options.config_maps, options.secrets), held
        )
    except (VolumeFailure, EnvironmentFailure) as failure:
        raise errors.Misconfigured(f"{where}: {failure}") from None


def _check_process(template: Json, mountable: list[Json], held: Claims, where: str) -> None:
    container = container_of(template)
    if not container.get("command"):
        raise errors.Misconfigured(
            f"{where}: has no command, and a process has no image to take one from; say which program runs"
        )
    paths = (mountable, container.get("volumeMounts"), container.get("workingDir"), template.get("outputs"))
    if "{{" in str((*paths, input_paths(template))):
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


def check_locations(artifacts: Iterable[tuple[str, Json]], options: RunOptions, path: Path) -> None:
    """Raise Misconfigured where the location of one of *artifacts* names a key of a Secret that is not known here."""
    for where, artifact in artifacts:
        for selector in resources.selectors({kind: artifact[kind] for kind in locations.KINDS if kind in artifact}):
            if selector["key"] not in options.secrets.get(selector.get("name", ""), {}) and not selector.get(
                "optional"
            ):
                raise errors.Misconfigured(
                    f"{path}: {where}: needs the Secret {selector.get('name')!r} with the key {selector['key']!r}, which is not known "
                    "here; name a file with it (-f)"
                )


def _check_limits(container: Json, where: str) -> None:
    """Raise Misconfigured where a limit on memory is no quantity."""
    if "{{" not in str(container.get("resources")):
        try:
            memory_limits.limit_of(container)
        except ValueError as error:
            raise errors.Misconfigured(f"{where}: resources.limits.memory: {error}") from None


def limits_without_effect(reached: Iterable[Reached]) -> Iterator[str]:
    """The limits of the workflow's containers that nobody holds them to on this machine."""
    for template in (entry.template.written for entry in reached if _runs_containers(entry.template.written)):
        for member in container_roles.containers_of_pod(template):
            for name in (container_of(member.template).get("resources") or {}).get("limits") or {}:
                if name != "memory" or not memory_limits.is_limited():
                    yield f"resources.limits.{name}"


def _check_field(reference: Json, where: str) -> None:
    try:
        environment.field_of(reference, fields.SAMPLE)
    except EnvironmentFailure as failure:
        raise errors.Misconfigured(f"{where}: {failure}") from None


def _check_references(container: Json, options: RunOptions, where: str) -> None:
    """Raise Misconfigured where the environment refers to a ConfigMap or Secret that is not known and not optional."""
    for entry in [*(container.get("env") or []), *(container.get("envFrom") or [])]:
        source = entry.get("valueFrom") or entry
        if "{{" not in str(source) and (field := source.get("fieldRef")):
            _check_field(field, f"{where}: env {entry['name']}")
        for kind, known in (("configMap", options.config_maps), ("secret", options.secrets)):
            reference = source.get(f"{kind}KeyRef") or source.get(f"{kind}Ref")
            if not reference or reference.get("optional") or "{{" in str(reference):
                continue
            values = known.get(reference.get("name", ""))
            if values is None or ("key" in reference and reference["key"] not in values):
                key = f" with the key {reference['key']!r}" if "key" in reference else ""
                raise errors.Misconfigured(
                    f"{where}: needs the {kind[0].upper()}{kind[1:]} {reference.get('name')!r}{key}, which is not known here"
                )
