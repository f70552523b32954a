"""Reads the newest look at each model in each environment: drift, real performance, labels, business values."""

from collections.abc import Iterator
from typing import Protocol

from pydantic import ValidationError

from argosy.domain import looks
from argosy.domain.drift import Finding
from argosy.domain.looks import Look
from argosy.domain.performance_report import MeasuredScore, Performance
from argosy.exporter import samples, series, skew_samples
from argosy.exporter.samples import Reading, Sample

LABEL = "the label"
"""The column that labels are called: no feature can have a space in its name."""
MOST_COLUMNS = 100
"""Columns of a look that have series, and as many of its slices together: Prometheus keeps a series for each, of every model."""
MOST_SLICES = 20
"""Slices whose performance has series."""
VERDICTS = ("drift", "no drift", "too few", "no data")


class LookStore(Protocol):
    """What is asked of the store of looks."""

    def get(self, key: str) -> bytes | None: ...

    def folders(self, prefix: str = "") -> list[str]: ...


def read(objects: LookStore) -> Reading:
    """What the newest looks in *objects* say. Raises TryAgain where the store fails."""
    found: list[Sample] = []
    problems: list[str] = []
    for key in _keys(objects):
        content = objects.get(key)
        if content is None:
            continue  # nobody has looked yet
        try:
            found += of_look(Look.model_validate_json(content))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            problems.append(f"{key} is no look: {'.'.join(map(str, first['loc']))}: {first['msg']}")
    return Reading(found, problems)


def _keys(objects: LookStore) -> Iterator[str]:
    # By folder: all looks are one an hour and model, the newest is one a model.
    for model in objects.folders("looks/"):
        for environment in objects.folders(f"looks/{model}/"):
            yield looks.latest_key(model, environment)


def of_look(look: Look) -> Iterator[Sample]:
    """The samples of one look."""
    version = {
        "model": look.model,
        "environment": look.environment,
        "version": "" if look.version is None else str(look.version),
        "digest": look.model_digest,
    }
    yield samples.age(series.LOOK_AGE, look.looked.timestamp(), **version)
    yield samples.of(series.LOOK_UNTIL, look.until.timestamp(), **version)
    yield samples.of(series.LOOK_ROWS, look.rows, **version)
    for word in VERDICTS:
        yield samples.of(series.DRIFT_VERDICT, look.verdict == word, **version, verdict=word)
    for name, finding in _shown_findings(look):
        place = {**version, "column": finding.difference.column, "slice": name}
        yield samples.of(series.DRIFT_DISTANCE, finding.difference.jensen_shannon, **place)
        yield samples.of(series.DRIFT_COLUMN, finding.drifted, **place)
    if look.report.mean is not None:
        yield samples.of(series.DRIFT_MEAN, look.report.mean.mean, **version)
        yield samples.of(series.DRIFT_MEAN_BEFORE, look.report.mean.before, **version)
    if look.performance is not None:
        yield from _of_performance(look.performance, version)
    if look.skew is not None:
        yield from skew_samples.of_skew(look.skew, version)


def _shown_findings(look: Look) -> list[tuple[str, Finding]]:
    """The findings of *look* that have series, each with its slice: those of the whole and those of slices, of each what moved farthest.

    What drifted comes first. Verdicts and alerts go by all of them; the look has the others.
    """

    def farthest(found: list[tuple[str, Finding]]) -> list[tuple[str, Finding]]:
        in_order = sorted(found, key=lambda one: (one[1].drifted, one[1].difference.jensen_shannon), reverse=True)
        return in_order[:MOST_COLUMNS]

    every = [(name, finding) for name, report in look.parts for finding in report.findings]
    return [*farthest([one for one in every if not one[0]]), *farthest([one for one in every if one[0]])]


def _of_performance(found: Performance, version: dict[str, str]) -> Iterator[Sample]:
    slices = found.slices[:MOST_SLICES]
    parts = [("", found.scores), *((f"{each.column}={each.value}", each.scores) for each in slices)]
    for name, scores in parts:
        for score in scores:
            yield from _of_score(score, {**version, "metric": score.metric, "slice": name})
    for score in found.gated():
        yield from _of_gate(score, {**version, "metric": score.metric})
    for estimate in found.estimate.scores if found.estimate else ():
        yield samples.of(series.PERFORMANCE_ESTIMATE, estimate.value, **version, metric=estimate.metric)
    for value in found.business:
        yield samples.of(series.BUSINESS_PER_PREDICTION, value.per_prediction, **version, name=value.name)
        yield samples.of(series.BUSINESS_TOTAL, value.total, **version, name=value.name)
    if found.label_drift is not None:
        finding, column = found.label_drift.finding, {**version, "column": LABEL, "slice": ""}
        yield samples.of(series.DRIFT_DISTANCE, finding.difference.jensen_shannon, **column)
        yield samples.of(series.DRIFT_COLUMN, finding.drifted, **column)
    yield samples.of(series.LABELLED, found.labels.labelled, **version)
    if found.labels.completeness is not None:
        yield samples.of(series.LABEL_COMPLETENESS, found.labels.completeness, **version)


def _of_score(score: MeasuredScore, place: dict[str, str]) -> Iterator[Sample]:
    figures = {
        series.PERFORMANCE: score.value,
        series.PERFORMANCE_LOW: score.low,
        series.PERFORMANCE_HIGH: score.high,
    }
    for one, figure in figures.items():
        if figure is not None:
            yield samples.of(one, figure, **place)


def _of_gate(score: MeasuredScore, place: dict[str, str]) -> Iterator[Sample]:
    for bound, limit in (("at_least", score.at_least), ("at_most", score.at_most)):
        if limit is not None:
            yield samples.of(series.PERFORMANCE_GATE, limit, **place, bound=bound)
    # Nothing where it is undefined: no number is not a pass.
    if score.standing is not None:
        yield samples.of(series.PERFORMANCE_BELOW, score.standing == "below", **place)
