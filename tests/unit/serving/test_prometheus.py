"""What a server shows Prometheus of itself: which model it serves, and what its process takes."""

import re
from pathlib import Path

import pytest

from argosy.domain import bundle
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import launch, prometheus
from kit import serving_kit

SERVED = ServedRelease("leaving", "production", 3, "sha256:" + "a" * 64)


def moments(*scores: float) -> bundle.Moments:
    """Of these scores."""
    whole = [round(score * bundle.SCALE) for score in scores]
    squares = sum(round(score * score * bundle.SCALE) for score in scores)
    return bundle.Moments(count=len(scores), total=sum(whole), squares=squares)


def value(text: str, name: str) -> float:
    """Of the one series of that name."""
    (found,) = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return float(found)


def shown(reference: bundle.Moments | None = None) -> str:
    """The metrics of a server that has answered nothing yet."""
    return prometheus.of(serving_kit.signature(), SERVED, None, reference=reference).text().decode()


def test_one_series_says_by_which_model_the_others_are() -> None:
    """Rules join it, wherever Prometheus has the target from."""
    labels = f'digest="{SERVED.digest}",environment="production",model="leaving",version="3"'
    assert f"argosy_model_info{{{labels}}} 1.0" in shown()


def test_what_the_process_takes() -> None:
    """CPU and memory of the server itself, which no series of a node tells apart."""
    text = shown()
    assert value(text, "process_cpu_seconds_total") > 0
    assert value(text, "process_resident_memory_bytes") > 1e6


def test_the_scores_of_the_holdout() -> None:
    """So that the mean of what is answered now has something to be held against, without anybody who writes it into a rule."""
    text = shown(moments(0.1, 0.2, 0.3))
    assert value(text, "argosy_prediction_reference_mean") == pytest.approx(0.2, abs=1e-5)
    assert value(text, "argosy_prediction_reference_deviation") == pytest.approx(0.1, abs=1e-5)


@pytest.mark.parametrize("reference", [None, bundle.Moments(), moments(0.5)], ids=["unknown", "of-nothing", "of-one"])
def test_no_scores_of_a_holdout(reference: bundle.Moments | None) -> None:
    """No series rather than a number that means nothing."""
    assert "argosy_prediction_reference" not in shown(reference)


def test_a_bundle_of_an_earlier_release(tmp_path: Path) -> None:
    """Its counts are of something else: it is served without them."""
    serving_kit.write_bundle(tmp_path / "bundle")
    assert launch.reference(tmp_path / "bundle") is not None
    (tmp_path / "bundle" / bundle.BINS).write_text('{"mean_prediction": 0.2}', encoding="utf-8")
    assert launch.reference(tmp_path / "bundle") is None
