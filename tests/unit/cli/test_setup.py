"""The verb ``setup``, and what it and ``run`` say about policies."""

from pathlib import Path

import pytest

from argosy.cli import main, setup
from argosy.settings import Settings


def test_a_policy_that_does_not_count_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, with what to do; silent as long as nothing differs, and about other models than the one that runs."""
    policies = tmp_path / "gitops-env" / "policies"
    policies.mkdir(parents=True)
    (policies / "toy.yaml").write_text("model: toy\n", encoding="utf-8")
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("ARGOSY_TRACKING_URI", "https://registry.example.com")
    assert main.run(["setup"]) == 0
    assert capsys.readouterr().err == ""
    (policies / "toy.yaml").write_text("model: toy  # stricter\n", encoding="utf-8")
    assert main.run(["setup"]) == 0
    said = capsys.readouterr().err
    here = Settings.from_environment()
    assert said.startswith("note: policies/toy.yaml of gitops-env/ here is not what counts")
    assert f"`git clone {here.forge_uri.removeprefix('local:')}`" in said
    assert said.count("\n") == 1
    setup.say_other_policies(here, "other")
    assert capsys.readouterr().err == ""
    setup.say_other_policies(here, "toy")
    assert capsys.readouterr().err == said
