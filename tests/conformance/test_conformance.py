"""The engine's corpus, recorded afresh on a real controller. Opt-in: it needs a cluster of one's own."""

import os

import pytest

from conformance import conform

needs_cluster = pytest.mark.skipif(
    not (os.environ.get("ARGOSY_CONFORMANCE") and os.environ.get("KUBECONFIG")),
    reason="set ARGOSY_CONFORMANCE=1 and KUBECONFIG to record on a real Argo controller",
)


@needs_cluster
@pytest.mark.timeout(3600)
def test_the_controller_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case of the corpus ends on the real controller as in the engine."""
    monkeypatch.setattr("sys.argv", ["conform"])
    assert conform.main() == 0
