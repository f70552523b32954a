"""What people decided of the answers that a request asked them about, as labels of the evaluation set."""

from collections.abc import Sequence

from argosy import errors
from argosy.domain.answers import evaluation_items
from argosy.domain.answers.evaluation_items import LabelledAnswer
from argosy.domain.answers.judged import ReviewItem


def decided(text: str, place: str, by: str) -> list[LabelledAnswer]:
    """The labels in *text*, the content of *place*, a review that *by* filled in; lines without a decision are left out.

    Raises Misconfigured with the line that is no review item, and where nothing was decided.
    """
    found = [
        LabelledAnswer(
            id=each.id,
            answer=each.candidate,
            sections=each.candidate_sections,
            acceptable=each.acceptable,
            by=by,
            why=each.asked_because,
        )
        for each in evaluation_items.read(text, place, ReviewItem)
        if each.acceptable is not None
    ]
    if not found:
        raise errors.Misconfigured(f"{place} decides nothing: set `acceptable` of a line to true or false")
    return found


def together(known: Sequence[LabelledAnswer], more: Sequence[LabelledAnswer]) -> list[LabelledAnswer]:
    """*known*, then those of *more* that say something else; the same said twice is said once."""
    seen = {(each.id, each.answer, each.acceptable) for each in known}
    merged = list(known)
    for each in more:
        if (each.id, each.answer, each.acceptable) not in seen:
            seen.add((each.id, each.answer, each.acceptable))
            merged.append(each)
    return merged
