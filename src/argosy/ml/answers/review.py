"""Chooses the answers that people should look at: where the two models differ, the worst, and those that the judge hardly decided.

What a person has labelled already is not asked again.
"""

from collections.abc import Sequence

from argosy.domain.answers.evaluation_items import EvaluationQuestion, LabelledAnswer
from argosy.domain.answers.judged import JudgedAnswer, ReviewItem

BORDERLINE = 0.1
"""Distance in relevancy from the answers on the other side of the judge's word, within which a judgement is hardly one."""


def chosen(
    questions: Sequence[EvaluationQuestion],
    candidate: Sequence[JudgedAnswer],
    champion: Sequence[JudgedAnswer] | None,
    labels: Sequence[LabelledAnswer],
    most: int,
) -> list[ReviewItem]:
    """At most *most* items, those first that change what a user is told, each kind from the least relevant on."""
    known = {(each.id, each.answer) for each in labels}
    before = {each.id: each for each in champion or []}
    edge = _edge(candidate)
    found: list[tuple[int, float, ReviewItem]] = []
    for question, each in zip(questions, candidate, strict=True):
        if (question.id, each.answer.text) in known:
            continue
        was = before.get(question.id)
        order, because = _because(each, was, edge)
        if order is not None:
            found.append((order, each.judgement.relevancy, _item(question, each, was, because)))
    found.sort(key=lambda one: (one[0], one[1], one[2].id))
    return [item for _, _, item in found[:most]]


def _because(each: JudgedAnswer, was: JudgedAnswer | None, edge: float | None) -> tuple[int | None, str]:
    now = each.judgement
    if was is not None and was.judgement.acceptable != now.acceptable:
        return 0, "the judge takes the champion's answer and not this one" if was.judgement.acceptable else (
            "the judge takes this answer and not the champion's"
        )
    if not now.acceptable:
        return 1, f"the judge does not take it: {now.why}"
    if edge is not None and not each.answer.refused and now.relevancy <= edge + BORDERLINE:
        return 2, "the judge hardly takes it"
    return None, ""


def _edge(judged: Sequence[JudgedAnswer]) -> float | None:
    """The relevancy of the least relevant answer that is taken."""
    taken = [each.judgement.relevancy for each in judged if each.judgement.acceptable and not each.answer.refused]
    return min(taken, default=None)


def _item(question: EvaluationQuestion, each: JudgedAnswer, was: JudgedAnswer | None, because: str) -> ReviewItem:
    return ReviewItem(
        id=question.id,
        question=question.question,
        reference=question.reference,
        candidate=each.answer.text,
        candidate_sections=each.answer.sections,
        candidate_judged=each.judgement,
        champion=was.answer.text if was else None,
        champion_judged=was.judgement if was else None,
        asked_because=because,
    )
