"""The bundle of a language model: ``answers.json``, ``prompt.md``, ``passages.jsonl``, ``golden.json``; digested as any bundle is.

No weights: what completes the prompt is named in ``answers.json``. The evaluation set is no part of it; the evidence names its digest.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from argosy.domain import bundle
from argosy.domain.answers.answer_settings import Answerer, AnswerServing, Judge, Retrieval
from argosy.domain.answers.evaluation_items import lines_of
from argosy.domain.documents import Document

SIGNATURE = bundle.ANSWERS
PROMPT = "prompt.md"
PASSAGES = "passages.jsonl"
GOLDEN = "golden.json"
FILES = (SIGNATURE, PROMPT, PASSAGES, GOLDEN)
QUESTION, CONTEXT, REFUSAL = "{{question}}", "{{passages}}", "{{refusal}}"
"""The places of a prompt that are filled in."""
LONGEST_QUESTION = 4000
"""Characters."""


def question_problem(text: object) -> str | None:
    """Why *text* is no question that is answered, in a sentence; None where it is one."""
    if not isinstance(text, str) or not text.strip():
        return "expected a question, a text that says something"
    if len(text) > LONGEST_QUESTION:
        return f"the question has {len(text):,} characters; at most {LONGEST_QUESTION:,} are read"
    return None


class Passage(Document):
    """Some sentences of a section of a document."""

    section: str
    """The document and the anchor of its heading, such as runbook.md#argosydrift."""
    title: str
    """The headings above it."""
    text: str


class AnswerSignature(Document):
    """``answers.json``: all that turns a question into an answer, beside prompt and passages."""

    model: str
    task: Literal["answers"] = "answers"
    retrieval: Retrieval
    answerer: Answerer
    refusal: str
    judge: Judge | None = None
    """Who judges a sample of what a server answers; None in bundles of earlier Argosys: nobody does."""
    serving: AnswerServing = AnswerServing()
    transformation: Literal["argosy.dev/bm25-v1"] = "argosy.dev/bm25-v1"
    """How words are made of text: lower case, English stems (Snowball), without stop words; passages ranked by BM25 (Lucene's form)."""
    bm25s: str
    """Version that ranked when it was measured; a server of another minor version refuses it."""


class GoldenQuestion(Document):
    """One question, and what was found and asked for it where it was measured."""

    question: str
    sections: list[str]
    prompt_digest: str
    answer: str | None = None
    """None of an endpoint, which may answer in other words each time."""


class GoldenQuestions(Document):
    """``golden.json``: asked again wherever the bundle is served."""

    rows: list[GoldenQuestion] = Field(min_length=1)


def passages(path: Path) -> list[Passage]:
    """The passages in *path*, as they are ranked."""
    return [Passage.model_validate_json(line) for line in lines_of(path.read_text(encoding="utf-8"))]
