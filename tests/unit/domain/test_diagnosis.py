"""What is wrong with a cluster, from what was seen of it."""

import pytest

from argosy.domain import diagnosis
from argosy.domain.diagnosis import CONTROLLERS, CheckState, Right

WORKFLOWS = CONTROLLERS[0]
THERE = {name: [used] for name, used in WORKFLOWS.definitions.items()}


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        pytest.param("v1.34.4", CheckState.OK, id="new"),
        pytest.param("v1.31.0-gke.100", CheckState.OK, id="on-the-floor"),
        pytest.param("v1.30.9+k3s1", CheckState.WRONG, id="old"),
        pytest.param("main", CheckState.UNKNOWN, id="no-number"),
    ],
)
def test_kubernetes(seen: str, state: CheckState) -> None:
    """Old is wrong; what says no number is not held against it."""
    assert diagnosis.kubernetes(seen).state is state


@pytest.mark.parametrize(
    ("image", "state"),
    [
        pytest.param("quay.io/argoproj/workflow-controller:v4.1.2", CheckState.OK, id="newer"),
        pytest.param("quay.io/argoproj/workflow-controller:v4.0.5", CheckState.OK, id="floor-of-four"),
        pytest.param("quay.io/argoproj/workflow-controller:v4.0.4", CheckState.WRONG, id="below-it"),
        pytest.param("quay.io/argoproj/workflow-controller:v3.7.14", CheckState.OK, id="floor-of-three"),
        pytest.param("quay.io/argoproj/workflow-controller:v3.7.13", CheckState.WRONG, id="below-that"),
        pytest.param("quay.io/argoproj/workflow-controller:v2.12.0", CheckState.WRONG, id="a-line-without-floor"),
        pytest.param("quay.io/argoproj/workflow-controller:v5.0.0", CheckState.OK, id="a-line-to-come"),
        pytest.param("mirror.local:5000/workflow-controller:v4.0.4", CheckState.WRONG, id="from-a-mirror-with-a-port"),
        pytest.param("mirror.local:5000/workflow-controller@sha256:00", CheckState.UNKNOWN, id="by-digest"),
        pytest.param("workflow-controller:v4.1.2@sha256:00", CheckState.OK, id="tag-and-digest"),
        pytest.param("quay.io/argoproj/workflow-controller:latest", CheckState.UNKNOWN, id="latest"),
        pytest.param("quay.io/argoproj/argocli:v3.0.0", CheckState.UNKNOWN, id="another-image"),
    ],
)
def test_versions_have_floors(image: str, state: CheckState) -> None:
    """Each line its own: what is mended in 4.0.5 is mended in 3.7.14 too."""
    _, found = diagnosis.controller(WORKFLOWS, THERE, [image])
    assert found.state is state
    assert bool(found.fix) is (state is CheckState.WRONG)


def test_a_controller_that_is_not_there() -> None:
    """Named by the types that are missing, a version that is not served among them; with where to get it."""
    partly = {**THERE, "workflows.argoproj.io": ["v1beta1"]}
    (found,) = diagnosis.controller(WORKFLOWS, partly, None)
    assert found.said == "no resource type workflows.argoproj.io v1alpha1"
    assert found.fix.startswith("install argo-workflows: https://")


def test_rights() -> None:
    """What is lacking is said as `kubectl auth can-i` has it."""
    lacking = diagnosis.rights([Right("create", "argoproj.io", "workflows"), Right("get", "", "pods", "log")], "ml")
    assert lacking.said == "in ml you may not create workflows.argoproj.io, get pods/log"
    assert "argosy-submitter" in lacking.fix
    assert diagnosis.rights([], "ml").state is CheckState.OK


GIVEN = {"ARGOSY_TRACKING_URI": "http://mlflow", "ARGOSY_STORE_URI": "s3://b/p", "ARGOSY_FORGE_URI": "github:o/n"}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        pytest.param(GIVEN, [], id="servers"),
        pytest.param(None, ["no such ConfigMap"], id="missing"),
        pytest.param({**GIVEN, "ARGOSY_STORE_URI": ""}, ["ARGOSY_STORE_URI is not set"], id="not-set"),
        pytest.param(
            {**GIVEN, "ARGOSY_TRACKING_URI": "sqlite:///x", "ARGOSY_FORGE_URI": "local:/x"},
            ["ARGOSY_TRACKING_URI is sqlite", "ARGOSY_FORGE_URI is local"],
            id="files-of-a-pod",
        ),
        pytest.param(
            {**GIVEN, "ARGOSY_FORGE_URI": "local:/data/x", "ARGOSY_DATA_ROOT": "/data"}, [], id="files-of-a-volume"
        ),
    ],
)
def test_endpoints(content: dict[str, str] | None, wrong: list[str]) -> None:
    """What a pod is told must be reachable from a pod."""
    found = diagnosis.endpoints(content)
    said = [one.said for one in found if one.state is CheckState.WRONG]
    assert len(said) == len(wrong)
    assert all(why in text for why, text in zip(wrong, said, strict=True))


@pytest.mark.parametrize(
    ("ahead", "state"),
    [
        pytest.param(0.4, CheckState.OK, id="agreed"),
        pytest.param(-60.0, CheckState.OK, id="on-the-limit"),
        pytest.param(61.0, CheckState.WRONG, id="ahead"),
        pytest.param(-61.0, CheckState.WRONG, id="behind"),
    ],
)
def test_clocks(ahead: float, state: CheckState) -> None:
    """Tokens and signed requests bear a minute."""
    assert diagnosis.clock(ahead).state is state
