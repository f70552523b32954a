"""Places steps in a pipeline: which task takes what from which, and what the whole WorkflowTemplate says.

A pipeline is a Hera file; this module only spares it the wiring that is the same everywhere: the model's files travel with the manifest as
raw artifacts, a task depends on the tasks whose outputs it takes, templates with effects outside hold the model's lock.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hera.workflows import DAG, Artifact, Container, Parameter, RawArtifact, Task, WorkflowTemplate
from hera.workflows import models as argo

from argosy import errors
from argosy.adapters import model_folder
from argosy.domain.model_settings import ModelSettings, StepResources
from argosy.steps import spec as specs
from argosy.templates import containers, folder, images

Value = str | Artifact


@dataclass(frozen=True)
class Outputs:
    """What a template hands out."""

    template: str
    artifacts: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True)
class Placed:
    """A template that stands in the pipeline as a task; its outputs can be handed to others."""

    name: str
    outputs: Outputs

    def artifact(self, name: str) -> Artifact:
        """The output artifact *name*, as an argument for another step."""
        _known(self.outputs.template, name, self.outputs.artifacts)
        return Artifact(name=name, from_=f"{{{{tasks.{self.name}.outputs.artifacts.{name}}}}}")

    def result(self, name: str) -> str:
        """The output value *name*, as an argument for another step. Of a fan-out: the JSON list of its tasks' values."""
        _known(self.outputs.template, name, self.outputs.results)
        return f"{{{{tasks.{self.name}.outputs.parameters.{name}}}}}"


@dataclass
class Pipeline:
    """A model's pipeline while it is being written."""

    files: folder.ModelFiles
    settings: ModelSettings
    _specs: dict[str, specs.StepSpec] = field(default_factory=dict)

    def step(
        self, spec: specs.StepSpec, *, name: str | None = None, for_each: str | None = None, **arguments: Value
    ) -> Placed:
        """Put *spec* into the DAG that is open, as task *name* (its own name unless given).

        *arguments*: for each input artifact and parameter (dashes as underscores) what it takes; the model's own files are taken from the
        DAG's inputs. *for_each*: a JSON list; one task an entry, which arguments name as ``{{item}}``.
        Raises Misconfigured where an input has no argument or an argument no input.
        """
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        _complete(spec, given)
        self._specs[spec.name] = spec
        own = [artifact.name for artifact in spec.inputs if artifact.name in folder.ARTIFACTS]
        return _place(name or spec.name, outputs_of(spec), own, given, for_each)

    def group(self, outputs: Outputs, *, name: str | None = None, **arguments: Value) -> Placed:
        """Put the DAG template that :meth:`dag` made into the DAG that is open."""
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        return _place(name or outputs.template, outputs, list(folder.ARTIFACTS), given, None)

    def dag(self, name: str, *, inputs: tuple[str, ...] = (), outputs: Mapping[str, Artifact] | None = None) -> DAG:
        """A DAG template that takes the model's files and the artifacts *inputs*, and gives *outputs* on."""
        return DAG(
            name=name,
            inputs=[Artifact(name=artifact) for artifact in (*folder.ARTIFACTS, *inputs)],
            outputs=[Artifact(name=key, from_=value.from_) for key, value in (outputs or {}).items()],
        )

    def containers(self) -> list[Container]:
        """The templates of the steps that were placed, by name."""
        return [self._container(spec) for _, spec in sorted(self._specs.items())]

    def refuse_unplaced_resources(self) -> None:
        """Raises Misconfigured where the settings give resources to a step that the pipeline has not: a slip would go unnoticed."""
        for name in self.settings.resources:
            if name not in self._specs:
                raise errors.Misconfigured(
                    f"{self.files.settings}: resources names the step {name!r}, but the pipeline has {', '.join(sorted(self._specs))}"
                )

    def _container(self, spec: specs.StepSpec) -> Container:
        return containers.container(
            spec,
            image=images.of(spec.family, self.files.root),
            resources=self.settings.resources.get(spec.name, StepResources()),
            mutex=f"argosy-{self.settings.model}" if spec.exclusive else None,
        )


def outputs_of(spec: specs.StepSpec) -> Outputs:
    """What the template of *spec* hands out."""
    artifacts = tuple(artifact.name for artifact in spec.outputs)
    return Outputs(spec.name, artifacts, tuple(result.name for result in spec.results))


@contextlib.contextmanager
def of(source: str) -> Iterator[Pipeline]:
    """Open the pipeline of the folder in which the file *source* lies; it is complete, and known to the compiler, when the block ends.

    Raises Misconfigured where the folder's files are wrong or too large to travel with the manifest.
    """
    files = folder.read(Path(source).parent)
    pipeline = Pipeline(files, model_folder.load_settings(files.settings))
    workflow = _workflow(files, pipeline.settings)
    with workflow:
        yield pipeline
    pipeline.refuse_unplaced_resources()
    workflow.templates.extend(pipeline.containers())
    compiled.append(workflow)


compiled: list[WorkflowTemplate] = []
"""The pipelines that were written since the compiler last looked."""


def _workflow(files: folder.ModelFiles, settings: ModelSettings) -> WorkflowTemplate:
    return WorkflowTemplate(
        name=folder.workflow_name(settings.model),
        annotations=files.annotations(settings.model),
        labels={"app.kubernetes.io/part-of": "argosy"},
        entrypoint="main",
        arguments=[
            Parameter(
                name="data",
                value=f"data/{settings.model}",
                description="Folder, file or bucket that holds the sources.",
            ),
            *(RawArtifact(name=name, data=text) for name, text in files.texts.items()),
        ],
        service_account_name="argosy-step",
        automount_service_account_token=False,
        executor=argo.ExecutorConfig(service_account_name="argosy-executor"),
        pod_gc=argo.PodGC(strategy="OnPodSuccess"),
        ttl_strategy=argo.TTLStrategy(seconds_after_success=7 * 86400, seconds_after_failure=30 * 86400),
        active_deadline_seconds=6 * 3600,
        security_context=argo.PodSecurityContext(
            run_as_non_root=True,
            run_as_user=10001,
            fs_group=10001,
            seccomp_profile=argo.SeccompProfile(type="RuntimeDefault"),
        ),
        volumes=containers.volumes(),
    )


def _place(name: str, outputs: Outputs, own: list[str], given: Mapping[str, Value], for_each: str | None) -> Placed:
    """A task of the DAG that is open, with *own* files from the DAG's inputs and *given* from where they say."""
    artifacts = {key: f"{{{{inputs.artifacts.{key}}}}}" for key in own}
    artifacts |= {key: str(value.from_) for key, value in given.items() if isinstance(value, Artifact)}
    Task(
        name=name,
        template=outputs.template,
        arguments=[
            *(Artifact(name=key, from_=source) for key, source in artifacts.items()),
            *(Parameter(name=key, value=value) for key, value in given.items() if isinstance(value, str)),
        ],
        with_param=for_each,
        depends=" && ".join(_taken_from([*given.values(), for_each])) or None,
    )
    return Placed(name, outputs)


def _complete(spec: specs.StepSpec, given: Mapping[str, Value]) -> None:
    needed = {artifact.name for artifact in spec.inputs if not artifact.optional} - set(folder.ARTIFACTS)
    needed |= {parameter.name for parameter in spec.parameters if parameter.default is None}
    known = {artifact.name for artifact in spec.inputs} | {parameter.name for parameter in spec.parameters}
    if missing := sorted(needed - set(given)):
        raise errors.Misconfigured(f"step {spec.name} is given no {missing[0]!r}")
    if unknown := sorted(set(given) - known):
        raise errors.Misconfigured(f"step {spec.name} takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}")


def _taken_from(values: Sequence[Value | None]) -> list[str]:
    """The tasks that *values* refer to, in order, once each."""
    texts = [value.from_ if isinstance(value, Artifact) else value for value in values]
    names = [text.removeprefix("{{tasks.").partition(".")[0] for text in texts if text and text.startswith("{{tasks.")]
    return list(dict.fromkeys(names))


def _known(template: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise errors.Misconfigured(f"{template} has no output {name!r}; it has {', '.join(names) or 'none'}")
