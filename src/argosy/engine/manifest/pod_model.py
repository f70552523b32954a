"""The parts of Kubernetes' pods that Argo has, by name: containers, their variables, volumes and probes."""

from typing import Annotated

from argosy.engine.manifest.manifest_object import ManifestObject, Named


class Metadata(ManifestObject):
    """The labels and annotations of something."""

    labels: dict[str, str]
    annotations: dict[str, str]


class ObjectMeta(Metadata):
    """The name, labels and annotations of an object of the cluster."""

    name: str
    generate_name: str
    namespace: str


# Variables


class LocalRef(ManifestObject):
    """A ConfigMap or Secret as a whole."""

    name: str
    optional: bool


class KeySelector(LocalRef):
    """An entry of a ConfigMap or Secret."""

    key: str


class FieldRef(ManifestObject):
    """A field of the pod itself."""

    path: Annotated[str, "fieldPath"]


class EnvVarSource(ManifestObject):
    """The place that a variable's value comes from."""

    field: Annotated[FieldRef | None, "fieldRef"]
    secret: Annotated[KeySelector | None, "secretKeyRef"]
    config_map: Annotated[KeySelector | None, "configMapKeyRef"]


class EnvVar(Named):
    """A variable of a container."""

    value: str
    value_from: EnvVarSource | None


class EnvFromSource(ManifestObject):
    """A ConfigMap or Secret whose entries are variables."""

    prefix: str
    secret: Annotated[LocalRef | None, "secretRef"]
    config_map: Annotated[LocalRef | None, "configMapRef"]


# Volumes


class VolumeMount(Named):
    """The place at which a container sees a volume."""

    mount_path: str
    sub_path: str
    read_only: bool


class ClaimVolume(ManifestObject):
    """A volume that is claimed."""

    name: Annotated[str, "claimName"]
    read_only: bool


class VolumeFile(ManifestObject):
    """A file of a volume: an entry of a ConfigMap or Secret, or a field of the pod."""

    key: str
    path: str
    mode: int | None
    field: Annotated[FieldRef, "fieldRef"]


class FilesVolume(LocalRef):
    """A volume of files that are written as the pod begins."""

    secret_name: str
    items: list[VolumeFile]
    default_mode: int | None

    @property
    def source_name(self) -> str:
        """The ConfigMap or Secret that its files come from: that of a Secret has a name of its own, but among several places."""
        return self.secret_name or self.name


class FilesSource(ManifestObject):
    """The source of a volume's files: one of these."""

    secret: FilesVolume | None
    config_map: FilesVolume | None
    downward: Annotated[FilesVolume | None, "downwardAPI"]


class ProjectedVolume(ManifestObject):
    """A volume of files from several places."""

    sources: list[FilesSource]
    default_mode: int | None


class Volume(Named, FilesSource):
    """A volume of a pod."""

    claim: Annotated[ClaimVolume | None, "persistentVolumeClaim"]
    projected: ProjectedVolume | None


# Containers


class Header(Named):
    """A header of a request."""

    value: str


class HttpGet(ManifestObject):
    """A request that says whether a container is ready; a connection, where it is no request."""

    host: str
    port: int | str | None
    path: str
    scheme: str
    http_headers: list[Header]


class Probe(ManifestObject):
    """The question that a container answers once it is ready."""

    command: Annotated[ManifestObject | None, "exec"]
    grpc: ManifestObject | None
    http: Annotated[HttpGet | None, "httpGet"]
    tcp: Annotated[HttpGet | None, "tcpSocket"]
    initial_delay_seconds: int | None
    timeout_seconds: int | None


class Port(Named):
    """A port of a container, and its name."""

    container_port: int | None


class Resources(ManifestObject):
    """The amounts that a container may have."""

    limits: dict[str, str]


class Container(Named):
    """A container."""

    image: str
    command: list[str]
    args: list[str]
    working_dir: str
    env: list[EnvVar]
    env_from: list[EnvFromSource]
    volume_mounts: list[VolumeMount]
    resources: Resources
    readiness_probe: Probe
    ports: list[Port]


class Script(Container):
    """A container that runs a text."""

    source: str


class UserContainer(Container):
    """A container before the one that works, or beside it."""

    mirror_volume_mounts: bool


class SetContainer(Container):
    """A container of a container set."""

    dependencies: list[str]


class SetRetryStrategy(ManifestObject):
    """The number of tries of a container set's containers."""

    duration: str
    retries: str | None


class ContainerSet(ManifestObject):
    """Containers that share a pod."""

    containers: list[SetContainer]
    volume_mounts: list[VolumeMount]
    retry_strategy: SetRetryStrategy
