"""Blue/green: a new version gets no request until all of its pods are ready, then every request at once."""

from pathlib import Path

import pytest

from e2e import versions
from e2e.serving_release import Release

pytestmark = [pytest.mark.needs("argo-rollouts", "kserve"), pytest.mark.timeout(900)]
WAY = {"strategy": "blueGreen", "replicas": 2, "blueGreen": {"keepOldSeconds": 30}}


def test_the_switch_is_at_once_and_a_bad_version_switches_back(release: Release, folder: Path) -> None:
    """One digest answers, then the other; a version that fails is measured after the switch, and the old one is live again."""
    first, second, bad = (
        versions.make(folder, number, kind, folder / "signing.pem")
        for number, kind in ((31, "good"), (32, "good"), (33, "failing"))
    )
    release.install(first, over=WAY)
    release.cluster.wait("the first version", lambda: release.phase() == "Healthy", 420)
    load = release.load()
    load.start()
    release.install(second, over=WAY)
    release.cluster.wait("the second version", lambda: release.live_digest() == second.digest, 420)
    release.cluster.wait("its analysis", lambda: release.phase() == "Healthy", 300)
    seen = load.seen()
    mixed = [line for line in seen.lines if len({outcome.split()[-1] for outcome in line["seen"]}) > 1]
    print(f"switch: {len(mixed)} seconds with both versions of {len(seen.lines)}; failed {seen.failures()}")
    assert seen.failures() == {}
    # The second of the switch, and the next where requests were on their way.
    assert len(mixed) <= 2
    release.install(bad, over=WAY)
    message = release.wait_aborted(bad)
    assert "errors" in message
    release.cluster.wait("the version before", lambda: release.live_digest() == second.digest, 120)
