"""What Argo asks of the containers of one pod: a container set's, and those before and beside the one that works."""

from typing import Any

from argosy.argo import MAIN
from argosy.engine import durations
from argosy.engine.nodes import Json
from argosy.engine.validation import graph, names
from argosy.engine.validation.problems import Problem

RESERVED = ("wait", "supervisor")
RESERVED_PREFIX = "artifact-plugin-"


def check(template: Json) -> None:
    """Raise Problem where Argo, or Kubernetes, would refuse the containers of *template*."""
    for plural in ("initContainers", "sidecars"):
        names.check_list(template.get(plural), plural, of_values=False)
        for position, container in enumerate(template.get(plural) or []):
            _check_name(container["name"], f"{plural}[{position}].name")
    if "containerSet" in template:
        _check_set(template)
    if template.get("daemon"):
        _check_daemon(template)


def _check_daemon(template: Json) -> None:
    for kind in ("container", "script"):
        probe = (template.get(kind) or {}).get("readinessProbe") or {}
        for asked in ("exec", "grpc"):
            if probe.get(asked) is not None:
                raise Problem(
                    f"{kind}.readinessProbe.{asked}",
                    "not supported by argosy run for a daemon; ask it with httpGet or tcpSocket",
                )


def _check_set(template: Json) -> None:
    containers = template["containerSet"]["containers"]
    if not containers:
        raise Problem("containerSet.containers", "must have at least one container")
    names.check_list(containers, "containerSet.containers", of_values=False)
    _check_mounts(template["containerSet"].get("volumeMounts") or [])
    _check_dependencies({container["name"]: container for container in containers})
    for position, container in enumerate(containers):
        _check_name(container["name"], f"containerSet.containers[{position}].name")
    inputs, outputs = template.get("inputs") or {}, template.get("outputs") or {}
    hands_on = inputs.get("artifacts") or outputs.get("parameters") or outputs.get("artifacts")
    if hands_on and MAIN not in [container["name"] for container in containers]:
        raise Problem("containerSet.containers", f"must have a container named {MAIN!r} for input or output")
    _check_retries(template["containerSet"].get("retryStrategy") or {})


def _check_name(name: str, where: str) -> None:
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise Problem(where, f"{name!r} is a reserved Argo container name")


def _check_mounts(mounts: list[Json]) -> None:
    mounted: dict[str, str] = {}
    for position, mount in enumerate(mounts):
        path = mount["mountPath"]
        if path in mounted:
            raise Problem(
                f"containerSet.volumeMounts[{position}].mountPath", f"{path!r} already mounted in {mounted[path]}"
            )
        mounted[path] = f"containerSet.volumeMounts[{position}]"


def _check_dependencies(by_name: dict[str, Json]) -> None:
    for position, container in enumerate(by_name.values()):
        for need in container.get("dependencies") or []:
            if need not in by_name:
                raise Problem(f"containerSet.containers[{position}].dependencies", f"{need!r} is not a container")
    try:
        graph.ancestors_of(by_name)
    except Problem as problem:
        raise problem.at("containerSet.containers") from None


def _check_retries(strategy: dict[str, Any]) -> None:
    retries, duration = str(strategy.get("retries", 1)), strategy.get("duration")
    if "{{" not in retries and not retries.isdigit():
        raise Problem("containerSet.retryStrategy.retries", f"{retries!r} is not a whole number")
    if duration and "{{" not in duration:
        try:
            wait = durations.seconds(duration)
        except ValueError as error:
            raise Problem("containerSet.retryStrategy.duration", str(error)) from None
        if wait < 0:
            raise Problem("containerSet.retryStrategy.duration", f"{duration!r} has to be positive")
