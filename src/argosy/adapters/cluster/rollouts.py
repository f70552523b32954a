"""The canaries of a cluster, as Argo Rollouts keeps them.

Which model failed is read from the pods' own template (of the ReplicaSet that the Rollout calls current), never from the Rollout's labels:
those already are of the next version when a merge comes in the middle of an abort.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernetes import client

from argosy.adapters.cluster.client import TIMEOUT_SECONDS, connect, reported
from argosy.domain.rollouts import Analysis, Measurement, Rollout

MODEL_LABEL, ENVIRONMENT_LABEL = "argosy.dev/model", "argosy.dev/environment"
DIGEST_ANNOTATION = "argosy.dev/model-digest"
HASH_LABEL = "rollouts-pod-template-hash"
STALLED = "ProgressDeadlineExceeded"
REMEDY = "`argosy doctor` checks what has to be installed and allowed"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class _Pods:
    """Pods of one template: when they were first asked for, and the model digest they are annotated with."""

    began_at: str | None = None
    model_digest: str | None = None


class ClusterRollouts:
    """Argo Rollouts and their AnalysisRuns, read only; see :class:`argosy.ports.rollouts.Rollouts`."""

    def __init__(self, namespace: str) -> None:
        """Those in *namespace* of the cluster at hand."""
        self._namespace = namespace
        connected = connect()
        self._apps = client.AppsV1Api(connected)
        self._custom = client.CustomObjectsApi(connected)

    def of(self, environment: str) -> list[Rollout]:
        """See the port. Three questions to the API server, however many models there are."""
        selector = f"{MODEL_LABEL},{ENVIRONMENT_LABEL}={environment}"
        with reported(f"reading the rollouts of {environment} in {self._namespace}", REMEDY):
            found = self._listed("rollouts", selector)
            pods = self._pods() if found else {}
            runs = self._analysis_runs() if found else {}
        return sorted((self._rollout(one, pods, runs) for one in found), key=lambda one: one.name)

    def _listed(self, kind: str, selector: str) -> list[Object]:
        found = self._custom.list_namespaced_custom_object(
            "argoproj.io", "v1alpha1", self._namespace, kind, label_selector=selector, _request_timeout=TIMEOUT_SECONDS
        )
        items: list[Object] = found["items"]
        return items

    def _pods(self) -> dict[str, _Pods]:
        found = self._apps.list_namespaced_replica_set(
            self._namespace, label_selector=HASH_LABEL, _request_timeout=TIMEOUT_SECONDS
        )
        return {
            one.metadata.labels[HASH_LABEL]: _Pods(
                _written(one.metadata.creation_timestamp),
                (one.spec.template.metadata.annotations or {}).get(DIGEST_ANNOTATION),
            )
            for one in found.items
        }

    def _analysis_runs(self) -> dict[str, list[Object]]:
        """By the hash of the pods that they measured, oldest first."""
        found = defaultdict(list)
        for run in sorted(
            self._listed("analysisruns", HASH_LABEL), key=lambda run: str(run["metadata"]["creationTimestamp"])
        ):
            found[run["metadata"]["labels"][HASH_LABEL]].append(run)
        return found

    def _rollout(
        self, found: Object, pods: Mapping[str, _Pods], analysis_runs: Mapping[str, Sequence[Object]]
    ) -> Rollout:
        metadata, status = found["metadata"], found.get("status", {})
        current = status.get("currentPodHash", "")
        newest = pods.get(current, _Pods())
        runs = analysis_runs.get(current, [])
        return Rollout(
            name=metadata["name"],
            namespace=self._namespace,
            model=metadata["labels"][MODEL_LABEL],
            environment=metadata["labels"][ENVIRONMENT_LABEL],
            phase=status.get("phase", "Progressing"),
            failed=given_up(status),
            message=status.get("message", ""),
            newest=newest.model_digest,
            stable=pods.get(status.get("stableRS", ""), _Pods()).model_digest,
            measurements=_measurements(runs) if given_up(status) else [],
            began_at=newest.began_at,
            looks=looks(runs, found.get("spec", {})),
            healthy_at=healthy_at(status),
        )


def given_up(status: Object) -> bool:
    """True where a Rollout with this status gave its newest pods up: aborted, or past its deadline."""
    stalled = any(one.get("reason") == STALLED for one in status.get("conditions", []))
    return bool(status.get("abort")) or (status.get("phase") == "Degraded" and stalled)


def healthy_at(status: Object) -> str | None:
    """Since when a Rollout with this status has been through with its newest pods, and all of them have been ready."""
    since = {one["type"]: one["lastTransitionTime"] for one in status.get("conditions", []) if one["status"] == "True"}
    if status.get("phase") != "Healthy" or "Completed" not in since:
        return None
    # The first version of all is complete before it has a pod.
    return str(max(since["Completed"], since.get("Healthy", "")))


def looks(runs: Sequence[Object], spec: Object) -> list[Analysis]:
    """The AnalysisRuns of a Rollout with this spec, each with the canary weight it ran at."""
    steps = spec.get("strategy", {}).get("canary", {}).get("steps", [])
    found = []
    for run in runs:
        status, index = run.get("status", {}), run["metadata"].get("labels", {}).get("step-index", "")
        before = [one["setWeight"] for one in steps[: int(index)] if "setWeight" in one] if index.isdecimal() else []
        found.append(
            Analysis(
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
    """The measurements in an AnalysisRun's results."""
    return [
        Measurement(
            metric=result["name"],
            phase=result.get("phase", ""),
            values=[str(one.get("value", one.get("phase", ""))) for one in result.get("measurements", [])],
            message=result.get("message", ""),
        )
        for result in results
    ]
