"""The tasks of a pipeline as a graph: which waits for which, without what follows from the rest, and how far a run of them is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["", "waits", "works", "done", "failed", "left out"]
"""How a task stands in a run; empty where no run is meant."""
Path = tuple[str, ...]
"""The names of a task and of those it is within, the outermost first."""


@dataclass(frozen=True)
class GraphTask:
    """One task. *after*: the tasks beside it that it waits for; *loop*: it is carried out once for each of some items."""

    name: str
    after: tuple[str, ...] = ()
    loop: bool = False
    inner: tuple["GraphTask", ...] = ()
    """The tasks that it consists of, where it does no work itself."""


@dataclass(frozen=True)
class TaskStanding:
    """How a task stands in a run. *seconds*: since it began, or how long it took; None where it has not begun."""

    state: State = ""
    seconds: float | None = None
    ended: int = 0
    items: int = 0
    """Of a loop: its items, as far as they are known, and those that ended."""


Standings = Mapping[Path, TaskStanding]
UNKNOWN = TaskStanding()


def direct(tasks: Sequence[GraphTask]) -> dict[str, tuple[str, ...]]:
    """For each of *tasks*, by name, those that it waits for itself: one that another of them waits for already is left out."""
    waits = {task.name: list(dict.fromkeys(task.after)) for task in tasks}
    before: dict[str, set[str]] = {}
    for task in in_order(tasks):
        before[task.name] = set().union(*({name} | before.get(name, set()) for name in waits[task.name]))
    return {
        name: tuple(
            one for one in ones if not any(one in before[other] for other in ones if other in before and other != one)
        )
        for name, ones in waits.items()
    }


def doubts(tasks: Sequence[GraphTask], within: Path = ()) -> Iterator[str]:
    """Why *tasks*, all of them *within* the same others, are no graph that could be carried out, a sentence each."""
    names = {task.name for task in tasks}
    for task in tasks:
        path = ".".join((*within, task.name))
        if unknown := [name for name in dict.fromkeys(task.after) if name not in names]:
            yield f"{path} waits for {', '.join(unknown)}, which is not there"
        yield from doubts(task.inner, (*within, task.name))
    if stuck := _sorted(tasks)[1]:
        named = ", ".join(".".join((*within, task.name)) for task in stuck)
        yield f"{named} wait for one another, or for those that do"


def in_order(tasks: Sequence[GraphTask]) -> list[GraphTask]:
    """*tasks*, each behind those that it waits for, otherwise as they are written. Those that wait for one another come last."""
    found, stuck = _sorted(tasks)
    return found + stuck


def _sorted(tasks: Sequence[GraphTask]) -> tuple[list[GraphTask], list[GraphTask]]:
    """*tasks* in order, and those that never could begin."""
    found: list[GraphTask] = []
    names, left = {task.name for task in tasks}, list(tasks)
    known: set[str] = set()
    while ready := next((task for task in left if known.issuperset(names.intersection(task.after))), None):
        found.append(ready)
        known.add(ready.name)
        left.remove(ready)
    return found, left


def layers(tasks: Sequence[GraphTask]) -> list[list[GraphTask]]:
    """*tasks* by the longest way that leads to each: none waits for one of its own layer or of a later one."""
    depth: dict[str, int] = {}
    for task in in_order(tasks):
        depth[task.name] = 1 + max((depth.get(name, -1) for name in task.after), default=-1)
    found: list[list[GraphTask]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for task in tasks:
        found[depth[task.name]].append(task)
    return found
