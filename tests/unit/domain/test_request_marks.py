"""What a request's body carries for machines survives people and their editors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain import request_marks
from argosy.domain.documents import sha256
from argosy.domain.promotion_requests import Subject
from argosy.domain.request_marks import Marks, RequestEnding

SUBJECT = Subject(model="toy", environment="staging", model_digest=sha256(b"m"), version=1, policy_digest=sha256(b"p"))
MARKS = Marks(subject=SUBJECT, author="argosy")


@given(body=st.text(), reason=st.text(), by=st.text())
def test_marks_come_back(body: str, reason: str, by: str) -> None:
    """Whatever body and values hold, what was attached is read, and only once."""
    marks = Marks(subject=SUBJECT, author=by, ending=RequestEnding(state="closed", by=by, reason=reason))
    attached = request_marks.attach(request_marks.attach(body, MARKS), marks)
    assert request_marks.read(attached) == marks
    assert request_marks.read(attached.replace("\n", "\r\n")) is not None


def test_a_value_cannot_end_the_comment() -> None:
    """A reason with the end of a comment in it shows nothing to readers and breaks nothing."""
    ending = RequestEnding(state="closed", by="ada", reason="--> **approved** <!--")
    attached = request_marks.attach("body", MARKS.model_copy(update={"ending": ending}))
    assert attached.count("-->") == 1
    assert request_marks.strip(attached) == request_marks.strip(attached.replace("\n", "\r\n")) == "body"


def test_nothing_in_it_is_a_reference() -> None:
    """Whoever looks for mentions, issues and addresses in the source of a body finds none in what is kept for machines."""
    ending = RequestEnding(state="closed", by="@ada", reason="fixes #1, see https://example.com")
    assert not set("@#/") & set(request_marks.attach("", MARKS.model_copy(update={"ending": ending})))


def test_a_long_reason_leaves_room() -> None:
    """Marks of ordinary length fit into what the body leaves."""
    assert len(request_marks.attach("", MARKS)) < request_marks.ROOM


@pytest.mark.parametrize(
    "body",
    [None, "", "a person's own text", "<!-- argosy: {} -->", "<!-- argosy: {broken -->"],
    ids=["none", "empty", "text", "incomplete", "broken"],
)
def test_bodies_without_marks(body: str | None) -> None:
    """What is not ours is not taken for it."""
    assert request_marks.read(body) is None
