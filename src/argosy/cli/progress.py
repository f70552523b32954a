"""A run as it goes: a live tree in the manner of `argo get --watch` on a terminal, one line an event elsewhere."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine.runner import Observer
from argosy.ports.runs import Node, Run

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text
    from rich.tree import Tree

    from argosy.cli.time_left import TimeLeft

MARKS = {
    Phase.PENDING: ("◷", "yellow"),
    Phase.RUNNING: ("●", "cyan"),
    Phase.SUCCEEDED: ("✔", "green"),
    Phase.FAILED: ("✖", "red"),
    Phase.ERROR: ("⚠", "red"),
    Phase.SKIPPED: ("○", "bright_black"),
    Phase.OMITTED: ("○", "bright_black"),
}
LONGEST_LIST = 12
"""Succeeded siblings beyond this are counted, not listed, so that a wide loop fits a screen."""


@contextlib.contextmanager
def shown(stream: TextIO, workflow: str, home: Path | None = None) -> Iterator[Observer]:
    """Show changes of nodes on *stream* while the block runs; at a terminal, by the runs of *home*, also how long it may still take."""
    if not stream.isatty():
        yield LineProgress(stream, workflow)
        return
    from rich.console import Console
    from rich.live import Live

    picture = LiveTree(workflow, home)
    with Live(console=Console(file=stream), get_renderable=picture.draw, refresh_per_second=8, transient=False) as live:
        picture.attach(live)
        yield picture


def say(line: str, stream: TextIO) -> None:
    """Print *line*; where nobody reads *stream* any more (`argosy run … | head`), nothing more is said, and the run goes on."""
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())


class LineProgress:
    """One line for each end of a step, and for each process that starts."""

    def __init__(self, stream: TextIO, workflow: str) -> None:
        self._stream = stream
        self._workflow = workflow
        self._told: dict[str, Phase] = {}
        self._began = time.monotonic()

    def node_changed(self, node: Node) -> None:
        """Say what is news."""
        news = node.fulfilled or (node.phase is Phase.RUNNING and node.type in (NodeType.POD, NodeType.SUSPEND))
        if not news or self._told.get(node.name) is node.phase:
            return
        self._told[node.name] = node.phase
        cached = " (cached)" if node.cached else ""
        message = f": {node.message}" if node.message else ""
        name = argo.local_name(node.name, self._workflow)
        say(f"{time.monotonic() - self._began:8.1f}s  {node.phase:<9} {name}{cached}{message}", self._stream)


class LiveTree:
    """The nodes as a tree, drawn a few times a second; below it how far the run is, once it has lasted a while."""

    def __init__(self, workflow: str, home: Path | None = None) -> None:
        self._workflow = workflow
        self._home = home
        self._left: TimeLeft | None = None
        self._began = time.monotonic()
        self._nodes: dict[str, Node] = {}
        self._children: dict[str | None, list[str]] = {}

    def attach(self, live: "Live") -> None:
        """Draw into *live*."""
        self._live = live

    def node_changed(self, node: Node) -> None:
        """Take notice; the next picture shows it."""
        if node.name not in self._nodes:
            self._children.setdefault(node.parent, []).append(node.name)
        self._nodes[node.name] = node
        if self._left is not None:
            self._left.node_changed(node)

    def draw(self) -> "Tree":
        """The picture of this moment."""
        from rich.tree import Tree

        tree = Tree(_one_line(self._workflow), guide_style="bright_black")
        for name in self._children.get(None, []):
            self._add(tree, name)
        if (said := self._how_far()) is not None:
            tree.add(_one_line(f"[bright_black]{said}[/]"))
        return tree

    def _how_far(self) -> str | None:
        """How far the run is; None of one that only just began, that is over, or of which nobody is to be told."""
        roots = [self._nodes[name] for name in self._children.get(None, [])]
        if self._home is None or all(node.fulfilled for node in roots):
            return None
        if self._left is None:
            from argosy.cli import time_left

            if time.monotonic() - self._began < time_left.LEAST_SECONDS:
                return None
            self._left = time_left.TimeLeft(self._workflow, time_left.earlier(self._home, self._workflow))
            for node in list(self._nodes.values()):
                self._left.node_changed(node)
        return self._left.line(time.time())

    def _add(self, tree: "Tree", name: str) -> None:
        branch = tree.add(_one_line(_label(self._nodes[name])))
        children = self._children.get(name, [])
        done = [child for child in children if self._nodes[child].phase is Phase.SUCCEEDED]
        folded = set(done[LONGEST_LIST // 2 :]) if len(children) > LONGEST_LIST else set()
        for child in children:
            if child not in folded:
                self._add(branch, child)
        if folded:
            branch.add(f"[green]✔[/] {len(folded)} more")


def _one_line(markup: str) -> "Text":
    """*markup* that a narrow terminal cuts short: a tree whose labels wrap can be read no more."""
    from rich.text import Text

    text = Text.from_markup(markup)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _label(node: Node) -> str:
    from rich.markup import escape

    mark, colour = MARKS[node.phase]
    seconds = (node.finished or time.time()) - node.started
    duration = f" [bright_black]{seconds:.0f}s[/]" if node.phase.completed or node.phase is Phase.RUNNING else ""
    cached = " [bright_black]cached[/]" if node.cached else ""
    message = f" [bright_black]{escape(node.message[:120])}[/]" if node.message else ""
    return f"[{colour}]{mark}[/] {escape(node.display_name)}{duration}{cached}{message}"


def plain(run: Run) -> Iterator[str]:
    """The nodes of *run* as lines of a tree."""
    picture = LiveTree(run.root)
    for node in run.nodes.values():
        picture.node_changed(node)
    from rich.console import Console

    console = Console(file=sys.stdout, width=160)
    with console.capture() as captured:
        console.print(picture.draw())
    yield from captured.get().splitlines()


def clock(moment: float | None) -> str:
    """A moment as people of this time zone write it."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
