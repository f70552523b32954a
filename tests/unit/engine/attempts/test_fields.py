"""What a step may be told of its own pod."""

import pytest

from argosy.engine.attempts import environment, fields
from argosy.engine.attempts.environment import EnvironmentFailure
from argosy.engine.manifest.pod_model import FieldRef, Metadata

POD = fields.of_pod(
    Metadata({"labels": {"team": "churn"}, "annotations": {"why": 'a "test"'}}),
    pod="wf-step-1",
    namespace="argo",
    workflow="wf",
    account="runner",
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("metadata.name", "wf-step-1", id="name"),
        pytest.param("metadata.labels['team']", "churn", id="label"),
        pytest.param("metadata.labels['none']", "", id="label-that-it-has-not"),
        pytest.param("metadata.annotations", 'why="a \\"test\\""', id="annotations"),
        pytest.param("spec.serviceAccountName", "runner", id="account"),
        pytest.param("status.podIP", "127.0.0.1", id="address"),
    ],
)
def test_field(field: str, value: str) -> None:
    """As the kubelet answers; a label that is not there is empty."""
    assert environment.field_of(FieldRef({"fieldPath": field}), POD) == value


def test_uid() -> None:
    """It is the pod's own, and the same each time it is asked."""
    other = fields.of_pod(Metadata({}), pod="wf-step-2", namespace="argo", workflow="wf", account="runner")
    assert len(POD["metadata.uid"]) == 36
    assert POD["metadata.uid"] != other["metadata.uid"]


def test_no_field() -> None:
    """What no pod has is named."""
    with pytest.raises(EnvironmentFailure, match=r"'spec\.nope' of a pod has no meaning"):
        environment.field_of(FieldRef({"fieldPath": "spec.nope"}), POD)
