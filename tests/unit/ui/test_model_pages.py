"""Pages about models and what they took: who waits, two versions, the way back, time, cost. Text of others stays text."""

import datetime
from typing import Any, cast

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.argo import NodeType, Phase
from argosy.domain import bills, environment_layout
from argosy.domain.bills import Prices, Used
from argosy.domain.merge_checks import Check
from argosy.domain.performance_report import PerformancePeriod
from argosy.domain.promotion_requests import State
from argosy.domain.rollouts import Analysis, Rollout
from argosy.domain.traces import Trace
from argosy.monitoring import performance_days, waiting
from argosy.monitoring.served_state import ServedState
from argosy.ports.runs import Node, Run
from argosy.promotion.seals import Seals
from argosy.promotion.tracing import Sighting, Tracer
from argosy.ui import bill, compared_versions, live_pages, model_handlers, model_page, time_page
from argosy.ui.compared_versions import KnownVersion
from argosy.ui.model_page import WatchedModel
from kit import looked, reported
from kit.asked_pages import DIGEST, HOSTILE, ChangingRuns, node, run, shown, sources
from kit.page_texts import request, version

OTHER = "sha256:" + "b" * 64


def test_who_waits_for_whom() -> None:
    """Requests wait for owners, or for a new run once the champion moved on; a run for an approval; a canary for its measurements."""
    asks = [request(3, champion=OTHER), request(4, champion=OTHER, opened_at="2026-03-01T11:00:00+00:00")]
    gate = Node("r-1.gate", NodeType.SUSPEND, Phase.RUNNING, looked.NOON.timestamp() - 60, display_name="gate")
    suspended = Run("r-1", "Suspended", started=1.0, root="r-1", nodes={gate.name: gate})
    canary = Rollout(
        name="churn",
        namespace="n",
        model="churn",
        environment="production",
        phase="Paused",
        failed=False,
        began_at="2026-03-01T11:58:00+00:00",
        looks=[Analysis(weight=25, phase="Running", began_at="2026-03-01T11:58:30+00:00")],
    )
    healthy = canary.model_copy(update={"healthy_at": "2026-03-01T11:59:00+00:00"})
    names = ["ada", "acme/risk"]
    found = waiting.rows(asks, lambda _: names, {"churn": OTHER}, [suspended], [canary, healthy], looked.NOON)
    assert [(row.what, row.waits_for, row.seconds) for row in found] == [
        ("#3 Promote churn", "a review by ada, acme/risk", 7200.0),
        ("#4 Promote churn", "a review by ada, acme/risk", 3600.0),
        ("Canary of churn in production", "its measurements at 25 %", 120.0),
        ("r-1", "an approval of gate", 60.0),
    ]
    moved = waiting.rows(asks[:1], lambda _: [], {"churn": "sha256:" + "c" * 64}, [], [], looked.NOON)
    assert moved[0].waits_for.startswith("a new run: production serves another model")


def test_the_board_says_who_waits() -> None:
    """By CODEOWNERS of main; canaries that cannot be asked for are said, and the rest is shown."""
    files = {
        environment_layout.version_path("churn", "staging"): version(2, OTHER).yaml().encode(),
        "CODEOWNERS": b"models/ @acme/reviewers\n",
    }
    forge = MemoryForge(files)

    def unseen(_: str) -> list[Rollout]:
        raise errors.TryAgain("the cluster does not answer")

    found = sources(ChangingRuns(run("Running")), forge=lambda: forge, looks=MemoryObjects, canaries=unseen)
    status, text, _ = shown(found, "/")
    assert status == 200
    assert "Nobody waits." in text
    assert "the cluster does not answer" in text
    assert '<a href="/models/churn">churn</a>' in text


def test_two_versions_of_a_model() -> None:
    """What their evidence says otherwise, small noise left out; their curves in one picture with the version in the name."""
    one = reported.evidence(metrics={"performance.auc": 0.8, "performance.f1": 0.6000})
    other = reported.evidence(metrics={"performance.auc": 0.84, "performance.f1": 0.6001}, snapshot_digest=OTHER)
    found = compared_versions.of(
        KnownVersion(version(6), one, "production", merged=True),
        KnownVersion(version(7, OTHER), other, "staging", merged=False),
        [7, 6, 5],
    )
    rows = {title: {row.name: (row.before, row.after) for row in section} for title, section in found.sections}
    assert rows["measurements"] == {"performance.auc": ("0.8", "0.84")}
    assert rows["release"]["where"] == ("served in production", "proposed for staging")
    assert rows["made from"]["data"][1] == OTHER
    assert "gates" not in rows
    names = [line.name for line in found.curves[0].lines]
    assert names[0].endswith("version 7")
    assert sum(name.endswith("version 6") for name in names) == 1
    text = live_pages.versions(found)
    assert 'href="/models/churn/versions?before=5&amp;after=7"' in text
    none = compared_versions.of(
        KnownVersion(version(6), None, "staging", merged=True),
        KnownVersion(version(7), one, "staging", merged=True),
        [7, 6],
    )
    assert none.curves == []


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("", 200, "version 2 (served in staging), then version 3 (served in staging)"),
        ("?after=2", 200, "version 3 (served in staging), then version 2"),
        ("?after=9", 404, "there is no version"),
        ("?after=x", 404, "versions: 3, 2"),
    ],
)
def test_versions_are_named_by_their_numbers(asked: str, status: int, said: str) -> None:
    """The newest two where nobody says which; of the first the newest is the other one."""
    path = environment_layout.version_path("churn", "staging")
    forge = MemoryForge({path: version(2).yaml().encode()})
    forge.push({path: version(3, OTHER).yaml().encode()})
    tracer = Tracer(forge, cast("Seals", None))
    found = sources(ChangingRuns(run("Running")), tracer=lambda: tracer)
    answered, text, _ = shown(found, f"/models/churn/versions{asked}")
    assert answered == status
    assert said in text


def test_evidence_that_cannot_be_read_is_said_beside_its_version() -> None:
    """One broken file takes no page of a model away."""
    path, beside = (
        of("churn", "staging") for of in (environment_layout.version_path, environment_layout.evidence_path)
    )
    forge = MemoryForge({path: version(2).yaml().encode(), beside: b"{}"})
    tracer = Tracer(forge, cast("Seals", None))
    status, text, _ = shown(
        sources(ChangingRuns(run("Running")), forge=lambda: forge, looks=MemoryObjects, tracer=lambda: tracer),
        "/models/churn",
    )
    assert status == 200
    assert "cannot be read: " in text
    assert beside in text


def test_only_the_evidence_of_listed_versions_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that was promoted for years has more versions than its page shows."""
    path, beside = (
        of("churn", "staging") for of in (environment_layout.version_path, environment_layout.evidence_path)
    )
    forge = MemoryForge({path: version(2).yaml().encode(), beside: b"{}"})
    for number in (3, 4):
        forge.push({path: version(number, OTHER).yaml().encode()})
    read: list[int] = []
    monkeypatch.setattr(Sighting, "evidence", lambda one: read.append(one.version.version))
    monkeypatch.setattr(model_handlers, "MOST_VERSIONS", 2)
    tracer = Tracer(forge, cast("Seals", None))
    found = sources(ChangingRuns(run("Running")), forge=lambda: forge, looks=MemoryObjects, tracer=lambda: tracer)
    assert shown(found, "/models/churn")[0] == 200
    assert read == [4, 3]


def test_the_way_back_is_asked_for_in_a_form() -> None:
    """It comes back to us alone, says what was wrong with what was typed, and shows text of others as text."""
    trace = Trace(version(3), [], [], None, Check("signatures", passed=False, reason=HOSTILE), None)

    def traced(what: str) -> tuple[list[Any], Trace]:
        if what != "churn/3":
            raise errors.UsageError(f"nothing is called {what!r}")
        return [], trace

    found = sources(ChangingRuns(run("Running")), trace=traced)
    status, text, headers = shown(found, "/trace?what=churn/3")
    assert status == 200
    assert "NOT VERIFIED" in text
    assert HOSTILE not in text
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    status, text, _ = shown(found, f"/trace?what={HOSTILE}")
    assert status == 404
    assert HOSTILE not in text
    assert shown(found, "/trace")[0] == 200
    assert "form-action 'none'" in shown(found, "/runs")[2]["Content-Security-Policy"]


def test_where_the_time_went() -> None:
    """Runs by what their steps did and what they did not, steps by their work, requests by what they waited for a decision."""
    train = node("train", Phase.SUCCEEDED, finished=111.0)
    kept = Node("r-1.ingest", NodeType.POD, Phase.SUCCEEDED, 100.5, display_name="ingest", finished=100.6, cached=True)
    ended = run("Succeeded", train, kept, finished=120.0)
    merged = request(2, state=State.MERGED, ended_at="2026-03-01T10:30:00+00:00", ended_by="ada")
    spent = time_page.of([ended, run("Running")], [merged, request(3)], looked.NOON, 20)
    (row,) = spent.runs
    assert (row.wall, row.work, row.slowest, row.slowest_seconds) == (20.0, 10.0, "train", 10.0)
    assert (row.cached, row.tasks, row.busy) == (1, 2, 50.5)
    assert [(step.step, step.total, step.runs) for step in spent.steps] == [("train", 10.0, 1)]
    assert [(wait.request.number, wait.seconds, wait.waits) for wait in spent.requests] == [
        (3, 7200.0, True),
        (2, 1800.0, False),
    ]
    assert spent.medians == [("staging", 1800.0)]


def test_the_page_of_time_shows_runs_where_the_forge_is_down() -> None:
    """And reads the steps of a run that is over once."""
    ended = run("Succeeded", node("train", Phase.SUCCEEDED, finished=111.0), finished=120.0)
    status, text, _ = shown(sources(ChangingRuns(ended)), "/time")
    assert status == 200
    assert "the forge does not answer" in text
    assert "train, 10.0 s" in text


def test_the_bill() -> None:
    """By month and by pipeline, with what is left out; without prices what sets them."""
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    used = [Used("churn", "churn", HOSTILE, at, {"cpu": 3600.0}), Used("watch", "churn", HOSTILE, at, {"cpu": 1800.0})]
    status, text, _ = shown(
        sources(
            ChangingRuns(run("Running")), bill=lambda: bill.of(used, Prices.from_text("cpu=2", "a test"), left=1234)
        ),
        "/cost",
    )
    assert status == 200
    assert HOSTILE not in text
    assert '<td class="n">1.50</td>' in text
    assert '<td class="n">3.00</td>' in text
    assert "1,234 older runs are not counted" in text
    assert "ARGOSY_PRICES" not in text
    assert "ARGOSY_PRICES" in live_pages.cost(bill.of(used, Prices({}), left=0), "here")
    assert "There are no runs yet" in live_pages.cost(bill.of([], Prices({}), left=0), "here")
    assert bills.total([]).runs == 0


def test_real_performance_over_time() -> None:
    """A line for each metric with a gate, day by day, with its interval and its limit."""
    day = datetime.timedelta(days=1)
    scores = looked.performance().scores
    days = [
        PerformancePeriod(
            since=looked.NOON + at * day, until=looked.NOON + (at + 1) * day, predictions=9, labelled=8, scores=scores
        )
        for at in range(3)
    ]
    part = model_page.part(WatchedModel("production", ServedState(3, looked.DIGEST), [], looked.performance(), days))
    assert [course.title for course in part.courses] == ["AUC by day, production", "log loss by day, production"]
    assert [line.name for line in part.courses[0].lines] == ["AUC", "low", "high", "limit"]
    assert "AUC by day" in live_pages.model("churn", [part], [])


def test_days_of_another_model_are_not_its_own() -> None:
    """They lie under the digest; one that this version cannot read is left out."""
    store, day = (
        MemoryObjects(),
        PerformancePeriod(since=looked.NOON, until=looked.NOON, predictions=9, labelled=8, scores=[]),
    )
    prefix = f"performance/churn/production/{'a' * 64}/"
    store.put(f"{prefix}2026-03-01.json", day.canonical_json().encode())
    store.put(f"{prefix}2026-03-02.json", b"{}")
    store.put(f"performance/churn/production/{'b' * 64}/2026-03-01.json", day.canonical_json().encode())
    assert performance_days.kept(store, "churn", "production", DIGEST) == [day]
    assert performance_days.kept(store, "churn", "production", "") == []
