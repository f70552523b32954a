"""Compares the version that an environment serves with a second one that was beside it: its shadow, or the candidate of a split.

Rows come from the prediction log, labels as they are now; both are joined as ``argosy performance`` joins them. A shadow is compared on the
rows that both answered. In a split each version has entities of its own; those that met both, in a canary or when a weight was changed, say
nothing of either and are left out.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy import errors, scratch
from argosy.domain import comparison, epoch, task_words, version_comparison
from argosy.domain.comparison import Paired
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.time_spans import span
from argosy.domain.version_comparison import (
    Agreement,
    ArmDifference,
    ComparedArm,
    SliceDifference,
    VersionComparison,
    Way,
)
from argosy.ml import live_performance, version_differences
from argosy.ml.live_performance import LiveAnswers
from argosy.ml.score_intervals import NAMES, Labelled
from argosy.ml.version_differences import ArmRows
from argosy.monitoring import performance
from argosy.monitoring.performance import CONFIDENCE, LabelWindow, Measured, Tools
from argosy.ports.label_join import OUTCOME, SLICE
from argosy.ports.prediction_log import Logged, ServedRelease, shadows_of

Places = npt.NDArray[np.int64]
UNNAMED = "the policy names no `comparison`; {metric} is compared, and must not be worse at all"


def compare(
    measured: Measured, when: LabelWindow, sources: Path | None, tools: Tools, second: int | None = None
) -> VersionComparison:
    """The version of *measured* and the *second* one (None: the one with most rows) in the time *when*, labels in *sources*.

    Raises Rejected where the log has no second version, Misconfigured and the others as :func:`performance.measure` does.
    """
    table, releases = _joined(measured, when, sources, tools)
    found = _LoggedRows(measured, table, releases)
    return _Comparison(found, when, *found.pair(second)).made()


def window(measured: Measured, until: datetime.datetime, as_of: datetime.datetime) -> LabelWindow:
    """The window of the model's settings that ends at *until*; a week where they name no labels."""
    labels = measured.settings.labels
    return LabelWindow(until - (span(labels.window) if labels else datetime.timedelta(days=7)), until, as_of)


def _joined(
    measured: Measured, when: LabelWindow, sources: Path | None, tools: Tools
) -> tuple[pa.Table, Sequence[ServedRelease]]:
    """All rows of the environment and of its shadows, with their labels where there are any."""
    logged = _logged(measured, when, tools)
    if measured.settings.labels is None or sources is None:
        return _without_labels(logged)
    file = sources if sources.is_file() else sources / measured.table.file_name
    with scratch.folder("labels") as place:
        joined = performance.joined(measured, when, file, tools, place, logged, slices=measured.slices, identified=True)
    return joined.table, joined.releases


def _logged(measured: Measured, when: LabelWindow, tools: Tools) -> Iterator[Logged]:
    for environment in (measured.environment, shadows_of(measured.environment)):
        yield from tools.history.read(
            measured.version.model, environment, since=when.since, until=min(when.until, when.as_of)
        )


def _without_labels(logged: Iterator[Logged]) -> tuple[pa.Table, Sequence[ServedRelease]]:
    releases: dict[ServedRelease, int] = {}
    parts = []
    for each in logged:
        place, rows = releases.setdefault(each.served, len(releases)), each.table.num_rows
        names = {"time": "time", "score": "score", "decision": "decision", "request": "request_id", "place": "row"}
        columns = {name: each.table[column] for name, column in names.items()} | {"entity": each.table["entity"]}
        columns |= {"release": pa.array([place] * rows, pa.int32()), "label": pa.nulls(rows, pa.float64())}
        parts.append(pa.table(columns))
    return pa.concat_tables(parts) if parts else pa.table({}), list(releases)


@dataclass(frozen=True)
class ArmChoice:
    """Which rows of the log are whose."""

    way: Way
    release: ServedRelease
    places: Places
    """Of its rows, in the table."""


class _LoggedRows:
    """All rows of the window."""

    def __init__(self, measured: Measured, table: pa.Table, releases: Sequence[ServedRelease]) -> None:
        self.measured = measured
        self.table = table
        self.releases = releases
        self.release = table["release"].to_numpy() if len(releases) else np.zeros(0, np.int32)

    def pair(self, second: int | None) -> tuple[ArmChoice, ArmChoice, list[str]]:
        """The rows of the served version, those of the second one, and what there is besides. Raises Rejected."""
        model, environment = self.measured.version.model, self.measured.environment
        digest = self.measured.version.model_digest
        first = self._of("split", digest)
        others = sorted(self._others(digest), key=lambda one: -len(one.places))
        chosen = [one for one in others if second is None or one.release.version == second]
        if not chosen:
            wanted = "no second version" if second is None else f"version {second} not"
            known = ", ".join(sorted({str(one.release.version) for one in others})) or "none"
            raise errors.Rejected(
                f"the log of {model} in {environment} has {wanted} in this time (others: {known}); begin a shadow or a split "
                "(`argosy serve MODEL --shadow VERSION`, docs/serving.md), or pass --since"
            )
        rest = [
            f"version {one.release.version} ({one.way}, {len(one.places):,} rows) is there too; pass --with {one.release.version}"
            for one in chosen[1:]
        ]
        return first, chosen[0], rest

    def _others(self, digest: str) -> Iterator[ArmChoice]:
        seen = {(release.digest, release.environment) for release in self.releases if release.digest != digest}
        for other, environment in seen:
            yield self._of("split" if environment == self.measured.environment else "shadow", other)

    def _of(self, way: Way, digest: str) -> ArmChoice:
        own = self.measured.environment if way == "split" else shadows_of(self.measured.environment)
        numbers = [
            place
            for place, release in enumerate(self.releases)
            if release.digest == digest and release.environment == own
        ]
        release = (
            self.releases[numbers[0]]
            if numbers
            else ServedRelease(self.measured.version.model, own, self.measured.version.version, digest)
        )
        return ArmChoice(way, release, np.flatnonzero(np.isin(self.release, numbers)))


class _Comparison:
    """Puts the document together."""

    def __init__(
        self, found: _LoggedRows, when: LabelWindow, first: ArmChoice, second: ArmChoice, problems: Sequence[str]
    ) -> None:
        self._measured = measured = found.measured
        self._when = when
        self._first, self._second = first, second
        self._problems = [*problems]
        self._task = measured.settings.task
        labels = measured.settings.labels
        self._outcomes = list(labels.outcomes) if labels else []
        columns = {name: OUTCOME + name for name in self._outcomes if OUTCOME + name in found.table.column_names}
        classes = measured.settings.label.classes
        named = measured.slices if labels else []
        slices = {name: SLICE + name for name in named if SLICE + name in found.table.column_names}
        self._answers: LiveAnswers = live_performance.answers(found.table, self._task, classes, columns, slices)
        self._requests = _coded(found.table["request"]) * 2**20 + found.table["place"].cast(pa.int64()).to_numpy()
        named = pc.coalesce(found.table["entity"], pc.binary_join_element_wise("request", found.table["request"], " "))
        self._units = _coded(named)
        due = span(labels.due) if labels else datetime.timedelta()
        newest = epoch.microseconds(when.as_of - due)
        self._due = (self._answers.times <= newest) & self._answers.labelled

    def made(self) -> VersionComparison:
        """The document."""
        one, two = self._paired() if self._second.way == "shadow" else self._apart()
        policy = self._policy()
        result = None
        scores: list[ArmDifference] = []
        for name in NAMES[self._task]:
            difference = self._difference(name, one, two, policy.confidence)
            if difference is not None:
                scores.append(version_comparison.difference(name, difference))
            if name == policy.metric and difference is not None:
                result = comparison.decide(policy, difference)
        result = result or comparison.impossible(policy, self._unlabelled(one, two), 0)
        when, version = self._when, self._measured.version
        return VersionComparison(
            model=version.model,
            environment=self._measured.environment,
            way=self._second.way,
            since=when.since,
            until=when.until,
            as_of=when.as_of,
            confidence=policy.confidence,
            first=self._arm(self._first),
            second=self._arm(self._second),
            agreement=self._agreement(one, two) if self._second.way == "shadow" else None,
            scores=scores,
            values=list(self._values(one, two, policy.confidence)),
            slices=list(self._slices(one, two, policy)),
            result=result,
            verdict=version_comparison.WORDS[result.outcome],
            explanation=result.reason.replace("the champion", "the served version"),
            would_take=version_comparison.would_take(policy, result),
            problems=self._problems,
        )

    def _policy(self) -> ComparisonPolicy:
        policy = self._measured.policy
        if policy is not None and policy.comparison is not None:
            return policy.comparison
        metric = task_words.PRIMARY[self._task]
        self._problems.append(UNNAMED.format(metric=metric))
        return ComparisonPolicy(metric=metric, margin=0.0, confidence=CONFIDENCE)

    def _paired(self) -> tuple[Places, Places]:
        """The places of the rows that both answered, in one order. An id that callers gave twice names no one row."""
        keys = [self._requests[choice.places] for choice in (self._first, self._second)]
        once = [_once(each) for each in keys]
        _, ours, theirs = np.intersect1d(keys[0][once[0]], keys[1][once[1]], assume_unique=True, return_indices=True)
        if repeated := len(self._second.places) - len(once[1]):
            self._problems.append(f"{repeated:,} rows have a request id that came more than once, and are left out")
        return self._first.places[once[0]][ours], self._second.places[once[1]][theirs]

    def _apart(self) -> tuple[Places, Places]:
        """The places of each version's rows, without the entities that met both."""
        ours, theirs = self._units[self._first.places], self._units[self._second.places]
        both = np.intersect1d(ours, theirs)
        if len(both):
            self._problems.append(
                f"{len(both):,} entities met both versions (a canary, a changed weight, requests beside the split) and are left out"
            )
        return (
            self._first.places[~np.isin(ours, both)],
            self._second.places[~np.isin(theirs, both)],
        )

    def _difference(self, name: str, one: Places, two: Places, confidence: float) -> Paired | None:
        if self._second.way == "shadow":
            kept = self._due[one] & self._due[two]
            if not kept.any():
                return None
            sides = (self._labelled(one[kept]), self._labelled(two[kept]))
            return version_differences.paired(self._task, name, *sides, self._units[one[kept]], confidence)
        one, two = one[self._due[one]], two[self._due[two]]
        if not len(one) or not len(two):
            return None
        ours, theirs = (ArmRows(self._labelled(each), self._units[each]) for each in (one, two))
        return version_differences.unpaired(self._task, name, ours, theirs, confidence)

    def _values(self, one: Places, two: Places, confidence: float) -> Iterator[ArmDifference]:
        """What outcomes were worth; of a shadow nothing, whose answers nobody acted on."""
        if self._second.way == "shadow":
            return
        for name, values in self._answers.outcomes.items():
            known = [each[~np.isnan(values[each])] for each in (one, two)]
            if all(map(len, known)):
                sides = (values[known[0]], values[known[1]])
                units = (self._units[known[0]], self._units[known[1]])
                found = version_differences.means(*sides, units, confidence)
                yield version_comparison.difference(name, found)

    def _slices(self, one: Places, two: Places, policy: ComparisonPolicy) -> Iterator[SliceDifference]:
        """The policy's metric where a feature has one value, for the values of most rows; flips where both answered the same rows."""
        found, paired = self._answers, self._second.way == "shadow"
        for name, (codes, values) in found.slices.items():
            counts = np.bincount(codes[two], minlength=len(values))
            for place in np.argsort(-counts, kind="stable")[: live_performance.MOST_VALUES].tolist():
                if not counts[place]:
                    continue
                # Of a pair the rows are those of the second: both were asked the same, and either may lack the feature.
                theirs = codes[two] == place
                first, second = one[theirs if paired else codes[one] == place], two[theirs]
                score = (
                    self._difference(policy.metric, first, second, policy.confidence) if self._enough(second) else None
                )
                yield SliceDifference(
                    column=name,
                    value=values[place],
                    rows=len(second),
                    flips=int((found.decisions[first] != found.decisions[second]).sum()) if paired else None,
                    score=version_comparison.difference(policy.metric, score) if score else None,
                )

    def _enough(self, places: Places) -> bool:
        labels = self._measured.settings.labels
        return labels is not None and int(self._due[places].sum()) >= labels.minimum_rows

    def _labelled(self, places: Places) -> Labelled:
        found = self._answers
        return Labelled(found.labels[places], found.predictions[places], found.decisions[places])

    def _agreement(self, one: Places, two: Places) -> Agreement | None:
        if not len(one):
            return None
        found = self._answers
        apart = np.abs(found.predictions[two] - found.predictions[one])
        apart = np.nanmax(apart, axis=1) if apart.ndim == 2 else apart
        return Agreement(
            rows=len(one),
            flips=int((found.decisions[one] != found.decisions[two]).sum()),
            mean_distance=float(np.nanmean(apart)),
            largest_distance=float(np.nanmax(apart)),
        )

    def _arm(self, choice: ArmChoice) -> ComparedArm:
        return ComparedArm(
            version=choice.release.version,
            model_digest=choice.release.digest,
            predictions=len(choice.places),
            entities=len(np.unique(self._units[choice.places])),
            labelled=int(self._due[choice.places].sum()),
        )

    def _unlabelled(self, one: Places, two: Places) -> str:
        if self._measured.settings.labels is None:
            return "the settings name no `labels`, so nobody knows which of the two was right"
        if not len(one):
            return (
                "no row was answered by both"
                if self._second.way == "shadow"
                else "the served version has no rows of its own"
            )
        known = [int(self._due[each].sum()) for each in (one, two)]
        if not all(known):
            return f"no labels are there yet: of {known[0]:,} rows of the served version, of {known[1]:,} of the second"
        return "the policy's metric is undefined on the rows with a label, which are all of one class"


def _coded(column: pa.ChunkedArray) -> Places:
    """*column* as numbers, equal ones for equal texts."""
    coded = pc.dictionary_encode(column).combine_chunks()
    indices = coded.indices if isinstance(coded, pa.DictionaryArray) else coded.chunk(0).indices
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _once(keys: Places) -> Places:
    """The places of those of *keys* that are there once."""
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    return np.asarray(first[counts == 1], dtype=np.int64)
