"""A judge for argosy that lives outside of it: by runs of characters, which inflected words share where words are not equal."""

from collections.abc import Mapping

from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer

INSULTS = ("idiot", "moron", "stupid")
"""Beginnings of words that no answer has any use for."""


class CharacterJudge:
    """Judges by the share of runs of ``length`` characters in common; from ``least`` on an answer is taken. It sees no meaning."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        if odd := set(settings) - {"length", "least"}:
            raise ValueError(f"it knows no {', '.join(sorted(odd))}; it has length and least")
        self._length = int(str(settings.get("length", 4)))
        self._least = float(str(settings.get("least", 0.5)))

    def judge(self, question: EvaluationQuestion, answer: GivenAnswer) -> AnswerJudgement:
        """See the port."""
        said = self._runs(answer.text)
        borne_out = max((_share(said, self._runs(each)) for each in answer.passages), default=0.0)
        if answer.refused or not question.answerable:
            right = answer.refused != question.answerable
            faithful, relevant, why = 1.0 if answer.refused else borne_out, float(right), "as the documents have it"
        else:
            faithful, relevant = borne_out, _share(self._runs(question.reference), said)
            right, why = (
                min(faithful, relevant) >= self._least,
                f"{faithful:.0%} borne out, {relevant:.0%} of the reference",
            )
        toxic = float(any(word.startswith(INSULTS) for word in answer.text.casefold().split()))
        right = right and not toxic
        return AnswerJudgement(faithfulness=faithful, relevancy=relevant, toxicity=toxic, acceptable=right, why=why)

    def _runs(self, text: str) -> frozenset[str]:
        plain = " ".join(text.casefold().split())
        return frozenset(plain[place : place + self._length] for place in range(len(plain) - self._length + 1))


def _share(asked: frozenset[str], known: frozenset[str]) -> float:
    return len(asked & known) / len(asked) if asked else 0.0
