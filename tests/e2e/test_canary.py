"""A version takes over in a canary under load, bad ones are taken back by themselves, and no caller notices.

The tests share one release: each begins with the first version live, and goes back to it. conftest.py says what must be there.
"""

import datetime
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e import versions
from e2e.cluster import kill_controller
from e2e.load_kit import RATE, Load
from e2e.serving_release import Release, steps
from e2e.versions import Kind, Version

pytestmark = [pytest.mark.needs("argo-rollouts", "kserve"), pytest.mark.timeout(1200)]
NO_SUCH_IMAGE = "localhost/argosy/serve@sha256:" + 64 * "0"


@pytest.fixture(scope="module")
def first(release: Release, folder: Path) -> Version:
    """The version that is live when the first test begins."""
    version = versions.make(folder, 1, "good", folder / "signing.pem")
    release.install(version)
    release.wait_live(version)
    return version


@pytest.fixture(scope="module")
def load(release: Release, first: Version) -> Load:
    """Requests all the time, through everything that happens."""
    assert first
    made = release.load()
    made.start()
    return made


@pytest.fixture
def back(release: Release, first: Version) -> Iterator[None]:
    """Go back to the first version at the end, as a git revert does, whatever became of the test."""
    yield
    began = time.time()
    release.install(first)
    release.wait_live(first)
    print(f"back on version {first.number} after {time.time() - began:.0f} s")


def test_a_first_version_goes_live_at_once(release: Release, first: Version) -> None:
    """There is nothing to compare it with; and KServe's own Deployment has no pods."""
    assert release.serving() == {first.digest: 3}
    deployment = release.cluster.get("deployment", f"{versions.MODEL}-predictor", release.namespace)
    assert deployment["spec"]["replicas"] == 0
    assert release.cluster.list("analysisruns", release.namespace) == []


def test_a_good_version_takes_over_and_nobody_notices(
    release: Release, first: Version, load: Load, folder: Path, back: None
) -> None:
    """25, 50, 100 %: the share of each step as measured in requests, and not one request lost."""
    second = versions.make(folder, 2, "good", folder / "signing.pem")
    began = time.time()
    release.install(second)
    release.wait_live(second)
    seen = load.seen()
    runs = steps(release.cluster.list("analysisruns", release.namespace))
    assert [index for index, _, _ in runs] == [1, 3]
    shares = []
    for (_, since, until), expected in zip(runs, (0.25, 0.50), strict=True):
        share = seen.share(second.digest, _at(since), _at(until))
        shares.append(round(share, 3))
        # Four standard deviations of the requests of one step, each of which takes a pod by lot.
        tolerance = 4 * (expected * (1 - expected) / (RATE * (_at(until) - _at(since)))) ** 0.5
        assert abs(share - expected) <= tolerance, f"{share:.3f} instead of {expected}"
    print(
        f"canary: {time.time() - began:.0f} s; shares {shares}; {seen.total().total()} requests; failed {seen.failures()}"
    )
    assert seen.failures() == {}
    assert release.serving() == {second.digest: 3}


def test_the_controller_is_killed_in_the_middle(
    release: Release, first: Version, load: Load, folder: Path, back: None
) -> None:
    """The canary goes on where it was, and nobody notices."""
    second = versions.make(folder, 3, "good", folder / "signing.pem")
    began = time.time()
    release.install(second)
    release.cluster.wait("the first step", lambda: release.serving()[second.digest] > 0, 240)
    kill_controller(release.cluster, "argo-rollouts")
    release.wait_live(second)
    assert load.seen().since(began).failures() == {}


@pytest.mark.parametrize(
    ("number", "kind", "metric"),
    [
        pytest.param(11, "failing", "errors", id="errors"),
        pytest.param(12, "slow", "latency-p95-seconds", id="slow"),
        pytest.param(13, "shifted", "prediction-distance", id="shifted-predictions"),
    ],
)
def test_a_bad_version_is_taken_back(
    release: Release, first: Version, load: Load, folder: Path, back: None, number: int, kind: Kind, metric: str
) -> None:
    """The measurement that it fails aborts it; the old version answers everything; and a revert makes it Healthy again."""
    bad = versions.make(folder, number, kind, folder / "signing.pem")
    began = time.time()
    release.install(bad)
    message = release.wait_aborted(bad)
    aborted = time.time()
    assert metric in message
    measured = release.measured()
    assert {name for name, phase in measured.items() if phase == "Failed"} == {metric}
    release.cluster.wait("the old version alone", lambda: release.serving() == {first.digest: 3}, 180)
    time.sleep(3)  # what was on its way
    settled = time.time()
    release.cluster.wait("requests after the abort", lambda: load.seen().since(settled).total().total() >= 50)
    seen = load.seen().since(began)
    assert seen.share(first.digest, settled + 1, time.time()) == 1.0
    # What the bad version itself answered with an error is what the canary is for; nobody else lost anything.
    lost = {outcome: count for outcome, count in seen.failures().items() if bad.digest not in outcome}
    met = sum(count for outcome, count in seen.total().items() if bad.digest in outcome)
    print(
        f"{kind}: aborted after {aborted - began:.0f} s; {met} of {seen.total().total()} requests met it; lost {lost}; {message}"
    )
    assert lost == {}


@pytest.mark.parametrize("broken", ["an-image-that-is-not-there", "a-bundle-that-was-changed"])
def test_a_version_whose_pods_never_start_is_degraded(
    release: Release, first: Version, load: Load, folder: Path, back: None, broken: str
) -> None:
    """Nothing unproven is served: its pods do not become ready, the Rollout says Degraded, and the old version goes on."""
    began = time.time()
    number = 21 if broken.startswith("an-image") else 22
    good = versions.make(folder, number, "good", folder / "signing.pem")
    if broken.startswith("an-image"):
        release.install(good, image=NO_SUCH_IMAGE, start_seconds=20)
    else:
        release.install(versions.damaged(good, folder / "damaged"), start_seconds=20)
    message = release.wait_aborted(good)
    print(f"{broken}: {message}")
    assert "timed out progressing" in message
    assert release.serving() == {first.digest: 3}
    assert load.seen().since(began).failures() == {}


def _at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()
