"""What helm says, in words for people."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters import helm_charts
from kit import quick_yaml

CHARTS = Path(__file__).parents[3] / "charts"

SCHEMA = (
    "WARNING: Kubernetes configuration file is group-readable.\n"
    "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nplatform:\n"
    "- at '': additional properties 'endpoint' not allowed\n"
)


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        pytest.param(
            SCHEMA,
            "the values do not fit the chart: platform: - at '': additional properties 'endpoint' not allowed",
            id="schema",
        ),
        pytest.param("Error: UPGRADE FAILED: timed out\n", "UPGRADE FAILED: timed out", id="other"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_helm_says(stderr: str, said: str) -> None:
    """Without its warnings and the words that every failure begins with."""
    assert helm_charts.explained(stderr) == said


@pytest.fixture
def helm(tmp_path: Path) -> Path:
    """A program in place of helm; what it does is to be written."""
    path = tmp_path / "helm"
    path.touch(mode=0o755)
    return path


@pytest.mark.parametrize(
    ("does", "told"),
    [
        pytest.param(
            "printf v4.1", "says '4.1', which is no version of three numbers.*`go install` made.*3 or 4", id="built"
        ),
        pytest.param("printf v3.19+unreleased", "says '3.19.unreleased'", id="built-from-its-sources"),
        pytest.param("echo broken >&2; exit 3", "cannot be run: broken", id="fails"),
    ],
)
def test_a_helm_that_cannot_be_used(helm: Path, does: str, told: str) -> None:
    """What is so, and which would do: not that Helm is missing."""
    helm.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=told) as refusal:
        helm_charts.HelmCharts(executable=str(helm))
    assert "is not on PATH" not in str(refusal.value)


@pytest.mark.parametrize("version", ["v3.19.0", "v4.1.1", "v4.1.0+g4553a0a"])
def test_a_helm_that_can(helm: Path, version: str) -> None:
    """Whatever was released."""
    helm.write_text(f"#!/bin/sh\nprintf {version}\n", encoding="utf-8")
    helm_charts.HelmCharts(executable=str(helm))


RENDERS = """case $1 in
version) printf v3.19.0;;
show) printf 'apiVersion: v2\nname: inference\nversion: 0.1.0\n';;
template) printf 'said: "%s"\n' "$*";;
esac"""


def test_what_is_rendered_is_for_no_version_of_helms_own(helm: Path) -> None:
    """Each Helm has another in mind, 1.20 where it was built by hand, and refuses charts that take no cluster so old."""
    helm.write_text(f"#!/bin/sh\n{RENDERS}\n", encoding="utf-8")
    chart = quick_yaml.load((CHARTS / "inference" / "Chart.yaml").read_bytes())
    (found,) = helm_charts.HelmCharts(executable=str(helm)).rendered(CHARTS / "inference", "churn", "churn", {})
    assert f"--kube-version {helm_charts.KUBERNETES}" in found["said"]
    assert chart["kubeVersion"] == f">={helm_charts.KUBERNETES}-0"


def test_no_helm(tmp_path: Path) -> None:
    """Says so, and where to have one."""
    with pytest.raises(errors.Misconfigured, match="is not on PATH; install Helm"):
        helm_charts.HelmCharts(executable=str(tmp_path / "none"))
