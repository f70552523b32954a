"""The columns that an answer is logged and counted by, none of them a text of a person, and the bins that they are counted in.

The bins are fixed: they follow from the passages of a bundle alone. So windows can be held against each other without anything that was
made with the model, and whoever counts the evaluation set comes to counts in the same bins.
"""

from collections.abc import Sequence

from argosy.domain.answers.answer_bundle import Passage
from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.data import FeatureColumn

MILLISECONDS = "milliseconds"
COLUMNS = (
    ("question_words", "number"),
    ("language", "category"),
    ("cover", "number"),
    ("retrieval_score", "number"),
    ("document", "category"),
    ("section", "category"),
    ("answer_words", "number"),
    ("tokens", "number"),
    (MILLISECONDS, "number"),
)
"""Name and type of each, in a server's log."""
JUDGED_COLUMNS = (("faithfulness", "number"), ("relevancy", "number"), ("toxicity", "number"))
"""Of the sample that is judged, in a log of its own."""
ANSWERED, REFUSED = DECISIONS = ("answered", "refused")
ACCEPTED, NOT_ACCEPTED = "accepted", "not accepted"
REFUSAL, ACCEPTANCE = "refused", "accepted"
"""The predictions of the two logs: 1 where it is so."""
LANGUAGES = (
    *("danish", "dutch", "english", "french", "german", "italian", "norwegian", "portuguese", "russian", "spanish"),
    *("swedish", "turkish"),
)
OTHER_LETTERS, NO_LANGUAGE = "other letters", "unclear"
"""Mostly of letters that are not Latin; and of words that no language has to itself."""
MOST_SECTIONS = 500
"""Of a bundle with more, answers are counted by document alone."""


def _steps(first: float, last: float) -> list[float]:
    """Edges, each half as large again as the one before or twice that in turn, so that a bin is as fine at any size."""
    found = [first]
    while found[-1] < last:
        found.append(round(found[-1] * (1.5 if len(found) % 2 else 4 / 3), 6))
    return found


_SHARES = [round(0.05 * step, 2) for step in range(1, 20)]
_EDGES = {
    "question_words": _steps(2, 512),
    "cover": _SHARES,
    "retrieval_score": _steps(0.5, 128),
    "answer_words": _steps(2, 2048),
    "tokens": _steps(16, 131_072),
    MILLISECONDS: _steps(1, 131_072),
    "faithfulness": _SHARES,
    "relevancy": _SHARES,
    "toxicity": _SHARES,
}


def bins(passages: Sequence[Passage]) -> Bins:
    """The bins, empty, of the answers from *passages*."""
    sections = sorted({each.section for each in passages})
    levels = {
        "language": [*LANGUAGES, OTHER_LETTERS, NO_LANGUAGE],
        "document": sorted({section.partition("#")[0] for section in sections}),
        "section": sections,
    }
    names = [name for name, _ in COLUMNS if name != "section" or len(sections) <= MOST_SECTIONS]
    return _empty(REFUSAL, [_levels(name, levels[name]) if name in levels else _numbers(name) for name in names])


def judged_bins() -> Bins:
    """The bins, empty, of the sample that is judged."""
    return _empty(ACCEPTANCE, [_numbers(name) for name, _ in JUDGED_COLUMNS])


def features() -> list[FeatureColumn]:
    """The columns of a log of answers as a model's features are: none is personal."""
    return [
        FeatureColumn(name=name, type="number" if kind == "number" else "category", view="answers")
        for name, kind in COLUMNS
    ]


def judged_features() -> list[FeatureColumn]:
    """The columns of the log of what is judged, as a model's features are."""
    return [FeatureColumn(name=name, type="number", view="judged") for name, _ in JUDGED_COLUMNS]


def decision(*, refused: bool) -> str:
    """Whether it is an answer, or says that there is none."""
    return REFUSED if refused else ANSWERED


def _empty(prediction: str, columns: list[Histogram]) -> Bins:
    scores = Histogram(column=prediction, edges=[0.5], counts=[0, 0], missing=0)
    return Bins(reference="holdout", rows=0, columns=columns, prediction=scores, scores=Moments())


def _numbers(name: str) -> Histogram:
    edges = _EDGES[name]
    return Histogram(column=name, edges=edges, counts=[0] * (len(edges) + 1), missing=0)


def _levels(name: str, levels: list[str]) -> Histogram:
    return Histogram(column=name, levels=levels, counts=[0] * (len(levels) + 1), missing=0)
