"""Draws the graph of a pipeline's tasks as text: a line a task, and beside it the lines that lead from each to those that wait for it."""

from collections.abc import Iterator, Sequence

from argosy.domain import task_graph
from argosy.domain.task_graph import UNKNOWN, GraphTask, Path, Standings, State, TaskStanding
from argosy.report import formats

MARKS: dict[State, str] = {"": "●", "waits": "◷", "works": "◐", "done": "✔", "failed": "✖", "left out": "○"}


def lines(tasks: Sequence[GraphTask], standings: Standings, within: Path = ()) -> Iterator[str]:
    """The graph of *tasks*, all of which are *within* the same others, each below those that it waits for."""
    waits = task_graph.direct(tasks)
    lanes = _Lanes()
    for task in task_graph.in_order(tasks):
        place, joint = lanes.come_to(task.name)
        if joint:
            yield joint
        path = (*within, task.name)
        standing = standings.get(path, UNKNOWN)
        yield f"{lanes.row(place, MARKS[standing.state])} {said(task, standing)}"
        joint = lanes.lead_on(place, [name for name, ones in waits.items() if task.name in ones])
        for line in lines(task.inner, standings, path):
            yield f"{lanes.row(None, '')}   {line}"
        if joint:
            yield joint


def said(task: GraphTask, standing: TaskStanding) -> str:
    """*task* in words: its name, how often it is carried out, how long that took."""
    often = ""
    if task.loop:
        often = f" ({standing.ended} of {standing.items})" if standing.items else " (each item)"
    took = "" if standing.seconds is None else f"  {formats.seconds(standing.seconds)}"
    return f"{task.name}{often}{took}"


class _Lanes:
    """The lines between tasks: each lane leads to the task that it names, an empty one to none."""

    def __init__(self) -> None:
        self._lanes: list[str] = []

    def come_to(self, name: str) -> tuple[int, str]:
        """The lane in which the task *name* is drawn, and the line in which several come together there; empty where none do."""
        places = [place for place, leads_to in enumerate(self._lanes) if leads_to == name] or [self._free()]
        joint = self._joint(places, "┴", "╯") if len(places) > 1 else ""
        for place in places:
            self._lanes[place] = ""
        return places[0], joint

    def lead_on(self, place: int, names: Sequence[str]) -> str:
        """Begin a lane to each of *names*, the first at *place*; the line in which they part, empty where there is none to part."""
        places = []
        for name in names:
            places.append(self._free(place))
            self._lanes[places[-1]] = name
        return self._joint(places, "┬", "╮") if len(places) > 1 else ""

    def row(self, place: int | None, mark: str) -> str:
        """The lanes, with *mark* at *place*."""
        drawn = [mark if at == place else "│" if leads_to else " " for at, leads_to in enumerate(self._lanes)]
        return " ".join(drawn).rstrip() if place is not None else " ".join(drawn)

    def _free(self, begin: int = 0) -> int:
        """The first lane from *begin* on that leads nowhere."""
        place = next((at for at in range(begin, len(self._lanes)) if not self._lanes[at]), len(self._lanes))
        if place == len(self._lanes):
            self._lanes.append("")
        return place

    def _joint(self, places: Sequence[int], middle: str, end: str) -> str:
        """A line in which the lanes *places* meet in the first of them."""
        drawn = []
        for at, leads_to in enumerate(self._lanes):
            inside = places[0] < at < places[-1]
            if at == places[0]:
                sign = "├"
            elif at in places:
                sign = end if at == places[-1] else middle
            elif leads_to:
                sign = "┼" if inside else "│"
            else:
                sign = "─" if inside else " "
            drawn.append(sign + ("─" if places[0] <= at < places[-1] else " "))
        return "".join(drawn).rstrip()
