"""The port of a judge: says of an answer what a person would be asked."""

from typing import Protocol

from argosy.domain.answers.items import Question
from argosy.domain.answers.judged import Answer, Judgement


class Judge(Protocol):
    """Judges answers."""

    def judge(self, question: Question, answer: Answer) -> Judgement:
        """The judgement of *answer* to *question*. Raises TryAgain where whoever judges does not answer."""
