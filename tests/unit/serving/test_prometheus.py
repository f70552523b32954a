"""What a server shows Prometheus of itself: which model it serves, and what its process takes."""

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
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


def shown(reference: bundle.Moments | None = None, predecessor: bundle.Predecessor | None = None) -> str:
    """The metrics of a server that has answered nothing yet."""
    found = prometheus.of(serving_kit.signature(), SERVED, None, reference=reference, predecessor=predecessor)
    return found.text().decode()


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


def test_how_far_from_the_model_before_it_is_meant_to_be() -> None:
    """By that one's digest: a canary that replaces another is held against nothing."""
    before = bundle.Predecessor(model_digest="sha256:" + "b" * 64, score_distance=0.25)
    assert f'argosy_prediction_expected_distance{{digest="{before.model_digest}"}} 0.25' in shown(predecessor=before)
    assert "argosy_prediction_expected_distance" not in shown()


def test_the_release_says_what_it_was_compared_with(tmp_path: Path) -> None:
    """A bundle that was never released says nothing."""
    assert launch.predecessor(tmp_path) is None
    before = bundle.Predecessor(model_digest="sha256:" + "b" * 64, score_distance=0.25)
    release = bundle.Release(
        model="leaving", model_digest=SERVED.digest, counter=3, not_after=datetime.datetime.max.replace(tzinfo=datetime.UTC),
        predecessor=before,
    )  # fmt: skip
    release.write(tmp_path / bundle.RELEASE)
    assert launch.predecessor(tmp_path) == before


def test_a_bundle_of_an_earlier_release(tmp_path: Path) -> None:
    """Its counts are of something else: it is served without them."""
    serving_kit.write_bundle(tmp_path / "bundle")
    assert launch.reference(tmp_path / "bundle") is not None
    (tmp_path / "bundle" / bundle.BINS).write_text('{"mean_prediction": 0.2}', encoding="utf-8")
    assert launch.reference(tmp_path / "bundle") is None


def test_many_scores_are_counted_as_each_alone() -> None:
    """Scores of one request, those on an edge among them, are in the bins and the sum that they would be in one by one."""
    scores = [step / 40 for step in range(41)] * 3
    together, alone = (prometheus.of(serving_kit.signature(), SERVED, None) for _ in range(2))
    together.observe_scores(np.array(scores))
    for score in scores:
        alone.observe_scores(np.array([score]))

    def lines(metrics: prometheus.Metrics) -> list[str]:
        text = metrics.text().decode()
        return [
            line
            for line in text.splitlines()
            if line.startswith(("argosy_prediction_score_bucket", "argosy_prediction_score_count"))
        ]

    assert lines(together) == lines(alone)
    assert len(lines(alone)) == 22
    sums = [value(metrics.text().decode(), "argosy_prediction_score_sum") for metrics in (together, alone)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-12)


def test_two_servers_of_one_process_count_apart(tmp_path: Path) -> None:
    """Whatever the environment says: whoever imports Feast leaves there that counts are kept in files, by process and name."""
    program = """
from argosy.serving.server_metrics import ServerMetrics
from argosy.serving import exposition
for _ in range(2):
    made = ServerMetrics()
    made.ended("idle")
print(exposition.text(exposition.taken(made.registry)).decode())
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'argosy_connections_ended_total{reason="idle"} 1.0' in said.stdout
