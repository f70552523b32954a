"""Argo's objects by name, as far as running them asks for it: what is not written is an empty text, list or object here, or None.

Such an object reads the JSON under it each time it is asked. Nothing is changed through it: what is written is laid over defaults, has
variables replaced, is handed on as JSON, and is looked at again. That it is written right is for ``checking`` and ``validation`` to say.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar, overload

from argosy.engine.nodes import Json

T = TypeVar("T")
V = TypeVar("V", bound="ManifestObject")


class ManifestObject:
    """An object of a manifest, *written* as JSON."""

    def __init__(self, written: Json) -> None:
        self.written: Final = written


class Field(Generic[T]):
    """A field of an object. *read*: makes of its JSON, None where there is none, what it is."""

    def __init__(self, name: str, read: Callable[[Any], T]) -> None:
        self.written_as = name
        self._read = read

    @overload
    def __get__(self, of: None, _: type) -> "Field[T]": ...
    @overload
    def __get__(self, of: ManifestObject, _: type) -> T: ...
    def __get__(self, of: ManifestObject | None, _: type) -> "Field[T] | T":
        return self if of is None else self._read(of.written.get(self.written_as))


def _maybe(name: str) -> Field[str | None]:
    """A text where none is not an empty one."""
    return Field(name, lambda value: value)


def _whole(name: str) -> Field[int | None]:
    return Field(name, lambda value: value)


def _text(name: str) -> Field[str]:
    return Field(name, lambda value: "" if value is None else str(value))


def _flag(name: str) -> Field[bool]:
    return Field(name, bool)


def _map(name: str) -> Field[dict[str, str]]:
    return Field(name, lambda value: value or {})


def _list(name: str) -> Field[list[Any]]:
    return Field(name, lambda value: value or [])


def _one(name: str, kind: type[V]) -> Field[V]:
    return Field(name, lambda value: kind(value or {}))


def _one_or_none(name: str, kind: type[V]) -> Field[V | None]:
    return Field(name, lambda value: None if value is None else kind(value))


def _many(name: str, kind: type[V]) -> Field[list[V]]:
    return Field(name, lambda value: [kind(entry or {}) for entry in value or ()])


def _by_name(name: str, kind: type[V]) -> Field[dict[str, V]]:
    return Field(name, lambda value: {key: kind(entry or {}) for key, entry in (value or {}).items()})


class Named(ManifestObject):
    """An object of a list whose entries have names."""

    name = _text("name")


# What is handed on


class KeySelector(ManifestObject):
    """An entry of a ConfigMap or Secret."""

    name = _text("name")
    key = _text("key")


class ValueFrom(ManifestObject):
    """Where a parameter's value comes from."""

    default = _maybe("default")
    path = _text("path")
    parameter = _text("parameter")
    expression = _text("expression")
    config_map_key = _one_or_none("configMapKeyRef", KeySelector)


class Parameter(Named):
    """A parameter, declared or handed on."""

    value = _maybe("value")
    default = _maybe("default")
    value_from = _one("valueFrom", ValueFrom)
    global_name = _text("globalName")
    enum = _list("enum")


class Artifact(Named):
    """An artifact, declared or handed on."""

    path = _text("path")
    source = _text("from")
    source_expression = _text("fromExpression")
    sub_path = _text("subPath")
    optional = _flag("optional")
    global_name = _text("globalName")

    @property
    def refers(self) -> bool:
        """Whether its content is that of another artifact."""
        return bool(self.source or self.source_expression)


class Arguments(ManifestObject):
    """What a call is handed, or what a template takes or gives: they are written alike."""

    parameters = _many("parameters", Parameter)
    artifacts = _many("artifacts", Artifact)


# What calls


class TemplateRef(ManifestObject):
    """A template of another resource."""

    name = _text("name")
    template = _text("template")
    cluster_scope = _flag("clusterScope")


class Caller(ManifestObject):
    """What names a template: a task, a step, a hook."""

    template = _text("template")
    template_ref = Field("templateRef", lambda value: TemplateRef(value) if value else None)

    @property
    def inline(self) -> "Template":
        """The template that is written in its place."""
        return Template(self.written.get("inline") or {})

    arguments = _one("arguments", Arguments)

    @property
    def called(self) -> str:
        """The name of the template, wherever that is."""
        return self.template_ref.template if self.template_ref else self.template


class Hook(Caller):
    """A lifecycle hook, an exit handler."""

    expression = _text("expression")


class Hooked(ManifestObject):
    """What may have hooks: a task, a step, the workflow."""

    hooks = _by_name("hooks", Hook)
    on_exit = _text("onExit")

    @property
    def is_hooked(self) -> bool:
        """Whether it has any."""
        return bool(self.hooks or self.on_exit)

    @property
    def exit_handler(self) -> Hook | None:
        """The hook that runs at the end, in whichever way it is written."""
        if (hook := self.hooks.get("exit")) and hook.written:
            return hook
        return Hook({"template": self.on_exit}) if self.on_exit else None


class ContinueOn(ManifestObject):
    """Which ends of a task are no obstacle."""

    failed = _flag("failed")
    error = _flag("error")


class Sequence(ManifestObject):
    """A loop over numbers."""

    start = _maybe("start")
    end = _maybe("end")
    count = _maybe("count")
    format = _text("format")


class Task(Named, Caller, Hooked):
    """A task of a DAG, or a step."""

    when = _text("when")
    with_items = _list("withItems")
    with_param = _text("withParam")
    with_sequence = _one_or_none("withSequence", Sequence)
    continue_on = _one("continueOn", ContinueOn)
    depends = _text("depends")
    dependencies = _list("dependencies")

    @property
    def is_loop(self) -> bool:
        """Whether it is one task an item."""
        return bool(self.with_items or self.with_param or self.with_sequence)


# Templates


class DagTemplate(ManifestObject):
    """Tasks that wait for each other."""

    tasks = _many("tasks", Task)
    target = _text("target")
    fail_fast = Field("failFast", lambda value: value is not False)


class Backoff(ManifestObject):
    """How long is waited before a retry."""

    duration = _text("duration")
    factor = _text("factor")
    cap = _text("cap")
    max_duration = _text("maxDuration")


class RetryStrategy(ManifestObject):
    """How often, and after which ends, a template is tried again."""

    limit = _maybe("limit")
    policy = _text("retryPolicy")
    expression = _text("expression")
    backoff = _one("backoff", Backoff)


class Cache(ManifestObject):
    """Where is remembered what memoized templates gave."""

    config_map = _one("configMap", KeySelector)


class Memoize(ManifestObject):
    """Under which key is remembered what a template gave."""

    key = _text("key")
    cache = _one("cache", Cache)
    max_age = _text("maxAge")


class Suspend(ManifestObject):
    """A pause."""

    duration = _text("duration")


class VolumeMount(ManifestObject):
    """Where a container sees a volume."""

    mount_path = _text("mountPath")


class Probe(ManifestObject):
    """How a container is asked whether it is ready."""

    command = _one_or_none("exec", ManifestObject)
    grpc = _one_or_none("grpc", ManifestObject)


class Container(Named):
    """A container."""

    image = _text("image")
    volume_mounts = _many("volumeMounts", VolumeMount)
    readiness_probe = _one("readinessProbe", Probe)


class SetContainer(Container):
    """A container of a container set."""

    dependencies = _list("dependencies")


class SetRetryStrategy(ManifestObject):
    """How often a container of a container set is tried again."""

    duration = _text("duration")
    retries = _maybe("retries")


class ContainerSet(ManifestObject):
    """Containers that share a pod."""

    containers = _many("containers", SetContainer)
    volume_mounts = _many("volumeMounts", VolumeMount)
    retry_strategy = _one("retryStrategy", SetRetryStrategy)


class ResourceTemplate(ManifestObject):
    """What is done with an object of the cluster."""

    action = _text("action")
    manifest = _text("manifest")
    success_condition = _text("successCondition")
    failure_condition = _text("failureCondition")


class PrometheusMetric(Named):
    """What a cluster would count."""

    help = _text("help")


class PrometheusMetrics(ManifestObject):
    """What a cluster would count, all together."""

    prometheus = _many("prometheus", PrometheusMetric)


class Mutex(ManifestObject):
    """A lock that one may hold."""

    name = _text("name")
    namespace = _text("namespace")
    database = _flag("database")


class Semaphore(ManifestObject):
    """A lock that several may hold."""

    namespace = _text("namespace")
    size = _one("configMapKeyRef", KeySelector)


class Synchronization(ManifestObject):
    """The locks that something wants."""

    mutexes = _many("mutexes", Mutex)
    semaphores = _many("semaphores", Semaphore)


CONTAINERS = ("container", "script", "containerSet")
_KINDS = (*CONTAINERS, "dag", "steps", "suspend", "http", "data", "resource")


class Template(Named):
    """A template."""

    inputs = _one("inputs", Arguments)
    outputs = _one("outputs", Arguments)
    dag = _one("dag", DagTemplate)
    container = _one("container", Container)
    script = _one("script", Container)
    suspend = _one("suspend", Suspend)
    container_set = _one("containerSet", ContainerSet)
    resource = _one("resource", ResourceTemplate)
    metrics = _one("metrics", PrometheusMetrics)
    init_containers = _many("initContainers", Container)
    sidecars = _many("sidecars", Container)
    memoize = _one("memoize", Memoize)
    retry_strategy = _one_or_none("retryStrategy", RetryStrategy)
    synchronization = _one("synchronization", Synchronization)
    parallelism = _whole("parallelism")
    fail_fast = _flag("failFast")
    timeout = _text("timeout")
    active_deadline_seconds = _maybe("activeDeadlineSeconds")
    daemon = _flag("daemon")

    @property
    def kind(self) -> str:
        """Which field says what it does."""
        return next((kind for kind in _KINDS if kind in self.written), "")

    @property
    def is_containers(self) -> bool:
        """Whether it is containers that end by themselves what it does."""
        return self.kind in CONTAINERS

    @property
    def steps(self) -> list[list[Task]]:
        """The groups of a Steps template."""
        return [[Task(step) for step in group] for group in self.written.get("steps") or ()]


class Metadata(ManifestObject):
    """What describes something."""

    labels = _map("labels")
    annotations = _map("annotations")


class ObjectMeta(Metadata):
    """What describes an object of the cluster."""

    name = _text("name")
    generate_name = _text("generateName")
    namespace = _text("namespace")


class Spec(Hooked):
    """What a workflow is to do."""

    entrypoint = _text("entrypoint")
    arguments = _one("arguments", Arguments)
    workflow_template_ref = _one_or_none("workflowTemplateRef", TemplateRef)
    templates = _many("templates", Template)
    service_account = _text("serviceAccountName")
    parallelism = _whole("parallelism")
    priority = _whole("priority")
    shutdown = _text("shutdown")
    active_deadline_seconds = _maybe("activeDeadlineSeconds")
    retry_strategy = _one_or_none("retryStrategy", RetryStrategy)
    synchronization = _one("synchronization", Synchronization)
    metadata = _one("workflowMetadata", Metadata)
