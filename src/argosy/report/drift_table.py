"""A drift report for a terminal: plain lines, columns aligned, what drifted first."""

import datetime
from collections.abc import Sequence

from argosy.domain import drift, figures
from argosy.domain.drift import DriftReport, Finding
from argosy.domain.looks import SecondLook, SliceLook

HEADER = ("column", "", "JS distance", "PSI", "distance moved", "missing", "test", "p (adjusted)")


def text(report: DriftReport, slices: Sequence[SliceLook] = (), second: SecondLook | None = None) -> str:
    """The whole report, a line for each of its *slices*, and before the verdict what *second*, which is tried beside, answered."""
    lines = [_title(report), *_body(report, slices)]
    if second is not None:
        lines += [f"beside it, {second.called()} ({second.model_digest[:19]})", *_body(second.report, second.slices)]
        lines += [f"{second.called()}: {second.verdict}: {second.explanation}", ""]
    return "\n".join([*lines, f"{report.verdict}: {report.explanation}"])


def told(second: SecondLook) -> list[str]:
    """*second* in a few lines: its verdict, and how far its scores and its farthest columns are."""
    report = second.report
    findings = ([report.prediction] if report.prediction else []) + sorted(report.features, key=_by_size)
    distances = ", ".join(
        f"{each.difference.column} {each.difference.jensen_shannon:.3f}" for each in findings[: drift.TOLD + 1]
    )
    lines = [f"beside it, {second.called()}: {second.verdict}: {second.explanation} ({second.rows:,} rows)"]
    return [*lines, f"its Jensen-Shannon distances: {distances}"] if distances else lines


def _body(report: DriftReport, slices: Sequence[SliceLook]) -> list[str]:
    lines = [_counts(report), ""]
    asked = sorted([*report.features, *report.answers], key=_by_size)
    findings = ([report.prediction] if report.prediction else []) + asked
    if findings:
        own = sorted({name for each in findings for name in each.difference.own})
        lines += [*_aligned([(*HEADER, *own), *(_row(each, own) for each in findings)]), ""]
    lines += _notes(report)
    if slices:
        lines += [*map(_slice, sorted(slices, key=lambda each: -each.report.rows)), ""]
    return lines


def _title(report: DriftReport) -> str:
    about = report.about
    version = "" if about.version is None else f" version {about.version}"
    return f"{about.model}{version} ({about.model_digest[:19]}) in {about.environment}{_span(about.since, about.until)}"


def _span(since: datetime.datetime | None, until: datetime.datetime | None) -> str:
    begin = "" if since is None else f", from {since:%Y-%m-%d %H:%M:%S %Z}"
    return begin if until is None else f"{begin}, until {until:%Y-%m-%d %H:%M:%S %Z}"


def _counts(report: DriftReport) -> str:
    against = "the model's holdout" if report.reference == "holdout" else report.reference
    return f"{report.rows:,} rows logged, held against the {report.rows_before:,} rows of {against}"


def _slice(part: SliceLook) -> str:
    moved = f" ({', '.join(part.report.drifted)})" if part.report.drifted else ""
    return f"where {part.column} is {part.value}: {part.report.rows:,} rows, {part.report.verdict}{moved}"


def _notes(report: DriftReport) -> list[str]:
    notes = []
    if report.mean is not None:
        change = "" if report.mean.relative is None else f" ({report.mean.relative:+.1%})"
        notes.append(
            f"mean {report.about.score} {figures.number(report.mean.mean)}, it was {figures.number(report.mean.before)}{change}"
        )
    if report.not_logged:
        notes.append(f"not logged, so not compared: {', '.join(report.not_logged)}")
    if report.rows_of_other_models:
        notes.append(f"left out: {report.rows_of_other_models:,} rows that other versions answered")
    if report.damaged:
        notes.append(f"{report.damaged} parts of the log are damaged and left out")
    return [*notes, ""] if notes else []


def _by_size(finding: Finding) -> tuple[bool, float]:
    return not finding.drifted, -finding.beyond


def _row(finding: Finding, own: Sequence[str]) -> tuple[str, ...]:
    difference = finding.difference
    return (
        difference.column,
        "DRIFT" if finding.drifted else "",
        f"{difference.jensen_shannon:.3f}",
        f"{difference.psi:.3f}",
        figures.number(difference.wasserstein),
        f"{difference.missing:.1%}",
        difference.test,
        figures.number(finding.adjusted_p),
        *(figures.number(difference.own.get(name)) for name in own),
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [_line(row, widths) for row in rows]


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    words = [
        word.ljust(width) if place < 2 else word.rjust(width)
        for place, (word, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(words).rstrip()
