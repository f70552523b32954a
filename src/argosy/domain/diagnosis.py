"""The prerequisites of a cluster, and the checks of `argosy doctor`: pure checks of what was seen there.

Each finding says what was seen and, where it is wrong, the fix. Looking is an adapter's business.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """The result of a check, in a word."""

    OK = "ok"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It could not be seen; that alone is no failure."""
    UNSET = "unset"
    """Nobody set it, or it does not happen; whether that is meant is for people to say."""


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at."""

    name: str
    state: CheckState
    said: str
    fix: str = ""


@dataclass(frozen=True)
class Controller:
    """A controller that Argosy builds on."""

    name: str
    image: re.Pattern[str]
    """The pattern of its image's name, without the tag."""
    floors: tuple[tuple[int, ...], ...]
    """The oldest version of each line that will do; a line older than the first will not."""
    definitions: Mapping[str, str]
    """Resource types it brings, and the version of each that is used."""
    install: str


CONTROLLERS = (
    Controller(
        "argo-workflows",
        re.compile(r"(^|/)workflow-controller$"),
        # Older ones let a submitter past Strict templates, take any bearer token, or crash on a crafted workflow
        # (CVE-2026-31892, CVE-2026-28229, CVE-2026-40886).
        ((3, 7, 14), (4, 0, 5)),
        {
            "workflows.argoproj.io": "v1alpha1",
            "workflowtemplates.argoproj.io": "v1alpha1",
            "cronworkflows.argoproj.io": "v1alpha1",
            "workflowtaskresults.argoproj.io": "v1alpha1",
        },
        "https://argo-workflows.readthedocs.io/en/latest/installation/",
    ),
    Controller(
        "argo-cd",
        re.compile(r"(^|/)argocd$"),
        ((3, 1, 0),),  # OCI sources
        {"applications.argoproj.io": "v1alpha1", "applicationsets.argoproj.io": "v1alpha1"},
        "https://argo-cd.readthedocs.io/en/stable/operator-manual/installation/",
    ),
    Controller(
        "argo-rollouts",
        re.compile(r"(^|/)argo-rollouts$"),
        ((1, 8, 0),),
        {
            "rollouts.argoproj.io": "v1alpha1",
            "analysistemplates.argoproj.io": "v1alpha1",
            "analysisruns.argoproj.io": "v1alpha1",
        },
        "https://argo-rollouts.readthedocs.io/en/stable/installation/",
    ),
    Controller(
        "kserve",
        re.compile(r"(^|/)kserve-controller$"),
        ((0, 15, 0),),
        {"inferenceservices.serving.kserve.io": "v1beta1", "servingruntimes.serving.kserve.io": "v1alpha1"},
        "https://kserve.github.io/website/docs/admin-guide/overview",
    ),
)
KUBERNETES = (1, 31, 0)
SKEW_SECONDS = 60.0
"""More than tokens and signatures of requests allow for."""


def version(text: str) -> tuple[int, ...] | None:
    """The numbers of a version such as ``v1.34.4+k3s1``; None where it has none."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def kubernetes(seen: str) -> CheckResult:
    """Check the Kubernetes version against :data:`KUBERNETES`, the oldest that will do."""
    found = version(seen)
    if found and found < KUBERNETES:
        return CheckResult("kubernetes", CheckState.WRONG, seen, f"upgrade it to {_dotted(KUBERNETES)} or newer")
    return CheckResult("kubernetes", CheckState.OK if found else CheckState.UNKNOWN, seen)


def controller(
    wanted: Controller, definitions: Mapping[str, Iterable[str]], images: Iterable[str] | None
) -> list[CheckResult]:
    """Check that *wanted* is installed, by its resource types, and new enough, by the *images* that run (None: they may not be listed)."""
    missing = [f"{name} {used}" for name, used in wanted.definitions.items() if used not in definitions.get(name, ())]
    if missing:
        fix = f"install {wanted.name}: {wanted.install}"
        return [CheckResult(wanted.name, CheckState.WRONG, f"no resource type {', '.join(missing)}", fix)]
    return [CheckResult(wanted.name, CheckState.OK, "its resource types are there"), _release(wanted, images)]


def _release(wanted: Controller, images: Iterable[str] | None) -> CheckResult:
    name = f"{wanted.name} version"
    if images is None:
        return CheckResult(name, CheckState.UNKNOWN, "deployments of other namespaces may not be listed")
    tags = [tag for path, tag in map(_split, images) if wanted.image.search(path)]
    if not tags:
        return CheckResult(name, CheckState.UNKNOWN, "no deployment of this cluster runs its image")
    found = version(tags[0])
    if found is None:
        return CheckResult(name, CheckState.UNKNOWN, f"its image is tagged {tags[0] or 'by digest only'}")
    if not new_enough(found, wanted.floors):
        wished = " / ".join(_dotted(floor) for floor in wanted.floors)
        return CheckResult(name, CheckState.WRONG, tags[0], f"upgrade it to {wished} or newer: {wanted.install}")
    return CheckResult(name, CheckState.OK, tags[0])


def new_enough(found: tuple[int, ...], floors: tuple[tuple[int, ...], ...]) -> bool:
    """True where *found* reaches the floor of its own line, or is of a line newer than all that have one."""
    lines = [floor for floor in floors if floor[0] == found[0]]
    return found >= lines[-1] if lines else found > floors[-1]


def _split(image: str) -> tuple[str, str]:
    path, _, _digest = image.partition("@")
    name, _, tag = path.rpartition(":")
    return (name, tag) if name and "/" not in tag else (path, "")


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)


@dataclass(frozen=True)
class Right:
    """One thing that an account may be allowed."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}{f'.{self.group}' if self.group else ''}"
        return f"{self.verb} {kind}{f'/{self.subresource}' if self.subresource else ''}"


SUBMITTER = (
    *(
        Right(verb, "argoproj.io", "workflows")
        for verb in ("create", "get", "list", "watch", "patch", "update", "delete")
    ),
    *(Right(verb, "argoproj.io", "workflowtemplates") for verb in ("get", "list")),
    *(Right(verb, "", "pods") for verb in ("get", "list", "delete")),
    Right("get", "", "pods", "log"),
)
"""The RBAC rights that it takes to submit, watch, retry and stop."""


def rights(denied: Iterable[Right], namespace: str) -> CheckResult:
    """Check the submitter's RBAC rights in *namespace*; *denied*: those that are lacking."""
    lacking = [str(right) for right in denied]
    if not lacking:
        return CheckResult("rights", CheckState.OK, f"you may submit, watch, retry and stop in {namespace}")
    fix = f"have yourself added to `submitters` of the chart platform, or bound to the Role argosy-submitter in {namespace}"
    return CheckResult("rights", CheckState.WRONG, f"in {namespace} you may not {', '.join(lacking)}", fix)


ENDPOINTS = "argosy-endpoints"
PLATFORM = "`argosy platform install` makes it"


POD_SECURITY = "pod security"
IDS = "argosy-ids"
ACCESS, RULES = "argosy-access", "access.yaml"
"""The Secret with the rules of who may ask, and its key."""
PROFILE = "pod-security.kubernetes.io/enforce"
ENVIRONMENT = "argosy.dev/environment"
"""The label of namespaces in which models are served."""
CONTEXT = "{allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}"


def restricted(namespaces: Mapping[str, Mapping[str, str]] | None, *, pipelines: str) -> tuple[list[str], list[str]]:
    """The namespaces that refuse pods which could be more than they must: of *pipelines*, and those that serve models."""
    found = [name for name, labels in (namespaces or {}).items() if labels.get(PROFILE) == "restricted"]
    serving = [name for name in found if ENVIRONMENT in (namespaces or {})[name]]
    return [name for name in found if name == pipelines], serving


def serving(namespaces: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The namespaces that serve models."""
    return [name for name, labels in namespaces.items() if ENVIRONMENT in labels]


def ids(namespace: str, keys: Collection[str] | None) -> CheckResult:
    """Check that servers in *namespace* have the secret under which they hash ids. *keys*: of the Secret, None where there is none."""
    if keys is not None and "ids.key" in keys:
        return CheckResult("prediction log", CheckState.OK, f"servers in {namespace} have what they hash ids with")
    lacking = f"there is no Secret {IDS}" if keys is None else f"{IDS} holds nothing under ids.key"
    said = f"{lacking} in {namespace}: no server that logs starts there, unless its predictionLog.hashKeySecret names another"
    fix = f"kubectl create secret generic {IDS} -n {namespace} --from-file=ids.key=FILE (one secret for all; `argosy setup` makes one)"
    return CheckResult("prediction log", CheckState.UNKNOWN, said, fix)


def access(
    namespace: str, keys: Collection[str] | None, servers: Sequence[tuple[str, Sequence[str]]] | None
) -> CheckResult:
    """Check that servers in *namespace* ask their callers who they are. *keys*: of the Secret with the rules, None where there is none;
    *servers*: models and the arguments of what serves them, None where that cannot be seen."""
    name, servers = "who may ask", servers or []
    if anybody := sorted({model for model, given in servers if not any(one.startswith("--access=") for one in given)}):
        said = f"whoever reaches the pods of {', '.join(anybody)} in {namespace} may ask: access.enabled is false in their values"
        return CheckResult(
            name, CheckState.UNSET, said, "give callers keys (docs/serving.md), then take that value out"
        )
    if keys is not None and RULES in keys:
        return CheckResult(name, CheckState.OK, f"servers in {namespace} have the rules of who may ask")
    lacking = f"there is no Secret {ACCESS}" if keys is None else f"{ACCESS} holds nothing under {RULES}"
    said = f"{lacking} in {namespace}: no server starts there, unless its access.secret names another, or access.enabled is false"
    fix = f"argosy access key NAME && argosy access secret --namespace {namespace} | kubectl apply -f -"
    return CheckResult(name, CheckState.UNKNOWN, said, fix)


def executor(namespaces: list[str], contexts: Mapping[str, Mapping[str, object]] | None) -> CheckResult:
    """Check that Pod Security admits Argo's executor. *namespaces*: of pipelines, restricted ones only; *contexts*: what each
    controller gives its containers, by its namespace, None where that cannot be seen."""
    if not namespaces:
        return CheckResult(POD_SECURITY, CheckState.OK, "pipelines run where Argo's own containers are not refused")
    where = ", ".join(namespaces)
    if not contexts:
        said = f"{where} enforces restricted; what the controller gives its own containers cannot be seen"
        return CheckResult(POD_SECURITY, CheckState.UNKNOWN, said)
    open_ones = [name for name, context in contexts.items() if not confined(context)]
    if open_ones:
        said = (
            f"{where} enforces restricted, and the controller of {', '.join(open_ones)} gives its own containers no fitting "
            "securityContext: every pod of a run would be refused"
        )
        fix = f"set in its ConfigMap workflow-controller-configmap: executor: {{securityContext: {CONTEXT}}}"
        return CheckResult(POD_SECURITY, CheckState.WRONG, said, fix)
    return CheckResult(POD_SECURITY, CheckState.OK, f"{where} enforces restricted, which Argo's own containers fit")


def initializer(namespaces: list[str], contexts: Mapping[str, Mapping[str, object]] | None) -> CheckResult:
    """Check that Pod Security admits KServe's storage initializer. *namespaces*: of models, restricted ones only; *contexts*: by
    name of the ClusterStorageContainer, None where that cannot be seen."""
    if not namespaces:
        return CheckResult(
            POD_SECURITY, CheckState.OK, "models are served where KServe's storage initializer is not refused"
        )
    where = f"{', '.join(namespaces)} {'enforces' if len(namespaces) == 1 else 'enforce'} restricted"
    if not contexts:
        return CheckResult(
            POD_SECURITY, CheckState.UNKNOWN, f"{where}; what KServe's storage initializer may do cannot be seen"
        )
    fitting = [name for name, context in contexts.items() if confined(context)]
    if fitting:
        said = f"{where}; the ClusterStorageContainer {', '.join(fitting)} fits"
        return CheckResult(POD_SECURITY, CheckState.OK, said)
    said = f"{where}, and no ClusterStorageContainer ({', '.join(contexts)}) has a fitting securityContext: models could not start"
    fix = f"give one spec.container.securityContext: {CONTEXT}, and name it in storage.container of the chart inference"
    return CheckResult(POD_SECURITY, CheckState.WRONG, said, fix)


def confined(context: Mapping[str, object]) -> bool:
    """True where a container with this context passes ``restricted``, in a pod that is not root's and has a seccomp profile, as all of
    Argosy's are."""
    capabilities = context.get("capabilities")
    dropped = capabilities.get("drop") if isinstance(capabilities, Mapping) else None
    may_root = context.get("runAsNonRoot") is False or context.get("privileged") is True
    return context.get("allowPrivilegeEscalation") is False and "ALL" in (dropped or []) and not may_root


LAPTOP_ONLY = ("sqlite:", "file:", "local:")


def endpoints(content: Mapping[str, str] | None) -> list[CheckResult]:
    """Check that the addresses in the ConfigMap of endpoints can be reached from a pod."""
    if content is None:
        return [CheckResult(ENDPOINTS, CheckState.WRONG, "there is no such ConfigMap", PLATFORM)]
    wrong = []
    for name in ("ARGOSY_TRACKING_URI", "ARGOSY_STORE_URI", "ARGOSY_FORGE_URI"):
        value = content.get(name)
        if not value:
            wrong.append(
                CheckResult(
                    ENDPOINTS, CheckState.WRONG, f"{name} is not set", "set it in the values of the chart platform"
                )
            )
        elif value.startswith(LAPTOP_ONLY) and "ARGOSY_DATA_ROOT" not in content:
            fix = "name a server; a file is on one pod's disk and gone with it"
            wrong.append(CheckResult(ENDPOINTS, CheckState.WRONG, f"{name} is {value}", fix))
    return wrong or [CheckResult(ENDPOINTS, CheckState.OK, "tracking, store and forge have addresses")]


def clock(ahead: float) -> CheckResult:
    """Check the clock skew between this machine and the cluster; *ahead*: seconds by which this machine is."""
    if abs(ahead) > SKEW_SECONDS:
        said = f"this machine is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the cluster"
        return CheckResult(
            "clock", CheckState.WRONG, said, "synchronise both (NTP); tokens and signed requests are refused otherwise"
        )
    return CheckResult("clock", CheckState.OK, f"within {max(abs(ahead), 1.0):.0f} s of the cluster's")
