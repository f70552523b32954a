"""A canary whose errors are judged by Wald's sequential test: it goes on once enough was answered, and not by a clock.

The tests share one release, as those of test_canary do. conftest.py says what must be there.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from argosy.domain.sequential import EventCounts, Risks, Share
from e2e import versions
from e2e.load_kit import Load
from e2e.serving_release import TIMING, Release, steps
from e2e.versions import Version

pytestmark = [pytest.mark.needs("argo-rollouts", "kserve"), pytest.mark.timeout(1200)]
LIMIT = 0.05
HEALTHY = 0.0025
RISKS = Risks()
STEPS = (25, 50)
"""The shares at which it is judged."""


@pytest.fixture(scope="module")
def over(release: Release) -> dict[str, Any]:
    """The usual analysis, with errors judged sequentially."""
    analysis = {
        **TIMING,
        "prometheus": release.prometheus,
        "errors": {"maximumRatio": LIMIT},
        "latency": {"tolerance": 3},
        "sequential": {"enabled": True, "healthyRatio": HEALTHY, "longestSeconds": 600},
    }
    return {"analysis": analysis}


@pytest.fixture(scope="module")
def first(release: Release, folder: Path, over: dict[str, Any]) -> Version:
    """The version that is live when the first test begins."""
    version = versions.make(folder, 51, "good", folder / "signing.pem")
    release.install(version, over=over)
    release.wait_live(version)
    return version


@pytest.fixture(scope="module")
def load(release: Release, first: Version) -> Load:
    """Requests all the time, through everything that happens."""
    assert first
    made = release.load()
    made.start()
    return made


def test_a_bad_version_is_given_up(
    release: Release, first: Version, load: Load, folder: Path, over: dict[str, Any]
) -> None:
    """By its errors alone, as soon as they weigh enough; the old version answers everything again."""
    bad = versions.make(folder, 52, "failing", folder / "signing.pem")
    began = time.time()
    release.install(bad, over=over)
    message = release.wait_aborted(bad)
    assert "errors" in message
    assert {name for name, phase in release.measured().items() if phase == "Failed"} == {"errors"}
    met = sum(count for outcome, count in load.seen().since(began).total().items() if bad.digest in outcome)
    print(f"given up after {time.time() - began:.0f} s; {met} requests met it; {message}")
    release.install(first, over=over)
    release.wait_live(first)


def test_a_good_version_goes_on_when_it_has_answered_enough(
    release: Release, first: Version, load: Load, folder: Path, over: dict[str, Any]
) -> None:
    """At each step as often as domain/sequential.py asks for, and no request is lost."""
    second = versions.make(folder, 53, "good", folder / "signing.pem")
    began = time.time()
    before = {run["metadata"]["name"] for run in release.cluster.list("analysisruns", release.namespace)}
    release.install(second, over=over)
    release.wait_live(second)
    seen = load.seen().since(began)
    ran = [
        run for run in release.cluster.list("analysisruns", release.namespace) if run["metadata"]["name"] not in before
    ]
    found = steps(ran)
    assert [index for index, _, _ in found] == [1, 3]
    least = _least_answers()
    answered = sum(count for outcome, count in seen.total().items() if second.digest in outcome)
    for run in ran:
        (errors,) = [metric for metric in run["status"]["metricResults"] if metric["name"] == "errors"]
        # Undecided for as long as too little was answered, and decided by the first answer: nothing is measured after it.
        phases = [measured["phase"] for measured in errors["measurements"]]
        assert phases[-1] == "Successful"
        assert set(phases[:-1]) <= {"Inconclusive"}
        print(f"step {run['metadata']['labels']['step-index']}: {[one['value'] for one in errors['measurements']]}")
    print(
        f"{time.time() - began:.0f} s; {answered} answers of the new version, {least} are the fewest a step can do with; "
        f"failed {seen.failures()}"
    )
    assert answered >= least * len(STEPS)
    assert seen.failures() == {}
    assert release.serving() == {second.digest: 3}


def _least_answers() -> int:
    """The fewest answers without an error that let a version go on."""
    answers = 1
    while Share("errors", EventCounts(0, answers), HEALTHY, LIMIT).word(RISKS) != "go":
        answers += 1
    return answers
