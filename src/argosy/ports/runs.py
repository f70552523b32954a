"""The port to runs, wherever they are: those of this machine, or those of a cluster's namespace.

A run is told in Argo's words, and the same wherever it is, so that two runs can be compared and no verb needs to know where one runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from argosy import argo, errors
from argosy.argo import NodeType, Phase

NEWEST = "-"
"""Stands for the newest run where a run is to be named."""

SUSPENDED, INTERRUPTED, KILLED = "Suspended", "Interrupted", "Killed"
"""Phases of a run beside Argo's own: begins nothing more for now; was stopped from outside; whoever carried it out is gone."""
CUT_OFF = (INTERRUPTED, KILLED)
FAILED = ("Failed", "Error")
OVER = ("Succeeded", *FAILED)
"""Phases after which nothing more happens to a run."""


UNTIL, FROM_RUN = "argosy.dev/until", "argosy.dev/from-run"
"""Annotations of a run that is part of its workflow: the task after which it ends; the run that gave what comes before that."""
AGAIN = "argosy.dev/reproduces"
"""The annotation of a run that was begun to see whether another one can be had again: that one."""
PART = "part"
"""The fact of such a run that says in words which part it is."""


@dataclass(frozen=True)
class Outputs:
    """The output parameters, result and exit code of a node; not its artifacts."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    result: str | None = None
    exit_code: str | None = None

    def as_status(self) -> dict[str, Any]:
        """As Argo's status holds them; without what is not there."""
        found: dict[str, Any] = {}
        if self.parameters:
            found["parameters"] = dict(self.parameters)
        if self.result is not None:
            found["result"] = self.result
        if self.exit_code is not None:
            found["exitCode"] = self.exit_code
        return found


@dataclass(frozen=True)
class Node:
    """One node of a run, as it stood at one moment. Times are seconds since 1970, UTC."""

    name: str
    type: NodeType
    phase: Phase
    started: float
    template: str = ""
    display_name: str = ""
    boundary: str | None = None
    """The DAG or Steps node it belongs to, or the pod whose container it is."""
    parent: str | None = None
    """The group, retry or boundary node under which a tree shows it."""
    message: str = ""
    finished: float | None = None
    outputs: Outputs = field(default_factory=Outputs)
    retried: bool = False
    cached: bool = False
    memo: Mapping[str, Any] = field(default_factory=dict)
    """Argo's ``memoizationStatus``: ``hit``, ``key``, ``cacheName``."""
    asks: Mapping[str, str | None] | None = None
    """Of a suspended node: the output parameters that it is to be given, each with its default. None where that is not known."""

    @property
    def fulfilled(self) -> bool:
        """True where nothing more happens to the node."""
        return self.phase.fulfilled

    def as_status(self) -> dict[str, Any]:
        """The node as ``--json`` shows it: what Argo's status would hold."""
        status: dict[str, Any] = {"type": str(self.type), "phase": str(self.phase)}
        if self.message:
            status["message"] = self.message
        if outputs := self.outputs.as_status():
            status["outputs"] = outputs
        if self.memo:
            status["memoizationStatus"] = dict(self.memo)
        return status


@dataclass(frozen=True)
class Run:
    """One run, as it stood at one moment. Times are seconds since 1970, UTC."""

    name: str
    phase: str
    pipeline: str = ""
    """What its runs have in common: the template it is of, or what its name begins with. Empty where nobody asked."""
    message: str = ""
    started: float | None = None
    finished: float | None = None
    under_way: bool = False
    """True where somebody carries it out, so that it changes without being asked to."""
    root: str = ""
    """The workflow's name, with which the names of all its nodes begin."""
    nodes: Mapping[str, Node] = field(default_factory=dict)
    """By name, in the order in which they began."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further facts, label to text, such as where it is."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """The limit on memory of each container that is known to have one, by its template's name, or its own in a set."""

    @property
    def over(self) -> bool:
        """True where nothing more happens to the run."""
        return self.phase in OVER

    @property
    def waiting(self) -> list[Node]:
        """The suspended nodes that wait for somebody."""
        return [node for node in self.nodes.values() if node.type is NodeType.SUSPEND and not node.fulfilled]

    def local(self, node: Node) -> str:
        """The name of *node* with ``$`` for the workflow's own."""
        return argo.local_name(node.name, self.root)

    def is_meant(self, node: Node, step: str | None) -> bool:
        """True where *step* means *node*: its name, that of its template, or that of the step with its retries or its loop."""
        name = self.local(node)
        if step is None or step in (name, node.name, node.display_name, node.template):
            return True
        if node.type is NodeType.CONTAINER and node.boundary and name.rpartition(".")[0] == step:
            return True
        return node.display_name.startswith(f"{step}(") or name.startswith(f"{step}(")


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    text: str
    step: str = ""
    """Who wrote it, where several steps were asked for."""
    aside: bool = False
    """True where no step wrote it: it says why the log of one is not here."""


class Runs(Protocol):
    """The runs of one place.

    Every method that takes the *name* of a run, which has to be the whole name, raises UsageError where there is none. On a cluster each
    raises Misconfigured where the cluster does not know us, does not allow it, or lacks Argo Workflows, and TryAgain where it cannot be
    reached.
    """

    @property
    def words(self) -> tuple[str, ...]:
        """The options of a command line that, beside the name of a run, find it here."""

    @property
    def none_yet(self) -> str:
        """The message where there are no runs: that, and what makes one."""

    @property
    def keeps_reports(self) -> bool:
        """True where a run here has a report, which says where its minutes went and what failed."""

    @property
    def poll_seconds(self) -> float:
        """Seconds to wait between two looks at a run."""

    def equivalent(self, *words: str) -> list[str] | None:
        """The command of Argo's own program that does here what the verb and the run *words* say. None where there is none."""

    def find(self, name: str) -> str:
        """The whole name of the run that *name*, its beginning, or NEWEST means. Raises UsageError where that is none, or several."""

    def get(self, name: str) -> Run:
        """The run *name*, as it stands."""

    def newest_first(self, skipped: int = 0) -> Iterator[Run]:
        """All runs but the newest *skipped*, of which nothing is read that costs anything; nodes may be left out."""

    def log(self, name: str, step: str | None, *, follow: bool) -> Iterator[Line]:
        """The log of the steps that *step* means, or of all, so far; with *follow* until they have ended.

        Raises UsageError where there is no such step, unless it is waited for.
        """

    def stop(self, name: str) -> None:
        """End what runs and begin nothing more but exit handlers. Raises UsageError where the run is not under way."""

    def terminate(self, name: str) -> None:
        """End what runs and begin nothing more. Raises UsageError where the run is not under way."""

    def suspend(self, name: str) -> None:
        """Begin no further step. Raises UsageError where the run is not under way."""

    def resume(self, name: str) -> int | None:
        """Go on with a run that is suspended, or that was cut off.

        Returns the run's exit code where it was carried out to its end meanwhile, None where it goes on by itself. Raises UsageError where
        there is nothing to go on with.
        """

    def approve(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        """End the suspended *node* with *parameters* as its outputs, and defaults for those that are left out.

        That nothing it asks for is lacking, and nothing is given that it does not ask for, is for the caller to see to.
        """

    def retry(self, name: str, again: str = "") -> int | None:
        """Do again what failed of a run, and of what succeeded the nodes that the selector *again* fits.

        Returns what :meth:`resume` returns. Raises UsageError where *again* makes no sense.
        """

    def delete(self, name: str) -> None:
        """Delete the run with what belongs to it alone. Raises UsageError where it has to be stopped first."""


def not_under_way(run: Run) -> errors.UsageError:
    """Nothing can be asked of *run*, and what would help."""
    hint = "it is over" if run.over else f"`argosy resume {run.name}` goes on with it"
    return errors.UsageError(f"run {run.name} does not run now (it is {run.phase}); {hint}")
