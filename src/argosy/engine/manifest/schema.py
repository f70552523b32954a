"""The fields of Argo's API as this engine takes them: runs, ignored because they change nothing on one machine, or refused.

A field in none of the lists is one that Argo does not have. The documentation's table of compatibility is made from this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

STRING = "string"
TEXT = "text"  # Argo's AnyString: a number or a boolean will do
INTEGER = "integer"
INTEGER_OR_TEXT = "integer or text"
BOOLEAN = "boolean"
FREE = "anything"
STRINGS = "[string]"
TEXTS = "[text]"
STRING_MAP = "{string}"
ITEMS = "[anything]"
OBJECT = "{anything}"
QUANTITY = "quantity"  # an amount of memory, of processors, of storage
QUANTITIES = "{quantity}"
NUMBER = "number"
POD_PATCH = "patch of pods"  # taken where it changes nothing on one machine


@dataclass(frozen=True)
class Type:
    """One object type. *runs*: fields by name, each with its type; ``[T]`` is a list, ``{T}`` an object with free keys."""

    runs: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)
    """Fields that exist in Argo and are not run here, each with what to do instead (empty: nothing)."""
    required: tuple[str, ...] = ()
    at_most: Mapping[str, int] = field(default_factory=dict)
    """The longest list a cluster takes, by field."""
    ignored_types: Mapping[str, str] = field(default_factory=dict)
    """The types of ignored fields, where they are none of :data:`IGNORED_TYPES`."""
    key: str = ""
    """The field that tells the entries of a list of these apart; each value is there once."""

    def ignored_type(self, name: str) -> str:
        """The type of the ignored field *name*."""
        return self.ignored_types.get(name) or IGNORED_TYPES.get(name, FREE)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _no_op(**fields: str) -> Type:
    """An object that changes nothing on one machine; a cluster refuses one with other fields or types all the same."""
    return Type(ignored=frozenset(fields), ignored_types=fields)


def _refused(text: str, why: str = "") -> dict[str, str]:
    return dict.fromkeys(text.split(), why)


IGNORED_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("accessModes",), STRINGS),
    **dict.fromkeys(("nodeSelector",), STRING_MAP),
    **dict.fromkeys(
        ("automountServiceAccountToken", "hostNetwork", "archiveLogs", "tty", "stdin", "stdinOnce"), BOOLEAN
    ),
    **dict.fromkeys(("hostAliases", "topologySpreadConstraints"), ITEMS),
    "tolerations": "[Toleration]",
    "imagePullSecrets": "[LocalRef]",
    "ports": "[Port]",
    **dict.fromkeys(
        ("schedulerName", "priorityClassName", "podPriorityClassName", "dnsPolicy", "runtimeClassName"), STRING
    ),
    **dict.fromkeys(("imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"), STRING),
    **dict.fromkeys(("storageClassName", "volumeMode", "volumeName", "medium"), STRING),
    **dict.fromkeys(("affinity", "selector", "archiveLocation"), OBJECT),
    "securityContext": "PodSecurityContext",
    "executor": "Executor",
    "metrics": "Metrics",
    "dnsConfig": "DNSConfig",
    "ttlStrategy": "TTLStrategy",
    "podGC": "PodGC",
    "podDisruptionBudget": "PodDisruptionBudget",
    "requests": QUANTITIES,
}
"""The type of fields that change nothing on one machine, wherever they stand: a cluster refuses another."""

_SCHEDULING = (
    "nodeSelector affinity tolerations schedulerName hostAliases securityContext automountServiceAccountToken executor metrics "
    "podResources"
)
_LOCATIONS = "hdfs oss gcs azure plugin"
_CONTAINER = Type(
    runs={
        "name": STRING, "image": STRING, "command": STRINGS, "args": STRINGS, "workingDir": STRING, "env": "[EnvVar]",
        "envFrom": "[EnvFromSource]", "volumeMounts": "[VolumeMount]", "resources": "Resources",
        "readinessProbe": "Probe",
    },
    ignored=_names(
        "imagePullPolicy securityContext ports terminationMessagePath terminationMessagePolicy tty stdin stdinOnce resizePolicy "
        "livenessProbe startupProbe"
    ),
    refused=_refused("lifecycle volumeDevices restartPolicy restartPolicyRules"),
    ignored_types={"securityContext": "SecurityContext"},
)  # fmt: skip
_LOCATION = {
    "raw": "RawArtifact",
    "s3": "S3Artifact",
    "http": "HTTPArtifact",
    "artifactory": "ArtifactoryArtifact",
    "git": "GitArtifact",
}

_S3 = Type(
    {
        "endpoint": STRING,
        "bucket": STRING,
        "region": STRING,
        "insecure": BOOLEAN,
        "accessKeySecret": "KeySelector",
        "secretKeySecret": "KeySelector",
        "sessionTokenSecret": "KeySelector",
        "useSDKCreds": BOOLEAN,
        "createBucketIfNotPresent": "NewBucket",
        "addressingStyle": STRING,
    },
    refused=_refused("roleARN", "have the AWS SDK's own settings take the role, and say useSDKCreds: true")
    | _refused("encryptionOptions caSecret"),
)

PATCHED_POD = Type(
    {"containers": "[PatchedContainer]", "initContainers": "[PatchedContainer]"},
    ignored=_names(
        "nodeSelector affinity tolerations schedulerName priorityClassName securityContext imagePullSecrets dnsPolicy dnsConfig "
        "runtimeClassName terminationGracePeriodSeconds topologySpreadConstraints automountServiceAccountToken"
    ),
)
PATCHED_CONTAINER = Type({"name": STRING}, ignored=_CONTAINER.ignored | {"resources", "readinessProbe"})

TYPES: Mapping[str, Type] = {
    "Workflow": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta", "spec": "WorkflowSpec"},
        ignored=_names("status"),
        required=("spec",),
    ),
    "WorkflowTemplate": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta", "spec": "WorkflowSpec"}, required=("spec",)
    ),
    "ClusterWorkflowTemplate": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta", "spec": "WorkflowSpec"}, required=("spec",)
    ),
    "CronWorkflow": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta", "spec": "CronWorkflowSpec"},
        ignored=_names("status"),
        required=("spec",),
    ),
    "CronWorkflowSpec": Type(
        {
            "workflowSpec": "WorkflowSpec",
            "workflowMetadata": "Metadata",
            "schedules": STRINGS,
            "timezone": STRING,
            "suspend": BOOLEAN,
        },
        # It is run once, now, as `argo submit --from cronwf/NAME` would; the next times are shown.
        ignored=_names(
            "concurrencyPolicy startingDeadlineSeconds stopStrategy when successfulJobsHistoryLimit failedJobsHistoryLimit"
        ),
        required=("workflowSpec", "schedules"),
    ),
    "ConfigMap": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta", "data": STRING_MAP},
        ignored=_names("immutable"),
        refused=_refused("binaryData"),
    ),
    "PersistentVolumeClaim": Type(
        {"apiVersion": STRING, "kind": STRING, "metadata": "ObjectMeta"}, ignored=_names("spec status")
    ),
    "Secret": Type(
        {
            "apiVersion": STRING,
            "kind": STRING,
            "metadata": "ObjectMeta",
            "type": STRING,
            "data": STRING_MAP,
            "stringData": STRING_MAP,
        },
        ignored=_names("immutable"),
    ),
    "ObjectMeta": Type(
        {"name": STRING, "generateName": STRING, "namespace": STRING, "labels": STRING_MAP, "annotations": STRING_MAP},
        ignored=_names(
            "uid resourceVersion creationTimestamp generation managedFields finalizers ownerReferences selfLink"
        ),
    ),
    "WorkflowSpec": Type(
        {
            "templates": "[Template]",
            "entrypoint": STRING,
            "arguments": "Arguments",
            "volumes": "[Volume]",
            "parallelism": INTEGER,
            "onExit": STRING,
            "activeDeadlineSeconds": INTEGER,
            "priority": INTEGER,
            "workflowTemplateRef": "WorkflowTemplateRef",
            "synchronization": "Synchronization",
            "retryStrategy": "RetryStrategy",
            "templateDefaults": "Template",
            "hooks": "{LifecycleHook}",
            "workflowMetadata": "WorkflowMetadata",
            "serviceAccountName": STRING,
            "podMetadata": "Metadata",
            "podSpecPatch": POD_PATCH,
            "artifactRepositoryRef": "ArtifactRepositoryRef",
            "volumeClaimTemplates": "[VolumeClaimTemplate]",
            "volumeClaimGC": "VolumeClaimGC",
            "artifactGC": "WorkflowArtifactGC",
            "suspend": BOOLEAN,
            "shutdown": STRING,
        },
        ignored=_names(
            f"{_SCHEDULING} ttlStrategy podGC podPriorityClassName podDisruptionBudget archiveLogs imagePullSecrets dnsPolicy "
            "dnsConfig hostNetwork resourceClaims"
        ),
        refused=_refused("executorPlugins"),
        at_most={"templates": 200},
    ),
    "WorkflowTemplateRef": Type({"name": STRING, "clusterScope": BOOLEAN}),
    "WorkflowMetadata": Type({"labels": STRING_MAP, "annotations": STRING_MAP, "labelsFrom": "{LabelValueFrom}"}),
    "LabelValueFrom": Type({"expression": STRING}, required=("expression",)),
    "Metadata": Type({"labels": STRING_MAP, "annotations": STRING_MAP}),
    "Synchronization": Type({"mutexes": "[Mutex]", "semaphores": "[Semaphore]"}),
    "Semaphore": Type(
        {"configMapKeyRef": "KeySelector", "namespace": STRING},
        refused=_refused(
            "database", "its size is a row of the controller's database; keep it in a ConfigMap and name its file"
        ),
        required=("configMapKeyRef",),
    ),
    "Mutex": Type({"name": STRING, "namespace": STRING, "database": BOOLEAN}, required=("name",)),
    "Template": Type(
        {
            "name": STRING,
            "inputs": "Inputs",
            "outputs": "Outputs",
            "metadata": "Metadata",
            "steps": "[[WorkflowStep]]",
            "container": "Container",
            "containerSet": "ContainerSet",
            "script": "Script",
            "data": "Data",
            "http": "HTTP",
            "resource": "Resource",
            "initContainers": "[UserContainer]",
            "daemon": BOOLEAN,
            "sidecars": "[UserContainer]",
            "dag": "DAG",
            "suspend": "Suspend",
            "volumes": "[Volume]",
            "activeDeadlineSeconds": INTEGER_OR_TEXT,
            "retryStrategy": "RetryStrategy",
            "parallelism": INTEGER,
            "failFast": BOOLEAN,
            "synchronization": "Synchronization",
            "memoize": "Memoize",
            "timeout": STRING,
            "annotations": STRING_MAP,
            "serviceAccountName": STRING,
            "podSpecPatch": POD_PATCH,
        },
        ignored=_names(f"{_SCHEDULING} priorityClassName pendingTimeout archiveLocation resourceClaims"),
        refused=_refused("plugin"),
    ),
    "Memoize": Type({"key": STRING, "maxAge": STRING, "cache": "MemoizeCache"}, required=("key", "maxAge", "cache")),
    "MemoizeCache": Type({"configMap": "LocalRef"}, required=("configMap",)),
    "Inputs": Type({"parameters": "[Parameter]", "artifacts": "[Artifact]"}, at_most={"parameters": 500}),
    "Outputs": Type(
        {"parameters": "[Parameter]", "artifacts": "[Artifact]"},
        ignored=_names("result exitCode"),
    ),
    "Arguments": Type({"parameters": "[Parameter]", "artifacts": "[Artifact]"}),
    "Parameter": Type(
        {
            "name": STRING,
            "default": TEXT,
            "value": TEXT,
            "valueFrom": "ValueFrom",
            "globalName": STRING,
            "enum": TEXTS,
        },
        ignored=_names("description"),
        required=("name",),
    ),
    "ValueFrom": Type(
        {
            "path": STRING,
            "parameter": STRING,
            "expression": STRING,
            "default": TEXT,
            "configMapKeyRef": "KeySelector",
            "supplied": "Nothing",
            "jsonPath": STRING,
            "jqFilter": STRING,
        },
        refused=_refused("event"),
    ),
    "KeySelector": Type({"name": STRING, "key": STRING, "optional": BOOLEAN}, required=("key",)),
    "Artifact": Type(
        {
            "name": STRING,
            "path": STRING,
            "mode": INTEGER,
            "from": STRING,
            "globalName": STRING,
            "archive": "Archive",
            "optional": BOOLEAN,
            "subPath": STRING,
            "recurseMode": BOOLEAN,
            "artifactGC": "ArtifactGC",
            "fromExpression": STRING,
            **_LOCATION,
        },
        ignored=_names("archiveLogs deleted"),
        refused=_refused(_LOCATIONS, "`argosy run` knows s3, http, artifactory, git and raw"),
        required=("name",),
    ),
    "RawArtifact": Type({"data": STRING}, required=("data",)),
    "S3Artifact": Type({**_S3.runs, "key": STRING}, refused=_S3.refused),
    "HTTPArtifact": Type(
        {"url": STRING, "headers": "[Header]", "auth": "HTTPAuth"},
        ignored=_names("saveStreamViaFile"),
        required=("url",),
    ),
    "ArtifactoryArtifact": Type(
        {"url": STRING, "usernameSecret": "KeySelector", "passwordSecret": "KeySelector"}, required=("url",)
    ),
    "Header": Type({"name": STRING, "value": STRING}, required=("name", "value")),
    "HTTPAuth": Type({"basicAuth": "BasicAuth", "oauth2": "OAuth2Auth", "clientCert": "ClientCertAuth"}),
    "BasicAuth": Type({"usernameSecret": "KeySelector", "passwordSecret": "KeySelector"}),
    "OAuth2Auth": Type(
        {
            "clientIDSecret": "KeySelector",
            "clientSecretSecret": "KeySelector",
            "tokenURLSecret": "KeySelector",
            "scopes": STRINGS,
            "endpointParams": "[OAuth2EndpointParam]",
        }
    ),
    "OAuth2EndpointParam": Type({"key": STRING, "value": STRING}, required=("key",)),
    "ClientCertAuth": Type({"clientCertSecret": "KeySelector", "clientKeySecret": "KeySelector"}),
    "GitArtifact": Type(
        {
            "repo": STRING,
            "revision": STRING,
            "depth": INTEGER,
            "fetch": STRINGS,
            "usernameSecret": "KeySelector",
            "passwordSecret": "KeySelector",
            "sshPrivateKeySecret": "KeySelector",
            "insecureIgnoreHostKey": BOOLEAN,
            "disableSubmodules": BOOLEAN,
            "singleBranch": BOOLEAN,
            "branch": STRING,
            "insecureSkipTLS": BOOLEAN,
        },
        required=("repo",),
    ),
    "ArtifactGC": Type({"strategy": STRING}, ignored=_names("podMetadata serviceAccountName")),
    "WorkflowArtifactGC": Type(
        {"strategy": STRING, "forceFinalizerRemoval": BOOLEAN},
        ignored=_names("podMetadata serviceAccountName podSpecPatch"),
    ),
    "ArtifactRepository": Type(
        {"s3": "S3ArtifactRepository"},
        ignored=_names("archiveLogs"),
        refused=_refused(f"{_LOCATIONS} artifactory", "`argosy run` keeps artifacts on this machine or in S3"),
        required=("s3",),
    ),
    "S3ArtifactRepository": Type(
        {**_S3.runs},
        # A key by itself: only artifacts that name theirs are kept there.
        ignored=_names("keyFormat keyPrefix"),
        refused=_S3.refused,
    ),
    "ArtifactRepositoryRef": Type({"configMap": STRING, "key": STRING}),
    "Archive": Type({"tar": "TarArchive", "none": "Nothing", "zip": "Nothing"}),
    "TarArchive": Type({"compressionLevel": INTEGER}),
    "Nothing": Type(),
    "NewBucket": Type(ignored=_names("objectLocking")),
    "RetryStrategy": Type(
        {"limit": INTEGER_OR_TEXT, "retryPolicy": STRING, "backoff": "Backoff", "expression": STRING},
        ignored=_names("affinity"),
    ),
    "Backoff": Type({"duration": STRING, "factor": INTEGER_OR_TEXT, "maxDuration": STRING, "cap": STRING}),
    "Suspend": Type({"duration": STRING}),
    "DAG": Type(
        {"target": STRING, "tasks": "[DAGTask]", "failFast": BOOLEAN}, required=("tasks",), at_most={"tasks": 200}
    ),
    "DAGTask": Type(
        {
            "name": STRING,
            "template": STRING,
            "inline": "Template",
            "arguments": "Arguments",
            "templateRef": "TemplateRef",
            "dependencies": STRINGS,
            "withItems": ITEMS,
            "withParam": STRING,
            "withSequence": "Sequence",
            "when": STRING,
            "continueOn": "ContinueOn",
            "onExit": STRING,
            "depends": STRING,
            "hooks": "{LifecycleHook}",
        },
        required=("name",),
    ),
    "WorkflowStep": Type(
        {
            "name": STRING,
            "template": STRING,
            "inline": "Template",
            "arguments": "Arguments",
            "templateRef": "TemplateRef",
            "withItems": ITEMS,
            "withParam": STRING,
            "withSequence": "Sequence",
            "when": STRING,
            "continueOn": "ContinueOn",
            "onExit": STRING,
            "hooks": "{LifecycleHook}",
        },
    ),
    "ContinueOn": Type({"error": BOOLEAN, "failed": BOOLEAN}),
    "TemplateRef": Type({"name": STRING, "template": STRING, "clusterScope": BOOLEAN}),
    "LifecycleHook": Type(
        {"template": STRING, "arguments": "Arguments", "templateRef": "TemplateRef", "expression": STRING}
    ),
    "Sequence": Type({"count": INTEGER_OR_TEXT, "start": INTEGER_OR_TEXT, "end": INTEGER_OR_TEXT, "format": STRING}),
    "Data": Type(
        {"source": "DataSource", "transformation": "[TransformationStep]"}, required=("source", "transformation")
    ),
    "DataSource": Type({"artifactPaths": "Artifact"}),
    "TransformationStep": Type({"expression": STRING}, required=("expression",)),
    # Asked of daemons only: nothing else waits for a container to be ready.
    "Probe": Type(
        {"httpGet": "HTTPGet", "tcpSocket": "TCPSocket", "initialDelaySeconds": INTEGER, "timeoutSeconds": INTEGER},
        ignored=_names("periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds exec grpc"),
    ),
    "HTTPGet": Type(
        {"path": STRING, "port": INTEGER_OR_TEXT, "host": STRING, "scheme": STRING, "httpHeaders": "[Header]"},
        required=("port",),
    ),
    "TCPSocket": Type({"port": INTEGER_OR_TEXT, "host": STRING}, required=("port",)),
    "HTTP": Type(
        {
            "url": STRING,
            "method": STRING,
            "headers": "[HTTPHeader]",
            "body": STRING,
            "bodyFrom": "HTTPBodySource",
            "timeoutSeconds": INTEGER,
            "insecureSkipVerify": BOOLEAN,
            "successCondition": STRING,
        },
        required=("url",),
    ),
    "Resource": Type(
        {
            "action": STRING,
            "manifest": STRING,
            "flags": STRINGS,
            "mergeStrategy": STRING,
            "successCondition": STRING,
            "failureCondition": STRING,
        },
        refused=_refused("manifestFrom setOwnerReference"),
        required=("action",),
    ),
    "HTTPHeader": Type({"name": STRING, "value": STRING, "valueFrom": "HTTPHeaderSource"}, required=("name",)),
    "HTTPHeaderSource": Type({"secretKeyRef": "KeySelector"}),
    "HTTPBodySource": Type({"bytes": STRING}),
    "Container": _CONTAINER,
    "UserContainer": Type(
        {**_CONTAINER.runs, "mirrorVolumeMounts": BOOLEAN},
        _CONTAINER.ignored,
        _CONTAINER.refused,
        required=("name",),
        ignored_types=_CONTAINER.ignored_types,
    ),
    "ContainerSet": Type(
        {
            "containers": "[ContainerNode]",
            "volumeMounts": "[VolumeMount]",
            "retryStrategy": "ContainerSetRetryStrategy",
        },
        required=("containers",),
    ),
    "ContainerNode": Type(
        {**_CONTAINER.runs, "dependencies": STRINGS},
        _CONTAINER.ignored,
        _CONTAINER.refused,
        required=("name",),
        ignored_types=_CONTAINER.ignored_types,
    ),
    "ContainerSetRetryStrategy": Type({"duration": STRING, "retries": INTEGER_OR_TEXT}, required=("retries",)),
    "Script": replace(_CONTAINER, runs={**_CONTAINER.runs, "source": STRING}),
    "Resources": Type({"limits": QUANTITIES}, ignored=_names("requests claims")),
    "EnvVar": Type({"name": STRING, "value": STRING, "valueFrom": "EnvVarSource"}, required=("name",), key="name"),
    "EnvVarSource": Type(
        {"configMapKeyRef": "KeySelector", "secretKeyRef": "KeySelector", "fieldRef": "FieldRef"},
        refused=_refused("resourceFieldRef fileKeyRef"),
    ),
    "FieldRef": Type({"fieldPath": STRING}, ignored=_names("apiVersion"), required=("fieldPath",)),
    "EnvFromSource": Type({"prefix": STRING, "configMapRef": "LocalRef", "secretRef": "LocalRef"}),
    "LocalRef": Type({"name": STRING, "optional": BOOLEAN}),
    "VolumeMount": Type(
        {"name": STRING, "mountPath": STRING, "subPath": STRING, "readOnly": BOOLEAN},
        ignored=_names("mountPropagation recursiveReadOnly"),
        refused=_refused("subPathExpr"),
        required=("name", "mountPath"),
    ),
    "Volume": Type(
        {
            "name": STRING,
            "emptyDir": "EmptyFolder",
            "ephemeral": "EphemeralVolume",
            "persistentVolumeClaim": "ClaimVolume",
            "secret": "SecretVolume",
            "configMap": "ConfigMapVolume",
            "downwardAPI": "DownwardVolume",
            "projected": "ProjectedVolume",
        },
        refused=_refused(
            "hostPath csi nfs image awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker gcePersistentDisk gitRepo "
            "glusterfs iscsi photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume",
            "hand files on as artifacts, or claim the volume and give the claim a folder with --volume NAME=FOLDER",
        ),
        required=("name",),
    ),
    "EmptyFolder": _no_op(medium=STRING, sizeLimit=QUANTITY),
    "EphemeralVolume": Type(ignored=_names("volumeClaimTemplate")),
    "ClaimVolume": Type({"claimName": STRING, "readOnly": BOOLEAN}, required=("claimName",)),
    "SecretVolume": Type({"secretName": STRING, "items": "[KeyToPath]", "defaultMode": INTEGER, "optional": BOOLEAN}),
    "ConfigMapVolume": Type({"name": STRING, "items": "[KeyToPath]", "defaultMode": INTEGER, "optional": BOOLEAN}),
    "DownwardVolume": Type({"items": "[DownwardFile]", "defaultMode": INTEGER}),
    "DownwardFile": Type(
        {"path": STRING, "fieldRef": "FieldRef", "mode": INTEGER},
        refused=_refused("resourceFieldRef"),
        required=("path",),
    ),
    "ProjectedVolume": Type({"sources": "[ProjectedSource]", "defaultMode": INTEGER}),
    "ProjectedSource": Type(
        {"secret": "ProjectedKeys", "configMap": "ProjectedKeys", "downwardAPI": "DownwardVolume"},
        refused=_refused(
            "serviceAccountToken clusterTrustBundle podCertificate", "there is no cluster that vouches for it"
        ),
    ),
    "ProjectedKeys": Type({"name": STRING, "items": "[KeyToPath]", "optional": BOOLEAN}),
    "KeyToPath": Type({"key": STRING, "path": STRING, "mode": INTEGER}, required=("key", "path")),
    "VolumeClaimTemplate": Type(
        {"metadata": "ObjectMeta", "spec": "ClaimSpec"},
        ignored=_names("apiVersion kind status"),
        required=("metadata",),
    ),
    "ClaimSpec": Type(
        ignored=_names(
            "accessModes dataSource dataSourceRef resources selector storageClassName volumeAttributesClassName volumeMode volumeName"
        )
    ),
    "VolumeClaimGC": Type({"strategy": STRING}),
    "SecurityContext": _no_op(
        **dict.fromkeys(("privileged", "runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation"), BOOLEAN),
        **dict.fromkeys(("runAsUser", "runAsGroup"), INTEGER),
        **dict.fromkeys(("seLinuxOptions", "windowsOptions", "appArmorProfile"), OBJECT),
        capabilities="Capabilities",
        seccompProfile="SeccompProfile",
        procMount=STRING,
    ),
    "PodSecurityContext": _no_op(
        **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), INTEGER),
        **dict.fromkeys(("seLinuxOptions", "windowsOptions", "appArmorProfile"), OBJECT),
        **dict.fromkeys(("fsGroupChangePolicy", "supplementalGroupsPolicy", "seLinuxChangePolicy"), STRING),
        supplementalGroups="[integer]",
        sysctls=ITEMS,
        runAsNonRoot=BOOLEAN,
        seccompProfile="SeccompProfile",
    ),
    "Capabilities": _no_op(add=STRINGS, drop=STRINGS),
    "SeccompProfile": _no_op(type=STRING, localhostProfile=STRING),
    "Executor": _no_op(serviceAccountName=STRING),
    "Metrics": _no_op(prometheus="[Prometheus]"),
    "Prometheus": _no_op(
        name=STRING,
        help=STRING,
        when=STRING,
        labels="[MetricLabel]",
        gauge="Gauge",
        histogram="Histogram",
        counter="Counter",
    ),
    "MetricLabel": _no_op(key=STRING, value=STRING),
    "Gauge": _no_op(value=STRING, realtime=BOOLEAN, operation=STRING),
    "Histogram": _no_op(value=STRING, buckets="[number]"),
    "Counter": _no_op(value=STRING),
    "TTLStrategy": _no_op(secondsAfterCompletion=INTEGER, secondsAfterSuccess=INTEGER, secondsAfterFailure=INTEGER),
    "PodGC": _no_op(strategy=STRING, labelSelector=OBJECT, deleteDelayDuration=STRING),
    "PodDisruptionBudget": _no_op(
        minAvailable=INTEGER_OR_TEXT, maxUnavailable=INTEGER_OR_TEXT, selector=OBJECT, unhealthyPodEvictionPolicy=STRING
    ),
    "DNSConfig": _no_op(nameservers=STRINGS, searches=STRINGS, options=ITEMS),
    "Toleration": _no_op(key=STRING, operator=STRING, value=STRING, effect=STRING, tolerationSeconds=INTEGER),
    "Port": _no_op(name=STRING, containerPort=INTEGER, hostPort=INTEGER, hostIP=STRING, protocol=STRING),
}
