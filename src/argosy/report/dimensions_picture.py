"""The picture of a candidate against the champion, dimension by dimension: what a reviewer with one minute looks at first.

As wide as the screen of a phone, so that its text is read there too; on a wide page it keeps its size. Colour says nothing that a word or a
form does not: the candidate is a dot, the champion a ring.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy.domain import comparison, figures
from argosy.domain import evidence as evidences
from argosy.domain.evidence import ComparisonResult, Evidence, GateResult, ShownDifference
from argosy.domain.policy import DIMENSIONS
from argosy.report import charts, drawing
from argosy.report.drawing import BLUE, INK, ORANGE, PALE, Picture, cut

WIDTH, LEFT, RIGHT = 420, 12, 12
TOP, HEAD, ROW = 92, 30, 40
MOST_ROWS = 3
"""Of a dimension; the table beside it has all."""
LONGEST_NAME, LONGEST_VALUES = 32, 34
Both = ComparisonResult | ShownDifference | float
"""Of both models, or what the champion came to by itself: then there is no interval."""
TITLE = "Six dimensions: candidate against champion"


@dataclass(frozen=True)
class _Line:
    """A gate, and the champion by what it measures where that is known."""

    gate: GateResult
    both: Both | None


def draw(evidence: Evidence) -> Picture | None:
    """The picture of *evidence*; None where it has no champion that answered the same rows."""
    both = _by_name(evidence)
    if not both:
        return None
    parts, y = _legend(), float(TOP)
    for dimension in _dimensions(evidence.gates):
        gates = [gate for gate in evidence.gates if gate.dimension == dimension]
        lines = _lines(gates, both)
        parts += _heading(y, dimension, gates, len(lines))
        y += HEAD
        for line in lines[:MOST_ROWS]:
            parts += _drawn(y, line)
            y += ROW
    said = _said(evidence, both)
    return Picture(drawing.picture(y + 4, parts, width=WIDTH, said=said), said)


def _by_name(evidence: Evidence) -> dict[str, Both]:
    """Both models by the full name of a measurement."""
    held = [evidence.comparison, *evidence.margins] if evidence.comparison else []
    asked: list[ComparisonResult | ShownDifference] = [*(each for each in held if each.compared), *evidence.shown]
    found: dict[str, Both] = {name: value for name, value in evidence.champion_metrics.items() if value is not None}
    for each in asked:
        found[each.metric if "." in each.metric else f"performance.{each.metric}"] = each
    return found


def _dimensions(gates: Sequence[GateResult]) -> list[str]:
    """All six, in their order, then what installed packages measure."""
    return list(dict.fromkeys([*DIMENSIONS, *(gate.dimension for gate in gates)]))


def _lines(gates: Sequence[GateResult], both: Mapping[str, Both]) -> list[_Line]:
    """The gates that are limits: failed ones first, then those that both models were measured by."""
    limits = [gate for gate in gates if not comparison.is_compared(gate.gate) and charts.of_gate(gate)]
    lines = [_Line(gate, both.get(gate.gate)) for gate in limits]
    return sorted(lines, key=lambda line: (line.gate.passed, line.both is None))


def _legend() -> list[str]:
    return [
        drawing.text(LEFT, 20, TITLE, weight="bold"),
        drawing.dot(LEFT + 5, 36, colour=BLUE),
        drawing.text(LEFT + 16, 40, "candidate"),
        drawing.ring(LEFT + 101, 36, colour=INK),
        drawing.text(LEFT + 112, 40, "champion"),
        drawing.line(LEFT + 190, 36, LEFT + 214, 36, colour=INK, width=3),
        drawing.text(LEFT + 220, 40, "interval beside it"),
        drawing.line(LEFT + 4, 50, LEFT + 4, 62, width=2),
        drawing.text(LEFT + 16, 60, "limit; the blue side holds. In brackets: champion"),
        drawing.text(LEFT + 16, 80, "Without a ring only the candidate was measured."),
    ]


def _heading(y: float, dimension: str, gates: Sequence[GateResult], drawn: int) -> list[str]:
    failed, counting = len(evidences.failed(gates)), len(evidences.counting(gates))
    said = f"{failed} of {counting} FAIL" if failed else f"{counting} hold" if counting else "no gate"
    more = f", {drawn - MOST_ROWS} more below" if drawn > MOST_ROWS else ""
    return [
        drawing.line(LEFT, y, WIDTH - RIGHT, y, colour=PALE),
        drawing.text(LEFT, y + 19, cut(dimension, LONGEST_NAME), weight="bold"),
        drawing.text(WIDTH - RIGHT, y + 19, f"{said}{more}", anchor="end", colour=ORANGE if failed else INK),
    ]


def _drawn(y: float, line: _Line) -> Iterator[str]:
    gate, both = line.gate, line.both
    bullet = charts.of_gate(gate, *(() if both is None else _reach(gate, both)))
    if bullet is None:
        return
    colour = BLUE if gate.passed else ORANGE
    beside = "" if both is None else f" ({figures.number(_of_champion(both))})"
    values = f"{figures.number(gate.measured, 'undefined')}{beside} {gate.limit}{mark(gate)}"
    name = gate.gate.removeprefix(f"{gate.dimension}.")
    yield drawing.text(LEFT, y + 11, cut(name, LONGEST_NAME))
    yield drawing.text(WIDTH - RIGHT, y + 11, cut(values, LONGEST_VALUES), anchor="end", colour=colour)
    bar, limit = y + 25, _at(bullet.limit)
    held = (limit, _at(100)) if bullet.passes_above else (_at(0), limit)
    yield drawing.line(_at(0), bar, _at(100), bar, colour=PALE)
    yield drawing.line(held[0], bar, held[1], bar, colour=BLUE, width=2)
    yield drawing.line(limit, bar - 6, limit, bar + 6, width=2)
    if bullet.others:
        champion, *ends = map(_at, bullet.others)
        if ends:
            yield drawing.line(ends[0], bar, ends[1], bar, colour=INK, width=3)
        yield drawing.ring(champion, bar, colour=INK)
    if bullet.measured is not None:
        yield drawing.dot(_at(bullet.measured), bar, colour=colour)


def _of_champion(both: Both) -> float:
    return both if isinstance(both, float) else both.champion


def _reach(gate: GateResult, both: Both) -> tuple[float, ...]:
    """The champion's value, and where the candidate's lies beside it, from the low end of the difference to the high one."""
    if isinstance(both, float):
        return (both,)
    apart = (both.candidate - both.champion) * both.difference
    higher = apart > 0 or (apart == 0 and gate.limit.strip().startswith(">="))
    turned = (both.low, both.high) if higher else (-both.high, -both.low)
    ends = (end if abs(end) < comparison.UNBOUNDED else both.difference for end in turned)
    return (both.champion, *(both.champion + end for end in ends))


def _at(percent: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * percent / 100


def mark(gate: GateResult) -> str:
    """What became of a gate that did not hold, in a word."""
    return "" if gate.passed else ", accepted" if gate.deviation else ", overridden" if gate.override else ", FAILS"


def _said(evidence: Evidence, both: Mapping[str, Both]) -> str:
    said = []
    for dimension in _dimensions(evidence.gates):
        gates = [gate for gate in evidence.gates if gate.dimension == dimension]
        counting = evidences.counting(gates)
        held = (
            f"{len(counting) - len(evidences.failed(gates))} of {len(counting)} gates hold" if counting else "no gate"
        )
        first = next(((name, each) for name, each in both.items() if name.startswith(f"{dimension}.")), None)
        beside = ""
        if first:
            name, each = first
            own = evidence.metrics.get(name) if isinstance(each, float) else each.candidate
            shown = figures.number(own, "undefined"), figures.number(_of_champion(each))
            beside = f", {name.removeprefix(dimension + '.')} {' against '.join(shown)}"
        said.append(f"{dimension}: {held}{beside}")
    return f"Candidate against champion by dimension. {'; '.join(said)}"
