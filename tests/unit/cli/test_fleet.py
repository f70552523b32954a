"""`argosy fleet`: one line for each model of the project."""

import json
from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.cli import main
from argosy.domain import looks
from argosy.testing.forge_contract import TEMPLATE, digest, proposal
from kit import fleet as fleets
from kit import looked


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryForge:
    """Twelve models, one of which staging serves, and for one of which a request is open."""
    folders = fleets.write(tmp_path / "project", root, 12)
    served, asked = folders[0].name, folders[1].name
    forge = MemoryForge({**TEMPLATE, **proposal("a", model=served).files})
    forge.propose(proposal("b", model=asked))
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(wiring, "forge", lambda _settings: forge)
    objects = MemoryObjects()
    seen = looked.look("no drift")
    report = seen.report.model_copy(update={"about": seen.report.about.model_copy(update={"model": served})})
    of_served = seen.model_copy(
        update={"model": served, "environment": "staging", "model_digest": digest("a"), "report": report}
    )
    objects.put(looks.latest_key(served, "staging"), of_served.canonical_json().encode())
    monkeypatch.setattr(wiring, "objects", lambda _settings, _uri: objects)
    return forge


def test_each_model_is_a_line(project: MemoryForge, capsys: pytest.CaptureFixture[str]) -> None:
    """With its owner, what each environment serves, and what is asked."""
    assert main.run(["fleet"]) == errors.DONE
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.split() == ["model", "owner", "staging", "production", "requests"]
    assert len(lines) == 12
    assert lines[0].split() == ["fleet_00", "retention", "1", "(no", "drift)", "-", "-"]
    assert lines[1].split() == ["fleet_01", "growth", "-", "-", "#1", "staging"]


def test_a_look_of_another_version(
    project: MemoryForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says nothing, and hides no model: the next look replaces it."""
    objects = MemoryObjects()
    objects.put(looks.latest_key("fleet_00", "staging"), b'{"schema": "of before"}')
    monkeypatch.setattr(wiring, "objects", lambda _settings, _uri: objects)
    assert main.run(["fleet"]) == errors.DONE
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == 12
    assert lines[0].split() == ["fleet_00", "retention", "1", "-", "-"]


def test_of_one_owner(project: MemoryForge, capsys: pytest.CaptureFixture[str]) -> None:
    """Theirs and no others; an owner without models is said."""
    assert main.run(["fleet", "--json", "--owner", "growth"]) == errors.DONE
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["model"] for row in rows] == ["fleet_01", "fleet_06", "fleet_11"]
    assert main.run(["fleet", "--owner", "grwoth"]) == errors.UsageError.exit_code
    assert (
        "no model has the owner 'grwoth'; did you mean 'growth'? owners: claims, growth, operations"
        in capsys.readouterr().err
    )


def test_where_there_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what writes one."""
    monkeypatch.chdir(tmp_path)
    assert main.run(["fleet"]) == errors.UsageError.exit_code
