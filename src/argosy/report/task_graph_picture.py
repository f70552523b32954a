"""Draws the graph of a pipeline's tasks as an SVG: a box a task, below those that it waits for."""

from collections.abc import Sequence

from argosy.domain import task_graph
from argosy.domain.task_graph import UNKNOWN, GraphTask, Path, Standings, State
from argosy.report import drawing
from argosy.report.task_graph_text import MARKS, said

WIDTH, GAP, LINE, MARGIN = 230.0, 26.0, 18.0, 16.0
COLOURS: dict[State, str] = {
    "": drawing.INK,
    "waits": drawing.PALE,
    "works": drawing.BLUE,
    "done": drawing.INK,
    "failed": drawing.ORANGE,
    "left out": drawing.PALE,
}
Corner = tuple[float, float]
"""The left upper corner of a box."""


def svg(name: str, tasks: Sequence[GraphTask], standings: Standings) -> str:
    """The picture of the *tasks* of the pipeline *name*, of one task at least; how one stands is told by a mark as well as by colour."""
    layers = task_graph.layers(tasks)
    width = max(len(layer) for layer in layers) * (WIDTH + GAP) - GAP + 2 * MARGIN
    corners: dict[str, Corner] = {}
    top = MARGIN
    for layer in layers:
        left = (width - len(layer) * (WIDTH + GAP) + GAP) / 2
        corners |= {task.name: (left + place * (WIDTH + GAP), top) for place, task in enumerate(layer)}
        top += max(_height(task) for task in layer) + GAP
    waits = task_graph.direct(tasks)
    heights = {task.name: _height(task) for task in tasks}
    lines = [_line(corners[one], heights[one], corners[name]) for name, ones in waits.items() for one in ones]
    boxes = [part for task in tasks for part in _box(task, corners[task.name], standings)]
    order = ", ".join(_waits(task.name, waits[task.name]) for task in task_graph.in_order(tasks))
    return drawing.picture(top - GAP + MARGIN, [*lines, *boxes], width=width, said=f"Tasks of {name}: {order}")


def _waits(name: str, ones: Sequence[str]) -> str:
    return f"{name} after {' and '.join(ones)}" if ones else name


def _height(task: GraphTask) -> float:
    return LINE * (1.8 + len(_inner(task)))


def _inner(task: GraphTask, within: Path = ()) -> list[tuple[Path, GraphTask]]:
    """The tasks within *task*, in order, each with its path below it."""
    found = []
    for one in task_graph.in_order(task.inner):
        found.append(((*within, one.name), one))
        found += _inner(one, (*within, one.name))
    return found


def _line(before: Corner, height: float, after: Corner) -> str:
    """From the middle of a box's lower edge to the middle of another's upper one."""
    x, y, to_x, to_y = before[0] + WIDTH / 2, before[1] + height, after[0] + WIDTH / 2, after[1]
    half = (y + to_y) / 2
    way = f"M{x:.1f},{y:.1f} C{x:.1f},{half:.1f} {to_x:.1f},{half:.1f} {to_x:.1f},{to_y:.1f}"
    return f'<path d="{way}" fill="none" stroke="{drawing.PALE}" stroke-width="1.5"/>'


def _box(task: GraphTask, corner: Corner, standings: Standings) -> list[str]:
    x, y = corner
    standing = standings.get((task.name,), UNKNOWN)
    colour = COLOURS[standing.state]
    words = f"{MARKS[standing.state]} {said(task, standing)}"
    parts = [
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{WIDTH:.0f}" height="{_height(task):.0f}" rx="6" fill="#ffffff" stroke="{colour}" '
        'stroke-width="1.5"/>',
        drawing.text(x + 10, y + 1.2 * LINE, words, weight="bold", colour=colour),
    ]
    for row, (path, one) in enumerate(_inner(task)):
        inside = standings.get((task.name, *path), UNKNOWN)
        words = f"{MARKS[inside.state]} {said(one, inside)}"
        parts.append(drawing.text(x + 10 + 12 * len(path), y + (2.2 + row) * LINE, words, colour=COLOURS[inside.state]))
    return parts
