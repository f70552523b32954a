"""The canaries of a cluster, as Argo Rollouts keeps them.

Which model failed is read from the pods' own template (of the ReplicaSet that the Rollout calls current), never from the Rollout's labels:
those already are of the next version when a merge comes in the middle of an abort.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kubernetes import client

from argosy.adapters.cluster.client import TIMEOUT_SECONDS, connect, reported
from argosy.domain.rollouts import Measurement, Rollout

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
        return Rollout(
            name=metadata["name"],
            namespace=self._namespace,
            model=metadata["labels"][MODEL_LABEL],
            environment=metadata["labels"][ENVIRONMENT_LABEL],
            phase=status.get("phase", "Progressing"),
            failed=given_up(status),
            message=status.get("message", ""),
            newest=self._model_of(newest),
            stable=self._model_of(status.get("stableRS", "")),
            measurements=self._measurements(newest) if given_up(status) else [],
        )

    def _model_of(self, pods: str) -> str | None:
        """The model digest that the pods with the hash *pods* are annotated with."""
        if not pods:
            return None
        found = self._apps.list_namespaced_replica_set(
            self._namespace, label_selector=f"{HASH_LABEL}={pods}", _request_timeout=TIMEOUT_SECONDS
        )
        annotations = [(one.spec.template.metadata.annotations or {}).get(DIGEST_ANNOTATION) for one in found.items]
        return next(iter(annotations), None)

    def _measurements(self, pods: str) -> list[Measurement]:
        found = self._listed("analysisruns", f"{HASH_LABEL}={pods}")
        runs = sorted(found, key=lambda run: str(run["metadata"]["creationTimestamp"]))
        return [one for run in runs for one in measured(run.get("status", {}).get("metricResults", []))]


def given_up(status: Object) -> bool:
    """Whether the newest pods of a Rollout with this status were given up."""
    stalled = any(one.get("reason") == STALLED for one in status.get("conditions", []))
    return bool(status.get("abort")) or (status.get("phase") == "Degraded" and stalled)


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
