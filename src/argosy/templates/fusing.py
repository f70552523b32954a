"""Steps that follow one another and share a pod: whether they may, and which task stands in their place.

Most of what a cheap step costs on a cluster is its pod. A fused pod has a container for each step, one after the other; what that is in
Argo's terms is ``container_sets``' business. Only what changes nothing but the number of pods is fused, anything else is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hera.workflows import Artifact

from argosy.domain.model_settings import StepResources
from argosy.steps import spec as specs
from argosy.templates.tasks import DagTask, Value, renamed, source

_REFERENCE = re.compile(r"\{\{tasks\.([^.}]+)\.outputs\.(?:artifacts|parameters)\.([^}]+)\}\}")
PLACEMENT = ("node_selector", "tolerations", "priority_class")
"""Resources of a step that belong to its whole pod."""


class CannotFuse(Exception):
    """These steps cannot share a pod; the message says why."""


@dataclass(frozen=True)
class FusedStep:
    """One step of a fused pod. *handed*: where below ``$ARGOSY_ROOT`` a step before it left an input or a parameter of its."""

    spec: specs.StepSpec
    handed: Mapping[str, str]


@dataclass(frozen=True)
class Fusion:
    """A pod of several steps, in the order in which they run."""

    name: str
    members: tuple[FusedStep, ...]

    @property
    def specs(self) -> list[specs.StepSpec]:
        """The steps."""
        return [member.spec for member in self.members]


def fuse(
    name: str, steps: Sequence[str], calls: Sequence[DagTask], resources: Mapping[str, StepResources]
) -> tuple[list[DagTask], Fusion]:
    """*calls* with one task *name* in place of *steps*, and the pod that it is. Raises CannotFuse."""
    by_name = {call.name: call for call in calls}
    chosen = [by_name[step] for step in steps]
    steps_called = [_step(call) for call in chosen]
    _refuse_between(chosen, by_name)
    members = tuple(FusedStep(step, dict(_handed(chosen[at], chosen[:at]))) for at, step in enumerate(steps_called))
    fusion = Fusion(name, members)
    _refuse_classes(fusion.specs)
    _refuse_one_name(fusion.specs)
    _refuse_places(fusion.specs, resources)
    one = DagTask(
        name=name,
        template=name,
        own=tuple(dict.fromkeys(own for call in chosen for own in call.own)),
        given=_given(chosen, members),
        after=tuple(dict.fromkeys(task for call in chosen for task in call.after if task not in steps)),
    )
    rest = [one if call is chosen[0] else call for call in calls if call.name not in steps[1:]]
    return [_renamed(call, dict.fromkeys(steps, name)) for call in rest], fusion


def _step(call: DagTask) -> specs.StepSpec:
    if call.spec is None:
        raise CannotFuse(f"{call.name} is a DAG of its own; only steps share a pod")
    if call.for_each is not None:
        raise CannotFuse(f"{call.name} fans out over pods; only single steps share one")
    return call.spec


def _handed(call: DagTask, before: Sequence[DagTask]) -> Iterator[tuple[str, str]]:
    """Names and paths of what *call* takes of those *before* it. Raises CannotFuse where none can be handed on."""
    names = [one.name for one in before]
    taken = [
        (key, value)
        for key, value in call.given.items()
        if any(f"{{{{tasks.{name}." in source(value) for name in names)
    ]
    if before and not taken:
        raise CannotFuse(
            f"{call.name} takes nothing of {' or '.join(names)}: only steps that hand something on share a pod"
        )
    for key, value in taken:
        reference = _REFERENCE.fullmatch(source(value))
        if reference is None:
            raise CannotFuse(
                f"{call.name} takes {key!r} as a part of a text; only a whole output can be handed on inside a pod"
            )
        path = specs.output_path if isinstance(value, Artifact) else specs.result_path
        yield key, path(reference[2], ".").removeprefix("./")


def _refuse_between(chosen: Sequence[DagTask], by_name: Mapping[str, DagTask]) -> None:
    """Raise CannotFuse where a step waits for one that waits for another step of the pod, or for a later one of the pod itself."""
    names = [call.name for call in chosen]
    for at, call in enumerate(chosen):
        for need in call.needs():
            if need in names[at:]:
                raise CannotFuse(f"{call.name} takes something of {need}, so it comes after it")
            if need not in names and (
                first := next((name for name in names if name in _upstream(need, by_name)), None)
            ):
                raise CannotFuse(
                    f"{need} stands between {first} and {call.name}; name it, too, or leave one of them out"
                )


def _upstream(name: str, by_name: Mapping[str, DagTask]) -> set[str]:
    """The tasks that *name* waits for, and those that they wait for."""
    found: set[str] = set()
    pending = [name]
    while pending:
        call = by_name.get(pending.pop())  # a task that was written by hand is not known here
        following = set(call.needs()) - found if call else set()
        found |= following
        pending.extend(following)
    return found


def _refuse_classes(steps: Sequence[specs.StepSpec]) -> None:
    """A pod has one account. A step without keys may be in the pod of one that has some: its container is given none of them."""
    keyed = [step for step in steps if step.keys]
    for step in keyed[1:]:
        if set(step.keys) != set(keyed[0].keys):
            raise CannotFuse(
                f"{keyed[0].name} has the rights of {_listed(keyed[0].keys)}, {step.name} those of {_listed(step.keys)}: "
                "what may do different things keeps pods of its own"
            )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _refuse_one_name(steps: Sequence[specs.StepSpec]) -> None:
    """Raise CannotFuse where two steps have an output of one name: outputs lie side by side in their pod."""
    owners: dict[tuple[str, str], str] = {}
    for step in steps:
        names = [("output", artifact.name) for artifact in step.outputs]
        names += [("result", result.name) for result in step.results]
        for kind, name in names:
            if (other := owners.setdefault((kind, name), step.name)) != step.name:
                raise CannotFuse(
                    f"{other} and {step.name} both have the {kind} {name!r}, and a pod has one place for it"
                )


def _refuse_places(steps: Sequence[specs.StepSpec], resources: Mapping[str, StepResources]) -> None:
    first = resources.get(steps[0].name, StepResources())
    for step in steps[1:]:
        own = resources.get(step.name, StepResources())
        for field in PLACEMENT:
            if getattr(own, field) != getattr(first, field):
                raise CannotFuse(
                    f"resources.{steps[0].name} and resources.{step.name} differ in {field}, and a pod has one"
                )


def _given(chosen: Sequence[DagTask], members: Sequence[FusedStep]) -> dict[str, Value]:
    """The arguments from outside the pod. Raises CannotFuse where two steps take different things by one name."""
    given: dict[str, tuple[str, Value | None]] = {}
    for call, member in zip(chosen, members, strict=True):
        for key in inputs_of(member):
            value = call.given.get(key)
            other, known = given.setdefault(key, (call.name, value))
            if source(known or "") != source(value or ""):
                raise CannotFuse(
                    f"{other} and {call.name} take different things as {key!r}, and a pod has one place for it"
                )
    return {key: value for key, (_, value) in given.items() if value is not None}


def inputs_of(member: FusedStep) -> list[str]:
    """The inputs and parameters of *member* that come from outside its pod."""
    names = [artifact.name for artifact in member.spec.inputs] + [one.name for one in member.spec.parameters]
    return [name for name in names if name not in member.handed]


def _renamed(call: DagTask, tasks: Mapping[str, str]) -> DagTask:
    return DagTask(
        name=call.name,
        template=call.template,
        own=call.own,
        given={key: renamed(value, tasks) for key, value in call.given.items()},
        for_each=source(renamed(call.for_each, tasks)) if call.for_each else None,
        spec=call.spec,
        after=tuple(dict.fromkeys(tasks.get(task, task) for task in call.after)),
    )
