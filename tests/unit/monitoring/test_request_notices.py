"""People hear of requests and canaries, once each, by what the model's own evidence says of them."""

import datetime
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_notifier import MemoryNotifier
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.domain.notify_settings import Audience, Channel
from argosy.domain.promotion_requests import Request
from argosy.domain.rollouts import Rollout
from argosy.monitoring import notices, request_notices
from argosy.monitoring.notices import Announcer
from argosy.steps.converge import run as converge
from argosy.testing.forge_contract import TEMPLATE, merge
from kit.toy import make_toy, proposal_of

AUDIENCE = Audience(owner="growth", notify={"team": Channel(), "on-call": Channel(events=["canary aborted"])})
NOW = datetime.datetime(2026, 3, 8, 12, tzinfo=datetime.UTC)


@pytest.fixture
def forge() -> MemoryForge:
    """An environment repo without a request."""
    return MemoryForge(TEMPLATE)


def _opened(forge: MemoryForge, folder: Path, content: str, audience: Audience | None = AUDIENCE) -> Request:
    request = forge.propose(proposal_of(make_toy(folder / content, content).judge(audience=audience)))
    assert request is not None
    return request


def _events(found: list[notices.Notice]) -> list[tuple[str, str]]:
    return [(notice.event, notice.title) for notice in found]


def test_a_request_and_what_it_superseded(forge: MemoryForge, tmp_path: Path) -> None:
    """Both by number, to the channels that the model named."""
    first = _opened(forge, tmp_path, "a")
    assert _events(request_notices.of_proposed(forge, first)) == [
        ("request opened", f"toy: request {first.number} is open: {first.title}")
    ]
    second = _opened(forge, tmp_path, "b")
    found = request_notices.of_proposed(forge, second)
    assert [notice.event for notice in found] == ["request opened", "request superseded"]
    assert found[1].title == f"toy: request {first.number} is superseded by request {second.number}"
    assert {notice.channels for notice in found} == {("team",)}


def test_a_model_that_names_nobody_is_no_news(forge: MemoryForge, tmp_path: Path) -> None:
    """Its evidence is as it was."""
    assert request_notices.of_proposed(forge, _opened(forge, tmp_path, "a", None)) == []


def test_a_request_waits_once_a_day(forge: MemoryForge, tmp_path: Path) -> None:
    """From the second day on; each day is an event of its own, each look of a day the same one."""
    request = _opened(forge, tmp_path, "a")
    opened = datetime.datetime.fromisoformat(request.opened_at)
    second = (opened + datetime.timedelta(days=2)).replace(hour=1)
    moments = [
        opened + datetime.timedelta(hours=23),
        second,
        second.replace(hour=23),
        second + datetime.timedelta(days=1),
    ]
    found = [list(request_notices.of_waiting(forge, "staging", moment)) for moment in moments]
    assert [len(notices) for notices in found] == [0, 1, 1, 1]
    claims = [notices[0].claim("team") for notices in found[1:]]
    assert claims[0] == claims[1]
    assert claims[0] != claims[2]
    assert list(request_notices.of_waiting(forge, "production", opened + datetime.timedelta(days=9))) == []


def test_a_canary_is_told_though_there_is_nothing_to_go_back_to(forge: MemoryForge, tmp_path: Path) -> None:
    """The step ends 10, as it does without anybody told; however often it looks, each channel hears of it once."""
    request = _opened(forge, tmp_path, "a")
    merge(forge, request.number)
    digest = request.subject.model_digest
    canary = Rollout(
        name="toy",
        namespace="argosy-staging",
        model="toy",
        environment="staging",
        phase="Degraded",
        failed=True,
        message="too many errors",
        newest=digest,
        stable="sha256:" + "0" * 64,
        measurements=[],
    )

    class OneCanary:
        def of(self, _environment: str) -> list[Rollout]:
            return [canary]

    notifier = MemoryNotifier()
    objects = MemoryObjects()
    announcer = Announcer(notifier, lambda: objects, report=lambda _line: None, reaches_anybody=True)
    for _ in range(3):
        with pytest.raises(errors.Rejected, match="never named another"):
            converge.run(
                environment="staging",
                rollouts=OneCanary(),
                forge=forge,
                registry=MemoryRegistry(),
                report=lambda _line: None,
                tell=announcer.tell,
                now=NOW,
            )
    told = [(channel, [notice.event for notice in message]) for channel, message in notifier.messages]
    assert told == [("on-call", ["canary aborted"]), ("team", ["canary aborted"])]


def test_what_cannot_be_found_out_is_a_line() -> None:
    """A forge that fails while people are to be told stops nothing; without any address it is not even asked."""
    lines: list[str] = []

    def failing() -> list[notices.Notice]:
        raise errors.TryAgain("the forge does not answer")

    Announcer(MemoryNotifier(), MemoryObjects, lines.append, reaches_anybody=True).tell(failing)
    Announcer(MemoryNotifier(), MemoryObjects, lines.append, reaches_anybody=False).tell(failing)
    assert lines == ["nobody is told: the forge does not answer"]
