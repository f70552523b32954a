"""One self-contained page per run: no script, no network, opens from disk in any browser.

The page may hold text of others (feature names, error messages, run names): everything is escaped by the template, and a content security
policy allows this page's own style sheet by its hash and nothing else. What to say is decided here and in ``outcome``; how it looks is in
``pages/``.
"""

import base64
import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2

from argosy.domain.data import ExpectationResult
from argosy.domain.evidence import Curve, Evidence, GateResult, Table
from argosy.domain.policy import DIMENSIONS
from argosy.report import charts, formats, ledger, outcome
from argosy.report.record import RunReport

MEANINGS = {
    "performance": "How well it predicts what it has not seen: the holdout.",
    "fairness": "Whether it treats groups of people alike.",
    "robustness": "What noise, missing and out-of-range values do to its answers.",
    "calibration": "Whether a stated probability comes true that often.",
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
        """How many of its gates failed."""
        return sum(not gate.passed for gate in self.gates)


@dataclass(frozen=True)
class LayerView:
    """The expectations of one layer, what failed first."""

    name: str
    results: list[ExpectationResult]

    @property
    def failed(self) -> int:
        """How many did not hold."""
        return sum(not result.passed for result in self.results)


def render(report: RunReport) -> str:
    """The page of *report*, as text."""
    environment = _environment()
    style = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    times = ledger.of(report.facts, report.entries)
    return environment.get_template("report.html.j2").render(
        report=report,
        facts=report.facts,
        evidence=report.evidence,
        outcome=outcome.of(report),
        dimensions=dimensions(report.evidence) if report.evidence else [],
        layers=layers(report),
        ledger=times,
        blocks=charts.of_ledger(times),
        ledger_ticks=charts.ledger_ticks(times),
        tuning=charts.of_search(report.history, report.choice) if report.history else None,
        best_trials=best_trials(report),
        attribution=charts.of_attribution(report.evidence.attribution) if report.evidence else (),
        rejected=_rejected(report),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def write(report: RunReport, path: Path) -> None:
    """Write the page of *report* to *path*, whole or not at all."""
    text = render(report)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def dimensions(evidence: Evidence) -> list[DimensionView]:
    """The six dimensions in their fixed order, then any other that the evidence holds."""
    named = [gate.dimension for gate in evidence.gates] + [item.dimension for item in evidence.tables]
    names = dict.fromkeys([*DIMENSIONS, *named, *(curve.dimension for curve in evidence.curves)])
    return [_dimension(name, evidence) for name in names]


def _dimension(name: str, evidence: Evidence) -> DimensionView:
    gates = [gate for gate in evidence.gates if gate.dimension == name]
    return DimensionView(
        name=name,
        meaning=MEANINGS.get(name, ""),
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
    by_layer = {name: [] for name in ("schema", "statistical", "business")}  # type: dict[str, list[ExpectationResult]]
    for result in report.validation.results:
        by_layer[result.layer].append(result)
    return [
        LayerView(name, sorted(results, key=lambda result: (result.passed, not result.critical)))
        for name, results in by_layer.items()
    ]


def best_trials(report: RunReport, most: int = 10) -> list[Any]:
    """The complete trials with the best scores, the best first."""
    if report.history is None:
        return []
    complete = [trial for trial in report.history.trials if trial.state == "complete" and trial.fold_scores]
    sign = -1 if report.history.direction == "maximize" else 1
    return sorted(complete, key=lambda trial: (sign * trial.score, trial.number))[:most]


def _rejected(report: RunReport) -> list[tuple[str, int]]:
    """Why rows were kept aside, the commonest reason first."""
    counts: Counter[str] = Counter()
    for source in report.lineage.sources if report.lineage else []:
        counts.update(source.rejected_by_reason)
    return counts.most_common()


def link(text: str) -> str | None:
    """*text* where it is an address that may become a link; a page of ours leads to the web and nowhere else."""
    parts = urlsplit(text)
    return text if parts.scheme in {"http", "https"} and parts.netloc else None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("argosy.report", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": formats.number,
        "percent": formats.percent,
        "seconds": formats.seconds,
        "size": formats.size,
        "short": formats.short,
        "moment": formats.moment,
        "words": formats.words,
        "bullet": charts.of_gate,
        "interval": charts.of_comparison,
        "link": link,
    }
    return environment
