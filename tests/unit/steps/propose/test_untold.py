"""What people could not be told of keeps ``propose`` out of the cache, as it tells them again; so does a channel that is new."""

from pathlib import Path

from argosy import wiring
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.domain.notices import Notice
from argosy.engine.state import tree_stamps
from argosy.monitoring import notices
from argosy.ports.notifier import Delivery
from argosy.settings import Settings
from argosy.steps.propose.spec import SPEC

OPENED = Notice(
    event="request opened", model="churn", owner="growth", title="#1 is open", key="1", channels=("team", "desk")
)


def settings(home: Path, *channels: str, **more: str) -> Settings:
    """Of a machine that knows the addresses of *channels*."""
    named = {f"ARGOSY_NOTIFY_{channel.upper()}": "json://127.0.0.1:9" for channel in channels}
    return Settings.from_environment({"ARGOSY_HOME": str(home), **named, **more})


def test_what_was_not_taken_is_no_answer_to_keep(tmp_path: Path) -> None:
    """As long as a notice waits to be told the state is not to be seen, so nothing is taken from the cache; afterwards it is as before."""
    here = settings(tmp_path, "team")
    before = here.states()["notices"]
    store, notifier = wiring.objects(here, here.monitoring_uri), MemoryNotifier()
    notifier.failing["team"] = Delivery("refused", "answered 503")
    notices.announce(notifier, store, OPENED)
    assert "notices" not in here.states()
    notifier.failing.clear()
    notices.announce(notifier, store, OPENED)
    assert here.states()["notices"] == before
    assert "notices" in SPEC.observes


def test_a_channel_that_is_new(tmp_path: Path) -> None:
    """It has to hear of what is open, so the step runs; without channels, or with the same ones, nothing has changed."""
    stamps = [
        tree_stamps.of(settings(tmp_path, *channels).states()["notices"])
        for channels in ((), ("team",), ("team",), ("team", "desk"))
    ]
    assert stamps[1] == stamps[2]
    assert len(set(stamps)) == 3


def test_a_store_elsewhere(tmp_path: Path) -> None:
    """Nobody sees from here what waits in a bucket: with channels nothing is kept, without it matters to nobody."""
    bucket = {"ARGOSY_MONITORING_URI": "s3://monitoring"}
    assert "notices" not in settings(tmp_path, "team", **bucket).states()
    assert settings(tmp_path, **bucket).states()["notices"] == ()
