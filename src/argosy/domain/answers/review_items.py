"""What people decided of the answers that a request asked them about, as labels of the evaluation set."""

from collections.abc import Sequence

from pydantic import ValidationError

from argosy import errors
from argosy.domain.answers import evaluation_items
from argosy.domain.answers.evaluation_items import LONGEST_WHY, LabelledAnswer
from argosy.domain.answers.judged import ReviewItem


def decided(text: str, place: str, by: str) -> list[LabelledAnswer]:
    """The labels in *text*, the content of *place*, a review that *by* filled in; lines without a decision are left out.

    Raises Misconfigured with the line that is no review item or can be no label, and where nothing was decided.
    """
    items = enumerate(evaluation_items.read(text, place, ReviewItem), 1)
    found = [
        _label(each, each.acceptable, by, f"{place}:{number}") for number, each in items if each.acceptable is not None
    ]
    if not found:
        raise errors.Misconfigured(f"{place} decides nothing: set `acceptable` of a line to true or false")
    return found


def _label(item: ReviewItem, acceptable: bool, by: str, place: str) -> LabelledAnswer:
    try:
        return LabelledAnswer(
            id=item.id,
            answer=item.candidate,
            sections=item.candidate_sections,
            acceptable=acceptable,
            by=by,
            why=item.asked_because[:LONGEST_WHY],  # a judge's words, as many as it likes
        )
    except ValidationError as error:
        raise evaluation_items.problem(error, f"{place} as a label") from None


def together(known: Sequence[LabelledAnswer], more: Sequence[LabelledAnswer]) -> list[LabelledAnswer]:
    """*known*, then those of *more* that say something else; the same said twice is said once."""
    seen = {(each.id, each.answer, each.acceptable) for each in known}
    merged = list(known)
    for each in more:
        if (each.id, each.answer, each.acceptable) not in seen:
            seen.add((each.id, each.answer, each.acceptable))
            merged.append(each)
    return merged
