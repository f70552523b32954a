"""A look at what a version answers: the window counted, held against its reference, judged, and kept for whoever asks later.

The step ``watch-drift`` and ``argosy drift`` look through this module, so they cannot come to different verdicts.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError

from argosy import errors
from argosy.domain import drift, looks, watch_reference
from argosy.domain.bundle import Bins
from argosy.domain.data import FeatureColumn
from argosy.domain.drift import About, Part, Reference, Thresholds, Window
from argosy.domain.looks import Look, SliceLook
from argosy.domain.monitor_settings import Baseline, Monitor, Seasonality
from argosy.domain.release import Version
from argosy.domain.tallies import WHOLE, Layout, Tally
from argosy.domain.watch_reference import HOLDOUT, WatchReference
from argosy.ml import drift as measures
from argosy.ml import drift_measures
from argosy.monitoring import seasons as seasons_of_log
from argosy.monitoring.hourly import Counted, CountedModel, Hours
from argosy.monitoring.seasons import LoggedSeasons
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import PredictionHistory

HOUR = datetime.timedelta(hours=1)
JUDGED = "answer=judged"
"""The name, among slices, of the sample of a language model's answers that a judge judged."""


@dataclass(frozen=True)
class Watched:
    """A version that an environment serves, with all that its windows are held against."""

    version: Version
    environment: str
    features: Sequence[FeatureColumn]
    bins: Bins
    monitor: Monitor
    score: str
    """The name of its scores, in words."""
    reference: WatchReference | None = None
    """None of a model that was made before there was one: then there are no slices and no seasons."""
    held_out: str = "the model's holdout"
    """The rows that the bins count, in a sentence."""
    judged: "Watched | None" = None
    """The sample of its answers that a judge judges, which has a log of its own; None of a model that none is judged of."""

    def with_minimum(self, rows: int) -> "Watched":
        """The same, whose windows say something from so many *rows* on."""
        monitor = self.monitor.model_copy(update={"minimum_rows": rows})
        judged = self.judged and self.judged.with_minimum(rows)
        return replace(self, monitor=monitor, judged=judged)

    @property
    def layout(self) -> Layout:
        """How its rows are counted."""
        return watch_reference.layout_of(self.bins, self.reference)

    @property
    def logged(self) -> frozenset[str]:
        """Its features that servers log: none of personal data."""
        return frozenset(feature.name for feature in self.features if not feature.personal)

    @property
    def slices(self) -> list[str]:
        """The columns by which it is counted. Raises Misconfigured for a column that cannot be."""
        columns = {column.column: column for column in self.bins.columns}
        for name in self.monitor.slices:
            if name not in columns:
                raise errors.Misconfigured(
                    f"monitor.slices names {name!r}, which is no feature of {self.version.model}; it has {', '.join(columns)}"
                )
            if columns[name].levels is None:
                raise errors.Misconfigured(f"monitor.slices names {name!r}, a number; slices are by categories")
            if name not in self.logged:
                raise errors.Misconfigured(f"monitor.slices names {name!r}, which is personal data: it is not logged")
        return list(self.monitor.slices)

    def holdout(self) -> Reference:
        """The whole of its holdout."""
        found = drift.holdout(self.bins).model_copy(update={"words": self.held_out})
        if self.reference is None:
            return found
        return found.model_copy(update={"window": self.layout.window(self.reference.counts[HOLDOUT][WHOLE])})

    @property
    def thresholds(self) -> Thresholds:
        """The limits that its windows are judged by."""
        return Thresholds(minimum_rows=self.monitor.minimum_rows, **dict(self.monitor.thresholds))


def stored_reference(objects: Objects, version: Version) -> WatchReference | None:
    """The reference of *version* in the monitoring store; None where there is none."""
    key = watch_reference.reference_key(version.model, version.model_digest)
    content = objects.get(key)
    try:
        return None if content is None else WatchReference.model_validate_json(content)
    except ValidationError as error:
        raise errors.Misconfigured(
            f"{key} in the monitoring store cannot be read by this Argosy: train {version.model} again, which writes it anew"
        ) from error


@dataclass(frozen=True)
class Judged:
    """A look, with what people are shown beside it."""

    look: Look
    reference: Window
    """What the whole was held against."""
    until: datetime.datetime
    """The end of what was counted: an hour that is not over is counted as a whole, so far."""
    unkept: str = ""
    """Why the hours that were counted are not in the store; empty where they are."""


def judge(
    watched: Watched,
    *,
    history: PredictionHistory,
    objects: Objects,
    since: datetime.datetime,
    until: datetime.datetime,
    now: datetime.datetime,
    keep: bool = True,
) -> Judged:
    """The look at what *watched* answered from *since* (inclusive) to *until* (exclusive).

    *keep*: whether hours that were counted are put into the store, where that takes them. Raises TryAgain when a store cannot be read.
    """
    # The hour that is not over yet is counted as a whole, so far: what comes in it is added later.
    end = looks.hour_of(until) + HOUR if until >= now else until
    counted, parts = _counted(watched, Hours(history, objects, _subject(watched), keep), since, end, until)
    if (of_judge := watched.judged) is not None:
        _, judged_parts = _counted(of_judge, Hours(history, objects, _subject(of_judge), keep), since, end, until)
        enough = [part for _, part in judged_parts if part.window.rows >= watched.monitor.minimum_rows]
        parts += [(JUDGED, part) for part in enough]
    whole, *sliced = drift.reports([part for _, part in parts], thresholds=watched.thresholds)
    whole = whole.model_copy(update={"rows_of_other_models": counted.rows_of_others, "damaged": counted.damaged})
    found = [
        SliceLook(column=name.partition("=")[0], value=name.partition("=")[2], report=report)
        for (name, _), report in zip(parts[1:], sliced, strict=True)
    ]
    verdict, explanation = _together(whole, found)
    look = Look(
        model=watched.version.model,
        environment=watched.environment,
        version=watched.version.version,
        model_digest=watched.version.model_digest,
        since=since,
        until=until,
        looked=now,
        rows=whole.rows,
        verdict=verdict,
        explanation=explanation,
        reference=whole.reference,
        thresholds=watched.thresholds,
        report=whole,
        slices=found,
        segments=counted.segments,
    )
    return Judged(look, parts[0][1].reference.window, end, counted.unkept)


def first(watched: Watched, history: PredictionHistory, now: datetime.datetime) -> datetime.datetime:
    """The first hour of which anything is logged; that of *now* where nothing is."""
    refs = history.segments(watched.version.model, watched.environment)
    return min((ref.hour for ref in refs), default=looks.hour_of(now))


def keep(objects: Objects, found: Look, due: datetime.timedelta = HOUR) -> None:
    """Put *found* into the store: under its time, and as the newest unless a newer one is there.

    *due*: how far ahead looks may end.
    """
    content = found.canonical_json().encode()
    objects.put(looks.look_key(found.model, found.environment, found.until), content)
    newest = latest(objects, found.model, found.environment)
    # One that is still to come was kept by a clock that was ahead: it would stay the newest until then.
    if newest is None or newest.until <= found.until or newest.until > found.looked + due:
        objects.put(looks.latest_key(found.model, found.environment), content)


def latest(objects: Objects, model: str, environment: str) -> Look | None:
    """The newest look at *model* in *environment*; None where there is none that this version of Argosy reads."""
    content = objects.get(looks.latest_key(model, environment))
    return None if content is None else looks.parse(content)


def _subject(watched: Watched) -> CountedModel:
    return CountedModel(
        watched.version.model, watched.environment, watched.version.model_digest, watched.layout, watched.slices
    )


def _counted(
    watched: Watched, hours: Hours, since: datetime.datetime, end: datetime.datetime, until: datetime.datetime
) -> tuple[Counted, list[tuple[str, Part]]]:
    """What was logged from *since* to *end*, and its parts, which are said to end at *until*."""
    counted = hours.count(since, end)
    return counted, _parts(watched, counted, _References(watched, hours, counted, since), since, until)


def _parts(
    watched: Watched, counted: Counted, references: "_References", since: datetime.datetime, until: datetime.datetime
) -> list[tuple[str, Part]]:
    """The whole, then each slice that there is a reference of, by name."""
    layout, version = watched.layout, watched.version
    about = About(
        model=version.model,
        environment=watched.environment,
        model_digest=version.model_digest,
        version=version.version,
        score=watched.score,
        since=since,
        until=until,
    )
    own = drift_measures.named(watched.monitor.thresholds.own)
    found = []
    for name, tally in sorted(counted.total(layout).items()):
        reference = references.of(name)
        if reference is None or (name and tally.rows < watched.monitor.minimum_rows):
            continue
        window = layout.window(tally)
        differences = [
            each
            for each in measures.differences(window, reference.window, own)
            if not name.startswith(f"{each.column}=")
        ]
        expected = frozenset() if name else watched.logged
        found.append((name, Part(about, window, reference, differences, expected)))
    return found


def _together(whole: drift.DriftReport, slices: Sequence[SliceLook]) -> tuple[drift.Word, str]:
    """The verdict on all: drift where any part of it drifted."""
    drifted = [each for each in slices if each.report.verdict == "drift"]
    if whole.verdict in {"no data", "too few"} or not drifted:
        return whole.verdict, whole.explanation
    reasons = [f"where {each.column} is {each.value}, {_moved(each.report)}" for each in drifted]
    return "drift", "; ".join([whole.explanation] * (whole.verdict == "drift") + drift.told(reasons))


def _moved(report: drift.DriftReport) -> str:
    """What moved in a slice, in a few words."""
    names = [finding.difference.column for finding in drift.farthest(report.findings) if finding.drifted]
    if not names:
        return report.explanation
    return (
        f"{', '.join(names[: drift.TOLD])}{' and others' * (len(names) > drift.TOLD)} differ{'s' * (len(names) == 1)}"
    )


class _References:
    """What the whole and the slices of one window are held against."""

    def __init__(self, watched: Watched, hours: Hours, counted: Counted, since: datetime.datetime) -> None:
        self._watched, self._counted, self._layout = watched, counted, watched.layout
        self._before: Mapping[str, Tally] = {}
        self._logged: LoggedSeasons | None = None
        if watched.monitor.baseline == "previous window":
            earlier = replace(hours)
            self._before = earlier.count(since - watched.monitor.length, since).total(self._layout)
        elif watched.monitor.baseline == "season" and watched.monitor.seasonality is not None:
            seasons = self._rows(WHOLE, watched.monitor.seasonality)
            self._logged = LoggedSeasons.before(since, watched.monitor, replace(hours), seasons)

    def of(self, name: str) -> Reference | None:
        """The reference of the slice *name*, or of the whole; None where there is none."""
        baseline: Baseline = self._watched.monitor.baseline
        if baseline == "previous window":
            tally = self._before.get(name, self._layout.empty())
            return self._reference("previous window", "the window before", tally)
        if baseline == "season":
            return self._season(name)
        return self._holdout(name)

    def _holdout(self, name: str) -> Reference | None:
        watched = self._watched
        if name == WHOLE:
            return watched.holdout()
        known = watched.reference.counts[HOLDOUT].get(name) if watched.reference else None
        return self._reference("holdout", "the same part of the model's holdout", known) if known else None

    def _season(self, name: str) -> Reference | None:
        seasonality, stored = self._watched.monitor.seasonality, self._watched.reference
        rows = self._rows(name, seasonality) if seasonality else {}
        logged = self._logged.reference(name, rows) if self._logged else None
        if logged is not None:
            return logged
        if seasonality is None or stored is None or not seasonality.is_counted_as(stored.seasonality):
            raise errors.Misconfigured(
                f"there are no counts of {self._watched.version.model} by its `monitor.seasonality`; they are made when it is trained: "
                f"run `argosy run {self._watched.version.model}` with these settings, let the log be their "
                "source (`seasonality.history`; there is too little of it so far, where it is set), or set `monitor.baseline: holdout`"
            )
        seasons = {season: counts[name] for season, counts in stored.counts.items() if name in counts and season}
        tally = watch_reference.mixed(seasons, rows) if rows else None
        words = f"{seasons_of_log.said(rows, seasonality)} of the training data"
        found = self._reference(f"season: {', '.join(sorted(rows))}", words, tally or self._layout.empty())
        return found.model_copy(
            update={"usual": stored.usual.get(name, {}), "usual_mean": stored.usual_mean.get(name, 0.0)}
        )

    def _rows(self, name: str, seasonality: Seasonality) -> dict[str, int]:
        """The window's rows of each season."""
        found: dict[str, int] = {}
        for hour, counts in self._counted.hours.items():
            if name in counts:
                season = watch_reference.season_of(hour, seasonality)
                found[season] = found.get(season, 0) + counts[name].rows
        return found

    def _reference(self, name: str, words: str, tally: Tally) -> Reference:
        return Reference(name=name, words=words, window=self._layout.window(tally))
