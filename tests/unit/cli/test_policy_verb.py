"""`argosy policy test` and what `argosy env check` says of a change of gates, on a local forge with a toy that was promoted."""

import datetime
import json
import subprocess
from pathlib import Path

import pytest

from argosy import wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.domain import gates
from argosy.domain.evidence import GateResult
from argosy.files import model_folder
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import POLICY, Toy, make_toy

MEASURED = {
    "performance.auc": 0.83,
    "robustness.noise_drop": 0.0,
    "calibration.ece": 0.0,
    "explainability.top_share": 0.5,
    "latency.p95_ms": 1.0,
}
STRICTER = POLICY.replace(b"at_least: 0.6", b"at_least: 0.9")


def _gates() -> list[GateResult]:
    return gates.judge(model_folder.policy_of(POLICY, "toy"), MEASURED, datetime.datetime.now(datetime.UTC).date())


@pytest.fixture(autouse=True)
def judged(toy: Toy, here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Version 1 is served in both environments, version 2 waits for staging."""
    registry = MemoryRegistry(datetime.datetime.now(datetime.UTC))
    monkeypatch.setattr(wiring, "registry", lambda _settings: registry)
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    offer(toy, here, registry, metrics=MEASURED, gates=_gates())
    assert main.run(["pr", "merge", "1", "--as", "ada"]) == main.run(["pr", "merge", "2", "--as", "ada"]) == 0
    better = make_toy(tmp_path / "better", "better")
    offer(better, here, registry, metrics=MEASURED | {"performance.auc": 0.95}, gates=_gates())


def test_which_would_be_decided_otherwise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each once, whatever serves or proposes it; with the gate that turns it."""
    capsys.readouterr()
    path = tmp_path / "stricter.yaml"
    path.write_bytes(STRICTER)
    assert main.run(["policy", "test", "toy", "--policy", str(path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{path}: 1 of 2 that were judged would be decided otherwise"
    assert said[1].startswith("  version 1 (")
    assert "staging, production): promote -> reject: 1 of 5 gates failed" in said[1]
    assert said[2] == "    performance.auc: holds -> fails: performance.auc is 0.83 and must be >= 0.9"
    assert said[3].startswith("  version 2 (")
    assert said[3].endswith(", #3): promote")
    assert len(said) == 4


def test_for_a_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same as JSON, and an exit code where somebody asks for one."""
    capsys.readouterr()
    path = tmp_path / "stricter.yaml"
    path.write_bytes(STRICTER)
    assert main.run(["policy", "test", "toy", "--policy", str(path), "--json", "--strict"]) == 10
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["was"], first["wouldBe"], first["flips"], first["changes"][0]["gate"]) == (
        "promote",
        "reject",
        True,
        "performance.auc",
    )
    assert (second["wouldBe"], second["places"], second["flips"]) == ("promote", ["#3"], False)


def test_the_policy_of_the_project(here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file it is the one that the next `adopt-policy` would bring."""
    capsys.readouterr()
    assert main.run(["policy", "test", "toy", "--strict"]) == 0
    assert capsys.readouterr().out.startswith("gitops-env/policies/toy.yaml: none of 2 that were judged")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nobody"], 2, "there is no gitops-env/policies/nobody.yaml; --policy names another file. models: toy"),
        (
            ["toy", "--policy", "none.yaml"],
            2,
            "none.yaml is no file; --policy takes a policy as in gitops-env/policies",
        ),
        (["toy", "--policy", "other.yaml"], 2, "other.yaml is the policy of 'other', not of 'toy'"),
        (["toy", "--policy", "broken.yaml"], 78, "broken.yaml:1: "),
    ],
)
def test_what_cannot_be_tried(
    arguments: list[str], code: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names the file or the word."""
    capsys.readouterr()
    (tmp_path / "other.yaml").write_bytes(POLICY.replace(b"model: toy", b"model: other"))
    (tmp_path / "broken.yaml").write_bytes(b"modle: toy\n")
    assert main.run(["policy", "test", *arguments]) == code
    assert says in capsys.readouterr().err


def test_a_request_that_changes_gates(here: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check of the environment repo says what the change would have done, and judges nothing by it."""
    checkout = tmp_path / "checkout"

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *arguments], check=True, capture_output=True
        )

    git("clone", here.forge_uri.removeprefix(wiring.LOCAL), str(checkout))
    (checkout / "policies" / "toy.yaml").write_bytes(STRICTER)
    git("-C", str(checkout), "checkout", "-b", "stricter")
    git("-C", str(checkout), "commit", "-am", "stricter")
    capsys.readouterr()
    main.run(["env", "check", str(checkout), "--base", "origin/main"])
    said = capsys.readouterr().out
    assert "policies/toy.yaml: 1 of 1 that were judged would be decided otherwise" in said
    assert "performance.auc: holds -> fails" in said
