"""The end of a run in a few words: what it came to, and of a failed one what stopped it first. A rejection is told from a crash.

Works on what the port says of a run, here and on a cluster; `argosy runs` and `argosy why` show it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from argosy import errors
from argosy.argo import NodeType
from argosy.ports.runs import FAILED, PART, Node, Run

VERDICTS = {
    "promote": "proposed",
    "champion": "in production already",
    "inconclusive": "held back",
    "reject": "rejected",
}
"""What an evaluation said, as the end of a run."""
CODE = re.compile(r"exit code (\d{1,3})\b")
PROPOSE = "propose"
REFUSED = errors.Rejected.exit_code


@dataclass(frozen=True)
class RunEnd:
    """What a run came to."""

    word: str
    """Such as ``proposed``, ``rejected``, ``refused by validate``, ``failed in train``; empty of a run that goes on or has no verdict."""
    verdict: str = ""
    version: str = ""
    stopped_by: Node | None = None
    """The step that failed first, where the run failed."""

    @property
    def exit_code(self) -> int | None:
        """The code that this step ended with."""
        if self.stopped_by is None:
            return None
        found = CODE.search(self.stopped_by.message)
        code = found[1] if found else self.stopped_by.outputs.exit_code
        return int(code) if code else None


def of(run: Run) -> RunEnd:
    """The end of *run*, by its nodes."""
    said = _outputs(run.nodes)
    verdict, version = said.get("verdict", ""), said.get("version", "")
    stopped = _first_failure(run) if run.phase in FAILED else None
    if stopped is None and run.over and PART in run.facts:
        return RunEnd(run.facts[PART], verdict)
    end = RunEnd(VERDICTS.get(verdict, ""), verdict, version, stopped)
    if stopped is None or (step_of(stopped) == PROPOSE and verdict not in ("", "promote")):
        return end if run.over else RunEnd("", verdict, version)
    how = "refused by" if end.exit_code == REFUSED else "failed in"
    return RunEnd(f"{how} {step_of(stopped)}", verdict, version, stopped)


def step_of(node: Node) -> str:
    """The step that *node* is an attempt of, as people call it."""
    return node.template or re.sub(r"\(\d+(:[^)]*)?\)$", "", node.display_name)


def _first_failure(run: Run) -> Node | None:
    """The pod, or the container of one, that failed first and was not made good by a later attempt."""
    succeeded = {
        _base(node) for node in run.nodes.values() if _runs(node) and not node.phase.unsuccessful and node.fulfilled
    }
    failed = [
        node for node in run.nodes.values() if _runs(node) and node.phase.unsuccessful and _base(node) not in succeeded
    ]
    # Of a pod and its own container the container says why.
    return min(
        failed,
        key=lambda node: (node.finished or node.started, node.type is not NodeType.CONTAINER, node.name),
        default=None,
    )


def _runs(node: Node) -> bool:
    return node.type in (NodeType.POD, NodeType.CONTAINER)


def _base(node: Node) -> str:
    return re.sub(r"\(\d+\)$", "", node.name)


def _outputs(nodes: Mapping[str, Node]) -> dict[str, str]:
    return {
        name: value
        for node in nodes.values()
        if node.type is NodeType.POD
        for name, value in node.outputs.parameters.items()
    }
