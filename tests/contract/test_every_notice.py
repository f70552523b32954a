"""Every event that people hear of, as what sees it makes it, through Apprise to a webhook that is there."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.adapters.apprise_notifier import AppriseNotifier
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.notices import EVENTS, Notice
from argosy.domain.notify_settings import Audience, Channel
from argosy.domain.retraining_admission import Admitted, LedgerEntry, Refused
from argosy.domain.retraining_cause import Cause
from argosy.domain.rollouts import Rollout
from argosy.monitoring import notices, request_notices, retraining_notices, run_notices
from argosy.monitoring.run_notices import EndedRun
from argosy.testing.forge_contract import TEMPLATE, merge
from kit.examples import make_settings
from kit.looked import DIGEST, NOON
from kit.toy import make_toy, proposal_of
from kit.web_server import Answer, Web, web_server

SECRETS = ("hunter2", "ada@example.com", "AKIAIOSFODNN7EXAMPLE")
"""What somebody's step wrote into its last words."""
LAST_WORDS = f"postgresql://u:{SECRETS[0]}@db/x refused {SECRETS[1]}, key {SECRETS[2]}"
OTHERS, OWN = "others", "team"
SETTINGS = make_settings("binary", ["no", "yes"], "log_loss", notify={OWN: {}})
AUDIENCE = Audience(owner="growth", notify={OWN: Channel()})


@pytest.fixture
def web() -> Iterator[Web]:
    """One webhook for each channel."""
    with web_server({f"/{name}": Answer() for name in (OWN, OTHERS)}) as web:
        yield web


def _of_runs() -> list[Notice]:
    def failed(step: str, code: int) -> str:
        node = {"displayName": step, "message": f"Error (exit code {code}): {LAST_WORDS}", "templateName": step}
        return json.dumps(json.dumps([node]))

    cause = Cause(kind="hand", environment="production", explanation=LAST_WORDS).text()
    runs = [
        EndedRun("toy-1", "Failed", failed("train", 75), ""),
        EndedRun("toy-2", "Failed", failed("validate", 10), ""),
        EndedRun("toy-3", "Succeeded", "", cause),
    ]
    return [notice for run in runs for notice in run_notices.of(run, SETTINGS)]


def _of_admission() -> list[Notice]:
    entry = LedgerEntry(
        id="toy-1", identity="i", kind="drift", environment="production", reference=DIGEST, holder="toy-1 uid", at=NOON,
        lease_until=NOON, text=LAST_WORDS,
    )  # fmt: skip
    answers = [Admitted(entry=entry), Refused(reason="stopped", explanation=LAST_WORDS)]
    return [notice for answer in answers for notice in retraining_notices.of(answer, SETTINGS, "toy-1 uid", NOON)]


def _of_requests(folder: Path) -> list[Notice]:
    forge = MemoryForge(TEMPLATE)
    served, first, second = (
        proposal_of(make_toy(folder / name, name).judge(audience=AUDIENCE)) for name in ("a", "b", "c")
    )
    live = forge.propose(served)
    assert live is not None
    merge(forge, live.number)
    for proposal in (first, second):
        assert forge.propose(proposal) is not None
    canary = Rollout(
        name="toy", namespace="argosy-staging", model="toy", environment="staging", phase="Degraded", failed=True,
        newest=live.subject.model_digest, message=LAST_WORDS,
    )  # fmt: skip
    later = datetime.datetime.fromisoformat(forge.requests()[-1].opened_at) + datetime.timedelta(days=2)
    return request_notices.of_environment(forge, "staging", [canary], later)


def test_every_event_arrives_once(tmp_path: Path, web: Web) -> None:
    """At the model's channel and at no other, one message for what comes together, with nothing in it that is nobody's business."""
    place = web.url.replace("http://", "json://")
    notifier = AppriseNotifier({name: f"{place}/{name}" for name in (OWN, OTHERS)})
    groups = [_of_runs(), _of_admission(), _of_requests(tmp_path)]
    store = MemoryObjects()
    for _ in range(2):
        for group in groups:
            notices.announce(notifier, store, *group)
    assert {notice.event for group in groups for notice in group} == set(EVENTS)
    assert [asked.path for asked in web.asked] == [f"/{OWN}"] * len(groups)
    texts = [f"{message['title']}\n{message['message']}" for message in (json.loads(one.body) for one in web.asked)]
    for group, text in zip(groups, texts, strict=True):
        assert [notice.title for notice in group if notice.title not in text] == []
        assert {notice.owner for notice in group} <= {"growth", "tests"}
    assert [secret for secret in SECRETS if secret in "".join(texts)] == []
