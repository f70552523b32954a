"""The WorkflowTemplate that scores tables with a model, from the ``scoring`` of its settings, and the CronWorkflow that starts it.

Plan, a pod a share of the parts, and an end that looks that all are there. Like the template that watches it carries steps and settings
itself: the model is what main names when it runs, so scoring does not wait for a pipeline to be installed again.
"""

from pathlib import Path

from hera.workflows import DAG, Artifact, Parameter, RawArtifact, Task, WorkflowTemplate
from hera.workflows import models as argo

from argosy.domain.model_settings import ModelSettings, StepResources
from argosy.files import model_folder
from argosy.steps.finish_scoring.spec import SPEC as FINISH
from argosy.steps.plan_scoring.spec import SPEC as PLAN
from argosy.steps.score_batch.spec import SPEC as SCORE
from argosy.templates import container_templates, folder, images, manifest_yaml
from argosy.templates import schedule as schedules

HEADER = (
    "# Written by `argosy compile` from `scoring` in model.yaml. Install it beside the pipeline: kubectl apply -f\n"
)
ENTRYPOINT = "score"
RESOURCES = {
    PLAN.name: StepResources(cpu="500m", cpu_limit="1", memory="1Gi", deadline_seconds=1800),
    SCORE.name: StepResources(cpu="1", memory="2Gi", deadline_seconds=6 * 3600),
    FINISH.name: StepResources(cpu="500m", cpu_limit="1", memory="1Gi", deadline_seconds=1800),
}
"""Unless the settings name others."""


def compile_folder(model: Path) -> str | None:
    """The text of the template that scores with *model*, and of its CronWorkflow; None where its settings have no ``scoring``.

    Raises Misconfigured.
    """
    files = folder.read(model)
    settings = model_folder.load_any(files.settings)
    if not isinstance(settings, ModelSettings) or settings.scoring is None:
        return None
    text: str = HEADER + manifest_yaml.of(_workflow(files, settings))
    if settings.scoring.schedule is None:
        return text
    schedule: str = manifest_yaml.of(
        schedules.clock(settings, settings.scoring.schedule, folder.scoring_name(settings.model))
    )
    return f"{text}---\n{schedule}"


def _workflow(files: folder.ModelFiles, settings: ModelSettings) -> WorkflowTemplate:
    parameters = [Parameter(name=one.name, value=one.default, description=one.summary) for one in PLAN.parameters]
    workflow = WorkflowTemplate(
        name=folder.scoring_name(settings.model),
        labels={"app.kubernetes.io/part-of": "argosy"},
        entrypoint=ENTRYPOINT,
        arguments=[*parameters, RawArtifact(name="settings", data=files.texts["settings"])],
        ttl_strategy=argo.TTLStrategy(seconds_after_success=7 * 86400, seconds_after_failure=30 * 86400),
        active_deadline_seconds=12 * 3600,
        **container_templates.pods(),
    )
    with workflow:
        _dag()
    workflow.templates.extend(
        container_templates.container(
            spec,
            image=images.of(spec.family, files.root),
            resources=settings.resources.get(spec.name, RESOURCES[spec.name]),
            mutex=None,
        )
        for spec in (FINISH, PLAN, container_templates.asking_spark(SCORE, settings.compute))
    )
    return workflow


def _results(step: str, *names: str) -> list[Parameter]:
    return [Parameter(name=name, value=f"{{{{tasks.{step}.outputs.parameters.{name}}}}}") for name in names]


def _dag() -> None:
    names = [one.name for one in PLAN.parameters]
    plan, model = (
        Artifact(name=name, from_=f"{{{{tasks.{PLAN.name}.outputs.artifacts.{name}}}}}") for name in ("plan", "model")
    )
    with DAG(name=ENTRYPOINT, inputs=[Artifact(name="settings"), *(Parameter(name=name) for name in names)]):
        Task(
            name=PLAN.name,
            template=PLAN.name,
            arguments=[
                Artifact(name="settings", from_="{{inputs.artifacts.settings}}"),
                *(Parameter(name=name, value=f"{{{{inputs.parameters.{name}}}}}") for name in names),
            ],
        )
        Task(
            name=SCORE.name,
            template=SCORE.name,
            depends=PLAN.name,
            with_param=f"{{{{tasks.{PLAN.name}.outputs.parameters.shares}}}}",
            arguments=[
                plan,
                model,
                Parameter(name="share", value="{{item}}"),
                *_results(PLAN.name, "model-digest", "verifying-keys"),
            ],
        )
        Task(name=FINISH.name, template=FINISH.name, depends=f"{PLAN.name} && {SCORE.name}", arguments=[plan])
