"""The port of a judge: says of an answer what a person would be asked."""

from typing import Protocol

from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer


class SampleJudge(Protocol):
    """Judges answers that were given to callers: to questions that nobody wrote a reference for."""

    def judge_sample(self, question: str, answer: GivenAnswer) -> AnswerJudgement:
        """The judgement of *answer*, no refusal, to *question*. Raises TryAgain where whoever judges does not answer."""


class Judge(Protocol):
    """Judges answers."""

    def judge(self, question: EvaluationQuestion, answer: GivenAnswer) -> AnswerJudgement:
        """The judgement of *answer* to *question*. Raises TryAgain where whoever judges does not answer."""
