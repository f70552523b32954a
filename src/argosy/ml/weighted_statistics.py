"""What a holdout comes to when its rows have weights: every score, calibration and fairness of one model, for many draws at once.

Most are a function of a few sums over the rows, so that thousands of draws are one product of matrices; a ranking costs one sort, once, and
running sums. With all weights 1 each equals what ``metrics``, ``calibration`` and ``fairness`` say, which a test holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from argosy.domain.model_settings import Task
from argosy.ml import calibration, group_gaps, metrics, performance, sensitive_groups
from argosy.ml.group_gaps import Levels
from argosy.ml.row_groups import RowGroups

Array = npt.NDArray[np.float64]
Sums = Callable[[Array], Array]
AllLevels = Callable[[Array, np.random.Generator], list[Levels]]
"""From sums, the whole holdout's and then a draw a line, to what is held against each other."""

MOST_CELLS = 100_000_000
"""Numbers that sums over the classes may take; with more, draws are scored one by one."""


class Statistic(Protocol):
    """One measurement of one model on one holdout."""

    def values(self, weights: Array) -> Array:
        """Its value for each line of *weights*, which has a number a row; NaN where it is undefined."""


@dataclass(frozen=True)
class OfSums:
    """A function of sums over the rows."""

    rows: Array
    """What each row adds to each sum, a line a row."""
    value: Sums
    """From sums, a line a draw, to a number a draw."""
    gaps: Array | None = None
    """Of a sum of absolute values what each row adds to each of them, as a mean over the rows; draws of it are biased (``folded_sums``)."""
    levels: AllLevels | None = None
    """Of a gap between groups what it is the largest difference of; draws of it are biased (``group_gaps``)."""

    def values(self, weights: Array) -> Array:
        """See the protocol."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.value(weights @ self.rows)


@dataclass(frozen=True)
class OfRankings:
    """The mean, over the classes, of an area under a curve."""

    name: str
    labels: Array
    """One column a class: 1 for its rows."""
    scores: Array
    """One column a class."""

    def values(self, weights: Array) -> Array:
        """See the protocol."""
        area = _roc if self.name == "auc" else _precision_recall
        with np.errstate(divide="ignore", invalid="ignore"):
            each = [area(*pair, weights) for pair in zip(self.labels.T, self.scores.T, strict=True)]
            return np.asarray(np.mean(each, axis=0), dtype=np.float64)


@dataclass(frozen=True)
class OfRepeatedRows:
    """A score that no sums tell, from rows written as often as they weigh."""

    task: Task
    name: str
    labels: Array
    predictions: Array
    threshold: float

    def values(self, weights: Array) -> Array:
        """See the protocol."""
        return np.array([self._value(np.repeat(np.arange(len(line)), line.astype(np.int64))) for line in weights])

    def _value(self, rows: npt.NDArray[np.int64]) -> float:
        return metrics.score(self.task, self.name, self.labels[rows], self.predictions[rows], threshold=self.threshold)


def of_score(task: Task, name: str, labels: Array, predictions: Array, threshold: float) -> Statistic:
    """The score called *name*."""
    if name in {"auc", "pr_auc"}:
        return _ranking(task, name, labels, predictions)
    if task == "regression":
        return _of_values(name, labels, predictions.astype(np.float64))
    if task == "multiclass" and name not in {"accuracy", "log_loss"}:
        classes = predictions.shape[1]
        if 3 * classes * len(labels) > MOST_CELLS:
            return OfRepeatedRows(task, name, labels, predictions, threshold)
        return _of_classes(name, labels, metrics.decisions(task, predictions), classes)
    return _of_two(task, name, labels, predictions, threshold)


def of_calibration(task: Task, name: str, labels: Array, predictions: Array) -> OfSums:
    """``calibration.<name>``; the bins, and a regression's unit, are those of the whole holdout."""
    said, seen = calibration.told_and_seen(task, labels, predictions.astype(np.float64))
    scale = 1.0 if task != "regression" else float(labels.std()) or 1.0
    gap = (said - seen) / scale
    if name == "brier":
        return _mean(gap**2)
    bins = np.zeros(len(said), dtype=np.int64)
    if name == "ece":
        for number, part in enumerate(np.array_split(np.argsort(said, kind="stable"), calibration.BINS)):
            bins[part] = number
    columns = np.zeros((len(said), int(bins.max(initial=0)) + 2))
    columns[np.arange(len(said)), bins] = gap
    columns[:, -1] = 1.0
    gaps = columns[:, :-1] if name == "ece" else None
    return OfSums(columns, lambda sums: np.abs(sums[:, :-1]).sum(axis=1) / sums[:, -1], gaps)


def of_fairness(
    task: Task, name: str, labels: Array, predictions: Array, threshold: float, groups: Sequence[str] | RowGroups
) -> OfSums | None:
    """``fairness.<attribute>.<name>``, *groups* being those of its attribute; None where fewer than two are large enough."""
    members = RowGroups.of(groups)
    large = np.flatnonzero(members.counts >= sensitive_groups.SMALLEST_GROUP)
    if len(large) < 2:
        return None
    own = _own_sums(task, labels, predictions, threshold)
    width = own.shape[1]
    rows = np.empty((len(own), width * len(large)))
    for place, group in enumerate(large):
        np.multiply(own, (members.codes == group)[:, None], out=rows[:, place * width : (place + 1) * width])
    judge = FAIRNESS_VALUES[name] if task == "binary" else _between_scores(task, name)
    shares = SHARES.get((task, name)) if len(large) == 2 else None
    gaps = (
        None
        if shares is None
        else _between_two(own[:, shares[0]], own[:, shares[1]], *(members.codes == group for group in large))
    )
    levels = None if gaps is not None else LEVELS.get((task, name))

    def parts(sums: Array) -> Array:
        return np.moveaxis(sums.reshape(len(sums), len(large), -1), 2, 0)

    return OfSums(
        rows,
        lambda sums: judge(parts(sums)),
        gaps,
        None if levels is None else lambda sums, random: levels(parts(sums), random),
    )


def _between_two(above: Array, below: Array, one: npt.NDArray[np.bool_], two: npt.NDArray[np.bool_]) -> Array | None:
    """What each row adds to the difference of the shares *above* of *below* in two groups, to the first order; None where a share is
    undefined."""
    bases = [float(below[group].sum()) for group in (one, two)]
    if not all(bases):
        return None
    shares = [float(above[group].sum()) / base for group, base in zip((one, two), bases, strict=True)]
    added = np.full(len(above), shares[0] - shares[1])
    for sign, group, share, base in zip((1, -1), (one, two), shares, bases, strict=True):
        added[group] += sign * len(above) * (above[group] - share * below[group]) / base
    return added[:, None]


def of_worth(labels: Array, predictions: Array, threshold: float, worth: Mapping[str, float]) -> OfSums:
    """``performance.value_per_row``."""
    return _mean(performance.worth_of_rows(labels, predictions >= threshold, worth))


def _mean(values: Array) -> OfSums:
    return _ratio(values, np.ones(len(values)))


def _ratio(above: Array, below: Array) -> OfSums:
    return OfSums(np.column_stack([above, below]), lambda sums: sums[:, 0] / sums[:, 1])


def _of_two(task: Task, name: str, labels: Array, predictions: Array, threshold: float) -> Statistic:
    if name == "log_loss":
        return _mean(-np.log(_own_chance(task, labels, predictions)))
    if name == "brier":
        return _mean((predictions.astype(np.float64) - labels) ** 2)
    if name == "best_f1":
        return OfRepeatedRows(task, name, labels, predictions, threshold)
    decided = metrics.decisions(task, predictions, threshold).astype(np.float64)
    match name:
        case "accuracy":
            return _mean((decided == labels).astype(np.float64))
        case "precision":
            return _ratio(labels * decided, decided)
        case "recall":
            return _ratio(labels * decided, labels)
        case _:
            return _ratio(2 * labels * decided, labels + decided)


def _own_chance(task: Task, labels: Array, predictions: Array) -> Array:
    """What each row's own class was given."""
    if task == "multiclass":
        own = predictions[np.arange(len(labels)), labels.astype(np.int64)].astype(np.float64)
        return np.clip(own, metrics.TINY, 1.0)
    kept = np.clip(predictions.astype(np.float64), metrics.TINY, 1 - metrics.TINY)
    return np.where(labels == 1, kept, 1 - kept)


def _of_classes(name: str, labels: Array, decided: npt.NDArray[np.int64], classes: int) -> OfSums:
    """Means over the classes that are there or were decided for, each counting the same."""
    present = np.eye(classes)[labels.astype(np.int64)]
    chosen = np.eye(classes)[decided]
    below = {"precision": chosen, "recall": present, "f1": (chosen + present) / 2}[name]

    def value(sums: Array) -> Array:
        hits, under, there = (sums[:, part * classes : (part + 1) * classes] for part in range(3))
        each = np.where(under > 0, hits / under, 0.0)
        return np.asarray((each * (there > 0)).sum(axis=1) / (there > 0).sum(axis=1))

    return OfSums(np.concatenate([present * chosen, below, present + chosen], axis=1), value)


def _of_values(name: str, labels: Array, values: Array) -> OfSums:
    errors = values - labels
    if name == "mae":
        return _mean(np.abs(errors))
    if name == "rmse":
        square = _mean(errors**2)
        return OfSums(square.rows, lambda sums: np.sqrt(square.value(sums)))
    return OfSums(_explained(labels, values), lambda sums: _r2(sums.T))


def _explained(labels: Array, values: Array) -> Array:
    """The sums that R² is made of. Labels are taken from their mean, so that squares keep their digits."""
    moved = labels - labels.mean()
    return np.column_stack([(values - labels) ** 2, moved, moved**2, np.ones(len(labels))])


def _r2(sums: Array) -> Array:
    missed, label, square, count = sums
    return np.asarray(1 - missed / (square - label**2 / count))


def _ranking(task: Task, name: str, labels: Array, predictions: Array) -> OfRankings:
    if task == "multiclass":
        return OfRankings(name, np.eye(predictions.shape[1])[labels.astype(np.int64)], predictions)
    return OfRankings(name, labels[:, None], predictions[:, None])


def _roc(labels: Array, scores: Array, weights: Array) -> Array:
    """Of the pairs of a positive and a negative, the share in the right order; ties count half."""
    hits, all_of = _by_score(labels, scores, weights)
    misses = all_of - hits
    below = np.cumsum(misses, axis=1) - misses / 2
    return np.asarray((hits * below).sum(axis=1) / (hits.sum(axis=1) * misses.sum(axis=1)))


def _precision_recall(labels: Array, scores: Array, weights: Array) -> Array:
    hits, all_of = _by_score(labels, -scores, weights)
    decided = np.cumsum(all_of, axis=1)
    precision = np.divide(np.cumsum(hits, axis=1), decided, out=np.zeros_like(decided), where=decided > 0)
    return np.asarray((hits * precision).sum(axis=1) / hits.sum(axis=1))


def _by_score(labels: Array, scores: Array, weights: Array) -> tuple[Array, Array]:
    """The weight of the positives and of all rows, of each score from the lowest to the highest."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    firsts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
    own = weights[:, order]
    hits = own * labels[order]
    if len(firsts) == len(ranked):
        return hits, own
    return np.add.reduceat(hits, firsts, axis=1), np.add.reduceat(own, firsts, axis=1)


def _own_sums(task: Task, labels: Array, predictions: Array, threshold: float) -> Array:
    """What a group's figures are made of: of a binary task rows, decided, positive, both, and how far probabilities are from labels."""
    if task == "regression":
        return _explained(labels, predictions.astype(np.float64))
    decided = metrics.decisions(task, predictions, threshold).astype(np.float64)
    if task == "multiclass":
        return np.column_stack([decided == labels, np.ones(len(labels))]).astype(np.float64)
    return np.column_stack([np.ones(len(labels)), decided, labels, labels * decided, predictions - labels])


def _between_scores(task: Task, name: str) -> Sums:
    def value(sums: Array) -> Array:
        scores = _r2(sums) if task == "regression" else sums[0] / sums[1]
        most, least = scores.max(axis=1), scores.min(axis=1)
        return np.asarray(most - least if name == "score_difference" else np.where(most > 0, least / most, np.nan))

    return value


def _apart(shares: Array) -> Array:
    return np.asarray(shares.max(axis=1) - shares.min(axis=1))


def _alike(shares: Array) -> Array:
    return np.asarray(shares.min(axis=1) / shares.max(axis=1))


def _found(sums: Array) -> Array:
    """Of those who have the label, the share decided for."""
    return np.asarray(sums[3] / sums[2])


def _accused(sums: Array) -> Array:
    """Of those who do not have it."""
    return np.asarray((sums[1] - sums[3]) / (sums[0] - sums[2]))


SHARES: dict[tuple[Task, str], tuple[int, int]] = {
    ("binary", "demographic_parity_difference"): (1, 0),
    ("binary", "equal_opportunity_difference"): (3, 2),
    ("multiclass", "score_difference"): (0, 1),
}
"""Differences of one share between groups: which of a group's own sums it is, of which. Of two groups that is one absolute value."""
FAIRNESS_VALUES: dict[str, Sums] = {
    "demographic_parity_ratio": lambda sums: _alike(sums[1] / sums[0]),
    "demographic_parity_difference": lambda sums: _apart(sums[1] / sums[0]),
    "equalized_odds_ratio": lambda sums: np.minimum(_alike(_found(sums)), _alike(_accused(sums))),
    "equalized_odds_difference": lambda sums: np.maximum(_apart(_found(sums)), _apart(_accused(sums))),
    "equal_opportunity_difference": lambda sums: _apart(_found(sums)),
    "calibration_gap": lambda sums: np.asarray(np.abs(sums[4] / sums[0]).max(axis=1)),
}
"""From (sum, draw, group) to a number a draw."""


OfDraws = Callable[[Array, np.random.Generator], Array]
"""From (sum, draw, group) to a share of few rows, with draws of its own (``group_gaps.share``)."""


def _chosen(sums: Array, random: np.random.Generator) -> Array:
    return group_gaps.share(sums[1], sums[0], random)


def _caught(sums: Array, random: np.random.Generator) -> Array:
    return group_gaps.share(sums[3], sums[2], random)


def _blamed(sums: Array, random: np.random.Generator) -> Array:
    return group_gaps.share(sums[1] - sums[3], sums[0] - sums[2], random)


def _right(sums: Array, random: np.random.Generator) -> Array:
    return group_gaps.share(sums[0], sums[1], random)


def _between(*shares: OfDraws, ratio: bool = False) -> AllLevels:
    def levels(sums: Array, random: np.random.Generator) -> list[Levels]:
        found = [share(sums, random) for share in shares]
        return [Levels(each, each) for each in (map(np.log, found) if ratio else found)]

    return levels


def _of_distances(sums: Array, _: np.random.Generator) -> list[Levels]:
    """The distance of the mean probability from the rate seen, as much above as below."""
    means = sums[4] / sums[0]
    return [Levels(np.concatenate([means, -means], axis=1), np.zeros((len(means), 1)))]


def _of_explained(sums: Array, _: np.random.Generator) -> list[Levels]:
    explained = _r2(sums)
    return [Levels(explained, explained)]


LEVELS: dict[tuple[Task, str], AllLevels] = {
    ("binary", "demographic_parity_ratio"): _between(_chosen, ratio=True),
    ("binary", "demographic_parity_difference"): _between(_chosen),
    ("binary", "equalized_odds_ratio"): _between(_caught, _blamed, ratio=True),
    ("binary", "equalized_odds_difference"): _between(_caught, _blamed),
    ("binary", "equal_opportunity_difference"): _between(_caught),
    ("binary", "calibration_gap"): _of_distances,
    ("multiclass", "score_ratio"): _between(_right, ratio=True),
    ("multiclass", "score_difference"): _between(_right),
    ("regression", "score_difference"): _of_explained,
}
"""All but a regression's ratio, whose R² may lie below zero."""
