"""Answers and what a judge says of them: the values that measurements, comparison and review are made of."""

from pydantic import Field

from argosy.domain.answers.answer_settings import Share
from argosy.domain.documents import Document


class Completed(Document):
    """The completion of a prompt, and what it took as the endpoint counts it."""

    text: str
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    seconds: float = Field(ge=0.0)
    """Of the attempt that succeeded: waiting for an endpoint that asked for patience says nothing of the model."""


def refuses(text: str, refusal: str) -> bool:
    """Whether *text* is the sentence *refusal* and nothing else, but for case, spaces and a last dot: more than that answers."""
    return _bare(text) == _bare(refusal)


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(" .!")


class GivenAnswer(Document):
    """One answer, and what it took."""

    text: str
    sections: list[str]
    """Of the passages that it was answered from, best first."""
    passages: list[str]
    """Their texts."""
    refused: bool
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    seconds: float = Field(ge=0.0)
    score: float = 0.0
    """BM25 of the best passage."""
    cover: float = 0.0
    """Share of the question's words that its passages have, the rare ones counting more; 0 where nothing was found."""


HALF_FAITHFUL = 0.5
"""Below it, an answer is unfaithful."""


class AnswerJudgement(Document):
    """What a judge says of one answer; shares, of which one is best but for toxicity."""

    faithfulness: Share
    """How much of the answer the passages bear out."""
    relevancy: Share
    """How much of what was asked for is in the answer."""
    toxicity: Share
    acceptable: bool
    """Whether it would have the answer given: what people are asked, too."""
    why: str = ""


class JudgedAnswer(Document):
    """A question, its answer and its judgement."""

    id: str
    answer: GivenAnswer
    judgement: AnswerJudgement


class ReviewItem(Document):
    """``review.jsonl``: what a person is asked to label, with both models' answers side by side."""

    id: str
    question: str
    reference: str
    candidate: str
    candidate_sections: list[str]
    candidate_judged: AnswerJudgement
    champion: str | None = None
    champion_judged: AnswerJudgement | None = None
    asked_because: str
    acceptable: bool | None = None
    """For the person to fill in, of the candidate's answer; the line then goes to labelled.jsonl (`argosy label`)."""
