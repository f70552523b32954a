"""The local page: what it shows, whom it answers, and that text of others stays text."""

import asyncio
import base64
import datetime
import hashlib
import re
from pathlib import Path
from typing import Any, cast

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.argo import NodeType, Phase
from argosy.domain import environment_layout, looks
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.release import Version
from argosy.domain.run_differences import RunDifference
from argosy.monitoring.served_state import ServedState
from argosy.ports.runs import Run
from argosy.promotion.desk import Review
from argosy.promotion.seals import Seals
from argosy.promotion.tracing import Tracer
from argosy.report import markdown_html
from argosy.ui import live_pages, local_pages, model_handlers, model_page
from argosy.ui.compared_runs import ComparedRuns
from argosy.ui.model_page import WatchedModel
from kit import looked
from kit.asked_pages import DIGEST, HOSTILE, ChangingRuns, asked, node, run, shown, sources


def test_a_run_is_a_picture_of_its_steps() -> None:
    """Bars over its time, a link to each log, a message beside what failed; a step that was tried once is one row."""
    retry = node("train", Phase.FAILED, kind=NodeType.RETRY, finished=111.0)
    once = node("train(0)", Phase.FAILED, "r-1.train", message="main: Error (exit code 78)", finished=111.0)
    omitted = node("evaluate", Phase.OMITTED)
    found = run("Failed", retry, once, omitted, finished=120.0, message="the step train failed")
    status, text, headers = shown(sources(ChangingRuns(found)), "/runs/r-1")
    assert status == 200
    assert 'href="/runs/r-1/log?step=%24.train%280%29">train</a>' in text
    assert "main: Error (exit code 78)" in text
    assert 'class="block failed" x="5.0%" y="3" width="50.0%"' in text
    assert text.count('class="label') == 3
    assert "<script" not in text  # it is over, so there is nothing to listen to
    assert "script-src" not in headers["Content-Security-Policy"]


def test_two_runs_side_by_side() -> None:
    """What was otherwise, by section; text of others stays text, and a wrong name is said."""
    asked: list[tuple[str, str | None]] = []

    def compare(name: str, other: str | None) -> ComparedRuns:
        asked.append((name, other))
        if other == "nothing":
            raise errors.UsageError("there is no run 'nothing'")
        settings = [RunDifference("settings", "search.trials", "6", HOSTILE)]
        return ComparedRuns("toy", "r-0", "r-1", "Rejected", "Ready", [("settings", settings)], ["r-00"])

    before = {"r-1"}
    parts: dict[str, Any] = {"compare": compare, "report": lambda _: Path("there"), "has_before": before.__contains__}
    found = sources(ChangingRuns(run("Succeeded", finished=120.0)), **parts)
    status, text, headers = shown(found, "/runs/r-1/compare?with=r-0")
    assert status == 200
    assert "search.trials" in text
    assert HOSTILE not in text
    assert 'href="/runs/r-1/compare?with=r-00"' in text
    assert "script-src" not in headers["Content-Security-Policy"]
    assert shown(found, "/runs/r-1/compare?with=nothing")[0] == 404
    assert asked == [("r-1", "r-0"), ("r-1", "nothing")]
    assert 'href="/runs/r-1/compare">Beside the run before</a>' in shown(found, "/runs/r-1")[1]
    before.clear()  # nor from the first of a model
    assert "/compare" not in shown(found, "/runs/r-1")[1]
    without = sources(ChangingRuns(run("Succeeded", finished=120.0)))
    assert shown(without, "/runs/r-1/compare")[0] == 404
    assert "/compare" not in shown(without, "/runs/r-1")[1]


def test_a_run_that_goes_on_is_shown_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is an event, what has not changed is none, and the end is one."""
    monkeypatch.setattr(local_pages, "LOOK_SECONDS", 0.0)
    looks = [run("Running", node("a", Phase.RUNNING, finished=None)) for _ in range(2)]
    done = run("Succeeded", node("a", Phase.SUCCEEDED, finished=102.0), finished=103.0)
    status, text, _ = shown(sources(ChangingRuns(looks[0], looks[1], done)), "/runs/r-1/events")
    assert status == 200
    events = re.findall(r"^event: (\w+)$", text, re.MULTILINE)
    assert events[-1] == "over"
    assert 2 <= events.count("picture") <= 3
    assert text.endswith("event: over\ndata: Succeeded\n\n")
    assert all(line.startswith(("event: ", "data: ")) for line in text.splitlines() if line)


def test_events_of_a_run_that_goes_away_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a second answer in the middle of the first."""
    monkeypatch.setattr(local_pages, "LOOK_SECONDS", 0.0)

    class Deleted(ChangingRuns):
        asked = 0

        def get(self, name: str) -> Run:
            self.asked += 1
            if self.asked > 1:
                raise errors.UsageError(f"there is no run {name!r}")
            return super().get(name)

    status, text, _ = shown(sources(Deleted(run("Running"))), "/runs/r-1/events")
    assert status == 200
    assert re.findall(r"^event: (\w+)$", text, re.MULTILINE) == ["picture"]
    assert "HTTP/1.1" not in text
    assert "Nothing is here" not in text


def test_the_page_of_a_run_that_goes_on_allows_our_script_and_no_other() -> None:
    """By its hash, as the style sheet; and connections to where it came from."""
    _, text, headers = shown(sources(ChangingRuns(run("Running", node(HOSTILE, Phase.RUNNING)))), "/runs/r-1")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    styled = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{styled}'; script-src 'sha256-{digest}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8100", "127.0.0.1.evil.example", "[::2]", ""])
def test_a_name_of_another_host_is_refused(host: str) -> None:
    """A foreign page whose name points here must not read along."""
    status, text, _ = shown(sources(ChangingRuns(run("Running"))), "/runs/r-1", Host=host)
    assert status in {400, 421}
    assert "r-1" not in text


def test_runs_are_paged() -> None:
    """Fifty a page, with what is newer and older; a number that is none is said."""
    found = sources(ChangingRuns(run("Succeeded", finished=102.0)))
    _, text, _ = shown(found, "/runs?before=50")
    assert "51 to 100, the newest first, of this test" in text
    assert text.count('<a href="/runs/r-1">') == 50
    assert 'href="/runs?before=0">Newer' in text
    assert "Older" not in text
    assert shown(found, "/runs?before=-1")[0] == 404


def test_a_log_is_shown_from_its_end() -> None:
    """The last lines, and how many stand before them."""
    _, text, _ = shown(sources(ChangingRuns(run("Running"))), "/runs/r-1/log")
    assert "3 lines before these" in text
    assert "line 2\n" not in text
    assert "line 3\n" in text


def test_a_report_is_the_one_that_was_written(tmp_path: Path) -> None:
    """Under the policy that it brings; where there is none, what writes one is said."""
    (tmp_path / "report.html").write_text("<p>a report</p>", encoding="utf-8")
    story = ChangingRuns(run("Succeeded", finished=102.0))
    status, text, headers = shown(sources(story, report=lambda _: tmp_path / "report.html"), "/runs/r-1/report")
    assert (status, text) == (200, "<p>a report</p>")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"  # a policy in a page says nothing of who may frame it
    assert "argosy report r-1" in shown(sources(story), "/runs/r-1/report")[1]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/requests", 503, "the forge does not answer"),
        ("/requests/7", 503, "the forge does not answer"),
        ("/runs/another", 404, "there is no run &#39;another&#39;"),
        ("/nowhere", 404, "No page has this address."),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_page(path: str, status: int, said: str) -> None:
    """With the headers of every page."""
    found, text, headers = shown(sources(ChangingRuns(run("Running"))), path)
    assert found == status
    assert said in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")


def test_nothing_is_changed_by_a_page() -> None:
    """There is no address that takes more than a look."""

    async def posted() -> int:
        async with asked(sources(ChangingRuns(run("Running")))) as client, client.post("/runs/r-1") as answer:
            return answer.status

    assert asyncio.run(posted()) == 405


def test_a_request_shows_its_checks_and_its_evidence() -> None:
    """Folded tables fold; a title, a reason or a cell that looks like a page is text."""
    subject = Subject(model="churn", environment="staging", version=3, model_digest=DIGEST, policy_digest=DIGEST)
    request = Request(
        number=3,
        state=State.OPEN,
        title=HOSTILE,
        body="",
        branch="b",
        head="c" * 40,
        subject=subject,
        opened_at="2026-01-31T12:00:00+00:00",
        author="ada",
        labels=(),
        url="",
    )
    table = f"| a | b |\n| --- | --- |\n| {HOSTILE} | [x](javascript:alert) |"
    markdown = f"## Gates\n\n{table}\n\n<details><summary>More</summary>\n\ntext\n\n</details>\n"
    text = live_pages.request(Review(request, (), markdown, "signature verified", HOSTILE))
    assert HOSTILE not in text
    assert 'href="javascript' not in text
    assert "<details><summary>More</summary><p>text</p>\n</details>" in text
    assert "<th>a</th>" in text


def test_a_picture_is_what_it_says() -> None:
    """A page may load nothing, and the picture lies in the environment repo."""
    found = markdown_html.html(
        '![2 gates\\: *auc* &lt;b&gt; held "back"](gates.svg)\n\n[![x](//evil.example/a.png)](https://a.example)\n'
    )
    assert "<img" not in found
    assert "<p>(gates.svg: 2 gates: auc &lt;b&gt; held &#34;back&#34;)</p>" in found
    assert "(//evil.example/a.png: x)</a>" in found


def test_a_tag_that_was_escaped_folds_nothing() -> None:
    """What stands in a cell cannot open or close a part."""
    found = markdown_html.html("&lt;details&gt;&lt;summary&gt;x&lt;/summary&gt;\n\n<b>bold</b>\n")
    assert "<details>" not in found
    assert "<b>" not in found


def test_runs_are_shown_where_the_forge_is_down() -> None:
    """The first page says why it knows no models, and shows the rest."""
    status, text, _ = shown(sources(ChangingRuns(run("Running"))), "/")
    assert status == 200
    assert "the forge does not answer" in text
    assert text.count('<a href="/runs/r-1">') == model_handlers.NEWEST


def test_a_model_shows_how_far_its_predictions_moved() -> None:
    """Look by look, of the version that serves: what was seen of earlier ones is none of its business."""
    hour = datetime.timedelta(hours=1)
    before = looked.look("drift", model_digest="sha256:" + "b" * 64, until=looked.NOON - 3 * hour)
    quiet = looked.look("no drift", until=looked.NOON - hour)
    state = ServedState(3, looked.DIGEST, "drift")
    moved = looked.look("drift", explanation=HOSTILE)
    part = model_page.part(WatchedModel("production", state, [before, quiet, moved], looked.performance()))
    assert part.newest is moved
    assert part.chart is not None
    assert [line.name for line in part.chart.lines] == ["farthest column", "limit"]
    assert [tick.text for tick in part.chart.x_ticks] == ["03-01 11:00", "03-01 12:00"]
    assert [(row.name, row.drifted) for row in part.columns[:1]] == [("tenure", True)]
    assert [(row.metric, row.gate, row.standing) for row in part.scores][:1] == [("auc", ">= 0.8", "below")]
    none = model_page.part(WatchedModel("staging", ServedState(), [], looked.performance()))
    text = live_pages.model("churn", [part, none], [])
    assert HOSTILE not in text
    assert '<span class="badge bad">drift</span>' in text
    assert "It serves no version yet." in text
    other = model_page.part(WatchedModel("staging", ServedState(4, DIGEST[:-1] + "0"), [moved], looked.performance()))
    assert (other.newest, other.performance) == (None, None)


def test_the_page_of_a_model_asks_main_and_the_looks() -> None:
    """A model that main names has one, a name that it does not know has none."""
    serves = Version(
        model="churn",
        version=3,
        model_digest=looked.DIGEST,
        storage_uri="file:///store/churn/",
        evidence_digest=DIGEST,
        policy_digest=DIGEST,
    )
    forge = MemoryForge({environment_layout.version_path("churn", "production"): serves.yaml().encode()})
    store = MemoryObjects()
    kept = looked.look("drift")
    for key in (looks.latest_key("churn", "production"), looks.look_key("churn", "production", kept.until)):
        store.put(key, kept.canonical_json().encode())
    tracer = Tracer(forge, cast("Seals", None))
    found = sources(ChangingRuns(run("Running")), forge=lambda: forge, looks=lambda: store, tracer=lambda: tracer)
    status, text, _ = shown(found, "/models/churn")
    assert status == 200
    assert "tenure differs" in text
    assert '<a href="/models/churn">churn</a>' in shown(found, "/")[1]
    status, text, _ = shown(found, "/models/nothing")
    assert status == 404
    assert "names no model" in text


def test_a_column_without_a_title_has_no_header() -> None:
    """A header that says nothing would be read out as one; text that looks like one stays text."""
    found = markdown_html.html("| gate |  |\n| :-- | --: |\n| auc | <th></th> |\n")
    assert str(found).count("<th>") == 1
    assert "&lt;th&gt;&lt;/th&gt;" in found
    assert "<td></td>" in found


def test_cells_have_the_room_that_they_need() -> None:
    """Figures are aligned by a class: a policy with one style sheet takes none of a tag. Limits stand in a line, words have room."""
    found = str(
        markdown_html.html("| gate | measured | why |\n| :-- | --: | --- |\n| >= 0.75 | 0.64 | " + "because " * 6 + "|")
    )
    assert "style=" not in found
    assert '<th class="n">measured</th>' in found
    assert '<td class="nobreak">&gt;= 0.75</td>\n<td class="n">0.64</td>\n<td class="wide">because' in found


def test_a_run_is_drawn_as_a_graph() -> None:
    """On its page, and anew each time that it has changed; without one the page has no place for it."""
    runs = ChangingRuns(run("Succeeded"))
    _, page, _ = shown(sources(runs, graph=lambda found: f"<svg>{found.phase}</svg>"), "/runs/r-1")
    assert 'aria-label="Graph of the run"><svg>Succeeded</svg>' in page
    _, page, _ = shown(sources(ChangingRuns(run("Succeeded"))), "/runs/r-1")
    assert "Graph of the run" not in page


def test_it_says_that_it_answers() -> None:
    """To whoever keeps it running, although nothing else can be asked."""
    status, text, _ = shown(sources(ChangingRuns(run("Succeeded"))), "/healthz")
    assert (status, text) == (200, "ok\n")
