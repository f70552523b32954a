"""The machine-readable marks in a request's body, on a forge that keeps nothing else for us: one HTML comment at its end.

A person who deletes it takes the request out of Argosy's sight; what it claims is checked against the request's files before a merge.
"""

import re
from typing import Literal

from pydantic import ValidationError

from argosy.domain.documents import Document
from argosy.domain.promotion_requests import Subject

COMMENT = re.compile(r"\n*<!-- argosy: (?P<json>\{.*\}) -->\s*\Z")
ROOM = 4_000
"""Characters to leave for it."""


class RequestEnding(Document):
    """How Argosy ended a request without merging it."""

    state: Literal["closed", "superseded"]
    by: str
    reason: str
    superseded_by: int | None = None


class Marks(Document):
    """The marks of a request."""

    subject: Subject
    author: str
    ending: RequestEnding | None = None


def attach(body: str, marks: Marks) -> str:
    """*body* with *marks*, in place of those it has."""
    # An HTML comment ends at the first `-->`, and a forge may look for references in one; JSON can spell such characters otherwise.
    # None of these is part of JSON's own punctuation, so that all stand inside texts.
    text = re.sub("[>@#/]", lambda found: f"\\u{ord(found[0]):04x}", marks.canonical_json().strip())
    return f"{strip(body)}\n\n<!-- argosy: {text} -->\n"


def strip(body: str) -> str:
    """*body* without marks."""
    return COMMENT.sub("", body.replace("\r\n", "\n")).rstrip("\n")


def read(body: str | None) -> Marks | None:
    """The marks of *body*, or None where it has none that can be read."""
    found = COMMENT.search((body or "").replace("\r\n", "\n"))
    try:
        return Marks.model_validate_json(found["json"]) if found else None
    except ValidationError:
        return None
