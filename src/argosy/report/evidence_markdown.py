"""Evidence and model card as Markdown, for a promotion request and for the registry.

Whatever a name or a value holds, it stays text: everything is escaped, and long cells are cut.
"""

from collections.abc import Iterable, Iterator, Sequence

from argosy.domain import comparison, figures, task_words
from argosy.domain import evidence as evidence_gates
from argosy.domain.evidence import ComparisonResult, Evidence, GateResult, Table
from argosy.domain.measuring import AS_EVER
from argosy.domain.model_settings import CommonSettings
from argosy.report import pictures, retraining
from argosy.report.markdown_text import LONGEST_CELL, Code, Name, breakable, code, escape

MARKS = {
    "promote": "promote",
    "reject": "**reject**",
    "inconclusive": "**inconclusive**",
    "champion": "already in production",
}


def report(evidence: Evidence) -> str:
    """The evidence for a reviewer: what decides first, for whoever has a minute; then every gate with its reason, and the tables."""
    first = [table for table in evidence.tables if table.title in evidence_gates.TO_DECIDE_BY]
    sections = [
        f"# {escape(evidence.model)}: {MARKS[evidence.verdict]}",
        escape(evidence.explanation),
        *_doubts(evidence),
        *_overridden(evidence),
        *_cause(evidence),
        "## At a glance",
        "\n".join(
            [
                _row(["Dimension", "Gates", "Measured, and the limit"]),
                _row(["---"] * 3, raw=True),
                *_by_dimension(evidence.gates),
            ]
        ),
        *pictures.link(evidence, pictures.DIMENSIONS),
        *pictures.link(evidence, pictures.GATES),
        "## Against the champion",
        *pictures.link(evidence, pictures.BESIDE),
        _comparison(evidence),
        *(part for table in first for part in (f"**{escape(table.title)}**", _table(table.header, table.rows))),
        *_shown(evidence),
        *_alone(evidence),
        *_on_recent_rows(evidence),
        "## Gates",
        _table(["Gate", "Measured", "Limit", "", "Why"], [_gate(gate) for gate in evidence.gates]),
        *pictures.link(evidence, pictures.CALIBRATION),
        *_weak_points(evidence),
        "## Data",
        _table(
            ["", ""],
            [
                [task_words.ROWS[evidence.task][0], f"{evidence.rows_train:,}"],
                [task_words.ROWS[evidence.task][1], f"{evidence.rows_holdout:,}"],
                *map(list, retraining.windows(evidence)),
                ["snapshot", Code(evidence.snapshot_digest)],
            ],
        ),
        *_origin(evidence),
        *(_titled(table) for table in evidence.tables if table not in first),
    ]
    return "\n\n".join(sections) + "\n"


def _by_dimension(gates: Sequence[GateResult]) -> list[str]:
    """A row a dimension, in the order of the gates; those that fail are named first. No gate is cut off."""
    found: dict[str, list[GateResult]] = {}
    for gate in gates:
        found.setdefault(gate.dimension, []).append(gate)
    return [
        _row(
            [escape(dimension), _held(own), "; ".join(breakable(_shortly(gate)) for gate in _failed_first(own))],
            raw=True,
        )
        for dimension, own in found.items()
    ]


def _held(gates: Sequence[GateResult]) -> str:
    counting, deviations = evidence_gates.counting(gates), [gate for gate in gates if gate.deviation]
    past = [gate for gate in gates if gate.override and not gate.passed]
    failed = len(evidence_gates.failed(gates))
    said = [
        f"{failed} of {len(counting)} FAIL" if failed else f"{len(counting)} hold" if counting else "",
        f"{len(deviations)} accepted deviation{'s' * (len(deviations) > 1)}" if deviations else "",
        f"{len(past)} OVERRIDDEN" if past else "",
    ]
    return ", ".join(filter(None, said))


def _failed_first(gates: Sequence[GateResult]) -> list[GateResult]:
    return sorted(gates, key=lambda gate: gate.passed)


def _shortly(gate: GateResult) -> str:
    name = gate.gate.removeprefix(f"{gate.dimension}.")
    return f"{name} {figures.number(gate.measured, 'undefined')} ({gate.limit})"


def _weaknesses(evidence: Evidence) -> Iterator[str]:
    return task_words.weaknesses(evidence.task, evidence.metrics, evidence.measuring or AS_EVER)


def _weak_points(evidence: Evidence) -> list[str]:
    """What it does not bear well, whether or not a gate limits it; the tables below say more."""
    said = [f"- {escape(weakness)}" for weakness in _weaknesses(evidence)]
    return ["## What it bears", "\n".join(said)] if said else []


def _origin(evidence: Evidence) -> list[str]:
    """The commit, the manifest and the code that made it."""
    rows = [[name, Code(value)] for name, value in evidence.provenance.rows()]
    return ["## Where it comes from", _table(["", ""], rows)]


def _doubts(evidence: Evidence) -> list[str]:
    """A warning that nobody overlooks, where the run cannot be repeated from what is written down."""
    doubts = evidence.provenance.doubts()
    if not doubts:
        return []
    refused = "Staging and production refuse it" if evidence.provenance_in_staging else "Production refuses it"
    then = f"The policy waives it: {evidence.provenance_waiver}" if evidence.provenance_waiver else refused
    return [f"**It cannot be made again from a commit**: {escape('; '.join(doubts))}. {escape(then)}."]


def _overridden(evidence: Evidence) -> list[str]:
    """What nobody may overlook: gates that people let this model past, or the champion that it is held against."""
    mine, theirs = evidence.overridden, evidence.champion.overridden or []
    said = [
        *(f"**{escape(one.gate)} is {escape(one.said())}**" for one in mine),
        *(f"The model in production went past {escape(one.gate)}, {escape(one.said())}" for one in theirs),
    ]
    return ["## Gates that were let past", "\n".join(f"- {line}" for line in said)] if said else []


def model_card(evidence: Evidence, settings: CommonSettings) -> str:
    """The model card: intended use, data, performance and limitations."""
    weaknesses = [gate for gate in evidence.gates if not gate.passed]
    important = list(evidence.attribution.items())[:10]
    sections = [
        f"# Model card: {escape(settings.model)}",
        escape(settings.description),
        _table(
            ["", ""],
            [
                ["owner", settings.owner],
                ["task", settings.task],
                ["digest", Code(evidence.model_digest)],
                ["made from", f"{evidence.rows_train:,} {task_words.ROWS[evidence.task][0]}"],
                ["snapshot", Code(evidence.snapshot_digest)],
                ["evaluated on", f"{evidence.rows_holdout:,} {task_words.ROWS[evidence.task][1]}"],
                ["verdict", evidence.verdict],
            ],
        ),
        *_doubts(evidence),
        *_origin(evidence),
        "## How good it is",
        _table(
            ["Measurement", "Value"],
            [
                [name, figures.number(value, "undefined")]
                for name, value in evidence.metrics.items()
                if name.count(".") == 1
            ],
        ),
        *_goes_by(important),
        *(f"> {escape(sentence)}" for sentence in evidence.example_sentences),
        "## Limits and known weaknesses",
        _table(["Gate", "Measured", "Limit", "", "Why"], [_gate(gate) for gate in weaknesses])
        if weaknesses
        else "Every gate holds and no deviation is in force.",
        *(f"- {escape(weakness)}" for weakness in _weaknesses(evidence)),
    ]
    return "\n\n".join(sections) + "\n"


def _goes_by(important: Sequence[tuple[str, float]]) -> list[str]:
    """The features that matter most; nothing of a model that has none."""
    if not important:
        return []
    rows = [[name, figures.number(value, "undefined")] for name, value in important]
    return ["## What it goes by", _table(["Feature", "Mean absolute SHAP value"], rows)]


def _cause(evidence: Evidence) -> list[str]:
    """Why it was retrained; nothing where nobody asked for it."""
    cause = evidence.cause
    if cause is None:
        return []
    windows = [row for row in retraining.windows(evidence) if cause.must_be_better]
    return [
        "## Why it was retrained",
        *([escape(cause.explanation)] if cause.explanation else []),
        _table(["", ""], map(list, [*retraining.rows(cause), *windows])),
        *([_table(retraining.moved(cause).header, retraining.moved(cause).rows)] if cause.columns else []),
    ]


def _shown(evidence: Evidence) -> list[str]:
    """What the policy limits, of both models; nothing where it was not measured of both."""
    if not evidence.shown:
        return []
    rows = [
        [Name(each.metric), figures.number(each.candidate), figures.number(each.champion), comparison.interval(each)]
        for each in evidence.shown
    ]
    title = "**What else the policy limits, of both models on the same rows; no gate goes by the difference**"
    return [title, _table(["Measurement", "Candidate", "Champion", "Better by"], rows)]


def _alone(evidence: Evidence) -> list[str]:
    """What the policy limits and is measured of each model by itself; nothing where it was not measured of the champion."""
    if not evidence.champion_metrics:
        return []
    rows = [
        [Name(name), *(figures.number(value, "undefined") for value in (evidence.metrics.get(name), champion))]
        for name, champion in evidence.champion_metrics.items()
    ]
    title = "**Robustness and explainability of each by itself, on the same rows and draws; no gate goes by the difference**"
    return [title, _table(["Measurement", "Candidate", "Champion"], rows)]


def _on_recent_rows(evidence: Evidence) -> list[str]:
    """The comparison on the newest labelled rows, where there are any."""
    return ["## On the newest labelled rows", _compared(evidence.recent)] if evidence.recent else []


def _comparison(evidence: Evidence) -> str:
    result = evidence.comparison
    if result is None:
        none = (
            "There is no model in production yet." if evidence.champion.model_digest is None else "It is the champion."
        )
        return "\n\n".join([none, *(escape(comparison.next_time(each)) for each in evidence.sample)])
    return _compared(result, evidence.margins)


def _compared(result: ComparisonResult, margins: Sequence[ComparisonResult] = ()) -> str:
    if not result.compared:
        return escape(f"Not compared: {result.reason}.")
    asked = [result, *margins]
    return "\n\n".join(
        [
            escape(f"{result.outcome}: {result.reason}"),
            _table(
                ["Score", "Candidate", "Champion", "Better by", "Asked", "", "p" if not margins else "p (Holm)"],
                [_compared_row(each, p_value) for each, p_value in zip(asked, comparison.adjusted(asked), strict=True)],
            ),
            *(escape(line) for line in comparison.told(result)),
        ]
    )


def _compared_row(result: ComparisonResult, p_value: float) -> list[str]:
    if not result.compared:
        return [Name(result.metric), "", "", "", comparison.asked(result), result.outcome, result.reason]
    return [
        Name(result.metric),
        figures.number(result.candidate),
        figures.number(result.champion),
        comparison.interval(result),
        comparison.asked(result),
        result.outcome,
        figures.number(p_value),
    ]


def _gate(gate: GateResult) -> list[str]:
    why = gate.reason if gate.passed or not gate.would_pass else f"{gate.reason} Would pass: {gate.would_pass}."
    if gate.override and not gate.passed:
        return [
            Name(gate.gate),
            figures.number(gate.measured, "undefined"),
            gate.limit,
            "OVERRIDDEN",
            f"{gate.override.said()} {why}",
        ]
    mark = "holds" if gate.passed else "accepted deviation" if gate.deviation else "FAILS"
    return [Name(gate.gate), figures.number(gate.measured, "undefined"), gate.limit, mark, why]


def _titled(table: Table) -> str:
    return f"<details><summary>{escape(table.title)}</summary>\n\n{_table(table.header, table.rows)}\n\n</details>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(header), _row(["---"] * len(header), raw=True), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else _cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    if isinstance(text, Code):
        return code(text)
    shown = text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"
    return breakable(shown) if isinstance(text, Name) else escape(shown)
