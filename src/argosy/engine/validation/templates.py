"""Argo's rules for one template by itself: one type, sound inputs and outputs, fields that fit its type."""

import re

from argosy.engine import durations
from argosy.engine.attempts import object_conditions
from argosy.engine.manifest.artifact_model import ALL_KINDS, Artifact
from argosy.engine.manifest.catalogue import KINDS
from argosy.engine.manifest.model import (
    Arguments,
    Parameter,
    PrometheusMetric,
    ResourceTemplate,
    RetryStrategy,
    Template,
)
from argosy.engine.validation import container_rules, names
from argosy.engine.validation.refusals import Refusal

LEAVES = ("container", "script", "containerSet")
WITHOUT_FILES = ("data", "http", "resource")
"""Leaves in which no container of the manifest runs."""
RETRY_POLICIES = ("Always", "OnFailure", "OnError", "OnTransientError")
CALLED = ("parameter", "expression")
OF_OBJECTS = ("jsonPath", "jqFilter")
SOURCES_OF_OUTPUTS = ("path", "parameter", "expression", "supplied", *OF_OBJECTS)
ACTIONS = ("get", "create", "apply", "delete", "replace", "patch")


def check(template: Template) -> None:
    """Raise Refusal where Argo would refuse *template*, whatever calls it."""
    kinds = [kind for kind in KINDS if kind in template.written]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none of them"
        raise Refusal(
            "",
            f"a template has one of {', '.join((*LEAVES, *WITHOUT_FILES, 'dag', 'steps', 'suspend'))}; this one has {found}",
        )
    leaf = kinds[0] in (*LEAVES, *WITHOUT_FILES)
    _check_inputs(template.inputs, leaf=leaf)
    _check_outputs(template.outputs, kinds[0])
    _check_fields(template, kinds[0], leaf=leaf)
    _check_retries(template.retry_strategy or RetryStrategy({}))
    for position, metric in enumerate(template.metrics.prometheus):
        _check_metric(metric, f"metrics.prometheus[{position}]")


def _check_inputs(inputs: Arguments, *, leaf: bool) -> None:
    names.check_each(inputs.parameters, "inputs.parameters", of_values=True)
    names.check_each(inputs.artifacts, "inputs.artifacts", of_values=True)
    for position, artifact in enumerate(inputs.artifacts):
        where = f"inputs.artifacts[{position}]"
        _check_path(artifact, where, leaf=leaf)
        check_location(artifact, where)
        if artifact.source:
            raise Refusal(f"{where}.from", "not valid in inputs; the call's arguments say where an artifact comes from")


def _check_outputs(outputs: Arguments, kind: str) -> None:
    names.check_each(outputs.parameters, "outputs.parameters", of_values=True)
    names.check_each(outputs.artifacts, "outputs.artifacts", of_values=True)
    for position, artifact in enumerate(outputs.artifacts):
        where = f"outputs.artifacts[{position}]"
        _check_path(artifact, where, leaf=kind in (*LEAVES, *WITHOUT_FILES))
        check_location(artifact, where)
        _check_global_name(artifact, where)
    for position, parameter in enumerate(outputs.parameters):
        where = f"outputs.parameters[{position}]"
        _check_output_value(parameter, where, kind)
        _check_global_name(parameter, where)


def _check_output_value(parameter: Parameter, where: str, kind: str) -> None:
    source = parameter.written.get("valueFrom")
    if (source is None) == (parameter.value is None):
        raise Refusal(where, "needs valueFrom or value, and not both")
    if source is None:
        return
    given = [name for name in SOURCES_OF_OUTPUTS if source.get(name) not in (None, "")]
    if len(given) != 1:
        raise Refusal(
            f"{where}.valueFrom",
            f"needs one of {', '.join(SOURCES_OF_OUTPUTS)}; it has {' and '.join(given) or 'none'}",
        )
    fitting = {"dag": CALLED, "steps": CALLED, "suspend": ("supplied",), "resource": OF_OBJECTS}.get(kind, ("path",))
    if kind in (*LEAVES, "dag", "steps", "suspend", "resource") and given[0] not in fitting:
        raise Refusal(f"{where}.valueFrom", f"{' or '.join(fitting)} must be specified for {kind} templates")


def _check_global_name(entry: Parameter | Artifact, where: str) -> None:
    name = entry.global_name
    if name and "{{" not in name:
        names.check(name, f"{where}.globalName", of_values=True)


def check_location(artifact: Artifact, where: str) -> None:
    """Raise Refusal where *artifact* says more than once where it lies."""
    given = [kind for kind in ALL_KINDS if artifact.written.get(kind) is not None]
    if len(given) > 1:
        raise Refusal(where, f"at most one artifact location can be specified; it has {' and '.join(given)}")


def _check_path(artifact: Artifact, where: str, *, leaf: bool) -> None:
    path = artifact.path
    if not leaf:
        if path:
            raise Refusal(f"{where}.path", "only valid in container and script templates")
        return
    if not path:
        raise Refusal(f"{where}.path", "is required")
    if re.search(r"/\.\.(?:/|$)", path):
        raise Refusal(f"{where}.path", f"{path!r} contains '..'; directory traversal is not permitted")


def _check_fields(template: Template, kind: str, *, leaf: bool) -> None:
    if template.timeout:
        _check_timeout(template.timeout, leaf=leaf, kind=kind)
    if template.active_deadline_seconds is not None:
        _check_deadline(template.active_deadline_seconds, kind)
    if template.parallelism is not None:
        if leaf:
            raise Refusal("parallelism", "only valid for steps and dag templates")
        if template.parallelism < 1:
            raise Refusal("parallelism", "must be at least 1")
    if kind in ("container", "script"):
        _check_container(template, kind)
    if leaf:
        container_rules.check(template)
    if kind == "resource":
        _check_resource(template.resource)
    if kind == "steps" and not template.steps:
        raise Refusal("steps", "must have at least one group")


def _check_metric(metric: PrometheusMetric, where: str) -> None:
    """Raise Refusal where a cluster could not make the metric, which one machine has no use for."""
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", metric.name):
        raise Refusal(f"{where}.name", f"{metric.written.get('name')!r} is invalid: use letters, digits and '_'")
    if not metric.help:
        raise Refusal(f"{where}.help", "is required")


def _check_resource(resource: ResourceTemplate) -> None:
    action = resource.action
    if "{{" in action:
        return
    if action not in ACTIONS:
        raise Refusal("resource.action", f"must be one of {', '.join(ACTIONS)}; it is {action!r}")
    if action not in ("delete", "get") and not resource.manifest:
        raise Refusal("resource.manifest", "must be specified")
    conditions = (("successCondition", resource.success_condition), ("failureCondition", resource.failure_condition))
    for name, condition in conditions:
        if condition and "{{" not in condition:
            try:
                object_conditions.parsed(condition)
            except object_conditions.SelectorError as error:
                raise Refusal(f"resource.{name}", str(error)) from None


def _check_timeout(timeout: str, *, leaf: bool, kind: str) -> None:
    if not leaf:
        raise Refusal("timeout", f"{kind} templates do not support it")
    if re.fullmatch(r"[-+]?\d+", timeout):
        raise Refusal("timeout", f"{timeout!r} has no unit; write for example {timeout}s")
    if "{{" not in timeout:
        _check_duration(timeout, "timeout")


def _check_deadline(limit: int | str, kind: str) -> None:
    if kind in ("dag", "steps"):
        raise Refusal("activeDeadlineSeconds", "only valid for leaf templates")
    if isinstance(limit, str) and "{{" in limit:
        return
    if not str(limit).isdigit() or int(limit) <= 0:
        raise Refusal("activeDeadlineSeconds", f"{limit!r} is not a positive number of seconds")


def _check_container(template: Template, kind: str) -> None:
    container = template.container if kind == "container" else template.script
    if not container.image:
        raise Refusal(f"{kind}.image", "may not be empty")
    mounted: dict[str, str] = {}
    for position, path in enumerate(mount.mount_path for mount in container.volume_mounts):
        if path in mounted:
            raise Refusal(f"{kind}.volumeMounts[{position}].mountPath", f"{path!r} already mounted in {mounted[path]}")
        mounted[path] = f"{kind}.volumeMounts[{position}]"
    for position, path in enumerate(artifact.path for artifact in template.inputs.artifacts):
        if kind == "container" and path in mounted:
            raise Refusal(
                f"inputs.artifacts[{position}].path",
                f"{path!r} already mounted in {mounted[path]}",
            )
        mounted[path] = f"inputs.artifacts[{position}]"


def _check_retries(strategy: RetryStrategy) -> None:
    policy = strategy.policy
    if policy and policy not in RETRY_POLICIES:
        raise Refusal("retryStrategy.retryPolicy", f"{policy!r} is not one of {', '.join(RETRY_POLICIES)}")
    limit = strategy.limit
    if limit is not None and "{{" not in str(limit) and not str(limit).lstrip("-").isdigit():
        raise Refusal("retryStrategy.limit", f"{limit!r} is not a whole number")
    for name, value in strategy.backoff.written.items():
        if name != "factor" and value and "{{" not in str(value):
            _check_duration(str(value), f"retryStrategy.backoff.{name}")


def _check_duration(text: str, where: str) -> None:
    try:
        durations.seconds(text)
    except ValueError as error:
        raise Refusal(where, str(error)) from None
