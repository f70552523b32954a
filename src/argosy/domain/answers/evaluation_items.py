"""What a language model is measured with: questions with their references, and answers that people labelled; one JSON object a line.

Reading them says which line is wrong. Where they come from, and who labelled, is the files' business.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from argosy import errors
from argosy.domain.documents import Document

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=8000)]
MANIFEST, QUESTIONS, LABELLED = "manifest.json", "questions.jsonl", "labelled.jsonl"
"""The files of a snapshot beside its documents."""
MOST_ITEMS = 10_000
LONGEST_WHY = 1000
"""Characters."""


class EvaluationQuestion(Document):
    """One item of the evaluation set."""

    id: Id
    question: Text
    reference: str = Field(
        default="", max_length=8000, description="A right answer; empty where the documents have none."
    )
    sections: list[str] = Field(
        default_factory=list,
        description="Sections that the answer is in, such as runbook.md#argosydrift; none where there is no answer.",
    )
    topic: str = Field(default="", max_length=64)

    @property
    def answerable(self) -> bool:
        """Whether the documents have the answer; else the right answer is a refusal."""
        return bool(self.sections)


class LabelledAnswer(Document):
    """An answer that a person looked at: what the judge is held against."""

    id: Id = Field(description="Of the question.")
    answer: Text
    sections: list[str] = Field(default_factory=list, description="Sections that it was answered from, best first.")
    acceptable: bool = Field(description="Whether the person would have this answer given to a user.")
    by: Text = Field(description="Who labelled it: a person or a role.")
    why: str = Field(default="", max_length=LONGEST_WHY)


Item = TypeVar("Item", bound=Document)


def questions(text: str, place: str) -> list[EvaluationQuestion]:
    """The questions in *text*, the content of *place*. Raises Misconfigured with the line."""
    found = read(text, place, EvaluationQuestion)
    seen: set[str] = set()
    for number, each in enumerate(found, 1):
        if each.id in seen:
            raise errors.Misconfigured(
                f"{place}:{number}: the id {each.id!r} is there twice; each question has its own"
            )
        seen.add(each.id)
        if each.answerable != bool(each.reference):
            raise errors.Misconfigured(
                f"{place}:{number}: {each.id} has {'sections' if each.answerable else 'a reference'} and no "
                f"{'reference' if each.answerable else 'sections'}; a question that is to be refused has neither"
            )
    if not found:
        raise errors.Misconfigured(f"{place} holds no question; nothing can be measured without one")
    return found


def labelled(text: str, place: str, known: Iterable[EvaluationQuestion]) -> list[LabelledAnswer]:
    """The labelled answers in *text*, the content of *place*, to questions that are *known*. Raises Misconfigured with the line."""
    found = read(text, place, LabelledAnswer)
    ids = {each.id for each in known}
    seen: dict[tuple[str, str], int] = {}
    for number, each in enumerate(found, 1):
        if each.id not in ids:
            raise errors.Misconfigured(
                f"{place}:{number}: no question has the id {each.id!r}; keep its question, or remove the label"
            )
        first = seen.setdefault((each.id, each.answer), number)
        if first != number and found[first - 1].acceptable != each.acceptable:
            raise errors.Misconfigured(
                f"{place}:{number}: the same answer to {each.id!r} has the other label on line {first}; decide for one of them"
            )
    return found


def read(text: str, place: str, kind: type[Item]) -> list[Item]:
    """The items in *text*, the content of *place*. Raises Misconfigured with the line that is none."""
    lines = lines_of(text)
    if len(lines) > MOST_ITEMS:
        raise errors.Misconfigured(f"{place} has {len(lines):,} lines; at most {MOST_ITEMS:,} are read")
    return [_item(line, f"{place}:{number}", kind) for number, line in enumerate(lines, 1)]


def _item(line: str, place: str, kind: type[Item]) -> Item:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise problem(error, place) from None


def problem(error: ValidationError, place: str) -> errors.Misconfigured:
    """The first that *error* says of the line at *place*."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return errors.Misconfigured(f"{place}: {f'{field}: ' if field else ''}{first['msg']}; one JSON object a line")


def lines_of(text: str) -> list[str]:
    """The lines of *text*, one JSON object each, which may hold U+2028, U+2029 and U+0085 as they are: ``splitlines`` splits there."""
    return text.removesuffix("\n").split("\n") if text else []


def lines(found: Sequence[Document]) -> str:
    """*found* as such a file: a line each, in their order."""
    return "".join(
        json.dumps(each.model_dump(mode="json"), ensure_ascii=False, sort_keys=True) + "\n" for each in found
    )
