"""The body of a request says what would be served, and always fits."""

import datetime

import pytest

from argosy import errors
from argosy.domain import promotion_requests, release
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.report import request_body
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
