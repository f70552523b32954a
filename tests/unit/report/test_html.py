"""One self-contained page per run, safe to open whatever its values are."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from argosy.domain.evidence import DATA, Evidence, Table
from argosy.domain.policy import DIMENSIONS, ComparisonPolicy, Limit, Policy, Waiver
from argosy.files import model_folder
from argosy.report import html, validation_page
from argosy.report.record import Entry, RunReport
from kit import reported

HOSTILE = """<img src=x onerror=alert(1)>"'`</title></style><script>alert(2)</script>"""
VOID = {"meta", "br", "link", "input", "img", "hr"}


class _Page(HTMLParser):
    """Every element with its attributes, and whether each that was opened was closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")


@pytest.fixture(params=["report", "rejected", "stopped"])
def any_report(request: pytest.FixtureRequest) -> RunReport:
    """A run that went through, one that was rejected, and one that stopped early."""
    value: RunReport = request.getfixturevalue(request.param)
    return value


def test_the_page_is_well_formed(any_report: RunReport) -> None:
    """Each element is closed where it should be, ids are unique, and links within the page lead somewhere."""
    page = _Page(html.render(any_report))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    anchors = {(attributes.get("href") or "")[1:] for tag, attributes in page.elements if tag == "a"}
    assert (page.wrong, page.open) == ([], [])
    assert len(ids) == len(set(ids))
    assert anchors <= set(ids)


def test_the_page_needs_nothing_but_itself(any_report: RunReport) -> None:
    """No script, no element that loads, no address outside the page."""
    page = _Page(html.render(any_report))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not [
        attributes
        for _, attributes in page.elements
        if {"src", "style", "action"} & set(attributes) or any(name.startswith("on") for name in attributes)
    ]


def test_the_policy_allows_this_style_sheet_and_nothing_else(report: RunReport) -> None:
    """The hash in the content security policy is that of the style element, byte for byte."""
    text = html.render(report)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = next(a["content"] for t, a in _Page(text).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert style
    assert policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style[1]


def test_text_of_others_stays_text(report: RunReport) -> None:
    """Names, messages and table cells that are markup are shown as they are, and add no element."""
    assert report.evidence is not None
    judged = _hostile(report.evidence)
    entries = tuple(replace(entry, name=f"$.{HOSTILE}", message=HOSTILE) for entry in report.entries)
    facts = replace(report.facts, run=HOSTILE, model=HOSTILE, message=HOSTILE)
    hostile = replace(
        report,
        facts=facts,
        entries=entries,
        evidence=judged,
        results={"request": f"7 https://x/{HOSTILE}", "version": HOSTILE},
        unreadable=(HOSTILE,),
    )
    page = _Page(html.render(hostile))
    assert not {"img", "script"} & {tag for tag, _ in page.elements}
    assert (page.wrong, page.open) == ([], [])


def _hostile(evidence: Evidence) -> Evidence:
    return evidence.model_copy(
        update={
            "explanation": HOSTILE,
            "attribution": {HOSTILE: 1.0},
            "example_sentences": [HOSTILE],
            "metrics": {f"performance.{HOSTILE}": 1.0},
            "gates": [gate.model_copy(update={"reason": HOSTILE, "limit": HOSTILE}) for gate in evidence.gates],
            "curves": [curve.model_copy(update={"title": HOSTILE, "x_label": HOSTILE}) for curve in evidence.curves],
            "tables": [table.model_copy(update={"title": HOSTILE, "rows": [[HOSTILE]]}) for table in evidence.tables],
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("https://forge.example/pr/7", "https://forge.example/pr/7", id="web"),
        pytest.param("javascript:alert(1)", None, id="script"),
        pytest.param("#7 promote vessels", None, id="words"),
    ],
)
def test_only_web_addresses_become_links(text: str, expected: str | None) -> None:
    """A page of ours leads to the web and nowhere else."""
    assert html.link(text) == expected


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("Ready for review: all 7 gates hold", id="verdict"),
        pytest.param("sha256:ab12ab12", id="data-digest"),
        pytest.param("no total charges", id="rejected-rows"),
        pytest.param("mean of tenure lies between 25 and 40", id="validation"),
        pytest.param("5,634 to train on, 1,409 held out", id="split"),
        pytest.param("27 complete and 13 pruned trials", id="tuning"),
        pytest.param("Learning curve, mean over the folds", id="training"),
        pytest.param("Accepted deviations", id="fairness-deviation"),
        pytest.param("Confusion matrix", id="table"),
        pytest.param("ROC curve", id="curve"),
        pytest.param("mostly because contract is Month-to-month", id="example-sentence"),
        pytest.param("not worse than the champion", id="comparison"),
        pytest.param("argosy pr view 7", id="request"),
        pytest.param("tune.trial-0", id="time-ledger"),
        pytest.param("640 MB", id="memory"),
    ],
)
def test_the_page_holds_every_section(report: RunReport, words: str) -> None:
    """What a reviewer is asked to believe is on the page."""
    assert words in html.render(report)


def test_a_rejection_opens_with_the_gates_that_failed(rejected: RunReport) -> None:
    """Before anything else: measured, limit, and what would pass."""
    text = html.render(rejected)
    first = text.index("What failed, and what would pass")
    assert first < text.index('id="overview"')
    assert "0.71" in text[first : text.index('id="overview"')]
    assert "&gt;= 0.8 would pass" in text[first : text.index('id="overview"')]


def test_a_run_that_stopped_says_what_to_do_next(stopped: RunReport) -> None:
    """Where it stopped, why, and the command that continues it."""
    text = html.render(stopped)
    assert "error: tenure is missing in vessels" in text
    assert f"argosy run {stopped.facts.model}" in text
    assert "argosy resume" not in text


@pytest.mark.parametrize(
    ("phase", "message", "again"),
    [
        pytest.param("Failed", "main: Error (exit code 78)", False, id="misconfigured"),
        pytest.param("Failed", "main: Error (exit code 1)", False, id="a-bug"),
        pytest.param("Failed", "main: OOMKilled (exit code 137)", False, id="its-own-limit"),
        pytest.param("Failed", "main: Error (exit code 137)", True, id="killed"),
        pytest.param("Failed", "main: Error (exit code 75)", True, id="the-outside-world"),
        pytest.param("Failed", "main: Error (exit code 74)", True, id="a-full-disk"),
        pytest.param("Error", "the server that started this step ended unexpectedly", True, id="lost"),
    ],
)
def test_what_may_pass_unchanged_is_resumed(phase: str, message: str, again: bool) -> None:
    """Only then: a run keeps the files it began with, so a mended one is taken by a new run alone."""
    assert Entry("$.train", "train", phase, message=message).may_pass_unchanged is again


def test_the_page_is_written_whole_or_not_at_all(report: RunReport, tmp_path: Path) -> None:
    """A page appears by a rename; nothing partial is left beside it."""
    path = tmp_path / "run" / "report.html"
    html.write(report, path)
    assert path.read_text(encoding="utf-8") == html.render(report)
    assert list(path.parent.iterdir()) == [path]


def test_what_could_not_be_read_is_not_called_undone(report: RunReport) -> None:
    """The top of the page names the document; its section says so rather than that the step never ran."""
    lost = replace(report, training=None, unreadable=("training.json of step train: no rounds",))
    text = html.render(lost)
    assert text.index("Could not be read: training.json of step train: no rounds") < text.index('<main id="content">')
    assert "What the step left could not be read" in text
    assert "did not get as far as training" not in text
    assert "did not get as far as training" in html.render(replace(report, training=None))


def test_a_dimension_without_a_gate_says_who_waived_it(report: RunReport) -> None:
    """In the overview too: an empty tile would look like something forgotten."""
    assert report.evidence
    kept = [gate for gate in report.evidence.gates if gate.dimension != "fairness"]
    limits = [Limit(metric=f"{name}.x", at_most=1, why="w") for name in DIMENSIONS if name != "fairness"]
    policy = Policy(
        model="vessels",
        owners=["harbour"],
        limits=limits,
        waivers=[Waiver(dimension="fairness", owner="harbour", reason="Ships are no people.")],
        comparison=ComparisonPolicy(metric="auc", margin=0.01),
    )
    evidence = report.evidence.model_copy(update={"gates": kept})
    text = html.render(replace(report, evidence=evidence, policy=policy))
    overview = text[text.index('id="overview"') : text.index('id="data"')]
    assert "waived by harbour: Ships are no people." in overview


def test_what_was_read_is_no_dimension(report: RunReport) -> None:
    """It has no gate that could be missing, and the section about the data is the page's only one of that name."""
    assert report.evidence
    sources = Table(title="What it was made from", dimension=DATA, header=["Source"], rows=[["vessels"]])
    evidence = report.evidence.model_copy(update={"tables": [*report.evidence.tables, sources]})
    text = html.render(replace(report, evidence=evidence))
    assert "no gate" not in text[text.index('id="overview"') : text.index('id="data"')]
    assert text.count('href="#data"') == text.count('id="data"') == 1


def test_an_example_is_given_once(report: RunReport) -> None:
    """The same value five times shows no more than once."""
    assert report.validation
    layer = report.validation.results[0].model_copy(
        update={"passed": False, "critical": True, "examples": ["Weekly", "Weekly"], "unexpected_count": 2}
    )
    given = report.validation.model_copy(update={"results": [layer]})
    assert "Weekly, Weekly" not in (text := html.render(replace(report, validation=given)))
    assert "Weekly" in text


def test_a_score_is_spelled_one_way(report: RunReport) -> None:
    """In the titles of evidence's tables, too; a column or a value of somebody's is left as it is."""
    evidence = report.evidence
    assert evidence is not None
    scores = Table(
        title="Where auc is worst", dimension="performance", header=["Score", "auc [95 %]"], rows=[["pr_auc", "0.7"]]
    )
    slices = Table(title="pr_auc by slice", dimension="performance", header=["Column", "auc"], rows=[["mae", "0.8"]])
    page = html.render(replace(report, evidence=evidence.model_copy(update={"tables": [scores, slices]})))
    for shown in (">Where AUC is worst<", ">AUC [95 %]<", ">PR AUC<", ">PR AUC by slice<", ">AUC<", ">mae<"):
        assert shown in page


def test_names_of_expectations_break_between_their_words() -> None:
    """A phone is narrower than they are long; what is no name of ours stays text."""
    full = reported.full()
    assert full.lineage
    assert full.validation
    given = full.validation.results[0].model_copy(update={"expectation": "expect_<b>_to_be"})
    settings = model_folder.load_settings(Path(__file__).parents[3] / "workflows" / "churn" / "model.yaml")
    found = full.validation.model_copy(update={"results": [given]})
    page = validation_page.render(settings, full.lineage, found)
    assert "<code>expect_<wbr>&lt;b&gt;_<wbr>to_<wbr>be</code>" in page
