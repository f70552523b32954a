"""Who may start now: ``parallelism`` of the workflow and of a template, and a template's own ``failFast``.

Counts nodes as they change, so that asking costs nothing; calls that must wait are asked again whenever something ends.
"""

from collections import Counter, deque
from collections.abc import Callable

from argosy.argo import NodeType, Phase
from argosy.engine.machine.calls import Call
from argosy.engine.manifest.model import Template
from argosy.engine.nodes import Node

GIVEN_UP = "template has failed or errored children and failFast enabled"
"""The message of a template's node that ends because it fails fast."""

_COUNTED = (NodeType.POD, NodeType.STEPS, NodeType.DAG)
_ACTIVE = (Phase.PENDING, Phase.RUNNING)


class Admission:
    """The limits of one run. *parallelism*: how many pods may be active at once in the whole workflow."""

    def __init__(self, parallelism: int | None) -> None:
        self._parallelism = parallelism
        self._limits: dict[str, int] = {}
        self._fail_fast: dict[str, Callable[[], None]] = {}
        self._active_pods: set[str] = set()
        self._active: dict[str, str] = {}
        self._in_boundary: Counter[str] = Counter()
        self._unsuccessful: set[str] = set()
        self._parked: deque[tuple[Call, Node | None, Callable[[], None]]] = deque()

    def limit(self, boundary: str, template: Template, give_up: Callable[[], None]) -> None:
        """Keep *template*'s own limits for what runs inside its node *boundary*. *give_up*: ends that node as failed."""
        if template.parallelism:
            self._limits[boundary] = template.parallelism
        if template.fail_fast:
            self._fail_fast[boundary] = give_up

    def count(self, node: Node) -> None:
        """Take notice of *node*'s phase."""
        if node.type not in _COUNTED:
            return
        active = node.phase in _ACTIVE
        if node.type is NodeType.POD:
            (self._active_pods.add if active else self._active_pods.discard)(node.name)
        if node.boundary is None:
            return
        if active and node.name not in self._active:
            self._active[node.name] = node.boundary
            self._in_boundary[node.boundary] += 1
        elif not active and self._active.pop(node.name, ""):
            self._in_boundary[node.boundary] -= 1
        if node.phase.unsuccessful:
            self._unsuccessful.add(node.boundary)

    def enter(self, call: Call, known: Node | None, go: Callable[[], None]) -> None:
        """Have *go* called as soon as the limits allow *call* to start. *known*: its node, where it has one already."""
        if self._admits(call, known):
            go()
        else:
            self._parked.append((call, known, go))
            self._maybe_give_up(call.boundary)

    def reconsider(self) -> None:
        """Something ended: start what may start now, in the order in which it asked."""
        for _ in range(len(self._parked)):
            if self._full():
                return
            entry = self._parked.popleft()
            if self._admits(entry[0], entry[1]):
                entry[2]()
            else:
                self._parked.append(entry)
        for boundary in {call.boundary for call, _, _ in self._parked}:
            self._maybe_give_up(boundary)

    def forget(self, boundary: str) -> None:
        """The node *boundary* ended: nobody inside it waits any more."""
        self._parked = deque(entry for entry in self._parked if entry[0].boundary != boundary)

    def _full(self) -> bool:
        return self._parallelism is not None and len(self._active_pods) >= self._parallelism

    def _admits(self, call: Call, known: Node | None) -> bool:
        if known is not None and known.name in self._active_pods:
            return True
        if self._full():
            return False
        boundary = call.boundary
        if boundary is None or (known is not None and known.phase in _ACTIVE):
            return True
        if boundary in self._fail_fast and boundary in self._unsuccessful:
            return False
        return boundary not in self._limits or self._in_boundary[boundary] < self._limits[boundary]

    def _maybe_give_up(self, boundary: str | None) -> None:
        if boundary in self._fail_fast and boundary in self._unsuccessful and not self._in_boundary[boundary or ""]:
            self._fail_fast.pop(boundary or "")()
