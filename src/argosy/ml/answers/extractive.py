"""Answers with sentences of the passages that were found: those that share most with the question, rare words counting more.

It refuses where the passages have too little of the question's words. It invents nothing, and knows no paraphrase.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.domain.answers.answer_settings import Extractive
from argosy.ml.answers.retrieval import FoundPassage, PassageIndex
from argosy.ml.answers.words import sentences, words

SHORT = 3
"""Words below which a sentence answers nothing, as a heading or a cell does not."""


@dataclass(frozen=True)
class _Sentence:
    text: str
    place: int
    worth: float


def answer(settings: Extractive, index: PassageIndex, question: str, found: Sequence[FoundPassage]) -> str | None:
    """The answer; None where it refuses."""
    asked = frozenset(words(question))
    if not found or index.cover(question, found) < settings.least_cover:
        return None
    rated = list(_rated(index, asked, found))
    best = sorted(rated, key=lambda each: (-each.worth, each.place))[: settings.sentences]
    return " ".join(each.text for each in sorted(best, key=lambda each: each.place)) or None


def _rated(index: PassageIndex, asked: frozenset[str], found: Sequence[FoundPassage]) -> Iterator[_Sentence]:
    place = 0
    top = found[0].score
    for each in found:
        headed = asked & frozenset(words(each.passage.title))
        for text in sentences(each.passage.text):
            place += 1
            own = frozenset(words(text))
            if len(own) < SHORT:
                continue
            shared = sum(index.weight(word) for word in (own & asked) | headed)
            # The passage counts as well: its best sentence need not repeat the question.
            yield _Sentence(text, place, shared * (each.score / top) ** 2)
