"""Judges answers by what an installed package brings; what that package does wrong is said as its fault."""

from collections.abc import Mapping

from argosy import errors
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer
from argosy.plugins import Plugin


class BroughtJudge:
    """The judge that *plugin* makes of *settings*; see the port. Raises Misconfigured where it makes none."""

    def __init__(self, plugin: Plugin, settings: Mapping[str, object]) -> None:
        self._plugin = plugin
        self._judge = plugin.made(settings, "judge")

    def judge(self, question: EvaluationQuestion, answer: GivenAnswer) -> AnswerJudgement:
        """See the port. Raises Misconfigured where the package fails, or gives something else."""
        try:
            found = self._judge.judge(question, answer)
        except errors.ArgosyError:
            raise
        except Exception as error:  # code of others may fail in any way; that it did must not look like a judgement
            raise self._failed(question, f"{type(error).__name__}: {error}") from error
        if not isinstance(found, AnswerJudgement):
            raise self._failed(question, f"it gives {type(found).__name__}, no AnswerJudgement")
        return found

    def _failed(self, question: EvaluationQuestion, why: str) -> errors.Misconfigured:
        return errors.Misconfigured(
            f"{self._plugin}, failed at the answer to {question.id}: {why}; mend that package, or name another judge in model.yaml"
        )
