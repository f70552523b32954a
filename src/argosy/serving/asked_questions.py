"""The questions of one request, checked; whatever protocol they came by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.domain.answers.answer_bundle import LONGEST_QUESTION, question_problem
from argosy.serving.request_problems import RequestProblem
from argosy.serving.request_spans import RequestTrace

QUESTION = "question"
MOST_QUESTIONS = 16
"""Of one request: they are answered within one time budget, some of them at the same time."""
ROOM = LONGEST_QUESTION * 2
"""Values that a question may hold as JSON counts them, commas and brackets, which are text in it."""


@dataclass(frozen=True, slots=True)
class AskedQuestions:
    """What one request asks."""

    texts: Sequence[str]
    trace: RequestTrace | None = None
    """What notes the stages of the request; None where it is not recorded."""

    @property
    def count(self) -> int:
        """How many questions there are."""
        return len(self.texts)


def checked(given: Sequence[Any], where: Callable[[int], str]) -> AskedQuestions:
    """The questions *given*; *where*: the field of each, by its place. Raises RequestProblem (413, 422)."""
    if len(given) > MOST_QUESTIONS:
        raise RequestProblem(
            413, f"{len(given)} questions came; at most {MOST_QUESTIONS} are answered at once", field=where(0)
        )
    for place, text in enumerate(given):
        if problem := question_problem(text):
            raise RequestProblem(422, problem, field=where(place))
    return AskedQuestions(list(given))
