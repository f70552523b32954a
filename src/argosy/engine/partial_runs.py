"""Part of a workflow: up to one task of its entrypoint, or that task alone with what another run gave to it; and a run once more.

Both are Argo's own ``target`` of a DAG. Of a task alone the journal begins with what the other run has for the tasks before it, so that
nothing of them is done again.
"""

import dataclasses
import difflib
from collections.abc import Collection, Iterable

from argosy import errors
from argosy.argo import Phase
from argosy.engine.machine.dependencies import Dependencies
from argosy.engine.manifest.model import DagTemplate, Task, Template
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Json, Node
from argosy.engine.options import Prepared, RunOptions
from argosy.engine.state import runs
from argosy.engine.state.object_store import ObjectStore
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import AGAIN, FROM_RUN, UNTIL


def until(spec: Json, task: str, where: str) -> Json:
    """*spec*, which ends after *task* of its entrypoint. Raises UsageError where there is no such task, with what was probably meant."""
    entrypoint = _entrypoint(spec, where)
    names = [each.name for each in Template(entrypoint).dag.tasks]
    if task not in names:
        raise errors.UsageError(f"{where}: the entrypoint has no task {task!r}{_hint(task, names, spec)}")
    aimed = {**entrypoint, "dag": {**entrypoint["dag"], "target": task}}
    templates = [aimed if each is entrypoint else each for each in spec["templates"]]
    # An exit handler tells people what a whole run came to.
    return {**{key: value for key, value in spec.items() if key != "onExit"}, "templates": templates}


def marked(metadata: Json, task: str) -> Json:
    """*metadata* of a run that ends after *task*: it says so for good."""
    return {**metadata, "annotations": {**(metadata.get("annotations") or {}), UNTIL: task}}


def left_out(spec: Json) -> list[str]:
    """The tasks of the entrypoint that the run does not come to; nothing where its entrypoint is no DAG."""
    dag = _dag_of(spec)
    if dag is None:
        return []
    included = Dependencies(dag).included
    return [task.name for task in dag.tasks if task.name not in included]


def given_before(prepared: Prepared, folder: RunFolder, store: ObjectStore) -> tuple[Prepared, dict[str, Node]]:
    """*prepared*, which has a target, with the run in *folder* noted; and that run's nodes for all tasks before it, in *prepared*'s names.

    Raises UsageError where that run did not come so far, or where what it gave is no longer in *store*.
    """
    dag = _dag_of(prepared.spec)
    if dag is None or not dag.target:
        raise ValueError("a run without a target takes nothing from another")
    taken = given(prepared, folder, store, set(Dependencies(dag).before(dag.target)))
    annotations = {**(prepared.metadata.get("annotations") or {}), FROM_RUN: folder.run}
    return dataclasses.replace(prepared, metadata={**prepared.metadata, "annotations": annotations}), taken


def given(prepared: Prepared, folder: RunFolder, store: ObjectStore, tasks: Collection[str]) -> dict[str, Node]:
    """The nodes that the run in *folder* has for those of *tasks* that *prepared* comes to, in *prepared*'s names.

    Raises UsageError where that run did not come so far, or where what it gave is no longer in *store*.
    """
    dag = _dag_of(prepared.spec)
    if dag is None:
        return {}
    there, nodes = StoredRun.read(folder).workflow, folder.state()[1]
    found: dict[str, Node] = {}
    for name in filter(tasks.__contains__, Dependencies(dag).included):
        top = nodes.get(f"{there}.{name}")
        if top is None or not top.fulfilled or top.phase.unsuccessful or top.phase is Phase.OMITTED:
            state = f"is {top.phase} there" if top else "is not there"
            raise errors.UsageError(
                f"run {folder.run} cannot give what {dag.target} takes: {name} {state}; name a run that came so far, or make one with "
                f"--until {name}"
            )
        inside = {node.name: node for node in nodes.values() if _is_of(node.name, top.name)}
        _demand_kept(inside.values(), store, folder.run)
        found |= {_moved(key, there, prepared.workflow): node for key, node in inside.items()}
    return {key: _taken(node, there, prepared.workflow, folder.run) for key, node in found.items()}


def again(folder: RunFolder, options: RunOptions) -> Prepared:
    """The run in *folder* as a new one: its manifest and arguments, *options*' parameters over them; it ends after *options*' target.

    Raises Misconfigured where that run never started, UsageError where its pipeline has no such task.
    """
    stored = StoredRun.read(folder)
    named = ObjectMeta(stored.metadata)
    run = runs.new_id(named.generate_name or named.name or stored.workflow)
    spec, metadata = stored.spec, stored.metadata
    if options.target:
        spec = until(spec, options.target, f"run {folder.run}")
        metadata = marked(metadata, options.target)
    annotations = {**(metadata.get("annotations") or {}), AGAIN: folder.run}
    arguments = [
        {**entry, "value": options.parameters.get(entry["name"], entry.get("value"))}
        for entry in stored.arguments.get("parameters") or []
    ]
    return Prepared(
        workflow=run if stored.workflow == folder.run else stored.workflow,
        run=run,
        spec=spec,
        metadata={**metadata, "annotations": annotations},
        arguments={**stored.arguments, "parameters": arguments},
        others=stored.others,
        config_maps={**stored.config_maps, **options.config_maps},
        engine_of_containers=stored.engine_of_containers,
        secret_files=stored.secret_files,
        volumes=stored.volumes,
        repository=stored.repository,
    )


def _entrypoint(spec: Json, where: str) -> Json:
    found = next((each for each in spec.get("templates") or [] if each.get("name") == spec.get("entrypoint")), None)
    if found is None or "dag" not in found:
        raise errors.UsageError(
            f"{where}: its entrypoint is no DAG of its own, so a run cannot end after one of its tasks"
        )
    entrypoint: Json = found
    return entrypoint


def _dag_of(spec: Json) -> DagTemplate | None:
    found = next((each for each in spec.get("templates") or [] if each.get("name") == spec.get("entrypoint")), None)
    return Template(found).dag if found is not None and "dag" in found else None


def _hint(task: str, names: list[str], spec: Json) -> str:
    for template in map(Template, spec["templates"]):
        inner = [each.name for each in template.dag.tasks] if template.kind == "dag" else []
        around = [each.name for each in _tasks(spec) if each.template == template.name]
        # A search asks for its trials in rounds: `trial` is what people call `trial-0`, `trial-1`.
        if around and any(name == task or name.startswith(f"{task}-") for name in inner):
            return f"; it is part of {around[0]!r}, which runs whole"
    near = difflib.get_close_matches(task, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(names)}"


def _tasks(spec: Json) -> Iterable[Task]:
    dag = _dag_of(spec)
    return dag.tasks if dag else ()


def _is_of(name: str, top: str) -> bool:
    """True where the node *name* is *top*, an attempt of it, an item of its loop, or inside it."""
    return name == top or (name.startswith(top) and name[len(top)] in ".([")


def _demand_kept(nodes: Iterable[Node], store: ObjectStore, run: str) -> None:
    for node in nodes:
        for name, artifact in (node.outputs.artifacts if node.outputs else {}).items():
            digest = (artifact.get("stored") or {}).get("digest")
            if digest and not store.has(digest):
                raise errors.UsageError(
                    f"run {run} cannot give {name} of {node.display_name or node.name}: it was collected since; "
                    "a run with --no-cache makes it again"
                )


def _taken(node: Node, there: str, here: str, run: str) -> Node:
    return dataclasses.replace(
        node,
        name=_moved(node.name, there, here),
        boundary=node.boundary and _moved(node.boundary, there, here),
        parent=node.parent and _moved(node.parent, there, here),
        cached=True,
        message=node.message or f"from run {run}",
    )


def _moved(name: str, there: str, here: str) -> str:
    return here + name.removeprefix(there)
