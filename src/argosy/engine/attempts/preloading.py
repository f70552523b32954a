"""The libraries that a run will need next, so that they can be imported while a step before still runs."""

import graphlib
from collections.abc import Iterator

from argosy.engine.attempts import environment
from argosy.engine.attempts.container_roles import containers_of_pod
from argosy.engine.attempts.environment import EnvironmentFailure, Sources
from argosy.engine.manifest import depends
from argosy.engine.manifest.catalogue import WORKFLOW, Catalogue, Owner, UnknownTemplate
from argosy.engine.manifest.model import Caller, Task, Template
from argosy.engine.processes.launches import Warmth

PRELOAD = "argosy.dev/preload"
"""A template's annotation: the modules its program imports, separated by commas; of a container of several with ``.`` and its name."""


def preload_of(template: Template) -> frozenset[str]:
    """The modules to have imported before the template's program starts."""
    annotations = template.metadata.annotations
    own = annotations.get(f"{PRELOAD}.{template.main_container.name}")
    return frozenset(name for name in (own or annotations.get(PRELOAD, "")).split(",") if name)


def warmths(catalogue: Catalogue, sources: Sources) -> list[Warmth]:
    """The libraries that the steps of a run want imported, in the order in which a run first comes to them, each once."""
    found: dict[Warmth, None] = {}
    for template in _in_order(catalogue, Caller({"template": catalogue.workflow.entrypoint}), WORKFLOW, set()):
        try:
            given = environment.of_container(template.main_container, sources, {})
        except EnvironmentFailure:
            continue  # of use to nobody but the step itself, which will say so
        found[Warmth.of(preload_of(template), {**environment.of_machine(), **given.variables})] = None
    return list(found)


def _in_order(catalogue: Catalogue, caller: Caller, owner: Owner, seen: set[int]) -> Iterator[Template]:
    """The templates with something to import below *caller*, each where a run first comes to it."""
    try:
        template, owner = catalogue.resolve(caller, owner)
    except UnknownTemplate:
        return
    if id(template.written) in seen:
        return
    seen.add(id(template.written))
    yield from (member.template for member in containers_of_pod(template) if preload_of(member.template))
    for group in template.steps:
        for step in group:
            yield from _in_order(catalogue, step, owner, seen)
    tasks = {task.name: task for task in template.dag.tasks}
    for name in graphlib.TopologicalSorter({name: _needs(task) for name, task in tasks.items()}).static_order():
        if name in tasks:  # else it is one whose own name holds a variable
            yield from _in_order(catalogue, tasks[name], owner, seen)


def _needs(task: Task) -> list[str]:
    """The tasks that *task* waits for, unless that is known only when it runs."""
    return [] if "{{" in str((task.depends, task.dependencies)) else depends.names_of(task)
