"""Pictures of evidence, committed beside it and shown in a request: dimensions, gates, differences to the champion, calibration.

A request's body names them as ``evidence.md`` does, which lies beside them; a page on a server finds them by their whole address only, so
whoever writes a body to a server puts that in, and takes it out again where it reads one.
"""

import re
from collections.abc import Sequence

from argosy.domain import comparison, figures
from argosy.domain import evidence as evidences
from argosy.domain.evidence import ComparisonResult, Curve, Evidence, GateResult
from argosy.report import charts, dimensions_picture, drawing, formats
from argosy.report.drawing import BLUE, INK, ORANGE, PALE, WIDTH, Picture, cut
from argosy.report.markdown_text import escape

DIMENSIONS = "dimensions.svg"
GATES, BESIDE, CALIBRATION = "gates.svg", "against-champion.svg", "calibration.svg"
NAMES = (DIMENSIONS, GATES, BESIDE, CALIBRATION)
MOST_ROWS = 30
"""Of a picture; the table beside it has all."""
LONGEST_NAME = 34
LEFT, RIGHT, ROW, TOP = 250, 150, 24, 58
REACH = 2.5
"""Margins to each side of zero that the axis of differences has; what is farther away is drawn at its end."""
LINK = re.compile(rf"(?<=\]\()(?P<name>{'|'.join(map(re.escape, NAMES))})(?=\)$)", re.MULTILINE)


def of(evidence: Evidence) -> dict[str, Picture]:
    """Name to picture, of all that *evidence* has something to draw of."""
    curve = next((curve for curve in evidence.curves if curve.dimension == "calibration"), None)
    asked = [evidence.comparison, *evidence.margins] if evidence.comparison else []
    found = {
        DIMENSIONS: dimensions_picture.draw(evidence),
        GATES: _gates(evidence.gates),
        BESIDE: _beside([each for each in asked if each.compared]),
        CALIBRATION: _calibration(curve) if curve else None,
    }
    return {name: picture for name, picture in found.items() if picture}


def link(evidence: Evidence, name: str) -> list[str]:
    """The picture *name* in Markdown that lies beside it; nothing where *evidence* was written without it."""
    picture = of(evidence).get(name) if name in evidence.pictures else None
    return [f"![{escape(picture.said)}]({name})"] if picture else []


def located(markdown: str, folder: str) -> str:
    """*markdown* with the whole address of each picture, which lies in *folder*."""
    return LINK.sub(lambda found: f"{folder}/{found['name']}", markdown)


def unlocated(markdown: str, commits: str, folder: str) -> str:
    """The inverse of :func:`located` for *folder* at any commit below the address *commits*; addresses anywhere else stay.

    At any, since a branch that main was merged into proposes the same pictures at a newer commit than the one in the addresses.
    """
    address = rf"{re.escape(commits)}/[0-9a-f]{{40,64}}/{re.escape(folder)}/"
    return re.sub(rf"(?<=\]\(){address}(?=({'|'.join(map(re.escape, NAMES))})\)$)", "", markdown, flags=re.MULTILINE)


def _gates(gates: Sequence[GateResult]) -> Picture | None:
    """Each gate with a number for a limit on a line of its own, failed ones first."""
    drawn = [(gate, bullet) for gate in sorted(gates, key=lambda gate: gate.passed) if (bullet := charts.of_gate(gate))]
    if not drawn:
        return None
    shown, width = drawn[:MOST_ROWS], WIDTH - LEFT - RIGHT
    parts = [
        drawing.text(10, 20, "Gates: what was measured (dot) against the limit (bar)", weight="bold"),
        drawing.text(
            10,
            38,
            "each on a line of its own from zero (thin mark: zero, where it begins below); the blue side holds",
            colour=INK,
        ),
    ]
    for index, (gate, bullet) in enumerate(shown):
        y, limit = TOP + ROW * index + 8, LEFT + width * bullet.limit / 100
        held = (limit, LEFT + width) if bullet.passes_above else (LEFT, limit)
        colour = BLUE if gate.passed else ORANGE
        parts += [
            drawing.text(LEFT - 8, y + 4, cut(gate.gate, LONGEST_NAME), anchor="end"),
            drawing.line(LEFT, y, LEFT + width, y, colour=PALE),
            drawing.line(held[0], y, held[1], y, colour=BLUE, width=3),
            *([drawing.line(zero := LEFT + width * bullet.zero / 100, y - 5, zero, y + 5)] if bullet.zero else []),
            drawing.line(limit, y - 8, limit, y + 8, width=2),
            *(
                [drawing.dot(LEFT + width * bullet.measured / 100, y, colour=colour)]
                if bullet.measured is not None
                else []
            ),
            drawing.text(
                LEFT + width + 10,
                y + 4,
                f"{figures.number(gate.measured, 'undefined')}{dimensions_picture.mark(gate)}",
                colour=colour,
            ),
        ]
    failed = [gate.gate for gate in evidences.failed([gate for gate, _ in drawn])]
    said = f"{len(drawn)} gates, what was measured against the limit: {', '.join(failed[:6]) or 'none'} held back"
    return Picture(drawing.picture(TOP + ROW * len(shown) + 8, parts, said=said), said)


def _beside(asked: Sequence[ComparisonResult]) -> Picture | None:
    """The interval of each difference to the champion, in margins, so that scores of any scale stand below each other."""
    if not asked:
        return None
    shown, width = asked[:MOST_ROWS], WIDTH - LEFT - RIGHT
    height = TOP + ROW * len(shown)

    def at(value: float, result: ComparisonResult) -> float:
        unit = result.margin or max(abs(result.low), abs(result.high)) or 1.0
        return LEFT + width * (min(REACH, max(-REACH, value / unit)) + REACH) / (2 * REACH)

    zero = LEFT + width / 2
    parts = [
        drawing.text(10, 20, "Candidate against champion: differences with their intervals", weight="bold"),
        drawing.text(zero, 44, "as good", anchor="middle"),
        drawing.text(LEFT + width, 44, "better", anchor="end"),
        drawing.text(LEFT + 2, 44, "worse"),
        drawing.line(zero, 48, zero, height, colour=PALE),
    ]
    for index, result in enumerate(shown):
        y = TOP + ROW * index + 8
        colour = {"better": BLUE, "not-inferior": BLUE}.get(result.outcome, ORANGE)
        margin = at(-result.margin, result)
        parts += [
            drawing.text(LEFT - 8, y + 4, cut(result.metric, LONGEST_NAME), anchor="end"),
            *([drawing.line(margin, y - 9, margin, y + 9, colour=INK, dashed=True)] if result.margin else []),
            drawing.line(at(result.low, result), y, at(result.high, result), y, colour=colour, width=3),
            drawing.dot(at(result.difference, result), y, colour=colour),
            drawing.text(LEFT + width + 10, y + 4, result.outcome.replace("-", " "), colour=colour),
        ]
    parts.append(
        drawing.text(
            10,
            height + 18,
            "Dashed: the margin of the policy, which no interval may reach across. Each line in its own margins.",
        )
    )
    said = "; ".join(
        f"{each.metric} {each.outcome.replace('-', ' ')}, {comparison.interval(each)}" for each in asked[:6]
    )
    return Picture(drawing.picture(height + 30, parts, said=said), f"Differences to the champion: {said}")


def _calibration(curve: Curve) -> Picture | None:
    """Of whom a share was foretold, the share that came true; of values, the mean. The model's are dots, the champion's rings."""
    chart = charts.of_curve(curve)
    if not chart.lines:
        return None
    left, top, size = 70, 36, 300
    parts = [drawing.text(10, 20, "Calibration: what was foretold against what came true", weight="bold")]
    for tick in chart.x_ticks:
        x = left + size * tick.at / 100
        parts += [
            drawing.line(x, top, x, top + size, colour="#e4e7eb"),
            drawing.text(x, top + size + 16, tick.text, anchor="middle"),
        ]
    for tick in chart.y_ticks:
        y = top + size * (100 - tick.at) / 100
        parts += [
            drawing.line(left, y, left + size, y, colour="#e4e7eb"),
            drawing.text(left - 6, y + 4, tick.text, anchor="end"),
        ]
    # The model's own line, the first, is drawn last: over what it is held against.
    for place, each in reversed(list(enumerate(chart.lines))):
        points = [(left + size * x / 100, top + size * y / 100) for x, y in _pairs(each.points)]
        is_other = bool(place) and not each.reference
        colour = INK if is_other or each.reference else BLUE
        parts.append(drawing.polyline(points, colour=colour, width=1 if place else 2, dashed=each.reference))
        mark = drawing.ring if is_other else drawing.dot
        parts += [] if each.reference else [mark(x, y, colour=colour) for x, y in points]
        sign = "- -" if each.reference else "○" if is_other else "●"
        parts.append(drawing.text(left + size + 20, top + 14 + 20 * place, f"{sign} {each.name}", colour=colour))
    parts += [
        drawing.text(left + size / 2, top + size + 36, formats.words(chart.x_label), anchor="middle"),
        drawing.text(left + size + 20, top + size - 4, f"up: {formats.words(chart.y_label)}"),
    ]
    said = f"Calibration curve: {chart.y_label} against {chart.x_label}, in {len(curve.series.get('model', []))} points"
    return Picture(drawing.picture(top + size + 48, parts, said=said), said)


def _pairs(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]
