"""The verb ``doctor`` over a cluster that is not there."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.cli import main
from argosy.domain import diagnosis
from argosy.domain.diagnosis import Right

CONFINED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RESTRICTED = {diagnosis.PROFILE: "restricted"}


class Seen:
    """A cluster on which all is well, unless a test says otherwise."""

    def __init__(self) -> None:
        self.down = False
        self.denied: list[Right] = []
        self.endpoints: dict[str, str] | None = {}
        self.profiles: dict[str, Mapping[str, str]] | None = {}
        self.contexts: dict[str, Mapping[str, Any]] | None = {"argo": CONFINED, "default": CONFINED}
        self.secrets = {diagnosis.EXECUTOR_TOKEN: ["token"]} | {name: [key] for name, key in diagnosis.SECRETS.items()}

    def version(self) -> str:
        """See the port."""
        if self.down:
            raise errors.TryAgain("asking for the version: the cluster cannot be reached")
        return "v1.34.4"

    def ahead(self) -> float:
        """See the port."""
        return 0.0

    def definitions(self) -> Mapping[str, Sequence[str]]:
        """See the port."""
        return {name: [used] for one in diagnosis.CONTROLLERS for name, used in one.definitions.items()}

    def images(self) -> Sequence[str] | None:
        """See the port."""
        return None

    def may(self, right: Right, namespace: str) -> bool:
        """See the port."""
        return right not in self.denied

    def accounts(self, namespace: str) -> Sequence[str]:
        """See the port."""
        return diagnosis.ACCOUNTS

    def config_map(self, name: str, namespace: str) -> Mapping[str, str] | None:
        """See the port."""
        return self.endpoints

    def secret_keys(self, name: str, namespace: str) -> Sequence[str] | None:
        """See the port."""
        return self.secrets.get(name)

    def namespaces(self) -> Mapping[str, Mapping[str, str]] | None:
        """See the port."""
        return self.profiles

    def executors(self) -> Mapping[str, Mapping[str, Any]] | None:
        """See the port."""
        return self.contexts

    def initializers(self) -> Mapping[str, Mapping[str, Any]] | None:
        """See the port."""
        return self.contexts


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Seen:
    """The cluster; the stores and the forge are a new state folder's."""
    made = Seen()
    made.endpoints = {
        "ARGOSY_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "ARGOSY_STORE_URI": f"file://{tmp_path}/store",
        "ARGOSY_FORGE_URI": f"local:{tmp_path}/environment.git",
        "ARGOSY_DATA_ROOT": str(tmp_path),
    }
    monkeypatch.setattr(wiring, "inspection", lambda _context: made)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    return made


def test_all_is_well(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be seen is said, and fails nothing; addresses come from the cluster's ConfigMap."""
    assert main.run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "unknown kserve version" in said
    assert "/store takes and gives" in said
    assert said.endswith("nothing is wrong\n")


def test_each_wrong_thing_has_its_fix(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """All are found in one go, and the exit code says that somebody has to act."""
    seen.denied = [Right("create", "argoproj.io", "workflows")]
    seen.secrets["argosy-signing"] = []
    assert main.run(["doctor", "--json"]) == 78
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    wrong = {one["said"]: one["fix"] for one in found if one["state"] == "wrong"}
    assert set(wrong) == {
        "in argosy you may not create workflows.argoproj.io",
        "argosy-signing holds nothing under ARGOSY_SIGNING_KEY",
    }
    assert all(wrong.values())


def test_a_cluster_that_does_not_answer(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once, not once a question; the stores are looked at all the same."""
    seen.down = True
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert said.count("cannot be reached") == 1
    assert "1 thing is wrong" in said


def test_no_cluster_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which file was looked at, and how to look at the rest."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert str(tmp_path / "none") in said
    assert "--no-cluster" in said
    assert main.run(["doctor", "--no-cluster"]) == 0


def test_a_store_that_refuses(seen: Seen, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The store is tried, not believed."""
    (tmp_path / "store").write_text("a file\n", encoding="utf-8")
    assert main.run(["doctor"]) != 0
    assert "model store" in capsys.readouterr().out.partition("WRONG")[2]


@pytest.mark.parametrize(
    ("contexts", "state"),
    [
        pytest.param({"a": CONFINED}, "ok", id="confined"),
        pytest.param({"a": {}}, "wrong", id="nothing-said"),
        pytest.param({"a": {**CONFINED, "allowPrivilegeEscalation": True}}, "wrong", id="may-become-more"),
        pytest.param({"a": {**CONFINED, "capabilities": {"drop": ["NET_RAW"]}}}, "wrong", id="keeps-capabilities"),
        pytest.param({"a": {**CONFINED, "capabilities": None}}, "wrong", id="no-capabilities-named"),
        pytest.param({"a": {**CONFINED, "runAsNonRoot": False}}, "wrong", id="may-be-root"),
        pytest.param({}, "unknown", id="none-found"),
        pytest.param(None, "unknown", id="may-not-be-seen"),
    ],
)
def test_pods_that_a_namespace_would_refuse(
    seen: Seen, contexts: dict[str, Any] | None, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the first run is refused, and the first model: Argo's own containers, and what fetches models for KServe."""
    seen.profiles = {"argosy": RESTRICTED, "argosy-staging": {**RESTRICTED, diagnosis.ENVIRONMENT: "staging"}}
    seen.contexts = contexts
    assert main.run(["doctor", "--json"]) == (78 if state == "wrong" else 0)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    looked_at = [one for one in found if one["name"] == diagnosis.POD_SECURITY]
    assert [one["state"] for one in looked_at] == [state, state]
    assert "argosy enforces restricted" in looked_at[0]["said"]
    assert "argosy-staging enforces restricted" in looked_at[1]["said"]
    if state == "wrong":
        assert "workflow-controller-configmap: executor: {securityContext: {allowPriv" in looked_at[0]["fix"]
        assert "spec.container.securityContext: {allowPriv" in looked_at[1]["fix"]
        assert "storage.container of the chart inference" in looked_at[1]["fix"]


@pytest.mark.parametrize(
    ("profiles", "state"),
    [
        pytest.param({"other": RESTRICTED, "argosy": {diagnosis.PROFILE: "baseline"}}, "ok", id="another-namespace"),
        pytest.param(None, "unknown", id="may-not-be-listed"),
    ],
)
def test_where_nothing_would_be_refused(
    seen: Seen, profiles: dict[str, Mapping[str, str]] | None, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A controller that gives nothing is not wrong where nothing is asked of it."""
    seen.profiles, seen.contexts = profiles, {"argo": {}}
    assert main.run(["doctor", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["state"] for one in found if one["name"] == diagnosis.POD_SECURITY} == {state}


def test_one_of_several_initializers_is_enough(seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """The chart names the one that it uses."""
    seen.profiles = {"argosy-staging": {**RESTRICTED, diagnosis.ENVIRONMENT: "staging"}}
    seen.contexts = {"default": {}, "confined": CONFINED}
    assert main.run(["doctor"]) == 0
    assert "the ClusterStorageContainer confined fits" in capsys.readouterr().out


def test_a_shared_online_store_is_asked(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one is named: whether it answers; its password is not shown."""
    monkeypatch.setenv("ARGOSY_ONLINE_STORE_URI", "redis://:hunter2@127.0.0.1:1/0")
    assert main.run(["doctor"]) == 78
    said = capsys.readouterr().out
    assert "WRONG   online store" in said
    assert "fix: see whether it runs and can be reached from here" in said
    assert "hunter2" not in said
