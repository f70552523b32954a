"""Argo's rules for the containers of one pod: a container set's, and those before and beside the one that works."""

from argosy.argo import MAIN
from argosy.engine import durations
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Container, SetRetryStrategy, VolumeMount
from argosy.engine.validation import dag_rules, names
from argosy.engine.validation.refusals import Refusal

RESERVED = ("wait", "supervisor")
RESERVED_PREFIX = "artifact-plugin-"


def check(template: Template) -> None:
    """Raise Refusal where Argo, or Kubernetes, would refuse the containers of *template*."""
    for plural, containers in (("initContainers", template.init_containers), ("sidecars", template.sidecars)):
        names.check_each(containers, plural, of_values=False)
        for position, container in enumerate(containers):
            _check_name(container.name, f"{plural}[{position}].name")
    if template.kind == "containerSet":
        _check_set(template)
    if template.daemon:
        _check_daemon("container", template.container)
        _check_daemon("script", template.script)


def _check_daemon(kind: str, container: Container) -> None:
    probe = container.readiness_probe
    for asked, given in (("exec", probe.command), ("grpc", probe.grpc)):
        if given is not None:
            raise Refusal(
                f"{kind}.readinessProbe.{asked}",
                "not supported by argosy run for a daemon; ask it with httpGet or tcpSocket",
            )


def _check_set(template: Template) -> None:
    containers = template.container_set.containers
    if not containers:
        raise Refusal("containerSet.containers", "must have at least one container")
    names.check_each(containers, "containerSet.containers", of_values=False)
    _check_mounts(template.container_set.volume_mounts)
    _check_dependencies({container.name: container.dependencies for container in containers})
    for position, container in enumerate(containers):
        _check_name(container.name, f"containerSet.containers[{position}].name")
    hands_on = template.inputs.artifacts or template.outputs.parameters or template.outputs.artifacts
    if hands_on and MAIN not in [container.name for container in containers]:
        raise Refusal("containerSet.containers", f"must have a container named {MAIN!r} for input or output")
    _check_retries(template.container_set.retry_strategy)


def _check_name(name: str, where: str) -> None:
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise Refusal(where, f"{name!r} is a reserved Argo container name")


def _check_mounts(mounts: list[VolumeMount]) -> None:
    mounted: dict[str, str] = {}
    for position, path in enumerate(mount.mount_path for mount in mounts):
        if path in mounted:
            raise Refusal(
                f"containerSet.volumeMounts[{position}].mountPath", f"{path!r} already mounted in {mounted[path]}"
            )
        mounted[path] = f"containerSet.volumeMounts[{position}]"


def _check_dependencies(needs: dict[str, list[str]]) -> None:
    for position, needed in enumerate(needs.values()):
        for need in needed:
            if need not in needs:
                raise Refusal(f"containerSet.containers[{position}].dependencies", f"{need!r} is not a container")
    try:
        dag_rules.ancestors_of(needs)
    except Refusal as refusal:
        raise refusal.at("containerSet.containers") from None


def _check_retries(strategy: SetRetryStrategy) -> None:
    retries, duration = str(strategy.written.get("retries", 1)), strategy.duration
    if "{{" not in retries and not retries.isdigit():
        raise Refusal("containerSet.retryStrategy.retries", f"{retries!r} is not a whole number")
    if duration and "{{" not in duration:
        try:
            wait = durations.seconds(duration)
        except ValueError as error:
            raise Refusal("containerSet.retryStrategy.duration", str(error)) from None
        if wait < 0:
            raise Refusal("containerSet.retryStrategy.duration", f"{duration!r} has to be positive")
