"""The head of a report: the one score that the model is told by, what it is against the champion, and what is otherwise than before."""

from dataclasses import dataclass

from argosy.domain import evidence as evidences
from argosy.domain import task_words
from argosy.domain.evidence import ComparisonResult, Evidence, Table
from argosy.report import formats
from argosy.report.record import RunReport


@dataclass(frozen=True)
class Hero:
    """What a person should have seen before the page is scrolled."""

    metric: str
    value: str
    beside: str
    """The champion's score on the same rows, or why there is none."""
    difference: str
    """By which the candidate is better, with its interval; empty where there is no champion."""
    tone: str
    changed: tuple[tuple[str, str], ...]
    """What is otherwise than with the champion, each with its name."""


OUTCOMES = {"better": "good", "not-inferior": "good", "inferior": "bad", "inconclusive": "wait"}


def of(report: RunReport) -> Hero | None:
    """The head of *report*; None where nothing was measured."""
    evidence = report.evidence
    if evidence is None:
        return None
    compared = evidence.comparison if evidence.comparison and evidence.comparison.compared else None
    metric, value = (compared.metric, compared.candidate) if compared else _told_by(evidence)
    unit = label_unit(report, metric)
    return Hero(
        metric=formats.words(metric),
        value=f"{formats.number(value)}{unit}",
        beside=_beside(evidence, compared, unit),
        difference=_difference(compared, unit) if compared else "",
        tone=OUTCOMES[compared.outcome] if compared else "plain",
        changed=tuple(_changed(evidence)),
    )


def _told_by(evidence: Evidence) -> tuple[str, float | None]:
    """The score that a model is told by, and what it is: that of its task; where it has none, what its first gate measures."""
    if evidence.task != "answers":
        metric = task_words.PRIMARY[evidence.task]
        return metric, evidence.metrics.get(f"performance.{metric}")
    first = next(iter(evidence.gates), None)
    return (first.gate.rpartition(".")[2], first.measured) if first else ("no gate", None)


def label_unit(report: RunReport, metric: str) -> str:
    """The unit of *metric* after a blank: that of the label, or of a time; empty where it has none, or nobody said."""
    last = metric.rpartition(".")[2]
    if last.endswith("_ms"):
        return " ms"
    if report.settings is None or report.settings.task != "regression" or last not in IN_LABEL_UNIT:
        return ""
    label = report.settings.label
    columns = [column for source in report.settings.sources for column in source.columns]
    units = {column.unit for column in columns if column.name in label.columns and column.type in ("number", "integer")}
    return f" {units.pop()}" if len(units) == 1 and None not in units else ""


IN_LABEL_UNIT = frozenset({"mae", "rmse"})
"""Scores of values that are told in the label's own unit."""


def _beside(evidence: Evidence, compared: ComparisonResult | None, unit: str) -> str:
    if compared:
        return f"champion, version {evidence.champion.version}: {formats.number(compared.champion)}{unit}"
    if evidence.verdict == "champion":
        return "it is the champion"
    if evidence.champion.model_digest is None:
        return "no champion yet"
    return evidence.comparison.reason if evidence.comparison else "not compared with the champion"


def _difference(compared: ComparisonResult, unit: str) -> str:
    low, high = formats.number(compared.low), formats.number(compared.high)
    word = "better" if compared.difference >= 0 else "worse"
    return f"{word} by {formats.number(abs(compared.difference))}{unit} (interval {low} to {high}): {compared.outcome}"


def _changed(evidence: Evidence) -> list[tuple[str, str]]:
    champion = evidence.champion
    if champion.model_digest is None:
        return []
    found = []
    if champion.snapshot_digest is not None:
        same = champion.snapshot_digest == evidence.snapshot_digest
        found.append(("data", "the champion's own" if same else "another snapshot than the champion's"))
    if (table := _table(evidence, evidences.DECISIONS)) is not None and table.rows:
        _, rows, share, *_ = table.rows[0]
        found.append(("decisions", f"{rows} of {evidence.rows_holdout:,} ({share}) would be others"))
    if evidence.cause is not None:
        found.append(("retrained for", evidence.cause.explanation or evidence.cause.kind))
    return found


def _table(evidence: Evidence, title: str) -> Table | None:
    return next((table for table in evidence.tables if table.title.startswith(title)), None)
