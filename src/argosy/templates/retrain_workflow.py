"""The WorkflowTemplate that retrains a model: admission first, then, where it is let in, the training pipeline, and at the end the ledger.

It refers to the installed pipeline and repeats nothing of it but the model's files, which travel with whatever runs.
"""

from collections.abc import Sequence
from pathlib import Path

from hera.workflows import DAG, Artifact, Container, Parameter, Task, WorkflowTemplate
from hera.workflows import models as argo

from argosy.domain import retraining_cause
from argosy.domain.model_settings import CommonSettings, StepResources
from argosy.files import model_folder
from argosy.steps import spec as specs
from argosy.steps.close_retraining.spec import SPEC as CLOSE
from argosy.steps.notify.spec import SPEC as NOTIFY
from argosy.steps.retrain_admission.spec import SPEC as ADMISSION
from argosy.templates import container_templates, exit_handler, folder, images, manifest_yaml, pipeline

HEADER = "# Written by `argosy compile`: the retraining of the pipeline beside it. Install both.\n"
ASKED = ("kind", "alert", "because")
HOLDER = "{{workflow.name}} {{workflow.uid}}"
AT_THE_END = "at-the-end"
RESOURCES = StepResources(cpu="100m", cpu_limit="1", memory="512Mi", deadline_seconds=600)


def compile_folder(model: Path) -> str:
    """The text of the template that retrains *model*. Raises Misconfigured."""
    files = folder.read(model)
    text: str = manifest_yaml.of(_workflow(files, model_folder.load_any(files.settings)))
    return HEADER + text


def _workflow(files: folder.ModelFiles, settings: CommonSettings) -> WorkflowTemplate:
    defaults = {parameter.name: parameter for parameter in ADMISSION.parameters}
    asked = [
        Parameter(name=name, value=defaults[name].default or "", description=defaults[name].summary) for name in ASKED
    ]
    workflow = pipeline.workflow_of(files, settings, name=folder.retraining_name(settings.model), parameters=asked)
    workflow.entrypoint, workflow.on_exit = "retrain", AT_THE_END
    with workflow:
        _retrain(settings, list(files.texts))
        _at_the_end(settings)
    told = (NOTIFY,) if settings.notify else ()
    workflow.templates.extend(_container(spec, files) for spec in (ADMISSION, CLOSE, *told))
    return workflow


def _container(spec: specs.StepSpec, files: folder.ModelFiles) -> Container:
    # No mutex: a question waits for nobody's training, and the ledger has turns of its own.
    return container_templates.container(
        spec, image=images.of(spec.family, files.root), resources=RESOURCES, mutex=None
    )


def _retrain(settings: CommonSettings, carried: Sequence[str]) -> None:
    own = {name: f"{{{{inputs.artifacts.{name}}}}}" for name in carried}
    inputs: list[Artifact | Parameter] = [Artifact(name=name) for name in own]
    inputs += [Parameter(name=name) for name in ASKED]
    with DAG(name="retrain", inputs=inputs):
        Task(
            name=ADMISSION.name,
            template=ADMISSION.name,
            arguments=[
                Artifact(name="settings", from_=own["settings"]),
                *(Parameter(name=name, value=f"{{{{inputs.parameters.{name}}}}}") for name in ASKED),
                Parameter(name="holder", value=HOLDER),
            ],
        )
        answer = f"tasks.{ADMISSION.name}.outputs.parameters"
        Task(
            name="train",
            template_ref=argo.TemplateRef(name=folder.workflow_name(settings.model), template="main"),
            depends=ADMISSION.name,
            when=f"{{{{{answer}.admitted}}}} == true",
            arguments=[
                *(Artifact(name=name, from_=where) for name, where in own.items()),
                Parameter(name=retraining_cause.PARAMETER, value=f"{{{{{answer}.cause}}}}"),
            ],
        )


def _at_the_end(settings: CommonSettings) -> None:
    """The ledger first; then, where the model names channels, people hear of a retraining, and of whatever failed."""
    own = container_templates.SETTINGS
    with DAG(name=AT_THE_END, inputs=[Artifact(name=own)] if settings.notify else []):
        Task(
            name=CLOSE.name,
            template=CLOSE.name,
            arguments=[
                Parameter(name="model", value=settings.model),
                Parameter(name="holder", value=HOLDER),
                Parameter(name="status", value="{{workflow.status}}"),
                Parameter(name="failures", value=exit_handler.FAILURES),
            ],
        )
        if settings.notify:
            ended = f"tasks.{CLOSE.name}.outputs.parameters"
            Task(
                name=NOTIFY.name,
                template=NOTIFY.name,
                depends=CLOSE.name,
                when=f"{{{{workflow.status}}}} != Succeeded || {{{{{ended}.held}}}} == true",
                arguments=[
                    Artifact(name=own, from_=f"{{{{inputs.artifacts.{own}}}}}"),
                    Parameter(name="run", value="{{workflow.name}}"),
                    Parameter(name="status", value="{{workflow.status}}"),
                    Parameter(name="failures", value=exit_handler.FAILURES),
                    Parameter(name="cause", value=f"{{{{{ended}.cause}}}}"),
                ],
            )
