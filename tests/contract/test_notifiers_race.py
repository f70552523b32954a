"""Many processes that see one event at once, over the object store of a real gateway: people hear of it once."""

import datetime
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from argosy.adapters.s3.bucket_objects import S3Objects
from argosy.domain.notices import Notice
from argosy.monitoring import notices
from argosy.ports.notifier import Delivery
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS

PROCESSES, EVENTS = 8, 10
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
LATER = NOON + datetime.timedelta(hours=1)
Telling = Callable[[Path, Barrier], None]


class SharedChannel:
    """A notifier of several processes: each leaves a file for each message, or refuses it."""

    def __init__(self, folder: Path, *, refuses: bool = False) -> None:
        self._folder = folder
        self._refuses = refuses

    def knows(self, channel: str) -> bool:
        """Everybody has an address."""
        return True

    def send(self, channel: str, notices: Sequence[Notice]) -> Delivery:
        """Take it, or do not."""
        if self._refuses:
            return Delivery("refused", "answered 503")
        for notice in notices:
            (self._folder / f"{channel}-{notice.key}-{os.getpid()}").touch()
        return Delivery("sent")


def _notice(number: int) -> Notice:
    return Notice(event="step failed", model="churn", owner="o", title="t", key=str(number), channels=("team",))


def _tell(folder: Path, together: Barrier) -> None:
    # One after the other in its own process, all processes at the same one: each round is a race of all.
    objects = S3Objects("s3://monitoring/loop", "ARGOSY_MONITORING_URI")
    for number in range(EVENTS):
        together.wait()
        notices.announce(SharedChannel(folder), objects, _notice(number))


def _tell_again(folder: Path, together: Barrier) -> None:
    objects = S3Objects("s3://monitoring/loop", "ARGOSY_MONITORING_URI")
    together.wait()
    notices.resend(SharedChannel(folder), objects, now=lambda: LATER)


@pytest.mark.skipif(GATEWAY is None, reason="versitygw, an S3 gateway, is not on PATH")
@pytest.mark.parametrize("tell", [_tell, _tell_again], ids=["seen-at-once", "told-again-at-once"])
def test_many_processes_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tell: Telling) -> None:
    """Of each event one, whoever was first, also where it was refused before and all try again; nothing is left as not taken."""
    (sent := tmp_path / "sent").mkdir()
    with s3_gateway(tmp_path, "monitoring") as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret"])
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        objects = S3Objects("s3://monitoring/loop", "ARGOSY_MONITORING_URI")
        if tell is _tell_again:
            events = [_notice(number) for number in range(EVENTS)]
            notices.announce(SharedChannel(sent, refuses=True), objects, *events, now=lambda: NOON)
            assert len(list(notices.untold(objects))) == EVENTS
        _at_once(tell, sent)
        assert sorted(path.name.split("-")[1] for path in sent.iterdir()) == sorted(map(str, range(EVENTS)))
        assert list(notices.untold(objects)) == []
        kept = [json.loads(objects.get(key) or b"")["outcome"] for key in objects.keys("notices/")]
    assert kept == ["sent"] * EVENTS


def _at_once(tell: Telling, sent: Path) -> None:
    context = multiprocessing.get_context("fork")  # each makes a client of its own
    together = context.Barrier(PROCESSES, timeout=120)
    processes = [context.Process(target=tell, args=(sent, together)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
