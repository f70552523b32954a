"""A look carries what the answers were worth; labels that cannot be read hide no drift."""

import datetime
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.drift import About, DriftReport, Thresholds
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.looks import Look
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import LabelCounts, Performance
from argosy.monitoring import served, watching
from argosy.monitoring.watching import Judged
from argosy.steps.watch_drift import run

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
Measuring = Callable[[Any, str, datetime.datetime], Performance | None]


def performance(environment: str) -> Performance:
    """A report with one piece of bad input."""
    return Performance(
        model="toy", environment=environment, model_digest="sha256:1", task="binary", since=NOW, until=NOW, as_of=NOW,
        labels=LabelCounts(), verdict="below", explanation="auc is 0.6", problems=["source 'outcomes': 3 labels without a value"],
    )  # fmt: skip


@pytest.fixture
def store() -> MemoryObjects:
    """Where looks are kept."""
    return MemoryObjects()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: MemoryObjects) -> Callable[..., list[str]]:
    """The step in two environments that drifted; what it says."""

    def judge(watched: Any, **_: Any) -> Judged:
        about = About(model="toy", environment=watched.environment, model_digest="sha256:1")
        report = DriftReport(about=about, rows=900, rows_before=900, verdict="drift", explanation="size differs")
        look = Look(
            model="toy", environment=watched.environment, model_digest="sha256:1", since=NOW, until=NOW, looked=NOW,
            rows=900, verdict="drift", explanation="size differs", reference="holdout", thresholds=Thresholds(), report=report,
        )  # fmt: skip
        nobody_draws_it: Any = None
        return Judged(look, reference=nobody_draws_it, until=NOW)

    def ran(
        measuring: Measuring,
        page: str = "never",
        drawing: Any = None,
        without: str | Exception = "",
        until: str = "",
        say: Callable[[str], None] = lambda _line: None,
        comparing: Any = lambda *_: None,
    ) -> list[str]:
        nothing: Any = None

        def find(_model: str, name: str, _monitor: Monitor, **_: Any) -> Any:
            if isinstance(without, Exception) and name == "staging":
                raise without
            if name == without:
                raise errors.Misconfigured(f"the bundle of {name} is gone")
            return SimpleNamespace(version="a version", environment=name)

        monkeypatch.setattr(watching, "judge", judge)
        monkeypatch.setattr(run, "_serving", lambda *_: iter(("staging", "production")))
        monkeypatch.setattr(served, "find", find)
        return run.run(
            model="toy", monitor=Monitor(), environment="", until=until, page=page, now=NOW, forge=nothing, artifacts=nothing,
            history=nothing, objects=store, drawing=drawing, measuring=measuring, beside=lambda *_: None, comparing=comparing,
            out=tmp_path / "looks", say=say,
        )  # fmt: skip

    return ran


def test_a_look_carries_the_performance(looked: Callable[..., list[str]], store: MemoryObjects) -> None:
    """And the step's log says it in a line each, bad input too."""
    lines = looked(lambda _version, environment, _until: performance(environment))
    assert lines[:3] == [
        "staging: drift: size differs (900 rows)",
        "staging: performance: below: auc is 0.6",
        "staging: source 'outcomes': 3 labels without a value",
    ]
    kept = watching.latest(store, "toy", "production")
    assert kept is not None
    assert kept.performance == performance("production")


def test_a_model_without_labels_is_looked_at_all_the_same(
    looked: Callable[..., list[str]], store: MemoryObjects
) -> None:
    """Its look has none."""
    lines = looked(lambda *_: None)
    assert len(lines) == 2
    kept = watching.latest(store, "toy", "staging")
    assert kept is not None
    assert kept.performance is None


def skewed(watched: Any, since: datetime.datetime, until: datetime.datetime) -> FeatureSkew:
    """A comparison that found differences."""
    return FeatureSkew(
        model="toy", environment=watched.environment, model_digest="sha256:1", since=since, until=until, looked=NOW, most=0.01,
        tolerance=1e-6, logged=900, named=900, parts=[], verdict="skewed", explanation="of 900 answered rows size in 5.0%",
    )  # fmt: skip


def test_a_look_carries_what_features_came_to(looked: Callable[..., list[str]], store: MemoryObjects) -> None:
    """Of its own window, in a line; the verdict of the look stays that of drift."""
    lines = looked(lambda *_: None, comparing=skewed)
    assert "production: features: skewed: of 900 answered rows size in 5.0%" in lines
    kept = watching.latest(store, "toy", "production")
    assert kept is not None
    assert kept.skew is not None
    assert (kept.verdict, kept.skew.verdict, kept.skew.until) == ("drift", "skewed", kept.until)


def test_sources_that_cannot_be_read_hide_no_drift(looked: Callable[..., list[str]], store: MemoryObjects) -> None:
    """What stood in the way of comparing features is said at the end; both looks are there."""

    def away(*_: Any) -> FeatureSkew:
        raise errors.TryAgain("the bucket does not answer")

    with pytest.raises(errors.TryAgain, match="the bucket does not answer"):
        looked(lambda *_: None, comparing=away)
    kept = watching.latest(store, "toy", "production")
    assert kept is not None
    assert (kept.verdict, kept.skew) == ("drift", None)


def test_an_environment_that_cannot_be_looked_at_hides_no_other(
    looked: Callable[..., list[str]], store: MemoryObjects
) -> None:
    """What stood in the way of staging is said once production was looked at."""
    with pytest.raises(errors.Misconfigured, match="the bundle of staging is gone"):
        looked(lambda *_: None, without="staging")
    kept = watching.latest(store, "toy", "production")
    assert kept is not None
    assert kept.verdict == "drift"


@pytest.mark.parametrize("until", ["2026-03-01T13:00:01Z", "2027-03-01", "2999-12-31T23:59:59"])
def test_a_look_that_is_not_due_yet_is_refused(
    until: str, looked: Callable[..., list[str]], store: MemoryObjects
) -> None:
    """It would be the newest one until then, and everything after it an old one."""
    with pytest.raises(
        errors.Misconfigured,
        match=r"lies after the end of the look that is due next; at the latest it may be 2026-03-01T13:00:00Z",
    ):
        looked(lambda *_: None, until=until)
    assert list(store.keys()) == []
    assert looked(lambda *_: None, until="2026-03-01T13:00:00Z")


@pytest.mark.parametrize("until", ["noon", "9999-12-31T23:59:59", "0001-01-01T00:00:00+14:00", "0001-01-02"])
def test_what_is_no_time_of_a_look_is_refused(until: str, looked: Callable[..., list[str]]) -> None:
    """Nor is what has no window before it, or no time in UTC."""
    with pytest.raises(errors.Misconfigured, match="is no time, such as 2026-01-31T12:00Z"):
        looked(lambda *_: None, until=until)


def test_labels_that_cannot_be_read_hide_no_drift(looked: Callable[..., list[str]], store: MemoryObjects) -> None:
    """Every look is kept before the step ends with what is wrong with the labels."""

    def broken(*_: Any) -> Performance:
        raise errors.Rejected("column 'left' of outcomes.csv is missing in 3 rows")

    with pytest.raises(errors.Rejected, match="column 'left'"):
        looked(broken)
    for environment in ("staging", "production"):
        kept = watching.latest(store, "toy", environment)
        assert kept is not None
        assert (kept.verdict, kept.performance) == ("drift", None)


@pytest.mark.parametrize("error", [errors.Rejected("nothing to draw"), RuntimeError("a library's own")])
def test_a_page_that_cannot_be_drawn_hides_no_drift(
    looked: Callable[..., list[str]], store: MemoryObjects, error: Exception
) -> None:
    """The looks were kept before, and one that says what is wrong hides the other environment's neither."""

    def drawing() -> None:
        raise error

    with pytest.raises(errors.ArgosyError, match=str(error)):
        looked(lambda *_: None, page="drift", drawing=drawing)
    for environment in ("staging", "production"):
        kept = watching.latest(store, "toy", environment)
        assert kept is not None
        assert (kept.verdict, kept.evidently) == ("drift", None)


@pytest.mark.parametrize("part", ["the look", "its performance", "its page"])
def test_what_a_library_raises_ends_no_other_environments_turn(
    looked: Callable[..., list[str]], store: MemoryObjects, part: str
) -> None:
    """Wherever it is raised, the step ends with one line that says of what and where; what was seen is kept and said."""

    def raising(*_: Any) -> Any:
        raise ZeroDivisionError("float division by zero\nand more")

    ways: dict[str, dict[str, Any]] = {
        "the look": {"measuring": lambda *_: None, "without": ZeroDivisionError("float division by zero\nand more")},
        "its performance": {"measuring": raising},
        "its page": {"measuring": lambda *_: None, "page": "drift", "drawing": raising},
    }
    said: list[str] = []
    with pytest.raises(errors.ArgosyError) as raised:
        looked(**ways[part], say=said.append)
    assert raised.value.exit_code == errors.BUG
    line = str(raised.value)
    assert line.startswith(
        f"staging: {part} failed: ZeroDivisionError: float division by zero at test_looks_with_labels.py:"
    )
    assert "\n" not in line
    assert "production: drift: size differs (900 rows)" in said
    assert watching.latest(store, "toy", "production") is not None
    others = [each for each in said if "error:" in each]
    assert len(others) == (0 if part == "the look" else 1), "what stood in the way of the second is said too"
    assert all(each.startswith(f"production: error: production: {part} failed") for each in others)
