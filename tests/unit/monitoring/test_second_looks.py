"""What is tried beside a version is looked at by itself, and changes nothing of what is said of the version."""

import datetime
from dataclasses import replace
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import environment_layout
from argosy.domain.looks import Look, SecondRole
from argosy.domain.monitor_settings import Monitor
from argosy.domain.second_file import SecondFile
from argosy.monitoring import pages, served, watching
from argosy.monitoring.second_looks import SecondLooks
from argosy.ports.prediction_log import shadows_of
from argosy.report import drift_table
from kit.memory_history import BEGIN, MemoryHistory
from kit.watched_toy import DAY, HOUR, a_day, drawn, watched

THEIRS = f"sha256:{'b' * 64}"
SHADOWS = shadows_of("production")
UNTIL = BEGIN + DAY


def forge(role: SecondRole | None, *, named: str = "production") -> MemoryForge:
    """An environment repo that serves the toy, and tries another version as *role*, or names it in *named* alone."""
    live = watched(Monitor()).version
    files = {environment_layout.version_path("toy", "production"): live.yaml().encode()}
    theirs = live.model_copy(update={"version": 4, "model_digest": THEIRS, "storage_uri": "file:///store/other/"})
    if named != "production":
        files[environment_layout.version_path("toy", named)] = theirs.yaml().encode()
    if role:
        second = SecondFile(
            role=role, percent=20, version=4, model_digest=THEIRS, storage_uri="file:///store/other/", signature="s"
        )
        files[environment_layout.second_path("toy", "production")] = second.yaml().encode()
    return MemoryForge(files)


@pytest.fixture(autouse=True)
def _bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second version counts as the first does: bundles are not what is asked about here."""

    def of_version(version: Any, environment: str, monitor: Monitor, **_: Any) -> watching.Watched:
        return replace(watched(monitor), version=version, environment=environment, reference=None)

    monkeypatch.setattr(served, "of_version", of_version)


def tried(history: MemoryHistory, environment: str, *, seats: float) -> None:
    """Have the second version answer a day of *environment*."""
    for place in range(24):
        hour = BEGIN + place * HOUR
        history.ship(
            hour, drawn(500 + place, hour, 100, seats=seats), digest=THEIRS, version=4, environment=environment
        )


def look(history: MemoryHistory, repo: MemoryForge, since: datetime.datetime = BEGIN) -> Look:
    """The look at the toy's day, with what was tried beside."""
    subject, objects, nothing = watched(Monitor()), MemoryObjects(), None
    judged = watching.judge(subject, history=history, objects=objects, since=since, until=UNTIL, now=UNTIL)
    looks = SecondLooks(repo, nothing, history, objects, UNTIL)  # type: ignore[arg-type]
    return judged.look.model_copy(update={"second": looks.beside(subject, since, UNTIL)})


@pytest.mark.parametrize(("role", "environment"), [("shadow", SHADOWS), ("candidate", "production")])
def test_a_second_version_that_drifts_is_told_apart(role: SecondRole, environment: str) -> None:
    """The verdict, the findings and the distance of what is served are those of a day on which nothing was tried."""
    history = a_day(BEGIN)
    alone = look(history, forge(None))
    tried(history, environment, seats=18)
    found = look(history, forge(role))
    assert (alone.verdict, alone.second) == ("no drift", None)
    assert found.second is not None
    assert (found.second.role, found.second.version, found.second.rows) == (role, 4, 2400)
    assert (found.second.verdict, "seats" in found.second.explanation) == ("drift", True)
    assert (found.verdict, found.explanation, found.drifted, found.distance) == (
        alone.verdict, alone.explanation, alone.drifted, alone.distance,
    )  # fmt: skip
    said = drift_table.text(found.report, found.slices, found.second)
    assert f"beside it, {found.second.called()} (sha256:bbbb" in said
    assert f"version 4, {'a shadow' if role == 'shadow' else 'the candidate of a split'}: drift: " in said
    assert said.splitlines()[-1].startswith("no drift: ")
    assert Look.model_validate_json(found.canonical_json()) == found


def test_a_drift_of_what_is_served_is_not_hidden_by_a_shadow() -> None:
    """Nor the other way round."""
    history = a_day(BEGIN, seats=18)
    tried(history, SHADOWS, seats=10)
    found = look(history, forge("shadow"))
    assert (found.verdict, found.second and found.second.verdict) == ("drift", "no drift")


def test_a_shadow_of_a_server_by_hand_is_found_in_the_log() -> None:
    """No file names it: its version is looked up where any is named; one that nothing names is said."""
    history = a_day(BEGIN)
    tried(history, SHADOWS, seats=10)
    found = look(history, forge(None, named="staging"))
    assert found.second is not None
    assert (found.second.role, found.second.version) == ("shadow", 4)
    repo = forge(None)
    repo.push({environment_layout.policy_path("toy"): b"model: toy\n"})
    with pytest.raises(errors.UsageError, match="the shadow sha256:bbbbbbbbbbbb of the log of toy"):
        look(history, repo)


def test_the_page_says_it_beside() -> None:
    """Its verdict and its distances, below those of what is served."""
    history = a_day(BEGIN)
    tried(history, SHADOWS, seats=18)
    found = look(history, forge("shadow"))
    given: dict[str, Any] = {}

    class Drawing:
        def write(self, _path: Any, **words: Any) -> None:
            given.update(words)

    judged = watching.Judged(found, watched(Monitor()).holdout().window, UNTIL)
    pages.write(None, watched(Monitor()), judged, history=history, pages=Drawing())  # type: ignore[arg-type]
    first, second = given["beside"]
    assert first.startswith("beside it, version 4, a shadow: drift: ")
    assert second.startswith("its Jensen-Shannon distances: prediction 0.")
    assert not given["drift"]
