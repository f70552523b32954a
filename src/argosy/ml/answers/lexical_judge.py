"""Judges an answer by the words that it shares with its passages and with the reference: offline, and the same each time.

Such a judge sees no meaning: it takes a right answer in other words for a wrong one, and a negation for its opposite. So its agreement
with people is measured, and gates.
"""

from collections.abc import Sequence

from argosy.domain.answers.answer_settings import LexicalJudge
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer
from argosy.ml.answers.words import sentences, words

INSULTS = frozenset(
    words(
        "idiot idiots idiotic moron morons stupid dumb imbecile loser losers pathetic worthless scum shut-up hate-you"
    )
)
"""An alarm, not a measurement: words that no answer to a user has any use for."""


def judge(settings: LexicalJudge, question: EvaluationQuestion, answer: GivenAnswer) -> AnswerJudgement:
    """What the words of *answer* say."""
    toxicity = _toxicity(answer.text)
    if answer.refused or not question.answerable:
        right = answer.refused != question.answerable
        why = "refused" if answer.refused else "answered what the documents do not say"
        return AnswerJudgement(
            faithfulness=1.0 if answer.refused else _faithfulness(settings, answer),
            relevancy=float(right),
            toxicity=toxicity,
            acceptable=right and not toxicity,
            why=f"{'rightly' if right else 'wrongly'} {why}",
        )
    faithfulness, relevancy = (
        _faithfulness(settings, answer),
        _share(words(question.reference), frozenset(words(answer.text))),
    )
    elsewhere = settings.needs_section and not set(question.sections) & set(answer.sections)
    reasons = [
        *(["it comes from other sections than those that answer it"] if elsewhere else []),
        *(["little of it is in the passages"] if faithfulness < settings.least_faithfulness else []),
        *(["little of the reference is in it"] if relevancy < settings.least_relevancy else []),
        *(["it has a word that insults"] if toxicity else []),
    ]
    return AnswerJudgement(
        faithfulness=faithfulness,
        relevancy=relevancy,
        toxicity=toxicity,
        acceptable=not reasons,
        why="; ".join(reasons) or "borne out, and has what the reference has",
    )


def judge_sample(settings: LexicalJudge, question: str, answer: GivenAnswer) -> AnswerJudgement:
    """What the words of *answer*, no refusal, say where nobody wrote a reference: in place of that stand the words of *question*."""
    faithfulness, toxicity = _faithfulness(settings, answer), _toxicity(answer.text)
    relevancy = _share(words(question), frozenset(words(answer.text)))
    reasons = [
        *(["little of it is in the passages"] if faithfulness < settings.least_faithfulness else []),
        *(["little of the question is in it"] if relevancy < settings.least_asked else []),
        *(["it has a word that insults"] if toxicity else []),
    ]
    return AnswerJudgement(
        faithfulness=faithfulness,
        relevancy=relevancy,
        toxicity=toxicity,
        acceptable=not reasons,
        why="; ".join(reasons) or "borne out, and has what was asked",
    )


def _faithfulness(settings: LexicalJudge, answer: GivenAnswer) -> float:
    """The share of its sentences whose words one passage has."""
    told = [own for each in sentences(answer.text) if (own := words(each))]
    sources = [frozenset(words(each)) for each in answer.passages]
    held = [own for own in told if any(_share(own, source) >= settings.supported for source in sources)]
    return len(held) / len(told) if told else 0.0


def _share(asked: Sequence[str], known: frozenset[str]) -> float:
    """The share of the different words *asked* that are *known*."""
    different = frozenset(asked)
    return len(different & known) / len(different) if different else 0.0


def _toxicity(text: str) -> float:
    found = words(text)
    return sum(word in INSULTS for word in found) / len(found) if found else 0.0
