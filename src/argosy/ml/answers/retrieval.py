"""Ranks passages for a question by BM25 (Robertson and Zaragoza 2009, in Lucene's form), through the library bm25s.

The index is made when a bundle is loaded: it follows from the passages and the settings, and is no part of the bundle.
"""

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import bm25s

from argosy.domain.answers.answer_bundle import Passage
from argosy.domain.answers.answer_settings import Retrieval
from argosy.ml.answers.words import words

VERSION = str(bm25s.__version__)
logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets DEBUG for itself, and tells each index that is made


@dataclass(frozen=True)
class FoundPassage:
    """A passage that was found, and its score."""

    passage: Passage
    score: float


class PassageIndex:
    """Passages, ready to be asked."""

    def __init__(self, passages: Sequence[Passage], settings: Retrieval) -> None:
        self._passages = list(passages)
        self._settings = settings
        corpus = [words(each.text) + words(each.title) * settings.headings for each in passages]
        self._known = [frozenset(each) for each in corpus]
        self._frequency = Counter(word for each in self._known for word in each)
        self._ranking = bm25s.BM25(method="lucene", k1=settings.k1, b=settings.b)
        self._ranking.index(corpus, show_progress=False)

    def find(self, question: str) -> list[FoundPassage]:
        """The best passages for *question*, best first; of equal ones the earlier. Those that share no word with it are left out."""
        asked = [word for word in words(question) if word in self._frequency]
        if not asked:
            return []
        scores = self._ranking.get_scores(asked)
        # By hand, as a partial sort leaves open which of two equal ones comes first.
        order = sorted(range(len(scores)), key=lambda place: (-float(scores[place]), place))
        best = [place for place in order[: self._settings.passages] if scores[place] > 0]
        return [FoundPassage(self._passages[place], float(scores[place])) for place in best]

    def cover(self, question: str, found: Sequence[FoundPassage]) -> float:
        """The share of the words of *question* that the passages *found* have, by their :meth:`weight`; 0 of a question without words."""
        asked = frozenset(words(question))
        total = sum(self.weight(word) for word in asked)
        if not found or not total:
            return 0.0
        together = frozenset(word for each in found for word in words(f"{each.passage.title} {each.passage.text}"))
        return sum(self.weight(word) for word in asked & together) / total

    def weight(self, word: str) -> float:
        """How much a *word* tells: its inverse document frequency; of one that no passage has, the most."""
        count = self._frequency.get(word, 0)
        return math.log(1 + (len(self._passages) - count + 0.5) / (count + 0.5))
