"""The canaries of a cluster, as Argo Rollouts keeps them.

Which model failed is read from the pods' own template (of the ReplicaSet that the Rollout calls current), never from the Rollout's labels:
those already are of the next version when a merge comes in the middle of an abort.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kubernetes import client

from argosy.adapters.cluster.client import TIMEOUT_SECONDS, connect, reported
from argosy.domain.rollouts import Look, Measurement, Rollout

MODEL_LABEL, ENVIRONMENT_LABEL = "argosy.dev/model", "argosy.dev/environment"
DIGEST_ANNOTATION = "argosy.dev/model-digest"
HASH_LABEL = "rollouts-pod-template-hash"
STALLED = "ProgressDeadlineExceeded"
REMEDY = "`argosy doctor` checks what has to be installed and allowed"

Object = Mapping[str, Any]


class ClusterRollouts:
    """See :class:`argosy.ports.rollouts.Rollouts`."""

    def __init__(self, namespace: str) -> None:
        """Those in *namespace* of the cluster at hand."""
        self._namespace = namespace
        connected = connect()
        self._apps = client.AppsV1Api(connected)
        self._custom = client.CustomObjectsApi(connected)

    def of(self, environment: str) -> list[Rollout]:
        """See the port."""
        selector = f"{MODEL_LABEL},{ENVIRONMENT_LABEL}={environment}"
        with reported(f"reading the rollouts of {environment} in {self._namespace}", REMEDY):
            found = self._listed("rollouts", selector)
            return sorted((self._rollout(one) for one in found), key=lambda one: one.name)

    def _listed(self, kind: str, selector: str) -> list[Object]:
        found = self._custom.list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", self._namespace, kind, label_selector=selector, _request_timeout=TIMEOUT_SECONDS
        )
        items: list[Object] = found["items"]
        return items

    def _rollout(self, found: Object) -> Rollout:
        metadata, status = found["metadata"], found.get("status", {})
        newest = status.get("currentPodHash", "")
        began_at, digest = self._pods(newest)
        runs = self._analysis_runs(newest)
        return Rollout(
            name=metadata["name"],
            namespace=self._namespace,
            model=metadata["labels"][MODEL_LABEL],
            environment=metadata["labels"][ENVIRONMENT_LABEL],
            phase=status.get("phase", "Progressing"),
            failed=given_up(status),
            message=status.get("message", ""),
            newest=digest,
            stable=self._pods(status.get("stableRS", ""))[1],
            measurements=_measurements(runs) if given_up(status) else [],
            began_at=began_at,
            looks=looks(runs, found.get("spec", {})),
            healthy_at=healthy_at(status),
        )

    def _pods(self, pods: str) -> tuple[str | None, str | None]:
        """When the pods with the hash *pods* were first asked for, and the model digest they are annotated with."""
        if not pods:
            return None, None
        found = self._apps.list_namespaced_replica_set(
            self._namespace, label_selector=f"{HASH_LABEL}={pods}", _request_timeout=TIMEOUT_SECONDS
        )
        for one in found.items:
            annotations = one.spec.template.metadata.annotations or {}
            return _written(one.metadata.creation_timestamp), annotations.get(DIGEST_ANNOTATION)
        return None, None

    def _analysis_runs(self, pods: str) -> list[Object]:
        """Those of the pods with the hash *pods*, oldest first."""
        found = self._listed("analysisruns", f"{HASH_LABEL}={pods}") if pods else []
        return sorted(found, key=lambda run: str(run["metadata"]["creationTimestamp"]))


def given_up(status: Object) -> bool:
    """Whether the newest pods of a Rollout with this status were given up."""
    stalled = any(one.get("reason") == STALLED for one in status.get("conditions", []))
    return bool(status.get("abort")) or (status.get("phase") == "Degraded" and stalled)


def healthy_at(status: Object) -> str | None:
    """Since when a Rollout with this status has been through with its newest pods, and all of them have been ready."""
    since = {one["type"]: one["lastTransitionTime"] for one in status.get("conditions", []) if one["status"] == "True"}
    if status.get("phase") != "Healthy" or "Completed" not in since:
        return None
    # The first version of all is complete before it has a pod.
    return str(max(since["Completed"], since.get("Healthy", "")))


def looks(runs: Sequence[Object], spec: Object) -> list[Look]:
    """What AnalysisRuns of a Rollout with this spec were, and at which weight."""
    steps = spec.get("strategy", {}).get("canary", {}).get("steps", [])
    found = []
    for run in runs:
        status, index = run.get("status", {}), run["metadata"].get("labels", {}).get("step-index", "")
        before = [one["setWeight"] for one in steps[: int(index)] if "setWeight" in one] if index.isdecimal() else []
        found.append(
            Look(
                weight=before[-1] if before else None,
                phase=status.get("phase", ""),
                began_at=status.get("startedAt") or run["metadata"]["creationTimestamp"],
                ended_at=status.get("completedAt"),
            )
        )
    return found


def _measurements(runs: Iterable[Object]) -> list[Measurement]:
    return [one for run in runs for one in measured(run.get("status", {}).get("metricResults", []))]


def _written(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def measured(results: Iterable[Object]) -> list[Measurement]:
    """What an AnalysisRun's results say."""
    return [
        Measurement(
            metric=result["name"],
            phase=result.get("phase", ""),
            values=[str(one.get("value", one.get("phase", ""))) for one in result.get("measurements", [])],
            message=result.get("message", ""),
        )
        for result in results
    ]
