"""Templates that a run can come to: those that its entrypoint and exit handler call, and those that these call, directly or by others.

A template that is named by a variable is known only when the workflow runs: every template it could be is one that a run can come to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from argosy.engine.manifest.catalogue import WORKFLOW, Catalogue, Owner, UnknownTemplate, owner_of
from argosy.engine.manifest.model import Caller, Task, Template


@dataclass(frozen=True)
class Reached:
    """A template, the workflow's defaults merged in. *place*: where it is written, by position."""

    template: Template
    owner: Owner
    place: str
    top: str
    """The template of the list of templates that it is, or is written in."""


def templates(catalogue: Catalogue) -> list[Reached]:
    """The templates that a run of *catalogue*'s workflow can come to, in the order in which they are written."""
    spec = catalogue.workflow
    start = Task({"template": spec.entrypoint, "hooks": spec.written.get("hooks"), "onExit": spec.on_exit})
    found: set[tuple[Owner, str]] = set()
    left: list[tuple[Caller, Owner]] = [(start, WORKFLOW)]
    while left:
        holder, owner = left.pop()
        left += [(other, owner) for other in _beside(holder)]
        for called in set(_named(catalogue, holder, owner)) - found:
            found.add(called)
            left += [(call, called[0]) for call in _calls(catalogue, *called)]
    return [entry for owner in (WORKFLOW, *catalogue.others) for entry in _written(catalogue, owner, found)]


def place(owner: Owner, position: int) -> str:
    """The name in errors of the template at *position* of *owner*'s."""
    where = f"spec.templates[{position}]"
    return where if owner == WORKFLOW else f"{owner[0]} {owner[1]}: {where}"


def _beside(caller: Caller) -> Iterator[Caller]:
    """The calls of the task, step or hook *caller* beside the template that it names."""
    yield from calls_of(caller.inline)
    if isinstance(caller, Task):
        if caller.on_exit:
            yield Caller({"template": caller.on_exit})
        yield from caller.hooks.values()


def _named(catalogue: Catalogue, caller: Caller, owner: Owner) -> Iterator[tuple[Owner, str]]:
    """The templates that *caller*, written among the templates of *owner*, may name."""
    reference, name = caller.template_ref, caller.called
    owners = [owner]
    if reference:
        owners = list(catalogue.others) if "{{" in reference.name else [owner_of(reference)]
    for one in owners:
        names = [template.name for template in _templates(catalogue, one)] if "{{" in name else [name]
        yield from ((one, found) for found in names if found)


def _calls(catalogue: Catalogue, owner: Owner, name: str) -> Iterator[Task]:
    for template in _templates(catalogue, owner):
        if template.name == name:
            yield from calls_of(template)


def calls_of(template: Template) -> Iterator[Task]:
    """The tasks or steps of *template*."""
    yield from template.dag.tasks
    for group in template.steps:
        yield from group


def _written(catalogue: Catalogue, owner: Owner, found: Iterable[tuple[Owner, str]]) -> Iterator[Reached]:
    names = {name for one, name in found if one == owner}
    for position, template in enumerate(_templates(catalogue, owner)):
        if template.name in names:
            where = place(owner, position)
            resolved, _ = catalogue.resolve(Caller({"template": template.name}), owner)
            yield Reached(resolved, owner, where, template.name)
            yield from _inlines(catalogue, template, owner, where, template.name)


def _inlines(catalogue: Catalogue, template: Template, owner: Owner, where: str, top: str) -> Iterator[Reached]:
    for call in calls_of(template):
        if call.inline.written:
            inner = f"{where}: {call.name}.inline"
            yield Reached(catalogue.resolve(call, owner)[0], owner, inner, top)
            yield from _inlines(catalogue, call.inline, owner, inner, top)


def _templates(catalogue: Catalogue, owner: Owner) -> list[Template]:
    try:
        return catalogue.templates(owner)
    except UnknownTemplate:
        return []
