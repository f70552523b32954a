"""A performance report for a terminal: plain lines, columns aligned, what is below its gate first."""

from collections.abc import Iterator, Sequence

from argosy.domain import figures
from argosy.domain.performance_report import BusinessValue, MeasuredScore, Performance, VersionPerformance
from argosy.report import plain_text

SCORES = ("metric", "", "value", "interval", "gate")
ORDER = {"below": 0, "unclear": 1, "holds": 2, None: 3}
WORDS = {"below": "BELOW", "unclear": "unclear", "holds": "holds", None: ""}


def text(report: Performance) -> str:
    """The whole report."""
    parts = [
        [_title(report), _counts(report), *_labels(report)],
        _table([SCORES, *map(_score, sorted(report.scores, key=lambda score: ORDER[score.standing]))]),
        _table([("value", "", "per prediction", "interval", "rows"), *map(_value, report.business)]),
        _table([("slice", "", "labelled", "scores"), *_slices(report)]),
        _table([("version", "", "predictions", "labelled", "scores"), *_versions(report)]),
        _estimate(report),
        [f"note: {problem}" for problem in report.problems],
        [f"{report.verdict}: {report.explanation}"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _title(report: Performance) -> str:
    version = "" if report.version is None else f" version {report.version}"
    return (
        f"{report.model}{version} ({report.model_digest[:19]}) in {report.environment}, predictions from "
        f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC, labels as of {report.as_of:%Y-%m-%d %H:%M} UTC"
    )


def _counts(report: Performance) -> str:
    labels = report.labels
    share = "none is due yet" if labels.completeness is None else f"{labels.completeness:.1%} of those due"
    corrected = f", {labels.corrected:,} corrected" if labels.corrected else ""
    return f"{labels.predictions:,} predictions of all versions, {labels.labelled:,} with a label ({share}{corrected})"


def _labels(report: Performance) -> Iterator[str]:
    if report.label_drift is not None:
        yield f"labels: {report.label_drift.explanation}"


def _score(score: MeasuredScore) -> tuple[str, ...]:
    gate = "" if score.at_least is None else f">= {figures.number(score.at_least)}"
    gate = gate if score.at_most is None else f"<= {figures.number(score.at_most)}"
    return score.metric, WORDS[score.standing], figures.number(score.value), _interval(score.low, score.high), gate


def _value(value: BusinessValue) -> tuple[str, ...]:
    per_row = figures.number(value.per_prediction)
    return value.name, "", per_row, _interval(value.low, value.high), f"{value.rows:,}"


def _slices(report: Performance) -> Iterator[tuple[str, ...]]:
    for part in report.slices:
        yield f"{part.column}={part.value}", "", f"{part.labelled:,}", _scores(part.scores)


def _versions(report: Performance) -> Iterator[tuple[str, ...]]:
    for part in report.versions:
        yield _version(part, "served" if part.model_digest == report.model_digest else "")
    for part in report.shadows or []:
        yield _version(part, "shadow")


def _version(part: VersionPerformance, role: str) -> tuple[str, ...]:
    name = part.model_digest[:19] if part.version is None else str(part.version)
    return name, role, f"{part.predictions:,}", f"{part.labelled:,}", _scores(part.scores[:2])


def _scores(scores: Sequence[MeasuredScore]) -> str:
    told = [f"{score.metric} {figures.number(score.value)} ({_interval(score.low, score.high)})" for score in scores]
    return ", ".join(told) or "too few labels"


def _estimate(report: Performance) -> list[str]:
    estimate = report.estimate
    if estimate is None:
        return []
    told = [
        f"{score.metric} {figures.number(score.value)} ({_interval(score.low, score.high)})"
        for score in estimate.scores
    ]
    return [
        f"expected of the {estimate.rows:,} predictions without a label yet: {', '.join(told)}",
        f"assumes {estimate.assumes}",
    ]


def _interval(low: float | None, high: float | None) -> str:
    return f"{figures.number(low)} to {figures.number(high)}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    return plain_text.in_columns(rows, {0, 1} | {place for place, word in enumerate(rows[0]) if word == "scores"})
