"""The body of a request says what would be served, and always fits."""

import datetime

import pytest

from argosy.domain import release, request_body
from argosy.domain.documents import sha256

VERSION = release.Version(
    model="toy",
    version=1,
    model_digest=sha256(b"m"),
    storage_uri="file:///a`|b",
    evidence_digest=sha256(b"e"),
    policy_digest=sha256(b"p"),
)
END = datetime.datetime(2027, 1, 31, tzinfo=datetime.UTC)


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
