"""The pages of ``argosy ui``: models and what waits for them, runs, one run as it goes, a log, a request. Rendered on the server.

Every page is of the report's style sheet. Text of others is escaped; one page has a script, which replaces the picture of a run by a newer
one.
"""

import base64
import functools
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy.argo import NodeType, Phase
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import Request
from argosy.domain.rollouts import Rollout
from argosy.monitoring.served_state import ServedState
from argosy.monitoring.waiting import Waiting
from argosy.ports.runs import KILLED, Line, Node, Run
from argosy.promotion.desk import Review
from argosy.report import html, markdown_html, page_environment, request_lines
from argosy.ui.bill import Bill
from argosy.ui.compared_runs import ComparedRuns
from argosy.ui.compared_versions import ComparedVersions, KnownVersion
from argosy.ui.model_page import EnvironmentPart
from argosy.ui.time_page import TimeSpent

MOST_NODES = 2000
"""Rows that the picture of a run has; the rest is counted."""
DEEPEST = 8
# A browser asks again by itself where a connection breaks off, and never where the answer was an error.
SCRIPT = """
function listen() {
  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("picture", (event) => { document.getElementById("picture").innerHTML = event.data; });
  events.addEventListener("over", () => { events.close(); location.reload(); });
  events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000); });
}
listen();
"""
SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
TONES: Mapping[str, str] = {
    "Succeeded": "good",
    "Failed": "bad",
    "Error": "bad",
    "Killed": "bad",
    "Running": "wait",
    "Pending": "wait",
    "Suspended": "wait",
    "Interrupted": "wait",
    "open": "wait",
    "merged": "good",
    "closed": "plain",
    "drift": "bad",
    "no drift": "good",
    "holds": "good",
    "below": "bad",
    "unclear": "wait",
    "Healthy": "good",
    "Progressing": "wait",
    "Paused": "wait",
    "Degraded": "bad",
    "promote": "good",
    "reject": "bad",
    "inconclusive": "wait",
}
MARKS: Mapping[Phase, str] = {
    Phase.PENDING: "◷",
    Phase.RUNNING: "●",
    Phase.SUCCEEDED: "✔",
    Phase.FAILED: "✖",
    Phase.ERROR: "⚠",
    Phase.SKIPPED: "○",
    Phase.OMITTED: "○",
}


@dataclass(frozen=True)
class BoardRow:
    """One model: what each environment serves, and the requests that wait."""

    model: str
    served: Mapping[str, ServedState]
    waiting: Sequence[Request]


@dataclass(frozen=True)
class NodeRow:
    """One node in the picture of a run; places are in percent of the run's time."""

    label: str
    name: str
    depth: int
    mark: str
    phase: str
    message: str
    begin: float
    width: float
    seconds: float | None
    has_log: bool


@dataclass(frozen=True)
class Board:
    """The first page. *problem*: why models or canaries are missing."""

    rows: Sequence[BoardRow]
    waits: Sequence[Waiting]
    runs: Sequence[Run]
    rollouts: Sequence[Rollout]
    where: str
    """Whose runs they are."""
    problem: str


def content_security_policy(*, live: bool = False, asks: bool = False) -> str:
    """The policy under which a page is shown; a *live* one may run our script and listen to us, one that *asks* has a form of ours."""
    style = page_environment.style()["style_hash"]
    script = f"; script-src 'sha256-{SCRIPT_HASH}'; connect-src 'self'" if live else ""
    form = "'self'" if asks else "'none'"
    return f"default-src 'none'; style-src 'sha256-{style}'{script}; base-uri 'none'; form-action {form}; frame-ancestors 'none'"


def board(shown: Board) -> str:
    """The first page: models by environments, who waits for whom, and the newest runs."""
    return _page("ui_board", board=shown, environments=environment_layout.ENVIRONMENTS)


def model(
    name: str, parts: Sequence[EnvironmentPart], found: Sequence[Request], versions: Sequence[KnownVersion] = ()
) -> str:
    """The page of one model. *found*: its requests; *versions*: the newest first."""
    return _page("ui_model", model=name, parts=parts, requests=_newest_first(found), versions=versions)


def versions(compared: ComparedVersions) -> str:
    """What was otherwise between two versions of a model."""
    return _page("ui_versions", compared=compared)


def trace(what: str, links: Sequence[tuple[str, str]], problem: str) -> str:
    """The way back from *what*; with no links the form that asks for it, and the *problem* with what was given."""
    return _page("ui_trace", what=what, links=links, problem=problem)


def time_spent(spent: TimeSpent, where: str) -> str:
    """Where the time went."""
    return _page("ui_time", spent=spent, where=where)


def cost(bill: Bill, where: str) -> str:
    """What runs cost."""
    return _page("ui_cost", bill=bill, where=where)


def runs(found: Sequence[Run], before: int, more: bool, where: str) -> str:
    """A page of runs, *before* of which stand on pages before it."""
    return _page("ui_runs", runs=found, before=before, more=more, where=where)


def run(found: Run, *, has_report: bool, compares: bool = False, shown: str) -> str:
    """The page of one run. *shown*: what its picture shows now; *compares*: it can be held against others of its model."""
    live = not found.over and found.phase != KILLED
    return _page("ui_run", run=found, has_report=has_report, compares=compares, picture=shown, live=live)


def picture(found: Run, graph: str = "", now: float | None = None) -> str:
    """The nodes of *found* as bars over its time, and its *graph*, an SVG: what a live page replaces."""
    rows = list(_rows(found, now if now is not None else time.time()))
    left = max(0, len(rows) - MOST_NODES)
    return _page("ui_picture", run=found, rows=rows[:MOST_NODES], left=left, graph=graph)


def compare(compared: ComparedRuns) -> str:
    """What was otherwise between two runs."""
    return _page("ui_compare", compared=compared)


def log(found: Run, step: str | None, lines: Sequence[Line], left: int) -> str:
    """The log of *step*, or of all; *left*: lines before the first that is shown."""
    return _page("ui_log", run=found, step=step, lines=lines, left=left)


def requests(found: Sequence[Request]) -> str:
    """All requests, the newest first."""
    return _page("ui_requests", requests=_newest_first(found))


def request(review: Review, after: Sequence[str] = ()) -> str:
    """One request: its facts, every check, and the signed evidence. *after*: what followed its merge, where a cluster is looked at."""
    facts = {**request_lines.facts(review.request), "evidence": review.evidence, "text": review.text}
    return _page(
        "ui_request",
        after=after,
        review=review,
        request=review.request,
        facts=facts,
        evidence=markdown_html.html(review.markdown),
    )


def message(title: str, text: str) -> str:
    """What is said where there is nothing else to show."""
    return _page("ui_message", title=title, text=text)


def _newest_first(found: Sequence[Request]) -> list[Request]:
    return sorted(found, key=lambda each: -each.number)


def _rows(found: Run, now: float) -> Iterator[NodeRow]:
    children: dict[str | None, list[Node]] = {}
    for node in found.nodes.values():
        parent = node.parent if node.parent in found.nodes and node.parent != node.name else None
        children.setdefault(parent, []).append(node)
    begin = found.started or min((node.started for node in found.nodes.values()), default=now)
    end = max(found.finished or now, begin + 1e-3)
    waiting = [(node, 0) for node in reversed(children.get(None, []))]
    while waiting:
        node, depth = waiting.pop()
        below = children.get(node.name, [])
        # A step that was tried once is one row: its retries say nothing that the attempt does not.
        tried = below[0] if node.type is NodeType.RETRY and len(below) == 1 else node
        yield _row(found, tried, node.display_name or found.local(node), depth, begin, end)
        waiting += [(child, depth + 1) for child in reversed(children.get(tried.name, []))]


def _row(found: Run, node: Node, label: str, depth: int, begin: float, end: float) -> NodeRow:
    never = node.phase in (Phase.SKIPPED, Phase.OMITTED)
    first = min(max(node.started - begin, 0.0), end - begin)
    last = first if never else min(max((node.finished or end) - begin, first), end - begin)
    return NodeRow(
        label=label,
        name=found.local(node),
        depth=min(depth, DEEPEST),
        mark=MARKS[node.phase],
        phase=str(node.phase),
        message=node.message,
        begin=round(100 * first / (end - begin), 2),
        width=round(100 * (last - first) / (end - begin), 2),
        seconds=None if never else last - first,
        has_log=node.type in (NodeType.POD, NodeType.CONTAINER) and not never,
    )


@functools.cache
def _template(name: str) -> Callable[..., str]:
    """What renders the page *name*; kept, since a run that goes on is rendered every second."""
    environment = html.full_environment()
    environment.filters["tone"] = lambda word: TONES.get(str(word), "plain")
    environment.globals |= {**page_environment.style(), "script": SCRIPT}
    return environment.get_template(f"{name}.html.j2").render


def _page(name: str, **shown: object) -> str:
    return _template(name)(**shown)
