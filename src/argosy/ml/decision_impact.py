"""What a promotion would change for people: whose decisions flip, whether they get better, what they are worth, and why.

Both models answer the same rows. Shares have Wilson's interval (1927); whether one model is right more often is McNemar's exact test (1947)
on the rows where just one of them is, or where entities have several rows that of Obuchowski (1998), which adds theirs up first; worth has
the interval of a mean of paired differences (Student, 1908); whether one regression errs less is Wilcoxon's signed rank test (1945). Names
and values of columns that are personal data appear nowhere.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from argosy.domain import evidence, figures
from argosy.domain.evidence import Table
from argosy.domain.measuring import AS_EVER
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance, resampling, score_intervals
from argosy.ml.paired import Answers
from argosy.ml.resampling import Units
from argosy.ml.row_groups import RowGroups

Array = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]

MOST_GROUPS = 5
MOST_EXAMPLES = 3
MOST_REASONS = 3
FARTHEST = ((0.5, "half of the rows"), (0.9, "nine tenths"), (0.99, "99 of 100"), (1.0, "all"))


@dataclass(frozen=True)
class Judges:
    """Two models on the same rows."""

    task: Task
    classes: Sequence[str]
    """Empty for a regression."""
    labels: Array
    candidate: Answers
    champion: Answers
    confidence: float
    smallest_slice: int = AS_EVER.smallest_slice
    """Rows of a group below which its share says little."""
    units: Units | None = None
    """What is one of a kind: the rows of one entity are not independent. None where each row is."""

    @property
    def entities(self) -> Units:
        """The rows by what they are of."""
        return self.units or resampling.of_rows(len(self.labels))


Reasons = Callable[[Places], Sequence[Mapping[str, tuple[float, float]]]]
"""For rows by their places: feature to its contribution with the champion and with the candidate, of those that may be named."""


def tables(
    judges: Judges, groups: Mapping[str, Sequence[str] | RowGroups], worth: Mapping[str, float], reasons: Reasons
) -> list[Table]:
    """What changes, whose, and why. *groups*: column to the values of the rows; *worth*: what each kind of decision is worth."""
    if judges.task == "regression":
        return [_distances(judges)]
    before, now = _decided(judges, judges.champion), _decided(judges, judges.candidate)
    changed = before != now
    found = [_changes(judges, before, now)]
    if judges.task == "binary" and worth:
        found.append(_worth(judges, before, now, worth))
    if changed.any():
        if groups:
            found.append(_groups(judges, changed, groups))
        found.append(_examples(judges, before, now, reasons))
    return found


def _decided(judges: Judges, answers: Answers) -> Places:
    return np.asarray(metrics.decisions(judges.task, answers.predictions, answers.threshold), dtype=np.int64)


def _changes(judges: Judges, before: Places, now: Places) -> Table:
    labels = judges.labels.astype(np.int64)
    changed = before != now
    rows = [_change(judges, "all", changed, before == labels, now == labels)]
    for was, name in enumerate(judges.classes):
        for becomes, other in enumerate(judges.classes):
            chosen = (before == was) & (now == becomes)
            if was != becomes and chosen.any():
                rows.append(_change(judges, f"{name} → {other}", chosen, before == labels, now == labels))
    lost, won = int(((before == labels) & (now != labels)).sum()), int(((before != labels) & (now == labels)).sum())
    test = _right_more_often((now == labels).astype(np.float64) - (before == labels), judges.entities)
    rows.append(["right in one model alone (p of McNemar)", figures.number(test), "", f"{lost:,}", f"{won:,}"])
    return Table(
        title=evidence.DECISIONS,
        dimension="performance",
        header=["Decision", "Rows", "Share", "Right before", "Right now"],
        rows=rows,
    )


def _right_more_often(gained: Array, units: Units) -> float:
    """p of both models being right equally often. *gained*: 1 for a row that is right now alone, -1 for one that was, else 0."""
    if not units.repeated:
        won, lost = int((gained > 0).sum()), int((gained < 0).sum())
        return float(stats.binomtest(won, lost + won).pvalue) if lost + won else 1.0
    of_entities = units.sums(gained[:, None])[:, 0]
    spread = math.sqrt(float((of_entities**2).sum()))
    return math.erfc(abs(float(of_entities.sum())) / spread / math.sqrt(2)) if spread else 1.0


def _change(judges: Judges, name: str, chosen: Chosen, right_before: Chosen, right_now: Chosen) -> list[str]:
    return [
        name,
        f"{int(chosen.sum()):,}",
        _share(int(chosen.sum()), len(chosen), judges.confidence),
        f"{int((chosen & right_before).sum()):,}",
        f"{int((chosen & right_now).sum()):,}",
    ]


def _share(count: int, rows: int, confidence: float) -> str:
    ends = stats.binomtest(count, rows).proportion_ci(confidence, method="wilson")
    return f"{count / rows:.1%} [{ends.low:.1%}, {ends.high:.1%}]"


def _worth(judges: Judges, before: Places, now: Places, worth: Mapping[str, float]) -> Table:
    of_champion, of_candidate = (
        performance.worth_of_rows(judges.labels, decided == 1, worth) for decided in (before, now)
    )
    more = of_candidate - of_champion
    spread = _error_of_mean(more, judges.entities)
    half = float(stats.t.ppf((1 + judges.confidence) / 2, max(1, judges.entities.count - 1))) * spread
    middle = float(more.mean())
    difference, low, high = (figures.signed(1000 * value) for value in (middle, middle - half, middle + half))
    of_each = [figures.number(1000 * float(values.mean())) for values in (of_candidate, of_champion)]
    return Table(
        title=evidence.WORTH,
        dimension="performance",
        header=["", "Candidate", "Champion", "More"],
        rows=[["per 1,000 rows", *of_each, f"{difference} [{low}, {high}]"]],
    )


def _error_of_mean(values: Array, units: Units) -> float:
    if units.count < 2:
        return 0.0
    return math.sqrt(score_intervals.variance(values - values.mean(), units.places))


def _groups(judges: Judges, changed: Chosen, groups: Mapping[str, Sequence[str] | RowGroups]) -> Table:
    """The groups of which the largest share changes; small ones, whose share says little, are left out."""
    found = sorted(_shares(changed, groups, judges.smallest_slice), reverse=True)[:MOST_GROUPS]
    return Table(
        title="Whose decisions would change most",
        dimension="fairness",
        header=["Group", "Rows", "Change", "Share"],
        rows=[
            [name, f"{rows:,}", f"{count:,}", _share(count, rows, judges.confidence)] for _, name, rows, count in found
        ],
    )


def _shares(
    changed: Chosen, groups: Mapping[str, Sequence[str] | RowGroups], smallest: int
) -> Iterator[tuple[float, str, int, int]]:
    for column, value, rows in performance.slices(groups):
        if len(rows) >= smallest:
            own = changed[rows]
            yield float(own.mean()), f"{column} = {value}", len(own), int(own.sum())


def _examples(judges: Judges, before: Places, now: Places, reasons: Reasons) -> Table:
    """The rows whose decision changes with the largest step of the score."""
    step = _score(judges, judges.candidate, now) - _score(judges, judges.champion, now)
    places = np.flatnonzero(before != now)
    places = places[np.argsort(-np.abs(step[places]), kind="stable")][:MOST_EXAMPLES]
    moved = reasons(places)
    return Table(
        title="Decisions that would change by the largest step",
        dimension="explainability",
        header=["Decision", "Score", "What moves it"],
        rows=[
            [
                f"{judges.classes[before[place]]} → {judges.classes[now[place]]}",
                f"{_score(judges, judges.champion, now)[place]:.0%} → {_score(judges, judges.candidate, now)[place]:.0%}",
                _reason(named),
            ]
            for place, named in zip(places, moved, strict=True)
        ],
    )


def _score(judges: Judges, answers: Answers, now: Places) -> Array:
    """Of a multiclass model that of the class decided for now."""
    if judges.task == "multiclass":
        return np.asarray(answers.predictions[np.arange(len(now)), now], dtype=np.float64)
    return answers.predictions


def _reason(named: Mapping[str, tuple[float, float]]) -> str:
    ranked = sorted(named.items(), key=lambda entry: -abs(entry[1][1] - entry[1][0]))[:MOST_REASONS]
    return "; ".join(f"{name} {was:+.2f} → {becomes:+.2f}" for name, (was, becomes) in ranked)


def _distances(judges: Judges) -> Table:
    """How far the answers of a regression move, in the label's unit."""
    step = np.abs(judges.candidate.predictions - judges.champion.predictions)
    gained = np.abs(judges.champion.predictions - judges.labels) - np.abs(judges.candidate.predictions - judges.labels)
    closer, units = gained > 0, judges.entities
    of_entities = units.sums(gained[:, None])[:, 0] / units.sums(np.ones((len(gained), 1)))[:, 0]
    test = float(stats.wilcoxon(of_entities).pvalue) if of_entities.any() else 1.0
    rows = [[f"of {name} by at most", figures.number(float(np.quantile(step, share)))] for share, name in FARTHEST]
    return Table(
        title=evidence.DISTANCES,
        dimension="performance",
        header=["", ""],
        rows=[
            *rows,
            ["closer to the truth than before", _share(int(closer.sum()), len(closer), judges.confidence)],
            ["errs as far as before (p of Wilcoxon)", figures.number(test)],
        ],
    )
