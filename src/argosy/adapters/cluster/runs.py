"""The runs of a cluster's namespace: its workflows, told and asked as the runs of any place are."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argosy import argo, errors
from argosy.adapters.cluster import status
from argosy.argo import NodeType
from argosy.ports.runs import FAILED, NEWEST, Line, Node, Run, not_under_way
from argosy.ports.workflows import Workflows

MAIN = "main"


@dataclass(frozen=True)
class ClusterRuns:
    """Argo Workflows as runs; see :class:`argosy.ports.runs.Runs`. *context*: of KUBECONFIG, if one was asked for."""

    workflows: Workflows
    context: str | None = None

    keeps_reports = False
    poll_seconds = 2.0  # each look is a read of the API server

    @property
    def words(self) -> tuple[str, ...]:
        return ("--namespace", self.workflows.namespace, *self._context_words())

    @property
    def none_yet(self) -> str:
        return f"namespace {self.workflows.namespace} has no workflows; `argosy submit MODEL` starts one"

    def equivalent(self, *words: str) -> list[str]:
        return ["argo", "-n", self.workflows.namespace, *self._context_words(), *words]

    def find(self, name: str) -> str:
        known = [str(each["metadata"]["name"]) for each in self.workflows.newest_first()]
        if name == NEWEST and known:
            return known[0]
        fitting = [name] if name in known else [each for each in known if each.startswith(name)]
        if len(fitting) == 1:
            return fitting[0]
        if not known:
            raise errors.UsageError(self.none_yet)
        if not fitting:
            raise errors.UsageError(
                f"namespace {self.workflows.namespace} has no workflow {name!r}; the newest is {known[0]}, `argosy runs` lists them"
            )
        raise errors.UsageError(f"{name!r} fits {len(fitting)} workflows: {', '.join(fitting[:5])}; name one")

    def get(self, name: str) -> Run:
        return status.run_of(self.workflows.get(name), self.workflows.namespace)

    def newest_first(self, skipped: int = 0) -> Iterator[Run]:
        for workflow in itertools.islice(self.workflows.newest_first(), skipped, None):
            yield status.run_of(workflow, self.workflows.namespace)

    def log(self, name: str, step: str | None, *, follow: bool) -> Iterator[Line]:
        """See the port. One step after the other, in the order in which they began; those that begin later are not waited for."""
        run = self.get(name)
        with_logs = _with_logs(run)
        steps = [node for node in with_logs if _is_meant(node, step, run)]
        if not steps:
            names = ", ".join(map(run.local, with_logs))
            raise errors.UsageError(f"run {run.name} has no step {step!r}; it has {names or 'none yet'}")
        for node in steps:
            yield from self._lines(run, node, run.local(node) if len(steps) > 1 else "", follow=follow)

    def stop(self, name: str) -> None:
        self._demand_under_way(name)
        self.workflows.shut_down(name, "Stop")

    def terminate(self, name: str) -> None:
        self._demand_under_way(name)
        self.workflows.shut_down(name, "Terminate")

    def suspend(self, name: str) -> None:
        self._demand_under_way(name)
        self.workflows.suspend(name)

    def resume(self, name: str) -> None:
        """See the port. Suspended nodes that need no answer go on, too: so it is with Argo."""
        run = self.get(name)
        if run.over:
            hint = f"; `argosy retry {name}` does again what failed" if run.phase in FAILED else ""
            raise errors.UsageError(f"run {name} is {run.phase}; there is nothing to go on with{hint}")
        self.workflows.resume(name)

    def approve(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        self.workflows.answer(name, node, parameters, message)

    def retry(self, name: str, again: str = "") -> None:
        """See the port. By ``argo`` itself."""
        self.workflows.retry(name, retry_words(again))

    def delete(self, name: str) -> None:
        """See the port. One that is under way ends with it."""
        self.workflows.delete(name)

    def _context_words(self) -> tuple[str, ...]:
        return ("--context", self.context) if self.context else ()

    def _demand_under_way(self, name: str) -> None:
        run = self.get(name)
        if not run.under_way:
            raise not_under_way(run)

    def _lines(self, run: Run, node: Node, step: str, *, follow: bool) -> Iterator[Line]:
        within = run.nodes[node.boundary] if node.type is NodeType.CONTAINER and node.boundary else node
        pod = argo.pod_name(run.name, within.name, within.template)
        container = MAIN if within is node else node.display_name
        try:
            for text in self.workflows.log(pod, follow=follow and not node.fulfilled, container=container):
                yield Line(text, step)
        except LookupError:
            # podGC takes the pods of steps that succeeded; the controller keeps their logs where archiveLogs is on.
            yield Line(
                f"the pod of {node.display_name} is gone ({node.phase}); its log is kept as the artifact main-logs: "
                f"argo -n {self.workflows.namespace} logs {run.name} {pod}",
                aside=True,
            )


def retry_words(again: str) -> list[str]:
    """The options of ``argo retry`` that do again, of the succeeded nodes, those that the selector *again* fits."""
    return ["--restart-successful", "--node-field-selector", again] if again else []


def _with_logs(run: Run) -> list[Node]:
    """The nodes of *run* that write a log: pods, and in place of one that several steps share its containers, as they ended."""
    shared = {node.boundary for node in run.nodes.values() if node.type is NodeType.CONTAINER}
    writing = [
        node
        for node in run.nodes.values()
        if node.type is NodeType.CONTAINER or (node.type is NodeType.POD and node.name not in shared)
    ]
    return sorted(writing, key=lambda node: (node.started, node.finished or math.inf))


def _is_meant(node: Node, step: str | None, run: Run) -> bool:
    """True where *step* means *node*, or the pod that it is a container of."""
    within = run.nodes.get(node.boundary or "") if node.type is NodeType.CONTAINER else None
    return run.is_meant(node, step) or (within is not None and run.is_meant(within, step))
