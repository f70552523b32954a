"""The cause of a retraining in a request and on a page: all of it, text of others as text, and nothing where there is none."""

import datetime
from dataclasses import replace
from html.parser import HTMLParser

import cmarkgfm
import pytest

from argosy.domain import comparison
from argosy.domain.evidence import ComparisonResult, DataWindow
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.retraining_cause import Alert, Cause, MovedColumn, PerformanceChange
from argosy.report import evidence_markdown, html, run_outcome, terminal, timeline
from argosy.report.record import Entry, RunReport

HOSTILE = """<img src=x onerror=alert(1)> </title><script>alert(2)</script> @everyone fixes #12 https://evil.example `x` | [a](js:x)"""
MOMENT = datetime.datetime.fromtimestamp(1_780_000_000 - 120, tz=datetime.UTC)
BETTER = ComparisonResult(
    metric="auc", candidate=0.75, champion=0.68, difference=0.07, low=0.05, high=0.09, margin=0.01, rows=3456,
    p_value=0.001, outcome="better", reason="auc is better than the champion's: +0.07 on 3,456 rows",
)  # fmt: skip
CAUSE = Cause(
    kind="drift",
    alert=Alert(name="ArgosyDrift", fingerprint="c0ffee00c0ffee00", starts_at=MOMENT + datetime.timedelta(seconds=40)),
    environment="production",
    model_digest="sha256:77aa",
    since=MOMENT,
    until=MOMENT + datetime.timedelta(hours=1),
    began=MOMENT,
    columns=[MovedColumn(column="temp", measure="Jensen-Shannon distance", before=0, now=0.42, explanation="p 1e-09")],
    performance=PerformanceChange(metric="auc", before=0.73, now=0.68),
    explanation="temp differs",
    admission="vessels-1",
)
WINDOWS = {
    "trained_on": DataWindow(since=MOMENT - datetime.timedelta(days=200), until=MOMENT, rows=23_456),
    "recent_rows": DataWindow(since=MOMENT, until=MOMENT + datetime.timedelta(days=21), rows=3456),
}


class Elements(HTMLParser):
    """The elements of a page and its text outside code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.code = ""
        self._inside = 0
        self.feed(page)

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.tags.append(tag)
        self._inside += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.code += data
        else:
            self.text += data


def with_cause(report: RunReport, cause: Cause | None, recent: ComparisonResult | None = BETTER) -> RunReport:
    """The report of a retraining for *cause*."""
    assert report.evidence is not None
    changes = {"cause": cause, "recent": recent if cause else None, **WINDOWS}
    return replace(report, evidence=report.evidence.model_copy(update=changes))


def hostile() -> Cause:
    """A cause of which every text is an attack."""
    name = HOSTILE[:200]
    return Cause(
        kind="drift",
        alert=Alert(name=name, fingerprint=name, starts_at=MOMENT),
        environment=name,
        model_digest=name,
        columns=[MovedColumn(column=name, measure=name, now=1.0, explanation=HOSTILE)],
        performance=PerformanceChange(metric=name),
        explanation=HOSTILE,
        admission=name,
    )


@pytest.mark.parametrize("place", ["request", "page"])
def test_all_of_it_is_said(report: RunReport, place: str) -> None:
    """Which alert, which columns by how much, from when, real performance before, the window it was trained on."""
    retrained = with_cause(report, CAUSE)
    assert retrained.evidence is not None
    page = Elements(
        cmarkgfm.github_flavored_markdown_to_html(evidence_markdown.report(retrained.evidence))
        if place == "request"
        else html.render(retrained)
    )
    shown = page.text + page.code
    for said in (
        "Why it was retrained", "temp differs", "ArgosyDrift, firing since 2026-05-28 20:25 UTC", "c0ffee00c0ffee00",
        "production", "Jensen-Shannon distance", "0.42", "from 2026-05-28 20:24 UTC to 2026-05-28 21:24 UTC", "vessels-1",
        "auc 0.68; it was 0.73 when the model was approved", "23,456 rows from", "3,456 rows from",
        "On the newest labelled rows", "auc is better than the champion's",
    ):  # fmt: skip
        assert said in shown, said


def test_nothing_without_a_cause(report: RunReport) -> None:
    """A run that nobody asked for says nothing of one."""
    plain = with_cause(report, None)
    assert plain.evidence is not None
    for shown in (evidence_markdown.report(plain.evidence), html.render(plain), terminal.summary(plain)):
        assert "retrained" not in shown
        assert "newest labelled rows</h" not in shown
        assert "shifted" not in shown


def test_text_of_others_in_a_request_stays_text(report: RunReport) -> None:
    """Looked at as GitHub renders it: no element, no link, nobody called."""
    retrained = with_cause(report, hostile())
    assert retrained.evidence is not None
    markdown = evidence_markdown.report(retrained.evidence)
    page = Elements(cmarkgfm.github_flavored_markdown_to_html(markdown))
    assert not {"img", "script", "a", "title"} & set(page.tags)
    assert "@everyone" not in page.text
    assert "#12" not in page.text
    assert "https://evil" not in page.text


def test_text_of_others_on_a_page_stays_text(report: RunReport) -> None:
    """No element comes of it."""
    page = Elements(html.render(with_cause(report, hostile())))
    assert not {"img", "script"} & set(page.tags)
    assert "<script>alert(2)</script>" in page.text


def test_a_terminal_obeys_nothing_of_it(report: RunReport) -> None:
    """One line, without what a terminal would act on."""
    cause = CAUSE.model_copy(update={"explanation": "a\x1b[2Jb\ncause     forged"})
    lines = terminal.summary(with_cause(report, cause)).splitlines()
    assert [line for line in lines if line.startswith("  cause")] == ["  cause     drift: a[2Jb cause     forged"]


def test_a_run_that_stopped_early_says_its_cause(report: RunReport) -> None:
    """Before there is evidence the run's parameter tells; one that cannot be read is left to the step that says so."""
    facts = replace(report.facts, parameters={"cause": CAUSE.text()})
    assert "Why it was retrained" in html.render(replace(report, evidence=None, facts=facts))
    broken = replace(report, evidence=None, facts=replace(report.facts, parameters={"cause": "{"}))
    assert "Why it was retrained" not in html.render(broken)


def propose(report: RunReport, phase: str = "Succeeded") -> Entry:
    """The step that opens the request, or does not, a minute after the run began."""
    start = report.facts.started
    return Entry("$.propose(0)", "propose", phase, started=start + 59, finished=start + 60)


@pytest.mark.parametrize(
    ("phase", "end"),
    [pytest.param("Succeeded", "the opened request", id="opened"), pytest.param("Failed", "the refusal", id="refused")],
)
def test_how_long_it_took(report: RunReport, phase: str, end: str) -> None:
    """From the first shifted prediction: to the alert, to the run's start, to the request."""
    found = timeline.reaction(CAUSE, report.facts, [propose(report, phase)])
    assert found is not None
    assert found.end == end
    assert found.parts == (
        ("the alert to fire", pytest.approx(40)),
        ("the run to start", pytest.approx(80)),
        (f"{end}, in the run", pytest.approx(60)),
    )
    assert found.total == pytest.approx(180)


def test_it_is_stated_where_people_look(report: RunReport) -> None:
    """On the terminal and on the page."""
    retrained = replace(with_cause(report, CAUSE), entries=(*report.entries, propose(report)))
    assert "from the first shifted prediction to the opened request" in terminal.summary(retrained)
    assert "From the first prediction that was otherwise to the opened request" in html.render(retrained)


@pytest.mark.parametrize(
    "cause",
    [pytest.param(None, id="none"), pytest.param(Cause(kind="hand"), id="since-nobody-knows")],
)
def test_no_time_is_made_up(report: RunReport, cause: Cause | None) -> None:
    """Where nobody knows since when, nothing is said."""
    assert timeline.reaction(cause, report.facts, report.entries) is None


def test_clocks_that_disagree_make_no_negative_time(report: RunReport) -> None:
    """An alert from a machine whose clock is ahead."""
    assert CAUSE.alert is not None
    ahead = CAUSE.alert.model_copy(update={"starts_at": MOMENT + datetime.timedelta(days=1)})
    found = timeline.reaction(CAUSE.model_copy(update={"alert": ahead}), report.facts, [propose(report)])
    assert found is not None
    assert min(seconds for _, seconds in found.parts) == 0


def test_inconclusive_for_want_of_rows_is_said_so(report: RunReport) -> None:
    """Where the newest labelled rows could not be had, the headline does not blame the sample."""
    none = comparison.impossible(ComparisonPolicy(metric="auc", margin=0.01), "no labels yet", 0)
    held = with_cause(report, CAUSE, none)
    assert held.evidence is not None
    held = replace(held, evidence=held.evidence.model_copy(update={"verdict": "inconclusive"}))
    assert "could not be compared" in run_outcome.of(held).headline
    assert "recent    not compared" in terminal.summary(held)
