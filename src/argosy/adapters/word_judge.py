"""Judges answers by words alone (see ``ml.answers.lexical_judge``); the judge of machines without network and key."""

from argosy.domain.answers.answer_settings import LexicalJudge
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer
from argosy.ml.answers import lexical_judge


class WordJudge:
    """A judge by *settings*; see the port."""

    def __init__(self, settings: LexicalJudge) -> None:
        self._settings = settings

    def judge(self, question: EvaluationQuestion, answer: GivenAnswer) -> AnswerJudgement:
        """See the port."""
        return lexical_judge.judge(self._settings, question, answer)

    def judge_sample(self, question: str, answer: GivenAnswer) -> AnswerJudgement:
        """See the port."""
        return lexical_judge.judge_sample(self._settings, question, answer)
