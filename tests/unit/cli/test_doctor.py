"""The verb ``doctor`` over a cluster that is not there."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.cli import main
from argosy.domain import diagnosis
from argosy.domain.diagnosis import Right


class Seen:
    """A cluster on which all is well, unless a test says otherwise."""

    def __init__(self) -> None:
        self.down = False
        self.denied: list[Right] = []
        self.endpoints: dict[str, str] | None = {}
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
