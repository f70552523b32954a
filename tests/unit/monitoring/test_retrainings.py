"""What comes from outside and asks for a retraining: what is made of it, what is let in, and what is in the ledger after it."""

import base64
import datetime
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_admission_state import MemoryAdmissionState
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import alerts, looks
from argosy.domain.drift import Word
from argosy.domain.evidence import Evidence
from argosy.domain.looks import Look
from argosy.domain.performance_report import LabelCounts, Performance
from argosy.domain.retraining_admission import Admitted, Reason, Refused
from argosy.domain.retraining_settings import Enter, Retraining
from argosy.monitoring import retrainings
from argosy.monitoring.retrainings import Event, EventAnswer
from argosy.report import retraining_table
from kit import looked
from kit.examples import make_settings
from kit.looked import DIGEST, NOON

SETTINGS = make_settings("binary", ["no", "yes"], "log_loss")
HOUR = datetime.timedelta(hours=1)


def make_look(verdict: Word, until: datetime.datetime = NOON) -> Look:
    """A look at the toy that ends at *until*."""
    return looked.look(verdict, until=until, model="toy")


DRIFTED = [make_look(verdict="drift", until=NOON - HOUR), make_look(verdict="drift")]


def sent(*, encode: bool = True, since: str = "2026-03-01T10:00:00Z", **labels: str) -> str:
    """A message with one alert that fires *since* then, with *labels* in place of its own."""
    own = {"alertname": "ArgosyDrift", "model": "toy", "environment": "production", "digest": DIGEST, "retrain": "true"}
    alert = {
        "status": "firing",
        "labels": {**own, **labels},
        "startsAt": since,
        "fingerprint": "35fea2ef9f5d2a12",
    }
    text = json.dumps({"version": "4", "status": "firing", "alerts": [alert]})
    return retrainings.encoded(text) if encode else text


class Desk:
    """A ledger, and the looks at the model."""

    def __init__(self, seen: Sequence[Look] = DRIFTED) -> None:
        self.state = MemoryAdmissionState()
        self.seen = seen
        self.asked: list[str] = []

    def looks_of(self, environment: str) -> Sequence[Look]:
        """The looks, whatever the environment."""
        self.asked.append(environment)
        return self.seen

    def answer(
        self, *, holder: str = "run-1", kind: str = "alert", now: datetime.datetime = NOON, **event: str
    ) -> EventAnswer:
        """The answer to an event."""
        return retrainings.decide(
            Event(kind=kind, holder=holder, **event),
            settings=SETTINGS,
            state=self.state,
            looks_of=self.looks_of,
            now=now,
        )

    def reason(self, **event: Any) -> Reason | None:
        """Why it is refused; None where it is not."""
        decision = self.answer(**event).decision
        return decision.reason if isinstance(decision, Refused) else None


@pytest.mark.parametrize("encode", [True, False], ids=["base64", "json"])
def test_an_alert_that_looks_bear_out(encode: bool) -> None:
    """Is admitted with its cause: the alert, the columns that moved, and the admission."""
    desk = Desk()
    answer = desk.answer(alert=sent(encode=encode))
    assert isinstance(answer.decision, Admitted)
    entry, cause = answer.decision.entry, answer.cause
    assert (entry.kind, entry.environment, entry.reference) == ("drift", "production", DIGEST)
    assert entry.text == "ArgosyDrift, since 2026-03-01T10:00:00Z"
    assert cause is not None
    assert cause.alert is not None
    assert (cause.alert.fingerprint, cause.admission, cause.model_digest) == ("35fea2ef9f5d2a12", entry.id, DIGEST)
    assert cause.columns
    assert desk.asked == ["production"]


def test_the_same_alert_again() -> None:
    """Changes nothing but a count."""
    desk = Desk()
    desk.answer(alert=sent())
    again = [desk.reason(alert=sent(), holder=f"run-{number}") for number in range(2, 102)]
    assert again == ["duplicate"] * 100
    ledger = desk.state.ledger("toy")
    assert (ledger.admitted, ledger.refused) == (1, {"duplicate": 100})


def test_an_old_alert_is_replayed() -> None:
    """What it says is over by what the looks show, whatever time it names."""
    calm = [make_look(verdict="no drift", until=NOON - hours * HOUR) for hours in (2, 1, 0)]
    assert Desk(calm).reason(alert=sent()) == "not confirmed"
    assert Desk([]).reason(alert=sent()) == "no look"
    assert Desk().reason(alert=sent(), now=NOON + 80 * HOUR) == "no look"


@pytest.mark.parametrize(
    ("alert", "reason"),
    [
        pytest.param("", "unreadable", id="nothing"),
        pytest.param("x" * 200_000, "unreadable", id="long"),
        pytest.param("base64:%%%", "unreadable", id="no-base64"),
        pytest.param("base64:" + base64.b64encode(b"\xff\xfe").decode(), "unreadable", id="no-text"),
        pytest.param("base64:bnVsbA==", "unreadable", id="null"),
        pytest.param("base64:" + "A" * 50_000_000, "unreadable", id="50-MB"),
        pytest.param(sent(model="unheard_of"), "unknown model", id="another-model"),
        pytest.param(sent(model="toy2"), "unknown model", id="a-longer-name"),
        pytest.param(sent(retrain="false"), "not wanted", id="asks-for-nothing"),
        pytest.param(sent(digest="sha256:other"), "other version", id="another-version"),
        pytest.param(sent(alertname="ArgosyPerformanceBelowGate"), "too few rows", id="performance-without-labels"),
    ],
)
def test_what_is_refused(alert: str, reason: Reason) -> None:
    """Each with its reason, in the ledger, with no failure that somebody would have to look at."""
    desk = Desk()
    assert desk.reason(alert=alert) == reason
    assert desk.state.ledger("toy").refused == {reason: 1}
    assert desk.state.ledger("toy").running is None


def test_50_mb_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their length is enough."""
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("it was decoded"))
    monkeypatch.setattr(alerts.Message, "model_validate_json", lambda _: pytest.fail("it was parsed"))
    desk = Desk()
    assert desk.reason(alert="base64:" + "A" * 50_000_000) == "unreadable"
    assert desk.reason(alert="A" * 50_000_000) == "unreadable"


def test_a_group_of_alerts() -> None:
    """The first that is let in trains; one of another model's is passed over."""
    found = json.loads(sent(encode=False))
    (own,) = found["alerts"]
    over = {**own, "status": "resolved"}
    other = {**own, "labels": {**own["labels"], "model": "other"}}
    desk = Desk()
    text = json.dumps({**found, "alerts": [other, over, own, own]})
    assert isinstance(desk.answer(alert=text).decision, Admitted)
    assert desk.state.ledger("toy").refused == {"resolved": 1}


def test_looks_of_a_clock_that_was_ahead_say_nothing() -> None:
    """Looks of tomorrow, at a version that serves no more: what the others show counts. The next look that is due may be there already."""
    ahead = make_look(verdict="no drift", until=NOON + 24 * HOUR).model_copy(
        update={"model_digest": f"sha256:{'b' * 64}"}
    )
    desk = Desk([*DRIFTED, ahead])
    assert desk.reason(alert=sent()) is None
    assert Desk([*DRIFTED, ahead]).reason(alert=sent(), now=NOON - HOUR) is None


def test_performance_is_told_by_the_alerts_name() -> None:
    """And confirmed by measured performance, which the cause shows."""
    low = Performance(
        model="toy", environment="production", model_digest=DIGEST, task="binary", since=NOON - HOUR, until=NOON,
        as_of=NOON, labels=LabelCounts(), verdict="below", explanation="auc is below its gate",
    )  # fmt: skip
    measured = [low.model_copy(update={"as_of": look.until}) for look in DRIFTED]
    seen = [look.model_copy(update={"performance": each}) for look, each in zip(DRIFTED, measured, strict=True)]
    answer = Desk(seen).answer(alert=sent(alertname="ArgosyPerformanceBelowGate"))
    assert answer.cause is not None
    assert (answer.cause.kind, answer.cause.explanation) == ("performance", "auc is below its gate")


@pytest.mark.parametrize("kind", ["new data", "push", "schedule", "hand"])
def test_a_few_words(kind: str) -> None:
    """What is no alert says why in words, which become the cause as they are, on one line."""
    desk = Desk([])
    answer = desk.answer(kind=kind, because=retrainings.encoded("new prices\n{{workflow.name}}\x1b[2J"))
    assert isinstance(answer.decision, Admitted)
    assert answer.cause is not None
    assert (answer.cause.kind, answer.cause.explanation) == (kind, "new prices {{workflow.name}} [2J")
    assert "{{" not in answer.cause.text()


def test_words_that_come_twice() -> None:
    """The same push or file is the same; a person who asks twice means it twice."""
    desk = Desk([])
    desk.answer(kind="push", because="commit 0a")
    retrainings.close(desk.state, "toy", "run-1", status="Succeeded", failures="", now=NOON)
    assert desk.reason(kind="push", because="commit 0a", holder="run-2") == "duplicate"
    assert desk.reason(kind="hand", because="commit 0a", holder="run-3") is None
    retrainings.close(desk.state, "toy", "run-3", status="Succeeded", failures="", now=NOON)
    assert desk.reason(kind="hand", because="commit 0a", holder="run-4") is None


def test_a_kind_that_there_is_not() -> None:
    """Somebody compiled or typed it wrong."""
    with pytest.raises(errors.Misconfigured, match="kind is 'cron'; expected alert, drift"):
        Desk().answer(kind="cron")


def test_a_step_that_is_retried() -> None:
    """Gets the same answer, with its cause, though a look has come since."""
    desk = Desk()
    first = desk.answer(alert=sent())
    desk.seen = [*DRIFTED, make_look(verdict="drift", until=NOON + HOUR)]
    again = desk.answer(alert=sent(), now=NOON + HOUR)
    assert again.decision == first.decision
    assert again.cause is not None


FAILURES = json.dumps(
    [
        {"displayName": "evaluate(0)", "message": "Error (exit code 10)", "templateName": "evaluate"},
        {"displayName": "main", "message": "child 'evaluate' failed", "templateName": "main"},
    ]
)


@pytest.mark.parametrize(
    ("status", "failures", "outcome"),
    [
        pytest.param("Succeeded", "null", "requested", id="succeeded"),
        pytest.param("Failed", FAILURES, "rejected", id="gates-said-no"),
        pytest.param("Failed", json.dumps(FAILURES), "rejected", id="as-argo-quotes-it"),
        pytest.param("Failed", FAILURES.replace("evaluate", "validate"), "bad data", id="data-said-no"),
        pytest.param("Failed", FAILURES.replace("code 10", "code 1"), "failed", id="broken"),
        pytest.param("Failed", FAILURES.replace("code 10", "code 100"), "failed", id="another-code"),
        pytest.param("Error", "", "failed", id="nothing-known"),
        pytest.param("Error", "{{workflow.failures}}", "failed", id="not-filled-in"),
        pytest.param("Error", "5", "failed", id="no-list"),
    ],
)
def test_how_it_ended(status: str, failures: str, outcome: str) -> None:
    """By Argo's own words for what failed; whatever they are, the retraining is closed."""
    desk = Desk()
    desk.answer(alert=sent())
    closed = retrainings.close(desk.state, "toy", "run-1", status=status, failures=failures, now=NOON + HOUR)
    assert closed is not None
    assert closed.outcome == outcome
    assert desk.state.ledger("toy").running is None


class TestDownForAnHour:
    """What is missed meanwhile is asked again by an alert that still fires, and leads to one retraining."""

    def hours(self, desk: Desk, *since: str, first: int = 0) -> list[Reason | None]:
        """The answers to an alert that is sent once an hour, each time *since* another moment, with looks that are as new."""
        answers = []
        for number, moment in enumerate(since, start=first):
            desk.seen = [make_look("drift", NOON + (number - back) * HOUR) for back in (1, 0)]
            answers.append(desk.reason(alert=sent(since=moment), holder=f"run-{number}", now=NOON + number * HOUR))
        return answers

    def test_prometheus(self) -> None:
        """It knows nothing of before, so the same drift fires since another moment: that is in flight, or answered by a request."""
        desk = Desk()
        assert self.hours(desk, "2026-03-01T10:00:00Z", "2026-03-01T13:00:00Z") == [None, "in flight"]
        retrainings.close(desk.state, "toy", "run-0", status="Succeeded", failures="", now=NOON + 2 * HOUR)
        after = self.hours(desk, *["2026-03-01T13:00:00Z"] * 30, first=3)
        assert set(after) == {"answered"}
        assert desk.state.ledger("toy").admitted == 1

    def test_argo_events(self) -> None:
        """What Alertmanager could not hand over it sends again, and after that every hour: the first that arrives counts."""
        desk = Desk()
        since = "2026-03-01T10:00:00Z"
        first, *others = self.hours(desk, *[since] * 24, first=2)
        assert (first, None in others) == (None, False)
        assert desk.state.ledger("toy").admitted == 1

    def test_the_object_store(self) -> None:
        """Without looks nothing is decided: the step ends 75 and nothing is written down; asked again, it is one retraining."""
        desk = Desk()

        def down(environment: str) -> Sequence[Look]:
            raise errors.TryAgain("the object store does not answer")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(desk, "looks_of", down)
            for _ in range(3):
                with pytest.raises(errors.TryAgain):
                    desk.answer(alert=sent())
            assert desk.state.ledger("toy") == desk.state.ledger("unheard_of").model_copy(update={"model": "toy"})
        first, *others = self.hours(desk, *["2026-03-01T10:00:00Z"] * 3, first=1)
        assert (first, None in others) == (None, False)


def test_closing_that_is_retried_says_the_same() -> None:
    """Its pod was lost after the ledger was written: people are told all the same that a retraining ended, and in what."""
    desk = Desk()
    desk.answer(alert=sent())
    ended = {"status": "Failed", "failures": FAILURES}
    first = retrainings.close(desk.state, "toy", "run-1", **ended, now=NOON + HOUR)
    again = retrainings.close(desk.state, "toy", "run-1", **ended, now=NOON + 2 * HOUR)
    assert first is not None
    assert first == again
    assert (first.outcome, first.ended, first.why) == ("rejected", NOON + HOUR, "evaluate ended with 10")
    assert retraining_table.text(desk.state.ledger("toy")).endswith("): evaluate ended with 10")


def test_the_list_has_each_text() -> None:
    """Of messages that are wrong in two ways both are there; the same again is counted."""
    desk = Desk()
    for run, text in enumerate(["", "null", "null", sent(model="other"), sent(model="another")]):
        desk.answer(alert=text, holder=f"run-{run}")
    listed = retraining_table.text(desk.state.ledger("toy"))
    assert listed.count("unreadable: ") == 2
    assert ", 2 times since" in listed
    assert "is about another;" in listed
    assert "is about other;" in listed


def test_the_list_names_the_request() -> None:
    """How it ended is not all that people want to know."""
    desk = Desk()
    answer = desk.answer(alert=sent())
    assert isinstance(answer.decision, Admitted)
    evidence = Evidence.model_construct(model="toy", verdict="promote", cause=answer.cause)
    retrainings.note(desk.state, evidence, "3 https://forge/pulls/3", NOON)
    retrainings.close(desk.state, "toy", "run-1", status="Succeeded", failures="", now=NOON)
    assert retraining_table.text(desk.state.ledger("toy")).endswith("): request 3 https://forge/pulls/3")


def test_one_measurement_of_performance_is_one_thing_that_happened() -> None:
    """However many looks carry it, the same alert is about the same; the next measurement is another matter."""
    low = Performance(
        model="toy", environment="production", model_digest=DIGEST, task="binary", since=NOON - HOUR, until=NOON,
        as_of=NOON, labels=LabelCounts(), verdict="below", explanation="auc is below its gate",
    )  # fmt: skip

    def asked(hours: int, measured: datetime.datetime) -> str:
        look = make_look("no drift", NOON + hours * HOUR).model_copy(
            update={"performance": low.model_copy(update={"as_of": measured})}
        )
        desk = Desk([look])
        desk.answer(alert=sent(alertname="ArgosyPerformanceBelowGate"), now=NOON + hours * HOUR)
        return desk.state.ledger("toy").refusals[0].identity

    assert asked(0, NOON) == asked(1, NOON) != asked(6, NOON + 6 * HOUR)


def test_who_holds_nothing_closes_nothing() -> None:
    """A run that was refused has an end, too."""
    desk = Desk()
    desk.answer(alert=sent())
    desk.answer(alert=sent(), holder="run-2")
    assert retrainings.close(desk.state, "toy", "run-2", status="Succeeded", failures="", now=NOON) is None
    assert desk.state.ledger("toy").running is not None


def test_the_newest_looks_are_read() -> None:
    """In order, without the copy of the newest and the pages for people that lie beside them, at most so many."""
    store = MemoryObjects()
    for hours in range(retrainings.MOST_LOOKS + 5):
        look = make_look(verdict="no drift", until=NOON + hours * HOUR)
        store.put(looks.look_key("toy", "production", look.until), look.canonical_json().encode())
        store.put(looks.latest_key("toy", "production"), look.canonical_json().encode())
        store.put(looks.page_key("toy", "production", look.until), b"<!DOCTYPE html>")
    read = retrainings.recent_looks(store, "toy", "production")
    assert [look.until for look in read] == [NOON + hours * HOUR for hours in range(5, retrainings.MOST_LOOKS + 5)]


def test_frequent_looks_reach_back_for_days() -> None:
    """Of looks every five minutes the newest are read, and one of each hour before: twenty that are an hour apart are there."""
    store, every = MemoryObjects(), HOUR / 12
    for number in range(12 * 150):
        look = make_look(verdict="drift", until=NOON - number * every)
        store.put(looks.look_key("toy", "production", look.until), look.canonical_json().encode())
    read = retrainings.recent_looks(store, "toy", "production")
    assert [look.until for look in read[-retrainings.MOST_LOOKS :]] == [
        NOON - number * every for number in reversed(range(retrainings.MOST_LOOKS))
    ]
    before = read[: -retrainings.MOST_LOOKS]
    assert all(later.until - each.until >= HOUR for each, later in itertools.pairwise(before[:-1]))
    assert 90 * HOUR < NOON - read[0].until <= 100 * HOUR
    assert len(read) < 2 * retrainings.MOST_LOOKS
    rules = SETTINGS.model_copy(update={"retraining": Retraining(enter=Enter(looks=20, of=20))})
    answer = retrainings.decide(
        Event(kind="alert", holder="run-1", alert=sent()),
        settings=rules,
        state=MemoryAdmissionState(),
        looks_of=lambda _: read,
        now=NOON,
    )
    assert isinstance(answer.decision, Admitted)


def test_looks_of_another_argosy_say_nothing() -> None:
    """They are left out; those that can be read decide."""
    store, look = MemoryObjects(), make_look(verdict="drift")
    store.put(looks.look_key("toy", "production", NOON - HOUR), b'{"of": "another version"}')
    store.put(looks.look_key("toy", "production", NOON), look.canonical_json().encode())
    assert retrainings.recent_looks(store, "toy", "production") == [look]


@pytest.mark.parametrize("environment", ["", "..", "../toy2", "a/b", "Production", "x" * 70])
def test_an_environment_that_is_none(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An alert may hold any text there: nothing is looked up by it."""
    store = MemoryObjects()
    monkeypatch.setattr(store, "keys", lambda prefix: pytest.fail(f"{prefix} was looked up"))
    assert retrainings.recent_looks(store, "toy", environment) == []
