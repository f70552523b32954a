"""The checks of a team's namespace: its quota, the policies that hold there, and whether the controller runs templates only.

Pure checks of what was seen; looking is an adapter's business.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.domain.diagnosis import CheckResult, CheckState

TEAM = "argosy.dev/team"
"""The label of a namespace that the chart platform made for a team."""
QUOTA, POLICIES, REFERENCING, SEMAPHORES = "quota", "admission policies", "template referencing", "semaphores"
KINDS = ("pipelines", "runs", "pods")
"""The policies that hold in the namespace of a team, by the end of their names."""
NEARLY = 0.9
"""Of a quota, from which on it is said."""
UPGRADE = "`argosy platform upgrade` with the values of the chart platform"
SECURE = "workflowRestrictions: {templateReferencing: Secure}"


@dataclass(frozen=True)
class QuotaUse:
    """One resource of a ResourceQuota: how much of it is used, as Kubernetes writes it, and as a share."""

    resource: str
    used: str
    most: str
    share: float

    def __str__(self) -> str:
        return f"{self.resource} {self.used} of {self.most}"


@dataclass(frozen=True)
class PolicyHold:
    """Where one ValidatingAdmissionPolicy holds, and what happens to what it refuses."""

    policy: str
    namespaces: Sequence[str]
    actions: Sequence[str]


@dataclass(frozen=True)
class SemaphoreKey:
    """Where the size of a semaphore is: a key of a ConfigMap, of the run's own namespace where none is named."""

    config_map: str
    key: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.key} of the ConfigMap {self.config_map}{f' in {self.namespace}' if self.namespace else ''}"


def is_team(namespace: str, labels: Mapping[str, Mapping[str, str]] | None, quotas: Sequence[QuotaUse] | None) -> bool:
    """Whether *namespace* is a team's: by the *labels* of namespaces, or where those may not be listed, because it has a quota."""
    return TEAM in labels.get(namespace, {}) if labels is not None else bool(quotas)


def quota(namespace: str, quotas: Sequence[QuotaUse] | None) -> CheckResult:
    """Check that a pod more would fit. *quotas*: None where they may not be listed."""
    if quotas is None:
        return CheckResult(QUOTA, CheckState.UNKNOWN, f"the quotas of {namespace} may not be listed")
    if not quotas:
        said = f"{namespace} has none, so one team may take what all need"
        return CheckResult(QUOTA, CheckState.WRONG, said, f"give the team its entry in `teams`, then {UPGRADE}")
    limited = [one for one in quotas if one.share > 0]
    full = [one for one in limited if one.share >= 1]
    if full:
        said = f"{_listed(full)}: new pods and runs of {namespace} wait or are refused"
        fix = f"`argosy runs --namespace {namespace}` shows what runs; or raise `quota` of the team in `teams`, then {UPGRADE}"
        return CheckResult(QUOTA, CheckState.WRONG, said, fix)
    near = [one for one in limited if one.share >= NEARLY]
    return CheckResult(
        QUOTA, CheckState.OK, _listed(near or sorted(limited, key=_share)[:3]) or "nothing of it is used"
    )


def _share(one: QuotaUse) -> float:
    return -one.share


def _listed(uses: Iterable[QuotaUse]) -> str:
    return ", ".join(map(str, uses))


def policies(namespace: str, holds: Sequence[PolicyHold] | None) -> CheckResult:
    """Check that each policy of a team's namespace holds in *namespace*, and refuses. *holds*: None where they may not be listed."""
    if holds is None:
        return CheckResult(POLICIES, CheckState.UNKNOWN, "admission policies may not be listed")
    here = [one for one in holds if namespace in one.namespaces]
    missing = [kind for kind in KINDS if not any(one.policy.endswith(f"-{kind}") for one in here)]
    if missing:
        said = f"none holds in {namespace} for {', '.join(missing)}: images by tag, patches of pods and keys of others are let in"
        fix = f"give the team its entry in `teams`, set admission.enabled, then {UPGRADE}"
        return CheckResult(POLICIES, CheckState.WRONG, said, fix)
    lenient = [one.policy for one in here if "Deny" not in one.actions]
    if lenient:
        said = f"{', '.join(lenient)} only {'warn' if 'Warn' in here[0].actions else 'note'}; nothing is refused in {namespace}"
        return CheckResult(POLICIES, CheckState.UNKNOWN, said, f"set admission.action to Deny, then {UPGRADE}")
    return CheckResult(POLICIES, CheckState.OK, f"{len(here)} hold in {namespace}")


def semaphores(
    namespace: str, wanted: Iterable[SemaphoreKey], content: Callable[[str, str], Mapping[str, str] | None]
) -> CheckResult:
    """Check that each semaphore that pipelines of *namespace* name has a size. *content*: of a ConfigMap, by name and namespace.

    Argo ends a run whose semaphore has none.
    """
    sizes = {one: (content(one.config_map, one.namespace or namespace) or {}).get(one.key, "") for one in wanted}
    lacking = [str(one) for one, size in sizes.items() if not (size.isdecimal() and int(size) > 0)]
    if lacking:
        said = f"pipelines wait for {', '.join(lacking)}, which has no size: their runs end with an error"
        return CheckResult(SEMAPHORES, CheckState.WRONG, said, f"set `semaphores` (or `shared`), then {UPGRADE}")
    said = ", ".join(f"{one.key} {size}" for one, size in sizes.items()) or "no pipeline waits for one"
    return CheckResult(SEMAPHORES, CheckState.OK, said)


def semaphores_of(pipelines: Iterable[Mapping[str, Any]]) -> list[SemaphoreKey]:
    """The semaphores that *pipelines* (WorkflowTemplates) name, each once."""
    specs = [pipeline.get("spec") or {} for pipeline in pipelines]
    holders = [*specs, *(template for spec in specs for template in spec.get("templates") or [])]
    wishes = [wish for holder in holders for wish in (holder.get("synchronization") or {}).get("semaphores") or []]
    keys = [(wish["configMapKeyRef"], wish.get("namespace", "")) for wish in wishes if "configMapKeyRef" in wish]
    return list(dict.fromkeys(SemaphoreKey(key["name"], key["key"], where) for key, where in keys))


def referencing(restrictions: Mapping[str, str] | None, *, team: bool) -> Iterator[CheckResult]:
    """Check that each controller, by its namespace, runs what is installed and nothing else. *restrictions*: its
    ``templateReferencing``; None where that cannot be seen. *team*: whether it matters to somebody."""
    if restrictions is None:
        yield CheckResult(REFERENCING, CheckState.UNKNOWN, "the controller's ConfigMap cannot be read")
        return
    for where, setting in restrictions.items():
        if setting in ("Secure", "Strict"):
            yield CheckResult(
                REFERENCING, CheckState.OK, f"the controller of {where} runs installed templates only ({setting})"
            )
            continue
        said = f"the controller of {where} runs what anybody writes into a run"
        # An item of its own beside one called `config` would be one too many: the controller then reads neither.
        fix = (
            f"set `{SECURE}` there, inside the item `config` where it has one (docs/teams.md): "
            f"kubectl -n {where} edit configmap workflow-controller-configmap"
        )
        yield CheckResult(REFERENCING, CheckState.WRONG if team else CheckState.UNKNOWN, said, fix)
