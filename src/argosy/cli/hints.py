"""Hints on what to do next about a run: about nodes that wait, failed or cannot start, and the command for each."""

import shlex
from collections.abc import Iterator

from argosy.argo import KILLED_FOR_MEMORY, NodeType, Phase
from argosy.ports.runs import CUT_OFF, FAILED, SUSPENDED, Run, Runs

IMAGE = "`make images` builds and pushes images and pins them (docs/cluster.md); for a private registry the account needs imagePullSecrets"
STUCK = {
    "CreateContainerConfigError": "make what it names; `argosy doctor` lists what has to be there",
    "ErrImageNeverPull": IMAGE,
    "ErrImagePull": IMAGE,
    "ImagePullBackOff": IMAGE,
    "InvalidImageName": IMAGE,
    "Unschedulable": "`resources` in model.yaml says what its pod asks for, and of which nodes",
}
"""Kubernetes' reasons for a pod that will not start by waiting alone, and what to do."""


def next_steps(at: Runs, run: Run) -> Iterator[str]:
    """Hints for *run*, a line each: resume, retry, approve, or why a pod cannot start."""
    if run.phase in (*CUT_OFF, SUSPENDED):
        yield f"{command(at, 'resume', run.name)} goes on"
    elif run.phase in FAILED:
        if not at.keeps_reports:
            yield from _failures(at, run)
        yield f"{command(at, 'retry', run.name)} does again what failed"
    elif run.phase == Phase.RUNNING:
        for node in run.waiting:
            yield f"waits: {command(at, 'approve', run.name, run.local(node))}"
    yield from stuck(run)


def command(at: Runs, verb: str, run: str, *words: str) -> str:
    """The command that does *verb* with *run* there, as it is shown."""
    return f"`argosy {shlex.join([verb, run, *words, *at.words])}`"


def times(at: Runs, run: Run) -> Iterator[str]:
    """The line on the time of a run that is over, where no report has one; a step's time begins with its pod."""
    if at.keeps_reports or run.started is None or run.finished is None:
        return
    from argosy.report import record, terminal

    facts = record.Facts(run.name, model="", phase=run.phase, started=run.started, finished=run.finished)
    entries = [
        record.Entry(run.local(node), node.template, str(node.phase), node.started, node.finished)
        for node in run.nodes.values()
        if node.type is NodeType.POD
    ]
    yield f"  time      {terminal.time(facts, entries)}"


def stuck(run: Run) -> Iterator[str]:
    """The steps that will not start by waiting alone. The controller goes on waiting until their deadline."""
    for node in run.nodes.values():
        reason = node.message.partition(":")[0]
        if node.type is NodeType.POD and node.phase is Phase.PENDING and reason in STUCK:
            yield f"  {run.local(node)} cannot start: {node.message}; {STUCK[reason]}"


def _failures(at: Runs, run: Run) -> Iterator[str]:
    for node in run.nodes.values():
        if node.type is NodeType.POD and node.phase.unsuccessful and not node.retried:
            name = run.local(node)
            yield f"  {name}: {node.message}; {command(at, 'logs', run.name, name)}"
    yield from _short_of_memory(run)


def _short_of_memory(run: Run) -> Iterator[str]:
    """The steps that were killed for the memory they used, with what raises their limit."""
    for node in run.nodes.values():
        if node.type is NodeType.POD and KILLED_FOR_MEMORY in node.message and not node.retried:
            container = node.message.partition(":")[0]
            step = container if container in run.memory else node.template
            limit = (
                f"its limit is {run.memory[step]}"
                if step in run.memory
                else "it has no limit of its own, the node's memory was short"
            )
            yield (
                f"  {run.local(node)} was killed for memory: {limit}; raise resources.{step}.memory in model.yaml "
                "(resources.limits.memory of the template in other manifests) and submit anew: a retry has the same limit"
            )
