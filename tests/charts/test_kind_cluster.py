"""What kind-cluster/ makes is what pipelines name, and its namespace does not refuse their pods."""

import stat
from pathlib import Path
from typing import Any

import yaml

from argosy.domain import diagnosis, prerequisites
from kit import platform_chart

FOLDER = platform_chart.ROOT / "kind-cluster"


def read(name: str) -> Any:
    """A file of the folder."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def test_its_namespace_takes_the_pods_of_runs() -> None:
    """It enforces the profile, and Argo's own containers are given what the profile asks for."""
    labels = {read("namespace.yaml")["metadata"]["name"]: read("namespace.yaml")["metadata"]["labels"]}
    restricted, _ = diagnosis.restricted(labels, pipelines="argosy")
    context = yaml.safe_load(read("controller.yaml")["data"]["executor"])["securityContext"]
    assert restricted == ["argosy"]
    assert diagnosis.executor(restricted, {"argo": context}).state is diagnosis.CheckState.OK


def test_its_values_make_every_account() -> None:
    """Through the chart, so that no list of accounts stands twice."""
    objects = platform_chart.render(read("platform.yaml"))
    made = {one["metadata"]["name"] for one in objects if one["kind"] == "ServiceAccount"}
    assert made >= prerequisites.USUAL_ACCOUNTS
    assert not [one for one in objects if one["kind"] == "CronJob"]


def test_every_file_is_used() -> None:
    """By the script, which can be started."""
    script = Path(FOLDER / "up.sh")
    text = script.read_text(encoding="utf-8")
    assert script.stat().st_mode & stat.S_IXUSR
    assert [file.name for file in FOLDER.glob("*.yaml") if file.name not in text] == []
