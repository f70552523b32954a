"""Tasks of a DAG before they are written down: what each calls, and what it takes from whom.

That they are kept until the DAG is complete is what lets some of them be fused; which, and whether they may be, is ``fusing``'s business.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hera.workflows import Artifact, Parameter, Task

from argosy import errors
from argosy.steps import spec as specs

Value = str | Artifact
SPENT = "spent-"
"""How results begin by which steps tell their time (``specs.spent``)."""
_TASK = re.compile(r"\{\{tasks\.([^.}]+)\.")


@dataclass(frozen=True)
class TemplateOutputs:
    """The names of a template's output artifacts and parameters."""

    template: str
    artifacts: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class TaskHandle:
    """A template that stands in the pipeline as a task; its outputs can be handed to others."""

    name: str
    outputs: TemplateOutputs

    def artifact(self, name: str) -> Artifact:
        """The output artifact *name*, as an argument for another step."""
        _known(self.outputs.template, name, self.outputs.artifacts)
        return Artifact(name=name, from_=f"{{{{tasks.{self.name}.outputs.artifacts.{name}}}}}")

    def result(self, name: str) -> str:
        """The output value *name*, as an argument for another step. Of a fan-out: the JSON list of its tasks' values."""
        _known(self.outputs.template, name, self.outputs.results)
        return f"{{{{tasks.{self.name}.outputs.parameters.{name}}}}}"


def spent(*tasks: TaskHandle) -> str:
    """What *tasks* tell of their time, as the argument for a step that is told it."""
    return (
        f"[{','.join(task.result(name) for task in tasks for name in task.outputs.results if name.startswith(SPENT))}]"
    )


@dataclass(frozen=True)
class DagTask:
    """One task. *own*: the model's files that it takes from the DAG's inputs. *for_each*: a JSON list; one task an entry.

    *after*: the tasks that it waits for and takes nothing of.
    """

    name: str
    template: str
    own: tuple[str, ...]
    given: Mapping[str, Value]
    for_each: str | None = None
    spec: specs.StepSpec | None = None
    """The step it calls; None where it calls another DAG."""
    after: tuple[str, ...] = ()

    def needs(self) -> list[str]:
        """The tasks that it waits for, those whose outputs it takes among them, in order, once each."""
        texts = [source(value) for value in (*self.given.values(), self.for_each or "")]
        return list(dict.fromkeys([*self.after, *(match for text in texts for match in _TASK.findall(text))]))

    def write(self) -> None:
        """Add it to the DAG that is open."""
        artifacts = {key: f"{{{{inputs.artifacts.{key}}}}}" for key in self.own}
        artifacts |= {key: source(value) for key, value in self.given.items() if isinstance(value, Artifact)}
        Task(
            name=self.name,
            template=self.template,
            arguments=[
                *(Artifact(name=key, from_=where) for key, where in artifacts.items()),
                *(Parameter(name=key, value=value) for key, value in self.given.items() if isinstance(value, str)),
            ],
            with_param=self.for_each,
            depends=" && ".join(self.needs()) or None,
        )


def outputs_of(spec: specs.StepSpec) -> TemplateOutputs:
    """The outputs of the template of *spec*."""
    artifacts = tuple(artifact.name for artifact in spec.outputs)
    return TemplateOutputs(spec.name, artifacts, tuple(result.name for result in spec.results))


def source(value: Value) -> str:
    """The reference that *value* is taken from, or the value itself."""
    return str(value.from_) if isinstance(value, Artifact) else value


def renamed(value: Value, tasks: Mapping[str, str]) -> Value:
    """*value*, taken from the tasks that stand in place of those it names."""
    text = _TASK.sub(lambda match: f"{{{{tasks.{tasks.get(match[1], match[1])}.", source(value))
    return Artifact(name=value.name, from_=text) if isinstance(value, Artifact) else text


def refuse_incomplete(spec: specs.StepSpec, given: Mapping[str, Value], own: Sequence[str]) -> None:
    """Raise Misconfigured where an input of *spec* is not *given* and none of the model's *own* files, or what is given no input."""
    needed = {artifact.name for artifact in spec.inputs if not artifact.optional} - set(own)
    needed |= {parameter.name for parameter in spec.parameters if parameter.default is None}
    known = {artifact.name for artifact in spec.inputs} | {parameter.name for parameter in spec.parameters}
    if missing := sorted(needed - set(given)):
        raise errors.Misconfigured(f"step {spec.name} is given no {missing[0]!r}")
    if unknown := sorted(set(given) - known):
        raise errors.Misconfigured(f"step {spec.name} takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}")


def _known(template: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise errors.Misconfigured(f"{template} has no output {name!r}; it has {', '.join(names) or 'none'}")
