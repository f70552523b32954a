"""StepSpec to Argo container template: what a pod may see, how much it may use, when it is tried again.

Values reach a step through its environment and its files only; nothing of a manifest is ever part of a command, so a parameter cannot
become code. Where a template stands in a pipeline is ``pipeline``'s business.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hera.workflows import (
    Artifact,
    ConfigMapEnvFrom,
    Container,
    Env,
    Parameter,
    RetryStrategy,
    SecretEnv,
    SecretEnvFrom,
)
from hera.workflows import models as argo

from argosy import memory, telemetry
from argosy.domain import asker, executor_names, provenance
from argosy.domain.compute_settings import Compute
from argosy.domain.model_settings import StepResources, Toleration
from argosy.steps import spec as specs

CACHE = "argosy.dev/cache"
CACHE_OBSERVES = "argosy.dev/cache-observes"
CACHE_READS = "argosy.dev/cache-reads"
CACHE_IGNORES = "argosy.dev/cache-ignores"
CACHE_PARTS = "argosy.dev/cache-parts"
SETTINGS = "settings"
"""The input artifact that is model.yaml."""
PRELOAD = "argosy.dev/preload"
ENDPOINTS = "argosy-endpoints"
SEMAPHORES, SHARED = "argosy-semaphores", "argosy-shared"
"""How many may go on at once: in a namespace, and of all teams. On this machine `cli.local_run` has them."""
SPARK: specs.Key = "spark"
"""The key of steps that ask Spark."""
OF_EXECUTORS = {
    executor_names.TOKEN: "token",
    executor_names.AUTHORITY: "ca.crt",
    executor_names.NAMESPACE: "namespace",
}
"""Variables by the keys of an account's token, as Kubernetes writes it."""
NOTHING: Mapping[str, str] = MappingProxyType({})
RUN: Mapping[str, str] = MappingProxyType(
    {
        specs.ASKED_BY: f"{{{{workflow.parameters.{asker.PARAMETER}}}}}",
        specs.CREATED: "{{workflow.creationTimestamp.s}}",
        # Whole: a workflow that nobody labelled has none, and the name of one that is not there would be refused.
        specs.LABELS: "{{workflow.labels.json}}",
        specs.NAMESPACE: "{{workflow.namespace}}",
        specs.WORKFLOW: "{{workflow.name}}",
    }
)
"""What a step is told of its workflow, where it notes that."""

# Only what can succeed on a retry: no exit code (evicted, node lost), the outside world (75), killed (137), terminated (143).
# From Argo 3.5 on an expression alone decides, so evictions must be named in it.
ENDED_OTHERWISE = 'lastRetry.status == "Error" or asInt(lastRetry.exitCode) in [-1, 75, 137, 143]'
# Who ran into a limit on memory of its own is killed with 137, too, and would be again: the same work needs the same memory.
RETRYABLE = f'({ENDED_OTHERWISE}) and not (lastRetry.message matches "OOMKilled")'


def container(spec: specs.StepSpec, *, image: str, resources: StepResources, mutex: str | None) -> Container:
    """The template of *spec*. *mutex*: the lock that templates with effects outside hold, so that two runs take turns."""
    return Container(
        name=spec.name,
        image=image,
        image_pull_policy=pull_policy(image),
        command=command(spec),
        annotations=_annotations(spec),
        inputs=[
            *(parameter(one.name, one.default) for one in spec.parameters),
            *(
                Artifact(name=artifact.name, path=specs.input_path(artifact.name), optional=artifact.optional or None)
                for artifact in spec.inputs
            ),
        ],
        outputs=outputs([spec]),
        env=environment(spec, resources, image),
        env_from=environment_from(spec),
        resources=_resources(resources),
        active_deadline_seconds=resources.deadline_seconds,
        retry_strategy=retries(RETRYABLE),
        security_context=unprivileged(),
        volume_mounts=[
            argo.VolumeMount(name="files", mount_path=specs.ROOT),
            argo.VolumeMount(name="scratch", mount_path="/tmp"),  # noqa: S108 - a volume of the pod's own
        ],
        **pod([spec], resources, mutex),
    )


def asking_spark(spec: specs.StepSpec, compute: Compute) -> specs.StepSpec:
    """*spec* as *compute* has it: of a step that asks Spark with the image that has it, and the Secret that says where it is."""
    if not compute.asks_spark(spec.name):
        return spec
    return dataclasses.replace(spec, family="spark", keys=(*spec.keys, SPARK))


def pull_policy(image: str) -> str | None:
    """How a node may get *image*: never from a registry while it is a tag, which belongs to whoever has that name there. None: as it likes.

    ``argosy/train:dev`` is Docker Hub's to a node, and containers are handed keys. What was built and brought to the node is there.
    """
    return None if "@sha256:" in image else "Never"


def parameter(name: str, default: str | None) -> Parameter:
    """An input value. Without a *default* it has to be given: Hera would write None as the text ``null``, and a slip would go unnoticed."""
    return Parameter(name=name) if default is None else Parameter(name=name, default=default)


def command(spec: specs.StepSpec) -> list[str]:
    """The command of a container of *spec*."""
    return ["python", "-m", spec.module]


def outputs(steps: Sequence[specs.StepSpec]) -> list[Artifact | Parameter]:
    """The output artifacts and parameters of *steps*."""
    return [
        *(_result(result) for step in steps for result in step.results),
        *(_output(artifact) for step in steps for artifact in step.outputs),
    ]


def environment_from(spec: specs.StepSpec) -> list[ConfigMapEnvFrom | SecretEnvFrom]:
    """Addresses, and the secrets that *spec* may see."""
    return [
        ConfigMapEnvFrom(name=ENDPOINTS, optional=True),
        *(SecretEnvFrom(name=f"argosy-{key}", optional=True) for key in spec.keys),
    ]


def pod(steps: Sequence[specs.StepSpec], resources: StepResources, mutex: str | None) -> dict[str, Any]:
    """The fields of a pod of *steps*: placement, service account, mutex."""
    keys = next((step.keys for step in steps if step.keys), ())
    return {
        "node_selector": dict(resources.node_selector) or None,
        "tolerations": [_toleration(toleration) for toleration in resources.tolerations] or None,
        "priority_class_name": resources.priority_class,
        "synchronization": _turns(resources, mutex),
        "service_account_name": account(keys),
        "labels": {executor_names.LABEL: executor_names.DRIVER} if any(SPARK in step.keys for step in steps) else None,
    }


def _turns(resources: StepResources, mutex: str | None) -> argo.Synchronization | None:
    """What a step waits for: the lock *mutex*, and a place among all teams where its settings say so."""
    where = resources.shared_slots
    if not (mutex or where):
        return None
    return argo.Synchronization(
        mutexes=[argo.Mutex(name=mutex)] if mutex else None,
        semaphores=[_semaphore(SHARED, "slots", where)] if where else None,
    )


def in_turn() -> argo.Synchronization:
    """What a whole pipeline waits for: a place among those of its namespace, so that one model's sweep does not hold up the rest."""
    return argo.Synchronization(semaphores=[_semaphore(SEMAPHORES, "pipelines", None)])


def _semaphore(config_map: str, key: str, namespace: str | None) -> argo.SemaphoreRef:
    return argo.SemaphoreRef(
        config_map_key_ref=argo.ConfigMapKeySelector(name=config_map, key=key), namespace=namespace
    )


def retries(expression: str) -> RetryStrategy:
    """Five more attempts, further and further apart, where *expression* says that another one can help.

    What is down for five minutes is waited out. There is no longest duration: Argo counts it from the first attempt's start, and a step
    that was evicted after an hour's work would never be tried again.
    """
    return RetryStrategy(
        limit=5,
        expression=expression,
        backoff=argo.Backoff(duration="3s", factor=argo.IntOrString(root="3")),
    )


def unprivileged() -> argo.SecurityContext:
    """The security context of every container: no root, no capabilities, no privilege escalation."""
    return argo.SecurityContext(
        allow_privilege_escalation=False,
        read_only_root_filesystem=True,
        capabilities=argo.Capabilities(drop=["ALL"]),
    )


def pods() -> dict[str, Any]:
    """What a workflow says of its pods, whatever it runs: accounts, rights, and volumes, because their root file system is read-only."""
    return {
        "service_account_name": "argosy-step",
        "automount_service_account_token": False,
        "executor": argo.ExecutorConfig(service_account_name="argosy-executor"),
        "pod_gc": argo.PodGC(strategy="OnPodSuccess"),
        "security_context": argo.PodSecurityContext(
            run_as_non_root=True,
            run_as_user=10001,
            fs_group=10001,
            seccomp_profile=argo.SeccompProfile(type="RuntimeDefault"),
        ),
        "volumes": [
            argo.Volume(name="files", empty_dir=argo.EmptyDirVolumeSource()),
            argo.Volume(name="scratch", empty_dir=argo.EmptyDirVolumeSource()),
        ],
    }


def _annotations(spec: specs.StepSpec) -> dict[str, str]:
    annotations = {PRELOAD: ",".join(spec.preload)} if spec.preload else {}
    if spec.cached:
        annotations[CACHE] = "true"
    elif spec.observes:
        annotations[CACHE_OBSERVES] = json.dumps(spec.observes)
    # What memory there was, like the commit that is noted beside an answer, is no part of the answer.
    ignored = [provenance.VARIABLE] if spec.provenance == "noted" else []
    ignored += [memory.VARIABLE] if spec.plans_memory else []
    ignored += [*RUN] if spec.notes_run else []
    # Nor is where Spark was.
    ignored += [executor_names.IMAGE, executor_names.POD, executor_names.PLACEMENT] if SPARK in spec.keys else []
    for noted in (parameter for parameter in spec.parameters if parameter.noted):
        ignored += [noted.variable, f"inputs.parameters.{noted.name}"]
    is_kept = spec.cached or bool(spec.observes)
    if is_kept and ignored:
        annotations[CACHE_IGNORES] = json.dumps(ignored)
    annotations |= reads([spec])
    if is_kept and spec.settings:
        annotations[CACHE_PARTS] = json.dumps({SETTINGS: sorted(spec.settings)})
    return annotations


def reads(steps: Sequence[specs.StepSpec]) -> dict[str, str]:
    """The annotation with what *steps*, of one pod, read outside of their inputs: on this machine they see nothing else."""
    names = list(dict.fromkeys(name for step in steps if step.cached for name in step.reads))
    return {CACHE_READS: json.dumps(names)} if names else {}


def environment(
    spec: specs.StepSpec, resources: StepResources, image: str, handed: Mapping[str, str] = NOTHING
) -> list[Env | SecretEnv]:
    """The values of *spec*, in *image*. *handed*: what it finds below ``$ARGOSY_ROOT`` at other places than its own, by name."""
    values = {"ARGOSY_ROOT": specs.ROOT, "HOME": "/tmp"}  # noqa: S108
    for parameter in spec.parameters:
        if parameter.name in handed:
            values[parameter.file_variable] = handed[parameter.name]
        else:
            values[parameter.variable] = f"{{{{inputs.parameters.{parameter.name}}}}}"
    if spec.plans_memory:
        values[memory.VARIABLE] = resources.memory
    if spec.provenance != "unseen":
        values[provenance.VARIABLE] = f"{{{{workflow.parameters.{provenance.PARAMETER}}}}}"
    if spec.notes_run:
        values |= RUN
    values |= {artifact.variable: handed[artifact.name] for artifact in spec.inputs if artifact.name in handed}
    if SPARK in spec.keys:
        values |= {executor_names.IMAGE: image, executor_names.POD: "{{pod.name}}"} | _placement(resources)
    said = [Env(name=name, value=value) for name, value in {**values, **telemetry.OFF}.items()]
    return [*said, *_right_to_executors(spec)]


def _placement(resources: StepResources) -> dict[str, str]:
    """What the executors of a step with *resources* are told of its pod's place; nothing where it may be anywhere."""
    fields = {
        "nodeSelector": dict(resources.node_selector),
        "tolerations": [each.model_dump(mode="json", exclude_none=True) for each in resources.tolerations],
        "priorityClassName": resources.priority_class,
    }
    said = {name: value for name, value in fields.items() if value}
    return {executor_names.PLACEMENT: json.dumps(said, sort_keys=True)} if said else {}


def account(keys: Sequence[str]) -> str:
    """The service account of pods of steps with *keys*."""
    return f"argosy-{keys[0] if keys else 'step'}"


def _right_to_executors(spec: specs.StepSpec) -> list[SecretEnv]:
    """The token of *spec*'s account, where it asks Spark and the platform lets it start executors; nothing where there is none."""
    secret = executor_names.token_secret(account(spec.keys))
    return [
        SecretEnv(name=name, secret_name=secret, secret_key=key, optional=True)
        for name, key in (OF_EXECUTORS.items() if SPARK in spec.keys else ())
    ]


def _output(artifact: specs.Artifact) -> Artifact:
    # Files, not an archive: a person who opens the artifact store sees what is in them, and digests stay digests.
    return Artifact(
        name=artifact.name, path=specs.output_path(artifact.name), archive=_PLAIN, optional=artifact.optional or None
    )


def _result(result: specs.Result) -> Parameter:
    return Parameter(
        name=result.name,
        value_from=argo.ValueFrom(path=specs.result_path(result.name)),
        global_name=result.name if result.exported else None,
    )


def _resources(resources: StepResources) -> argo.ResourceRequirements:
    return requirements(resources, {"cpu": resources.cpu, "memory": resources.memory})


def requirements(resources: StepResources, kept: Mapping[str, str]) -> argo.ResourceRequirements:
    """The requests and limits of a container by *resources*, of which the cores and the memory *kept* are its own."""
    devices = {resources.gpu_resource: str(resources.gpu)} if resources.gpu else {}
    most = {"cpu": resources.cpu_limit or resources.cpu, "memory": resources.memory}
    return argo.ResourceRequirements(requests=quantities({**kept, **devices}), limits=quantities(most | devices))


def quantities(amounts: Mapping[str, str]) -> dict[str, argo.Quantity]:
    """*amounts* as Argo has them."""
    return {name: argo.Quantity(root=amount) for name, amount in amounts.items()}


def _toleration(toleration: Toleration) -> argo.Toleration:
    return argo.Toleration(**toleration.model_dump(exclude_none=True))


_PLAIN = argo.ArchiveStrategy(none=argo.NoneStrategy())
