"""The body of a request says what would be served, and always fits."""

import datetime
import html

import pytest

from argosy import errors
from argosy.domain import asker, promotion_requests, release, step_times
from argosy.domain.asker import Asker
from argosy.domain.circumstances import Circumstances, Production, Read, RunPlace
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.step_times import StepTime
from argosy.report import circumstances_markdown, request_body
from kit import toy

VERSION = release.Version(
    model="toy",
    version=1,
    model_digest=sha256(b"m"),
    storage_uri="file:///a`|b",
    evidence_digest=sha256(b"e"),
    policy_digest=sha256(b"p"),
)
END = datetime.datetime(2027, 1, 31, tzinfo=datetime.UTC)
SUBJECT = promotion_requests.Subject(
    model="toy", environment="staging", model_digest=sha256(b"m"), version=1, policy_digest=sha256(b"p")
)
EVIDENCE = Evidence(
    model="toy",
    task="binary",
    model_digest=sha256(b"m"),
    snapshot_digest=sha256(b"s"),
    policy_digest=sha256(b"p"),
    champion=ChampionRef(model="toy", policy_digest=sha256(b"p")),
    provenance=toy.CLEAN,
    rows_train=80,
    rows_holdout=20,
    metrics={},
    gates=[],
    verdict="promote",
    explanation="It was looked at.",
)
FILES = promotion_requests.files(
    SUBJECT,
    VERSION.yaml(),
    {"evidence.json": EVIDENCE.canonical_json().encode(), "evidence.md": b"# as it was signed\n"},
)


def test_the_report_comes_first() -> None:
    """Then the digests, and how to check them."""
    body = request_body.markdown(VERSION, END, "# Report\n\nIt holds.\n")
    assert body.startswith("# Report")
    assert sha256(b"m") in body
    assert "| may be served until | `2027-01-31` |" in body
    assert body.index("## What would be served") < body.index("## How to check it")


def test_values_cannot_leave_their_cell() -> None:
    """No backtick and no bar of a value reaches the Markdown."""
    assert "| bundle | `file:///a  b` |" in request_body.markdown(VERSION, END, "x")


@pytest.mark.parametrize("length", [59_000, 61_000, 61_440, 70_000, 500_000])
def test_it_always_fits(length: int) -> None:
    """A long report is cut at a line, said to be, and the digests stay."""
    report = "a line of the report\n" * (length // 21)
    body = request_body.markdown(VERSION, END, report)
    assert len(body) <= request_body.LIMIT
    assert sha256(b"m") in body
    if length > 60_900:
        assert "a line of the report\n\n_Cut here" in body


def test_the_evidence_makes_the_body() -> None:
    """Whatever somebody wrote into the request, its files say what is proposed."""
    body = request_body.of_files(SUBJECT, FILES, END)
    assert body.startswith("# toy: promote\n\nIt was looked at.")
    assert request_body.not_after(body) == END.date()
    assert request_body.UNTIL not in request_body.of_files(SUBJECT, FILES)


SIGNED = request_body.markdown(VERSION, END, "# as it was signed\n")
RENDERED = request_body.of_files(SUBJECT, FILES, END)


@pytest.mark.parametrize(
    ("body", "same"),
    [
        pytest.param(SIGNED, True, id="as-signed"),
        pytest.param(RENDERED, True, id="as-rendered"),
        pytest.param(f"\n{SIGNED.strip()}".replace("\n", "\r\n"), True, id="as-a-forge-keeps-it"),
        pytest.param(f"All is well.\n\n{SIGNED}", False, id="added-above"),
        pytest.param(f"{SIGNED}\nAll is well.\n", False, id="added-below"),
        pytest.param(SIGNED.replace("signed", "Signed"), False, id="a-letter"),
        pytest.param(SIGNED.replace("2027-01-31", "2027-99-31"), False, id="no-day"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_body_that_says_something_else(body: str, same: bool) -> None:
    """Every change of the text is found; a later Argosy's other words for the same evidence are none."""
    assert request_body.is_of_files(body, SUBJECT, FILES) is same


OTHER_WORDS = SIGNED.replace("shows what the signed evidence says", "tells all")
MODEL_ROW = f"| model digest | `{sha256(b'm')}` |\n"


@pytest.mark.parametrize(
    ("body", "below"),
    [
        pytest.param(OTHER_WORDS, True, id="other-words"),
        pytest.param(OTHER_WORDS.replace("\n", "\r\n"), True, id="as-a-forge-keeps-it"),
        pytest.param(OTHER_WORDS.replace("| online store | `none` |\n", ""), True, id="a-row-less"),
        pytest.param(OTHER_WORDS.replace(MODEL_ROW, ""), False, id="no-model"),
        pytest.param(OTHER_WORDS.replace(MODEL_ROW, f"{MODEL_ROW}| gates | `all passed` |\n"), False, id="a-row-more"),
        pytest.param(OTHER_WORDS.replace(sha256(b"m"), sha256(b"n")), False, id="another-model"),
        pytest.param(OTHER_WORDS.replace("as it was signed", "all is well"), False, id="another-report"),
        pytest.param(f"All is well.\n\n{OTHER_WORDS}", False, id="added-above"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_body_of_another_version(body: str, below: bool) -> None:
    """Its report is the signed one, its digests are the files'; anything else is an edit, whatever else it says."""
    assert request_body.differs_below_evidence(body, SUBJECT, FILES) is below
    assert not request_body.is_of_files(body, SUBJECT, FILES)


@pytest.mark.parametrize("name", ["version.yaml", "evidence/evidence.json"])
@pytest.mark.parametrize("content", [None, b"{}", b"\xff"], ids=["missing", "another", "bytes"])
def test_files_that_cannot_be_shown(name: str, content: bytes | None) -> None:
    """The file is named."""
    path = f"models/toy/staging/{name}"
    rest = {other: kept for other, kept in FILES.items() if other != path}
    with pytest.raises(errors.Misconfigured, match=path):
        request_body.of_files(SUBJECT, rest if content is None else {**rest, path: content})


CIRCUMSTANCES = Circumstances(
    model="toy",
    model_digest=sha256(b"m"),
    asked_by=Asker(name="Ann | <ann@example.com>", known="git", machine="box"),
    place=RunPlace(kind="cluster", namespace="team-a", workflow="toy-x7", began=END),
    written=END,
    read_at=END,
    sources=[Read(source="customers", location="s3://bucket/customers.csv", rows=7043, digest=sha256(b"c"))],
    ledger=step_times.ledger(
        [
            StepTime(step="trial", began=100, ended=140, cpu=70, tasks=20),
            StepTime(step="ingest", began=1, ended=2, cpu=1),
        ],
        100,
        150,
    ),
    production=Production(reason="nothing is in production yet"),
)
WITH = promotion_requests.files(
    SUBJECT,
    VERSION.yaml(),
    {
        "evidence.json": EVIDENCE.canonical_json().encode(),
        "evidence.md": b"# as it was signed\n",
        "circumstances.json": CIRCUMSTANCES.canonical_json().encode(),
    },
)


def shown(markdown: str) -> str:
    """*markdown* as a browser shows its texts: what is escaped as itself."""
    return html.unescape(markdown).replace("\u200b", "")


def test_the_circumstances_are_part_of_it() -> None:
    """Who asked, where, of which data, and where the time went: behind the report, and short."""
    body = request_body.of_files(SUBJECT, WITH, END)
    said = body[body.index("## How it came to be") : body.index("## What would be served")]
    for words in (
        "team-a",
        "toy-x7",
        "7,043 rows",
        "50.0 s from the start to the registry, 70.0 s of CPU; trial 80 %, no step at work 20 %; there already from an "
        "earlier run: ingest",
        "not known: nothing is in production yet",
    ):
        assert words in shown(said), words
    assert "<ann@" not in said
    assert "Ann |" not in said


def test_a_label_of_argo_is_shown_as_no_proof() -> None:
    """Who creates a workflow with kubectl writes its labels themselves."""
    labels = {"workflows.argoproj.io/creator-email": "ann.at.example.com"}
    labelled = CIRCUMSTANCES.model_copy(update={"asked_by": asker.of_workflow(labels, "")})
    said = shown(circumstances_markdown.section(labelled))
    assert "ann@example.com, by Argo's creator label, which whoever may create workflows can set" in said
    assert "checked" not in said


def test_an_asker_who_was_typed_by_hand_is_not_believed() -> None:
    """What was typed is shown as text, on the line that says so."""
    typed = CIRCUMSTANCES.model_copy(update={"asked_by": Asker.from_text("<b>alice | bob")})
    (line,) = [one for one in circumstances_markdown.section(typed).split("\n") if "asked for by" in one]
    assert "not known: what was typed into the parameter asked-by was not understood: <b>alice | bob" in shown(line)
    assert "<b>" not in line
    assert line.count("|") == 3


def test_a_body_that_says_otherwise_is_none_of_the_files() -> None:
    """The circumstances are held against the files as everything else is."""
    body = request_body.of_files(SUBJECT, WITH, END)
    assert request_body.is_of_files(body, SUBJECT, WITH)
    assert not request_body.is_of_files(body.replace("toy-", "toi-"), SUBJECT, WITH)
    assert not request_body.is_of_files(body, SUBJECT, FILES)
    signed = request_body.markdown(VERSION, END, "# as it was signed\n", CIRCUMSTANCES)
    assert request_body.is_of_files(signed, SUBJECT, WITH)
    assert request_body.differs_below_evidence(f"{signed}more\n", SUBJECT, WITH)
    assert not request_body.differs_below_evidence(f"{signed}more\n".replace("7,043", "9,043"), SUBJECT, WITH)


def test_circumstances_that_cannot_be_read_are_said() -> None:
    """As of a form that only a newer release reads."""
    newer = _of_form(b'"form":"2.0"')
    with pytest.raises(errors.Misconfigured, match=r"circumstances.json cannot be read.*form 2.0"):
        request_body.of_files(SUBJECT, newer, END)
    later = _of_form(b'"form":"1.9","mood":"good"')
    assert "team-a" in shown(request_body.of_files(SUBJECT, later, END))


@pytest.mark.parametrize("length", [59_000, 61_440, 500_000])
def test_it_always_fits_with_its_circumstances(length: int) -> None:
    """They are short, and are no part of what is cut."""
    body = request_body.markdown(VERSION, END, "a line of the report\n" * (length // 21), CIRCUMSTANCES)
    assert len(body) <= request_body.LIMIT
    assert "## How it came to be" in body


def _of_form(form: bytes) -> dict[str, bytes]:
    """The files, with circumstances that say to be of another *form*."""
    return {
        path: text.replace(b'"form":"1.0"', form) if path.endswith("circumstances.json") else text
        for path, text in WITH.items()
    }
