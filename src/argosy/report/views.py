"""The content of a report's sections, drawn from the documents: grouped, ordered, with what failed first. No markup."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import get_args

from argosy.domain import task_words
from argosy.domain.data import ExpectationResult, Layer
from argosy.domain.evidence import DATA, Curve, Evidence, GateResult, Table
from argosy.domain.policy import OF_JUDGED
from argosy.domain.search import Trial
from argosy.domain.training_record import TrainingRecord
from argosy.report import charts, retraining
from argosy.report.record import RunReport

NUMBER = re.compile(r"[-+\N{MINUS SIGN}\N{EN DASH}]?[0-9]|[-\N{EN DASH}]?$|undefined$|nan$")

MEANINGS = {
    "performance": "How well it predicts what it has not seen: the holdout.",
    "fairness": "Whether it treats groups of people alike.",
    "robustness": "What noise, missing and out-of-range values do to its answers.",
    "explainability": "What its answers rest on.",
    "latency": "How fast the serving code answers.",
}


@dataclass(frozen=True)
class DimensionView:
    """Everything of one dimension of the evaluation."""

    name: str
    meaning: str
    gates: list[GateResult]
    deviations: list[GateResult]
    metrics: dict[str, float | None]
    tables: list[Table]
    curves: list[charts.Chart]

    @property
    def failed(self) -> int:
        """The number of its gates that failed."""
        return sum(not gate.passed and gate.override is None for gate in self.gates)


@dataclass(frozen=True)
class LayerView:
    """The expectations of one layer, what failed first."""

    name: str
    results: list[ExpectationResult]

    @property
    def failed(self) -> int:
        """The number of them that did not hold."""
        return sum(not result.passed for result in self.results)


@dataclass(frozen=True)
class RequestView:
    """The promotion request that a run opened."""

    number: str
    where: str

    @property
    def local(self) -> bool:
        """True where `argosy pr` on this machine is its review page."""
        return "://" not in self.where


@dataclass(frozen=True)
class CauseView:
    """Why a model was trained again: a sentence, names and values, and what moved."""

    explanation: str
    rows: list[tuple[str, str]]
    moved: Table | None


SECTIONS: Mapping[str, tuple[str, str]] = {
    "data": ("ingest", "reading its data"),
    "validation": ("validate", "validating its data"),
    "features": ("build-features", "building features"),
    "tuning": ("select", "tuning"),
    "training": ("train", "training"),
}
"""Sections of a report about what one step left: the step, and what it does."""


OF_ANSWERS = ("collect", "evaluate-answers")
"""Steps that only the pipeline of a language model has."""


def sections(report: RunReport) -> list[str]:
    """Those of :data:`SECTIONS` that have something to show: what the step left, or why that cannot be read."""
    there = {
        "data": report.lineage is not None,
        "validation": report.validation is not None,
        "features": report.features is not None,
        "tuning": report.history is not None,
        "training": report.training is not None,
    }
    return [name for name, (step, _) in SECTIONS.items() if there[name] or report.lost(step)]


def left_out(report: RunReport) -> list[str]:
    """What the run did not get as far as, in words; of a language model's, which has other steps, nothing."""
    if any(entry.template in OF_ANSWERS for entry in report.entries):
        return []
    shown = sections(report)
    doing = [doing for name, (_, doing) in SECTIONS.items() if name not in shown]
    return doing if report.evidence or report.lost("evaluate") else [*doing, "its evaluation"]


STEPS_OF_HEAT = 10


def heat(counts: Sequence[str]) -> list[int | None]:
    """For each cell of a line of a confusion matrix the tenths of the line's rows that it has; None for what is no number."""
    found = [int(text.replace(",", "")) if text.replace(",", "").isdecimal() else None for text in counts]
    whole = sum(each or 0 for each in found) or 1
    return [None if each is None else round(STEPS_OF_HEAT * each / whole) for each in found]


def cause(report: RunReport) -> CauseView | None:
    """The cause of the run; None where nobody asked for a retraining."""
    found = report.cause
    if found is None:
        return None
    windows = list(retraining.windows(report.evidence)) if report.evidence else []
    return CauseView(
        found.explanation, [*retraining.rows(found), *windows], retraining.moved(found) if found.columns else None
    )


def request(report: RunReport) -> RequestView | None:
    """The request of the run, handed over as ``<number> <where>``; None where none was opened."""
    number, _, where = report.results.get("request", "").strip().partition(" ")
    return RequestView(number, where) if number.isdigit() else None


def aligned(table: Table) -> list[str]:
    """A class for each column of *table*: ``n`` where most of its cells are numbers, perhaps with a unit, and where all are empty."""
    columns = zip_longest(table.header, *table.rows, fillvalue="")
    return ["n" if _mostly_numbers([cell for cell in cells if cell]) else "" for _, *cells in columns]


def _mostly_numbers(cells: Sequence[str]) -> bool:
    return not cells or 2 * sum(bool(NUMBER.match(cell)) for cell in cells) > len(cells)


def dimensions(evidence: Evidence) -> list[DimensionView]:
    """The dimensions of the model's kind in their fixed order, then any other that the evidence holds."""
    named = [gate.dimension for gate in evidence.gates] + [table.dimension for table in evidence.tables]
    named += [curve.dimension for curve in evidence.curves]
    fixed = OF_JUDGED["answers" if evidence.task == "answers" else "predictions"]
    names = dict.fromkeys([*fixed, *(name for name in named if name != DATA)])
    return [_dimension(name, evidence) for name in names]


def _dimension(name: str, evidence: Evidence) -> DimensionView:
    gates = [gate for gate in evidence.gates if gate.dimension == name]
    return DimensionView(
        name=name,
        meaning=task_words.CALIBRATION[evidence.task]
        if name == "calibration" and evidence.task != "answers"
        else MEANINGS.get(name, ""),
        # What holds the model back comes first.
        gates=sorted((gate for gate in gates if not gate.deviation), key=lambda gate: gate.passed),
        deviations=[gate for gate in gates if gate.deviation],
        metrics={
            metric.partition(".")[2]: value
            for metric, value in evidence.metrics.items()
            if metric.partition(".")[0] == name
        },
        tables=[table for table in evidence.tables if table.dimension == name],
        curves=[charts.of_curve(curve) for curve in evidence.curves if curve.dimension == name and _drawable(curve)],
    )


def _drawable(curve: Curve) -> bool:
    return any(len(points) > 1 for points in curve.series.values())


def layers(report: RunReport) -> list[LayerView]:
    """The three layers of the validation, failures first."""
    if report.validation is None:
        return []
    results = sorted(report.validation.results, key=lambda result: (result.passed, not result.critical))
    return [LayerView(layer, [result for result in results if result.layer == layer]) for layer in get_args(Layer)]


def training_confusion(training: TrainingRecord | None) -> Table | None:
    """The confusion matrix of cross-validation; None where there is none."""
    if training is None or not training.confusion:
        return None
    return Table(
        title="Confusion matrix, out of fold",
        dimension="training",
        header=["Actual", *(f"decided {name}" for name in training.classes)],
        rows=[
            [name, *(f"{count:,}" for count in line)]
            for name, line in zip(training.classes, training.confusion, strict=True)
        ],
    )


def best_trials(report: RunReport, most: int = 10) -> list[Trial]:
    """The complete trials with the best scores, the best first."""
    if report.history is None:
        return []
    complete = [trial for trial in report.history.trials if trial.state == "complete" and trial.fold_scores]
    sign = -1 if report.history.direction == "maximize" else 1
    return sorted(complete, key=lambda trial: (sign * trial.score, trial.number))[:most]


def rejected(report: RunReport) -> list[tuple[str, int]]:
    """Why rows were kept aside, the commonest reason first."""
    counts: Counter[str] = Counter()
    for source in report.lineage.sources if report.lineage else []:
        counts.update(source.rejected_by_reason)
    return [(reason, rows) for reason, rows in counts.most_common() if rows]
