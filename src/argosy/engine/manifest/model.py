"""Argo's objects by name, as far as running them asks for it. What is not written is an empty text, list or object, or None."""

from typing import Annotated

from argosy.engine.manifest.artifact_model import Artifact, WorkflowArtifactGC
from argosy.engine.manifest.manifest_object import ManifestObject, Named
from argosy.engine.manifest.pod_model import (
    Container,
    ContainerSet,
    Header,
    KeySelector,
    LocalRef,
    Metadata,
    ObjectMeta,
    Script,
    UserContainer,
    Volume,
)

# What is handed on


class ValueFrom(ManifestObject):
    """The source of a parameter's value."""

    default: str | None
    path: str
    parameter: str
    expression: str
    config_map_key: Annotated[KeySelector | None, "configMapKeyRef"]
    json_path: str
    jq_filter: str


class Parameter(Named):
    """A parameter, declared or handed on."""

    value: str | None
    default: str | None
    value_from: ValueFrom
    global_name: str
    enum: list[str]


class Arguments(ManifestObject):
    """The arguments of a call, or a template's inputs or outputs: they are written alike."""

    parameters: list[Parameter]
    artifacts: list[Artifact]


# What calls


class TemplateRef(ManifestObject):
    """A template of another resource."""

    name: str
    template: str
    cluster_scope: bool


class Caller(ManifestObject):
    """A task, step or hook, which names a template."""

    template: str
    reference: Annotated[TemplateRef, "templateRef"]
    inline: "Template"
    """The template that is written in its place."""
    arguments: Arguments

    @property
    def template_ref(self) -> TemplateRef | None:
        """The template of another resource, where it names one."""
        return self.reference if self.reference.written else None

    @property
    def called(self) -> str:
        """The name of the template, wherever that is."""
        return self.template_ref.template if self.template_ref else self.template


class Hook(Caller):
    """A lifecycle hook, an exit handler."""

    expression: str


class Hooked(ManifestObject):
    """A task, a step or the workflow, which may have hooks."""

    hooks: dict[str, Hook]
    on_exit: str

    @property
    def is_hooked(self) -> bool:
        """True where the task, step or workflow has a hook."""
        return bool(self.hooks or self.on_exit)

    @property
    def exit_handler(self) -> Hook | None:
        """The hook that runs at the end, in whichever way it is written."""
        if (hook := self.hooks.get("exit")) and hook.written:
            return hook
        return Hook({"template": self.on_exit}) if self.on_exit else None


class ContinueOn(ManifestObject):
    """The ends of a task that are no obstacle."""

    failed: bool
    error: bool


class Sequence(ManifestObject):
    """A loop over numbers."""

    start: str | None
    end: str | None
    count: str | None
    format: str


class Task(Named, Caller, Hooked):
    """A task of a DAG, or a step."""

    when: str
    with_items: list[object]
    with_param: str
    with_sequence: Sequence | None
    continue_on: ContinueOn
    depends: str
    dependencies: list[str]

    @property
    def is_loop(self) -> bool:
        """True where the task is a loop: one task an item."""
        return bool(self.with_items or self.with_param or self.with_sequence)


# Templates


class DagTemplate(ManifestObject):
    """Tasks that wait for each other."""

    tasks: list[Task]
    target: str

    @property
    def fail_fast(self) -> bool:
        """True where no task begins any more once one has failed."""
        return self.written.get("failFast") is not False


class Backoff(ManifestObject):
    """The pause before a retry."""

    duration: str
    factor: str
    cap: str
    max_duration: str


class RetryStrategy(ManifestObject):
    """The number of retries of a template, and the ends after which it is tried again."""

    limit: str | None
    policy: Annotated[str, "retryPolicy"]
    expression: str
    backoff: Backoff


class Cache(ManifestObject):
    """The memory of what memoized templates gave."""

    config_map: LocalRef


class Memoize(ManifestObject):
    """Under which key is remembered what a template gave."""

    key: str
    cache: Cache
    max_age: str


class Suspend(ManifestObject):
    """A pause."""

    duration: str


class ResourceTemplate(ManifestObject):
    """The action on an object of the cluster."""

    action: str
    manifest: str
    flags: list[str]
    merge_strategy: str
    success_condition: str
    failure_condition: str


class HTTPHeaderSource(ManifestObject):
    """The place that the value of a header comes from."""

    secret: Annotated[KeySelector | None, "secretKeyRef"]


class HTTPHeader(Header):
    """A header of a request, written or taken from elsewhere."""

    value_from: HTTPHeaderSource | None


class HTTPBodySource(ManifestObject):
    """The body of a request as bytes."""

    content: Annotated[str, "bytes"]


class HTTPTemplate(ManifestObject):
    """A request."""

    url: str
    method: str
    headers: list[HTTPHeader]
    body: str
    body_from: HTTPBodySource | None
    timeout_seconds: int | None
    insecure_skip_verify: bool
    success_condition: str


class DataSource(ManifestObject):
    """The keys that a ``data`` template begins with: those below an artifact's place."""

    artifact_paths: Artifact


class TransformationStep(ManifestObject):
    """A change of what came before."""

    expression: str


class DataTemplate(ManifestObject):
    """Keys of a bucket, changed by expressions."""

    source: DataSource
    transformation: list[TransformationStep]


class PrometheusMetric(Named):
    """A metric that a cluster would count."""

    help: str


class PrometheusMetrics(ManifestObject):
    """The metrics that a cluster would count."""

    prometheus: list[PrometheusMetric]


class Mutex(ManifestObject):
    """A lock that one may hold."""

    name: str
    namespace: str
    database: bool


class Semaphore(ManifestObject):
    """A lock that several may hold."""

    namespace: str
    size: Annotated[KeySelector, "configMapKeyRef"]


class Synchronization(ManifestObject):
    """The locks that something wants."""

    mutexes: list[Mutex]
    semaphores: list[Semaphore]


CONTAINERS = ("container", "script", "containerSet")
_KINDS = (*CONTAINERS, "dag", "steps", "suspend", "http", "data", "resource")


class Template(Named):
    """A template."""

    inputs: Arguments
    outputs: Arguments
    dag: DagTemplate
    steps: list[list[Task]]
    container: Container
    script: Script
    suspend: Suspend
    container_set: ContainerSet
    resource: ResourceTemplate
    http: HTTPTemplate
    data: DataTemplate
    metadata: Metadata
    volumes: list[Volume]
    service_account: Annotated[str, "serviceAccountName"]
    pod_spec_patch: str
    metrics: PrometheusMetrics
    init_containers: list[UserContainer]
    sidecars: list[UserContainer]
    memoize: Memoize
    retry_strategy: RetryStrategy | None
    synchronization: Synchronization
    parallelism: int | None
    fail_fast: bool
    timeout: str
    active_deadline_seconds: str | None
    daemon: bool

    @property
    def kind(self) -> str:
        """The field that says what it does."""
        return next((kind for kind in _KINDS if kind in self.written), "")

    @property
    def main_container(self) -> Container:
        """The container of a container or script template."""
        return self.container if self.container.written else self.script

    @property
    def is_containers(self) -> bool:
        """True where the template runs containers that end by themselves."""
        return self.kind in CONTAINERS


class VolumeClaimTemplate(ManifestObject):
    """A volume that the workflow claims for itself."""

    metadata: ObjectMeta


class VolumeClaimGC(ManifestObject):
    """The strategy by which the workflow's own volumes go."""

    strategy: str


class Spec(Hooked):
    """The spec of a workflow."""

    entrypoint: str
    arguments: Arguments
    workflow_template_ref: TemplateRef | None
    templates: list[Template]
    service_account: Annotated[str, "serviceAccountName"]
    parallelism: int | None
    priority: int | None
    shutdown: str
    active_deadline_seconds: str | None
    retry_strategy: RetryStrategy | None
    synchronization: Synchronization
    metadata: Annotated[Metadata, "workflowMetadata"]
    volumes: list[Volume]
    volume_claim_templates: list[VolumeClaimTemplate]
    volume_claim_gc: Annotated[VolumeClaimGC, "volumeClaimGC"]
    artifact_gc: Annotated[WorkflowArtifactGC, "artifactGC"]
    pod_spec_patch: str
    suspend: bool
