"""A model whose callers prove who they are: a version takes over, keys change meanwhile, and no caller that may ask loses a request."""

import time
from pathlib import Path

import pytest

from argosy.domain import access_rules
from e2e import versions
from e2e.access_kit import secret
from e2e.serving_release import Release
from e2e.versions import MODEL

pytestmark = [pytest.mark.needs("argo-rollouts", "kserve"), pytest.mark.timeout(1200)]
WAY = {"grpc": {"enabled": True}}
REACHED_SECONDS = 180
"""That the kubelet may take to bring a changed Secret into pods that run."""


def test_who_may_ask_notices_nothing_and_who_may_not_gets_nothing(release: Release, folder: Path) -> None:
    """Through a canary, with a second key made and the first withdrawn while pods run; another model's key opens nothing."""
    old_text, old = access_rules.new_key("shop", [MODEL])
    new_text, new = access_rules.new_key("shop", [MODEL])
    other_text, other = access_rules.new_key("stranger", ["another"])
    first, second = (versions.make(folder, number, "good", folder / "signing.pem") for number in (41, 42))
    release.cluster.apply(secret(release.namespace, old, other))
    release.install(first, over=WAY)
    release.wait_live(first)
    shop, nobody = release.load("shop", old_text), release.load("nobody", "")
    stranger = release.load("stranger", other_text)
    for load in (shop, nobody, stranger):
        load.start()
    with release.grpc_load(old_text) as remote:
        release.cluster.apply(secret(release.namespace, old, new, other))
        release.install(second, over=WAY)
        release.wait_live(second)
        assert shop.seen().failures() == {}
        assert remote.seen().failures() == {}
        assert {outcome.split()[1] for outcome in remote.seen().total()} == {first.digest, second.digest}
    for load, status in ((nobody, "401"), (stranger, "403")):
        total = load.seen().total()
        assert {outcome.split()[0] for outcome in total} == {status}, total
    renewed = release.load("renewed", new_text)
    renewed.start()
    assert renewed.seen().failures() == {}
    withdrawn = time.time()
    release.cluster.apply(secret(release.namespace, new, other))

    def refused() -> bool:
        last = shop.seen().lines[-1]["seen"]
        # 429: so many failures from one address are a guesser's.
        return bool(last) and {outcome.split()[0] for outcome in last} <= {"401", "429"}

    release.cluster.wait("the withdrawn key to be refused", refused, REACHED_SECONDS)
    print(
        f"canary with keys: {shop.seen().total().total()} requests, {remote.seen().total().total()} over gRPC; "
        f"a withdrawn key was refused after {time.time() - withdrawn:.0f} s; failed with the new one {renewed.seen().failures()}"
    )
    assert renewed.seen().failures() == {}
    assert release.serving() == {second.digest: 3}
