"""What the verbs for runs do with a run on a cluster. Each function is one verb, and returns its exit code."""

import argparse
import json
import math
import shlex
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from argosy import errors
from argosy.cli import asking, cluster, progress
from argosy.cli.cluster import Run
from argosy.engine import nodes, outcome
from argosy.engine.attempts.together import KILLED_FOR_MEMORY
from argosy.engine.nodes import Ending, Node, NodeType, Phase

if TYPE_CHECKING:
    from argosy.ports.workflows import Workflows

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
POLL = 2.0
"""Seconds between two looks at a workflow: its state is one read of the API server."""


def get(arguments: argparse.Namespace) -> int:
    """Print one run."""
    at = cluster.workflows(arguments)
    run = cluster.found(at, arguments.run)
    cluster.say(arguments, "argo", "get", run.name, namespace=at.namespace)
    if arguments.json:
        status = {nodes.local_name(name, run.name): nodes.as_status(node) for name, node in run.nodes.items()}
        print(json.dumps({**_facts(at, run), "nodes": status}))
        return errors.DONE
    for name, value in _facts(at, run).items():
        if value:
            print(f"{name.title() + ':':<10} {value}")
    print()
    for line in [*progress.plain(run.nodes, run.name), *_times(run), *_advice(at, run)]:
        print(line)
    return errors.DONE


def runs(arguments: argparse.Namespace) -> int:
    """Print one line a run, the newest first."""
    at = cluster.workflows(arguments)
    cluster.say(arguments, "argo", "list", namespace=at.namespace)
    rows = [_row(cluster.run_of(each)) for each in at.newest_first()[: arguments.limit]]
    asking.print_rows(rows, as_json=arguments.json)
    if not rows:
        print(f"namespace {at.namespace} has no workflows; `argosy submit MODEL` starts one")
    return errors.DONE


def watch(arguments: argparse.Namespace) -> int:
    """Show a run until it ends; its own exit code, as the engine counts it."""
    at = cluster.workflows(arguments)
    name = cluster.name_of(at, arguments.run)
    cluster.say(arguments, "argo", "watch", name, namespace=at.namespace)
    return until_over(at, name)


def until_over(at: "Workflows", name: str) -> int:
    """Show the run *name* until it ends."""
    told: dict[str, Node] = {}
    said: set[str] = set()
    with progress.shown(sys.stdout, name) as observer:
        while True:
            run = cluster.run_of(at.get(name))
            for node in run.nodes.values():
                if told.get(node.name) != node:
                    told[node.name] = node
                    observer.node_changed(node)
            for line in dict.fromkeys(_stuck(run)):
                if line not in said:
                    said.add(line)
                    print(line.strip(), file=sys.stderr)
            if run.over:
                break
            time.sleep(POLL)
    print(f"{run.name} {run.phase}" + (f": {run.message}" if run.message else ""))
    for line in [*_times(run), *_advice(at, run)]:
        print(line)
    return outcome.exit_code(Ending(Phase(run.phase), run.message), run.nodes)


def logs(arguments: argparse.Namespace) -> int:
    """Print what the steps of a run wrote."""
    at = cluster.workflows(arguments)
    run = cluster.found(at, arguments.run)
    wanted = [arguments.step] if arguments.step else []
    cluster.say(arguments, "argo", "logs", run.name, *wanted, namespace=at.namespace)
    with_logs = _with_logs(run)
    steps = [node for node in with_logs if _is_meant(node, arguments.step, run)]
    if not steps:
        names = ", ".join(nodes.local_name(node.name, run.name) for node in with_logs)
        raise errors.UsageError(f"run {run.name} has no step {arguments.step!r}; it has {names or 'none yet'}")
    for node in steps:
        prefix = f"{nodes.local_name(node.name, run.name)}: " if len(steps) > 1 else ""
        for line in _lines(at, run, node, follow=arguments.follow):
            print(prefix + line, flush=arguments.follow)
    return errors.DONE


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
    """Whether *step* means *node*, or the pod that it is a container of."""
    within = run.nodes.get(node.boundary or "") if node.type is NodeType.CONTAINER else None
    return fits(node, step, run.name) or (within is not None and fits(within, step, run.name))


def fits(node: Node, step: str | None, workflow: str) -> bool:
    """Whether *step* means *node*: its name, the name of its template, or that of the step with its retries or its loop."""
    name = nodes.local_name(node.name, workflow)
    if step is None or step in (name, node.name, node.display_name, node.template):
        return True
    if node.type is NodeType.CONTAINER and node.boundary and name.rpartition(".")[0] == step:
        return True
    return node.display_name.startswith(f"{step}(") or name.startswith(f"{step}(")


def _lines(at: "Workflows", run: Run, node: Node, *, follow: bool) -> Iterator[str]:
    within = run.nodes[node.boundary] if node.type is NodeType.CONTAINER and node.boundary else node
    pod = nodes.pod_name(run.name, within.name, within.template)
    container = "main" if within is node else node.display_name
    try:
        yield from at.log(pod, follow=follow and not node.fulfilled, container=container)
    except LookupError:
        # podGC takes the pods of steps that succeeded; the controller keeps their logs where archiveLogs is on.
        print(
            f"# the pod of {node.display_name} is gone ({node.phase}); its log is kept as the artifact main-logs: "
            f"argo -n {at.namespace} logs {run.name} {pod}",
            file=sys.stderr,
        )


def stop(arguments: argparse.Namespace) -> int:
    """Stop a run, but let its exit handlers run."""
    return _ask(arguments, "stop", "stopped")


def terminate(arguments: argparse.Namespace) -> int:
    """Stop a run at once."""
    return _ask(arguments, "terminate", "terminated")


def suspend(arguments: argparse.Namespace) -> int:
    """Begin no further step of a run."""
    return _ask(arguments, "suspend", "suspended")


def delete(arguments: argparse.Namespace) -> int:
    """Delete runs."""
    at = cluster.workflows(arguments)
    if arguments.completed:
        names = [run.name for run in map(cluster.run_of, at.newest_first()) if run.over]
    else:
        names = [cluster.name_of(at, name) for name in arguments.run]
    for name in dict.fromkeys(names):
        if not arguments.dry_run:
            at.delete(name)
        print(f"run {name} {'would be ' if arguments.dry_run else ''}deleted")
    return errors.DONE


def resume(arguments: argparse.Namespace) -> int:
    """Go on with a run that is suspended or waits."""
    at = cluster.workflows(arguments)
    run = cluster.found(at, arguments.run or cluster.NEWEST)
    if run.over:
        hint = "" if run.phase == "Succeeded" else f"; `argosy retry {run.name}` does again what failed"
        raise errors.UsageError(f"run {run.name} is {run.phase}; there is nothing to go on with{hint}")
    cluster.say(arguments, "argo", "resume", run.name, namespace=at.namespace)
    at.resume(run.name)
    print(f"run {run.name} goes on")
    return errors.DONE


def retry(arguments: argparse.Namespace) -> int:
    """Try a run that failed again, by `argo` itself."""
    at = cluster.workflows(arguments)
    run = cluster.found(at, arguments.run)
    again = ["--restart-successful", "--node-field-selector", arguments.node_field_selector]
    words = again if arguments.restart_successful else []
    if run.phase not in ("Failed", "Error") and not (run.phase == "Succeeded" and words):
        raise errors.UsageError(f"run {run.name} is {run.phase}; only a run that failed is tried again")
    cluster.say(arguments, "argo", "retry", run.name, *words, namespace=at.namespace)
    at.retry(run.name, words)
    print(f"run {run.name} is tried again; `argosy watch {run.name} --namespace {at.namespace}` shows it")
    return errors.DONE


def _ask(arguments: argparse.Namespace, what: str, said: str) -> int:
    at = cluster.workflows(arguments)
    run = cluster.found(at, arguments.run)
    if run.over:
        raise errors.UsageError(f"run {run.name} does not run now (it is {run.phase}); it is over")
    cluster.say(arguments, "argo", what, run.name, namespace=at.namespace)
    if what == "suspend":
        at.suspend(run.name)
    else:
        at.shut_down(run.name, what.title())
    print(f"run {run.name} {said}")
    return errors.DONE


def _facts(at: "Workflows", run: Run) -> dict[str, str]:
    end = run.finished or time.time()
    return {
        "run": run.name,
        "phase": run.phase,
        "message": run.message,
        "started": asking.clock(run.started),
        "seconds": f"{max(0.0, end - run.started):.1f}" if run.started else "",
        "namespace": at.namespace,
        **{
            name: value for name, value in sorted(run.outputs.items()) if name in ("verdict", "model-digest", "request")
        },
    }


def _times(run: Run) -> Iterator[str]:
    """Where the minutes of a run that is over went; those of a step begin with its pod."""
    if run.started is None or run.finished is None:
        return
    from argosy.report import record, terminal

    facts = record.Facts(run.name, model="", phase=run.phase, started=run.started, finished=run.finished)
    pods = [node for node in run.nodes.values() if node.type is NodeType.POD]
    entries = [
        record.Entry(nodes.local_name(node.name, run.name), node.template, str(node.phase), node.started, node.finished)
        for node in pods
    ]
    yield f"  time      {terminal.time(facts, entries)}"


def _row(run: Run) -> dict[str, str]:
    return {
        "run": run.name,
        "phase": run.phase,
        "started": asking.clock(run.started),
        "seconds": f"{run.finished - run.started:.1f}s" if run.finished and run.started else "",
        "message": run.message,
    }


def _advice(at: "Workflows", run: Run) -> Iterator[str]:
    where = f"--namespace {at.namespace}"
    if run.phase == "Suspended" or (not run.over and asking.waiting(run.nodes)):
        yield f"`argosy resume {run.name} {where}` goes on"
    elif run.phase in ("Failed", "Error"):
        for node in run.nodes.values():
            if node.type is NodeType.POD and node.phase.unsuccessful and not node.retried:
                name = nodes.local_name(node.name, run.name)
                yield f"  {name}: {node.message}; `argosy logs {run.name} {shlex.quote(name)} {where}`"
        yield from _short_of_memory(run)
        yield f"`argosy retry {run.name} {where}` does again what failed"
    yield from _stuck(run)


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
                f"  {nodes.local_name(node.name, run.name)} was killed for memory: {limit}; raise resources.{step}.memory in model.yaml "
                "(resources.limits.memory of the template in other manifests) and submit anew: a retry has the same limit"
            )


def _stuck(run: Run) -> Iterator[str]:
    """The steps that will not start by waiting alone. The controller goes on waiting until their deadline."""
    for node in run.nodes.values():
        reason = node.message.partition(":")[0]
        if node.type is NodeType.POD and node.phase is Phase.PENDING and reason in STUCK:
            yield f"  {nodes.local_name(node.name, run.name)} cannot start: {node.message}; {STUCK[reason]}"
