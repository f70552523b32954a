"""Measures of drift that packages bring: the example that lies outside of argosy, the limits it is held against, and broken ones."""

from pathlib import Path

import pytest

from argosy import errors, plugins
from argosy.cli import doctor
from argosy.domain import drift
from argosy.domain.bundle import Histogram, Moments
from argosy.domain.drift import About, Reference, Thresholds, Window
from argosy.ml import drift as measures
from argosy.ml import drift_measures
from argosy.ml.drift_measure import DriftMeasure
from argosy.report import drift_table
from argosy.testing.drift_measure_contract import CATEGORY, ELSEWHERE, DriftMeasureContract, times
from kit.installed_package import install, install_example

SCORES = Histogram(column="prediction", edges=[0.5], counts=[500, 500], missing=0)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, installed."""
    install_example("own-drift-measure", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("example")
class TestExampleDriftMeasure(DriftMeasureContract):
    """The example keeps the contract."""

    @pytest.fixture
    def measure(self) -> DriftMeasure:
        return drift_measures.named(["moved"])["moved"]


def looked(thresholds: Thresholds, now: Histogram) -> drift.DriftReport:
    """The report on a window in which one column is *now* and was ``CATEGORY``."""
    moments = Moments()
    window, before = (
        Window(rows=sum(each.counts), columns=[each], prediction=SCORES, scores=moments)
        for each in (now, times(CATEGORY, 20))
    )
    found = measures.differences(window, before, drift_measures.named(thresholds.own))
    about = About(model="toy", environment="production", model_digest="sha256:0")
    return drift.report(about, window, found, Reference(name="holdout", window=before), thresholds=thresholds)


@pytest.mark.usefixtures("example")
@pytest.mark.parametrize(
    ("own", "factor", "verdict"),
    [
        pytest.param({"moved": 0.06}, 40, "drift", id="beyond-its-limit"),
        pytest.param({"moved": 0.20}, 40, "no drift", id="below-its-limit"),
        pytest.param({"moved": 0.06}, 2, "no drift", id="no-more-than-chance"),
        pytest.param({}, 40, "no drift", id="nobody-asks-it"),
    ],
)
def test_its_limit_makes_drift_where_a_test_confirms_it(own: dict[str, float], factor: int, verdict: str) -> None:
    """Beside the distance of argosy's own, which says nothing here; what chance does is no drift by any measure."""
    now = times(CATEGORY.model_copy(update={"counts": [53, 47, 0]}), factor)
    found = looked(Thresholds(minimum_rows=100, distance=0.5, own=own), now)
    assert found.verdict == verdict
    assert ("plan differs (Jensen-Shannon 0.06, moved 0.06364 where 0.06 matters" in found.explanation) == (
        verdict == "drift"
    )
    assert drift.DriftReport.model_validate_json(found.canonical_json()) == found
    shown = drift_table.text(found)
    assert ("p (adjusted)    moved" in shown) == bool(own)


@pytest.mark.usefixtures("example")
def test_doctor_shows_it() -> None:
    """Like every part that a package brings."""
    said = {each.name: each.said for each in doctor.plugin_results()}
    assert said["plugin moved"] == "argosy.drift_measures, by own-drift-measure 0.1.0"


@pytest.mark.usefixtures("example")
def test_one_that_nobody_brings() -> None:
    """It is said which there are, before a look is taken for complete."""
    with pytest.raises(
        errors.Misconfigured, match=r"monitor\.thresholds\.own: no package .* 'move'; did you mean 'moved'\?"
    ):
        drift_measures.named(["move"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(
            "return float('nan')", "failed at prediction: it says nan; a distance is a number from 0 on", id="nan"
        ),
        pytest.param("return -0.1", "failed at prediction: it says -0.1", id="negative"),
        pytest.param("return 1 / 0", "broken 1 brings, failed at prediction: ZeroDivisionError", id="raises"),
        pytest.param("return 'far'", "failed at prediction: ValueError", id="no-number"),
    ],
)
def test_a_broken_one_is_no_absence_of_drift(
    body: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look fails with whose fault it is."""
    module = f"broken_{abs(hash(body))}"
    points = {plugins.DRIFT_MEASURES: {"part": f"{module}:part"}}
    project = {"name": "broken", "version": "1", "entry-points": points}
    install(tmp_path, project, module, f"def part(now, before):\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.Misconfigured, match=message):
        looked(Thresholds(own={"part": 0.1}), ELSEWHERE["plan"])
