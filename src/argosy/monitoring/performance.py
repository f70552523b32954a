"""Measures what a version's answers were worth, as soon and as far as labels are there.

The step ``watch-drift`` and ``argosy performance`` measure through this module. Each time all of the window is joined anew with the labels
as they are now, so a label that comes late, or is corrected, changes the figures of the day that it is about, and asking twice gives the
same. What is kept is the results, not rows.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from argosy import errors, scratch
from argosy.domain import epoch, performance_report, performance_verdicts, task_words
from argosy.domain.bundle import Histogram
from argosy.domain.label_settings import Labels
from argosy.domain.model_settings import Label, ModelSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import (
    BusinessValue,
    EstimatedScore,
    LabelCounts,
    LabelDrift,
    MeasuredScore,
    Performance,
    PerformanceEstimate,
    PerformancePeriod,
    PerformanceWord,
    SlicePerformance,
    VersionPerformance,
)
from argosy.domain.policy import Policy
from argosy.domain.release import Version
from argosy.domain.source_settings import Source
from argosy.domain.time_spans import span
from argosy.files import model_folder
from argosy.ml import live_performance
from argosy.ml.live_performance import LiveAnswers
from argosy.ml.score_intervals import ScoreInterval
from argosy.monitoring import label_drift, watching
from argosy.ports.forge import Forge
from argosy.ports.label_join import OUTCOME, SLICE, LabelJoin, LabelledPredictions, LabelQuestion
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import Logged, PredictionHistory, ServedRelease, shadows_of
from argosy.ports.tables import Tables
from argosy.promotion.standing import Main

CONFIDENCE = 0.95
ASSUMES = (
    "that features tell of labels what they told before: scores are taken at their word, calibrated by the predictions that have labels; "
    "only labels show where that changed"
)


@dataclass(frozen=True)
class Measured:
    """A version that an environment serves, and what its performance is held against."""

    version: Version
    environment: str
    settings: ModelSettings
    policy: Policy | None
    """None where main has none."""
    approved: Mapping[str, float | None] = field(default_factory=dict)
    """The measurements of the version when it was approved, by dotted name, as far as main has them."""
    holdout: Histogram | None = None
    """The labels of its holdout, as counts; None where nobody knows."""

    @property
    def labels(self) -> Labels:
        """Raises Misconfigured for a model whose settings name no labels."""
        if self.settings.labels is None:
            raise errors.Misconfigured(
                f"the settings of {self.settings.model} name no `labels`, so nobody knows what became of its predictions; "
                "say in model.yaml where outcomes come from (docs/monitoring.md, Delayed labels)"
            )
        return self.settings.labels

    @property
    def table(self) -> Source:
        """Where its labels are."""
        return self.labels.table_among(self.settings.sources)

    def place(self, root: Path) -> str:
        """Where its labels lie: as its settings say, or, below *root*, where a run on this machine finds its data.

        Raises Misconfigured where nobody says.
        """
        here = f"data/{self.settings.model}"
        if not self.table.is_in_data:
            return here
        found = self.labels.data or (here if (root / here).is_dir() else self.settings.data)
        if found is None:
            raise errors.Misconfigured(
                f"nobody says where {self.table.file_name} of {self.settings.model} lies: name the place in `labels.data` of model.yaml"
            )
        return found

    @property
    def slices(self) -> list[str]:
        """The features whose values are measured by themselves."""
        return self.labels.slices or self.settings.evaluation.slices


def of_main(
    forge: Forge, settings: ModelSettings, version: Version, environment: str, objects: Objects | None = None
) -> Measured:
    """*version* of the model with *settings*, held against the gates that main has now, beside what it was approved with.

    *objects*: the monitoring store, which has the labels of its holdout.

    Raises Misconfigured where these cannot be read.
    """
    main = Main.now(forge)
    found, evidence = main.policy(settings.model), main.evidence(settings.model, environment)
    place = "on main of the environment repo"
    policy = None if found is None else model_folder.policy_of(found.content, f"{found.path} {place}")
    approved = evidence.metrics if evidence and evidence.model_digest == version.model_digest else {}
    reference = None if objects is None else watching.stored_reference(objects, version)
    return Measured(version, environment, settings, policy, approved, reference.label if reference else None)


@dataclass(frozen=True)
class Tools:
    """The ports that performance is measured through."""

    history: PredictionHistory
    tables: Tables
    join: LabelJoin
    hash_key: bytes = field(repr=False)
    older_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Under which ids were hashed before *hash_key* took their place."""


@dataclass(frozen=True)
class LabelWindow:
    """The time that is asked about."""

    since: datetime.datetime
    """Of the predictions, inclusive."""
    until: datetime.datetime
    """Exclusive."""
    as_of: datetime.datetime
    """Labels that became known until then count."""


def window(measured: Measured, until: datetime.datetime, as_of: datetime.datetime) -> LabelWindow:
    """The window of *measured*'s settings that ends at *until*."""
    return LabelWindow(until - span(measured.labels.window), until, as_of)


def measure(measured: Measured, when: LabelWindow, sources: Path, tools: Tools) -> Performance:
    """The performance of *measured* in the time *when*, its labels in the folder or file *sources*.

    Where there is no file of labels yet, there are no labels. Raises Misconfigured where they cannot be read as the settings say,
    Rejected where they break their contract, TryAgain when the log cannot be read.
    """
    file = sources if sources.is_file() else sources / measured.table.file_name
    with scratch.folder("labels") as place:
        logged = _logged(measured, when, tools.history)
        slices = measured.slices
        found = _found(measured, joined(measured, when, file, tools, place, logged, slices=slices), slices)
    shadows = _shadows(measured, when, file, tools)
    problems = list(performance_verdicts.problems(found.counts, measured.table.name, measured.labels.by))
    if found.damaged:
        problems.append(
            f"{found.damaged} part{'s' * (found.damaged > 1)} of the log cannot be read; the predictions in there do not count"
        )
    if not file.exists():
        problems.insert(
            0, f"source {measured.table.name!r}: {file.name} is not there (yet), where the settings say that labels are"
        )
    if others := len(found.answers) - int(found.answers.scored.sum()):
        problems.append(
            f"{others:,} prediction{'s were' if others > 1 else ' was'} answered in other classes than the settings of "
            f"{measured.version.model} name now; no label is held against them"
        )
    return _Report(measured, when, found, problems).made().model_copy(update={"shadows": shadows})


def _shadows(measured: Measured, when: LabelWindow, file: Path, tools: Tools) -> list[VersionPerformance] | None:
    """What shadows beside *measured* would have been worth, each version by itself; None where the log has none."""
    model, environment = measured.version.model, shadows_of(measured.environment)
    if not any(tools.history.segments(model, environment, since=when.since, until=when.until)):
        return None
    beside = replace(measured, environment=environment)
    with scratch.folder("labels") as place:
        logged = _logged(beside, when, tools.history)
        found = _found(beside, joined(beside, when, file, tools, place, logged), ())
    return list(_Report(beside, when, found, []).versions())


def keep(objects: Objects, found: Performance) -> None:
    """Put *found* into the store, in place of what was known of its days before: those that no label changed are not written again.

    Raises TryAgain when the store fails.
    """
    for period in found.periods:
        key = performance_report.day_key(found.model, found.environment, found.model_digest, period.since)
        content = period.canonical_json().encode()
        # The first day of the window is only a part of it: what is known of the whole day stays.
        if period.since >= found.since and objects.get(key) != content:
            objects.put(key, content)
    objects.put(performance_report.latest_key(found.model, found.environment), found.canonical_json().encode())


def latest(objects: Objects, model: str, environment: str) -> Performance | None:
    """The newest report on *model* in *environment* that was kept; None where there is none that this version of Argosy reads."""
    content = objects.get(performance_report.latest_key(model, environment))
    return None if content is None else performance_report.parse(content)


def is_current(found: Performance | None, measured: Measured, now: datetime.datetime) -> bool:
    """True where *found* is of the version of *measured*, and so new that it need not be measured again at *now*."""
    if found is None or found.model_digest != measured.version.model_digest:
        return False
    return found.as_of <= now < found.as_of + span(measured.labels.every)


def joined(
    measured: Measured,
    when: LabelWindow,
    file: Path,
    tools: Tools,
    place: Path,
    logged: Iterator[Logged],
    *,
    slices: Sequence[str] = (),
    identified: bool = False,
) -> LabelledPredictions:
    """What was *logged* with its labels, read from *file* where there is one, in the folder *place*; *slices* and *identified* as
    :class:`LabelQuestion` has them."""
    labels, table, settings = measured.labels, measured.table, measured.settings
    rules = [rule for rule in settings.reject if labels.source == rule.source]
    kept = place / "labels.parquet" if file.exists() else None
    if kept is not None:
        tools.tables.snapshot(table, rules, file, kept=kept, rejected=place / "rejected.parquet")
    question = LabelQuestion(
        labels=labels,
        table=table,
        label=Label(
            source=table.name, sql=labels.sql or settings.label.sql, classes=settings.label.classes, columns=[]
        ),
        entity=settings.entity,
        slices=slices,
        since=when.since,
        until=when.until,
        as_of=when.as_of,
        identified=identified,
    )
    return tools.join.join(kept, question, tools.hash_key, logged, older_keys=tools.older_keys)


def _logged(measured: Measured, when: LabelWindow, history: PredictionHistory) -> Iterator[Logged]:
    return history.read(
        measured.version.model, measured.environment, since=when.since, until=min(when.until, when.as_of)
    )


@dataclass(frozen=True)
class _Found:
    """The predictions with their labels, as arrays: the table that they come from takes thrice the memory, and is given up."""

    answers: LiveAnswers
    releases: Sequence[ServedRelease]
    counts: LabelCounts
    damaged: int


def _found(measured: Measured, joined: LabelledPredictions, slices: Sequence[str]) -> _Found:
    answers = live_performance.answers(
        joined.table,
        measured.settings.task,
        measured.settings.label.classes,
        {name: OUTCOME + name for name in measured.labels.outcomes},
        {name: SLICE + name for name in slices},
    )
    return _Found(answers, joined.releases, joined.counts, joined.damaged)


@dataclass(frozen=True)
class _Report:
    """Puts the document together."""

    measured: Measured
    when: LabelWindow
    found: _Found
    problems: list[str]

    def made(self) -> Performance:
        """The document."""
        version, labels = self.measured.version, self.measured.labels
        own = self._own()
        due = own.only(self._due(own))
        labelled = int(due.labelled.sum())
        scores = self._scores(due) if labelled >= labels.minimum_rows else []
        word: PerformanceWord
        if broken := self._of_one_kind(due):
            word, explanation = "unclear", broken
        else:
            scores = self._held(scores)
            word, explanation = performance_verdicts.verdict(
                self.found.counts, len(own), labelled, scores, labels.minimum_rows
            )
        return Performance(
            model=version.model,
            environment=self.measured.environment,
            model_digest=version.model_digest,
            version=version.version,
            task=self.measured.settings.task,
            since=self.when.since,
            until=self.when.until,
            as_of=self.when.as_of,
            confidence=CONFIDENCE,
            labels=self.found.counts,
            scores=scores,
            estimate=self._estimate(own),
            versions=list(self.versions()),
            slices=list(self._slices(due)),
            periods=list(self._periods(own)),
            business=self._business(due) if self._enough(due) else [],
            label_drift=self._label_drift(due),
            verdict=word,
            explanation=explanation,
            problems=self.problems,
        )

    def _of_one_kind(self, due: LiveAnswers) -> str:
        counted, holdout = self._counted(due), self.measured.holdout
        return label_drift.of_one_kind(counted, holdout) if counted and holdout else ""

    def _label_drift(self, due: LiveAnswers) -> LabelDrift | None:
        counted, holdout = self._counted(due), self.measured.holdout
        if counted is None or holdout is None:
            return None
        return label_drift.of(counted, holdout, self.measured.settings.monitor or Monitor())

    def _counted(self, due: LiveAnswers) -> Histogram | None:
        """The labels in the bins of the holdout's; None where nobody knows those, or there are too few."""
        holdout = self.measured.holdout
        if holdout is None or not self._enough(due):
            return None
        return live_performance.counted_labels(due, self.measured.settings.label.classes, holdout)

    def _own(self) -> LiveAnswers:
        """What the version that serves answered."""
        digest = self.measured.version.model_digest
        places = [place for place, release in enumerate(self.found.releases) if release.digest == digest]
        return self.found.answers.of(places)

    def _due(self, found: LiveAnswers) -> live_performance.Mask:
        newest = self.when.as_of - span(self.measured.labels.due)
        return found.times <= epoch.microseconds(newest)

    def _scores(self, found: LiveAnswers) -> list[MeasuredScore]:
        return [_score(name, each) for name, each in live_performance.scores(found, CONFIDENCE).items()]

    def _held(self, scores: Sequence[MeasuredScore]) -> list[MeasuredScore]:
        approved, dimension = self.measured.approved, performance_verdicts.DIMENSION
        beside = [score.model_copy(update={"approved": approved.get(dimension + score.metric)}) for score in scores]
        return [performance_verdicts.held(score, self.measured.policy) for score in beside]

    def _enough(self, found: LiveAnswers) -> bool:
        return int(found.labelled.sum()) >= self.measured.labels.minimum_rows

    def _business(self, found: LiveAnswers) -> list[BusinessValue]:
        worth = self.measured.settings.evaluation.business
        return [
            BusinessValue(name=name, rows=rows, total=total, per_prediction=mean.value, low=mean.low, high=mean.high)
            for name, rows, total, mean in live_performance.business(found, worth, CONFIDENCE)
        ]

    def _estimate(self, own: LiveAnswers) -> PerformanceEstimate | None:
        asked = own.only(own.awaited)
        scores = live_performance.estimate(own, CONFIDENCE)
        if not scores:
            return None
        return PerformanceEstimate(
            since=epoch.moment(int(asked.times.min())),
            until=epoch.moment(int(asked.times.max())),
            rows=len(asked),
            assumes=ASSUMES,
            scores=[
                EstimatedScore(metric=name, value=each.value, low=each.low, high=each.high)
                for name, each in scores.items()
            ],
        )

    def versions(self) -> Iterator[VersionPerformance]:
        """Each version that answered, by its number."""
        places: dict[tuple[str, int | None], list[int]] = {}
        for place, release in enumerate(self.found.releases):
            places.setdefault((release.digest, release.version), []).append(place)
        for (digest, version), its in sorted(places.items(), key=lambda each: (each[0][1] or 0, each[0][0])):
            rows = self.found.answers.of(its)
            due = rows.only(self._due(rows))
            yield VersionPerformance(
                model_digest=digest,
                version=version,
                predictions=len(rows),
                labelled=int(due.labelled.sum()),
                scores=self._scores(due) if self._enough(due) else [],
                business=self._business(due) if self._enough(due) else [],
            )

    def _slices(self, due: LiveAnswers) -> Iterator[SlicePerformance]:
        for column, value, rows in live_performance.by_slice(due):
            yield SlicePerformance(
                column=column,
                value=value,
                labelled=int(rows.labelled.sum()),
                scores=self._primary(rows) if self._enough(rows) else [],
            )

    def _primary(self, found: LiveAnswers) -> list[MeasuredScore]:
        """The scores that a policy limits, and the task's primary one: a slice or a day is not told in all of them."""
        named = {task_words.PRIMARY[self.measured.settings.task]}
        limits = self.measured.policy.limits if self.measured.policy else []
        named |= {limit.metric.removeprefix(performance_verdicts.DIMENSION) for limit in limits}
        return [score for score in self._scores(found) if score.metric in named]

    def _periods(self, own: LiveAnswers) -> Iterator[PerformancePeriod]:
        for begin, rows in live_performance.by_day(own):
            yield PerformancePeriod(
                since=epoch.moment(begin),
                until=epoch.moment(begin + live_performance.DAY),
                predictions=len(rows),
                labelled=int(rows.labelled.sum()),
                scores=self._primary(rows) if self._enough(rows) else [],
            )


def _score(name: str, found: ScoreInterval | None) -> MeasuredScore:
    if found is None:
        return MeasuredScore(metric=name)
    return MeasuredScore(metric=name, value=found.value, low=found.low, high=found.high)
