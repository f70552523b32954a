"""The verb ``setup``, and the policies that it, ``run`` and ``env adopt-policy`` find, refuse and bring to the environment repo."""

import re
import shlex
from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.cli import main, policies
from argosy.settings import Settings
from kit import toy

POLICY = toy.POLICY.decode()


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The policy of toy in the folder ``gitops-env`` of a project, whose environment repo is not there yet."""
    file = tmp_path / "gitops-env" / "policies" / "toy.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(POLICY, encoding="utf-8")
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(tmp_path))
    monkeypatch.setenv("ARGOSY_TRACKING_URI", "https://registry.example.com")
    return file


def test_a_policy_that_does_not_count_is_said(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with the command that makes it count; silent where nothing differs, and about other models."""
    assert main.run(["setup"]) == 0
    assert capsys.readouterr().err == ""
    policy.write_text(POLICY.replace("0.6", "0.7"), encoding="utf-8")
    assert main.run(["setup"]) == 0
    said = capsys.readouterr().err
    here = Settings.from_environment()
    assert said.startswith("note: policies/toy.yaml of gitops-env/ here is not what counts")
    assert here.forge_uri.removeprefix("local:") in said
    assert said.count("\n") == 1
    policies.say_others(here, "other")
    assert capsys.readouterr().err == ""
    (proposed,) = re.findall(r"`argosy (env adopt-policy [^`]+)`", said)
    assert main.run([*shlex.split(proposed), "--as", "Ada"]) == 0
    assert "counts from now on" in capsys.readouterr().out
    forge = wiring.forge(here)
    assert forge.read("policies/toy.yaml", forge.head()) == policy.read_bytes()
    policies.say_others(here, "toy")
    assert capsys.readouterr().err == ""


def test_a_policy_with_a_typo_is_not_copied(policy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither when the environment repo is made nor later; the file at hand is named, and mending it is all that is to do."""
    policy.write_text(POLICY.replace("at_least", "at_leas"), encoding="utf-8")
    assert main.run(["setup"]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert "gitops-env/policies/toy.yaml:5: unknown setting" in said
    assert "did you mean 'at_least'?" in said
    policy.write_text(POLICY, encoding="utf-8")
    assert main.run(["setup"]) == 0
    other = policy.with_name("other.yaml")
    other.write_text(POLICY.replace("at_least", "at_leas"), encoding="utf-8")
    assert main.run(["setup"]) == errors.Misconfigured.exit_code
    assert "gitops-env/policies/other.yaml:5: " in capsys.readouterr().err


def test_a_run_that_nothing_could_judge_does_not_begin(policy: Path) -> None:
    """Without a policy, or with one on main that cannot be read: said before any work, with where it is and what to do."""
    here = Settings.from_environment()
    policies.refuse_unjudged(here, "toy")
    with pytest.raises(errors.Misconfigured, match=r"no policy for other.*write gitops-env/policies/other\.yaml"):
        policies.refuse_unjudged(here, "other")
    repository = wiring.forge(here)._repository  # type: ignore[attr-defined]
    main_before = repository.resolve(policies.MAIN)
    broken = repository.commit(
        main_before, {"policies/toy.yaml": b"model: toy\nowner: x\n"}, "Break it\n", policies.Person("Ada")
    )
    repository.move(policies.MAIN, broken, main_before)
    with pytest.raises(errors.Misconfigured) as raised:
        policies.refuse_unjudged(here, "toy")
    assert "policies/toy.yaml on main of the environment repo:2: unknown setting 'owner'" in str(raised.value)
    assert "`argosy env adopt-policy toy`" in str(raised.value)
    assert "counts from now on" in policies.adopt(here, "toy", "Ada")
    policies.refuse_unjudged(here, "toy")


def test_a_policy_that_cannot_be_adopted(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with it, or with where it should go, is said; main stays as it is."""
    here = Settings.from_environment()
    assert policies.adopt(here, "toy", "Ada") == "policies/toy.yaml counts already as it is here"
    with pytest.raises(errors.UsageError, match=r"there is no gitops-env/policies/other\.yaml"):
        policies.adopt(here, "other", "Ada")
    policy.write_text(POLICY.replace("model: toy", "model: top"), encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match="is about 'top'"):
        policies.adopt(here, "toy", "Ada")
    monkeypatch.setenv("ARGOSY_FORGE_URI", "github:owner/name")
    with pytest.raises(errors.UsageError, match="in a request that its owners approve"):
        policies.adopt(Settings.from_environment(), "toy", "Ada")
