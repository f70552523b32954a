"""Every kind of page that Argosy draws, whole, of records that are the same at any time."""

import dataclasses
import datetime
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.argo import Phase
from argosy.domain import bills, environment_layout
from argosy.domain.bills import Prices, Used
from argosy.domain.data_diff import ColumnChange, DataChange, TableChange
from argosy.domain.evidence import Table
from argosy.domain.merge_checks import Check
from argosy.domain.performance_report import PerformancePeriod
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.release import Version
from argosy.domain.rollouts import Rollout
from argosy.domain.run_differences import RunDifference
from argosy.files import model_folder
from argosy.monitoring.served_state import ServedState
from argosy.monitoring.waiting import Waiting
from argosy.ports.runs import Line, Run
from argosy.promotion.desk import Review
from argosy.report import backfill_page, change_page, evidence_markdown, html, validation_page
from argosy.report.backfill_page import BackfillLine
from argosy.ui import bill, compared_versions, live_pages, model_page, time_page
from argosy.ui.compared_runs import ComparedRuns
from argosy.ui.compared_versions import KnownVersion
from argosy.ui.live_pages import Board, BoardRow
from argosy.ui.model_page import EnvironmentPart, WatchedModel
from kit import looked, reported
from kit.asked_pages import DIGEST, ChangingRuns, node, run, shown, sources

OPENED = "2026-03-01T10:00:00+00:00"


def version(number: int, digest: str = DIGEST) -> Version:
    """A version of churn."""
    return Version(
        model="churn",
        version=number,
        model_digest=digest,
        storage_uri="file:///store/churn/",
        evidence_digest=DIGEST,
        policy_digest=DIGEST,
    )


def request(number: int = 3, **more: Any) -> Request:
    """A request for churn in staging, with *more*; *champion*: the digest of the model that it wants to follow."""
    subject = Subject(
        model="churn",
        environment="staging",
        version=3,
        model_digest=DIGEST,
        policy_digest=DIGEST,
        champion_digest=more.pop("champion", None),
    )
    values: dict[str, Any] = {
        "title": "Promote churn",
        "branch": "b",
        "head": "c" * 40,
        "opened_at": OPENED,
        "author": "argosy",
        "url": "",
    }
    return Request(number=number, subject=subject, **{**values, **more})


def of_runs() -> Mapping[str, str]:
    """Runs, two runs and two versions side by side, reports: of these screenshots are kept."""
    full = reported.full()
    judged = reported.evidence(tables=_wide_tables(), curves=full.evidence.curves if full.evidence else [])
    refused = reported.evidence(
        verdict="reject",
        gates=[reported.gate("performance.auc", 0.71, ">= 0.8", passed=False)],
        explanation="One gate failed.",
    )
    settings = [RunDifference("settings", "search.trials", "6", "12"), RunDifference("settings", "seed", "7", "8")]
    both = ComparedRuns("toy", "r-0", "r-1", "Rejected", "Ready", [("settings", settings)], ["r-00"])
    one, other = reported.evidence(), reported.evidence(metrics={"performance.auc": 0.87})
    versions = compared_versions.of(
        KnownVersion(version(6, _digest(6)), one, "production", merged=True),
        KnownVersion(version(7, _digest(7)), other, "staging", merged=False),
        [7, 6],
    )
    return {
        "report": html.render(dataclasses.replace(full, evidence=judged)),
        "rejected-report": html.render(dataclasses.replace(full, evidence=refused)),
        "run": shown(sources(ChangingRuns(_ended())), "/runs/r-1")[1],
        "runs": live_pages.runs([_ended()] * 12, 0, False, "of this machine"),
        "runs-compared": live_pages.compare(both),
        "versions-compared": live_pages.versions(versions),
        "nothing": live_pages.message("Nothing is here", "No page has this address."),
    }


def every(root: Path) -> Mapping[str, str]:
    """Every kind of page. *root*: the repository, of which the settings of a model are read."""
    asked = [["half of the requests", "1.9 ms"], ["measured on", "16 processors of one machine"]]
    untitled = reported.evidence(
        tables=[Table(title="Speed and cost", dimension="latency", header=["", ""], rows=asked)]
    )
    going = run("Running", node("train", Phase.RUNNING))
    ended = {"state": State.MERGED, "ended_by": "ada", "ended_at": "2026-03-01T10:30:00+00:00"}
    waits = time_page.of([_ended()], [request(2, **ended), request()], looked.NOON, 20)
    return {
        **of_runs(),
        "table-without-titles": html.render(dataclasses.replace(reported.full(), evidence=untitled)),
        "going-run": live_pages.run(going, has_report=False, shown=live_pages.picture(going, now=120.0)),
        "log": live_pages.log(_ended(), "train", [Line(f"line {number} " + "x" * 200) for number in range(40)], 3),
        "board": live_pages.board(_board()),
        "model": live_pages.model("churn", _parts(), [request()], _versions()),
        "requests": live_pages.requests([request(), request(2, **ended)]),
        "request": live_pages.request(_review(), ["production: 25 % since 10:05", "its measurements go on"]),
        "trace-asked": live_pages.trace("", [], ""),
        "trace": live_pages.trace("churn/3", [("version", "churn 3"), ("signatures", "NOT VERIFIED")], ""),
        "trace-of-nothing": live_pages.trace("x", [], "nothing is called 'x'"),
        "time": live_pages.time_spent(waits, "of this machine"),
        "cost": live_pages.cost(bill.of(_used(), Prices({bills.CPU: 2.0}), left=1234), "of this machine"),
        "backfill": _backfill(),
        "data-changes": change_page.render(_change()),
        "validation": _validation(root),
    }


def _wide_tables() -> list[Table]:
    """What is wide on a phone: many classes, and words where others have figures."""
    classes = [str(year) for year in range(1994, 2003)]
    counted = [[each, *("58" if each == other else "0" for other in classes)] for each in classes]
    words = [["worst push of 0.01 standard deviations", "91.13% of decisions turned", ""], ["as it is", "0.9293", ""]]
    return [
        Table(
            title="Confusion matrix",
            dimension="performance",
            header=["True class", *(f"decided {each}" for each in classes)],
            rows=counted,
        ),
        Table(title="Robustness", dimension="robustness", header=["Inputs", "r2", "Change"], rows=words),
    ]


def _digest(number: int) -> str:
    return "sha256:" + f"{number:x}" * 64


def _ended() -> Run:
    failed = node("train", Phase.FAILED, message="main: Error (exit code 78)", finished=111.0)
    ingested = node("ingest", Phase.SUCCEEDED, finished=104.0)
    return run("Failed", ingested, failed, finished=120.0, message="train failed")


def _board() -> Board:
    states = {"staging": ServedState(3, DIGEST, "drift"), "production": ServedState()}
    row = BoardRow("churn", {name: states[name] for name in environment_layout.ENVIRONMENTS}, [request()])
    waits = [Waiting("#3 Promote churn", "/requests/3", "ada", "a review by ada", 7200.0)]
    canary = Rollout(
        name="churn",
        namespace="n",
        model="churn",
        environment="production",
        phase="Degraded",
        failed=True,
        message="the analysis of errors failed " * 5,
        began_at=OPENED,
    )
    return Board([row], waits, [_ended()] * 10, [canary], "of this machine", "the cluster does not answer")


def _parts() -> list[EnvironmentPart]:
    hour, performance = datetime.timedelta(hours=1), looked.performance()
    days = [
        PerformancePeriod(
            since=looked.NOON + 24 * at * hour,
            until=looked.NOON + 24 * (at + 1) * hour,
            predictions=9,
            labelled=8,
            scores=performance.scores,
        )
        for at in range(3)
    ]
    looks = [looked.look("no drift", until=looked.NOON - hour), looked.look("drift")]
    served = WatchedModel("production", ServedState(3, looked.DIGEST, "drift"), looks, performance, days)
    return [model_page.part(WatchedModel("staging", ServedState(), [], None)), model_page.part(served)]


def _versions() -> list[KnownVersion]:
    return [
        KnownVersion(version(4, _digest(4)), reported.evidence(), "staging", merged=False),
        KnownVersion(version(3, _digest(3)), None, "production", merged=True, problem="evidence.json cannot be read"),
        KnownVersion(version(2, _digest(2)), None, "production", merged=True),
    ]


def _review() -> Review:
    held = Check("signatures", passed=True, reason="signed with our key")
    red = Check("policy", passed=False, reason="the policy moved on")
    body = evidence_markdown.report(reported.evidence(tables=_wide_tables()))
    return Review(request(), [held, red], body, "evidence and bundle are signed with our key", "it says the same")


def _used() -> list[Used]:
    at = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    return [Used(name, "churn", "risk", at, {"cpu": 3600.0, "memory": 7200.0}) for name in ("churn", "watch")]


def _backfill() -> str:
    months = [datetime.datetime(2026, month, 1, tzinfo=datetime.UTC) for month in (1, 2)]
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "backfill.html"
        backfill_page.write("churn", [BackfillLine(months[0], reported.full()), BackfillLine(months[1])], page)
        return page.read_text(encoding="utf-8")


def _change() -> DataChange:
    column = ColumnChange(
        name="tenure", type="int64", missing_before=0.0, missing_after=0.02, distance=0.4, measure="KS", rows_changed=7
    )
    table = TableChange(source="telco", rows_before=900, rows_after=912, columns_added=["plan"], columns=[column])
    return DataChange(before="1f2e", after="9a0b", tables=[table], sources_removed=["calls"])


def _validation(root: Path) -> str:
    full = reported.full()
    assert full.lineage
    assert full.validation
    settings = model_folder.load_settings(root / "workflows" / "churn" / "model.yaml")
    return validation_page.render(settings, full.lineage, full.validation)
