"""The CronWorkflow that looks at what a model answers, from the ``monitor`` of its settings, and the WorkflowTemplate that it starts.

The template carries the step and the settings itself: what is watched does not wait for a pipeline to be installed again, and watches on
where that is suspended. It is a template because a controller with ``templateReferencing`` runs nothing else.
"""

from pathlib import Path

from hera.workflows import CronWorkflow, Parameter, RawArtifact, WorkflowTemplate
from hera.workflows import models as argo

from argosy.domain.model_settings import CommonSettings, StepResources
from argosy.domain.monitor_settings import Monitor
from argosy.files import model_folder
from argosy.steps.watch_drift.spec import SPEC
from argosy.templates import container_templates, folder, images, manifest_yaml

HEADER = (
    "# Written by `argosy compile` from `monitor` in model.yaml. Install both beside the pipeline: kubectl apply -f\n"
)
KEPT = 3
"""Finished workflows that stay listed of each kind."""
RESOURCES = StepResources(cpu="1", memory="1Gi", deadline_seconds=1800)
"""Unless the settings name others."""


def compile_folder(model: Path) -> str | None:
    """The text of *model*'s watching CronWorkflow; None where its settings have no ``monitor``. Raises Misconfigured."""
    files = folder.read(model)
    settings = model_folder.load_any(files.settings)
    if settings.monitor is None:
        return None
    template: str = manifest_yaml.of(_template(files, settings))
    schedule: str = manifest_yaml.of(_schedule(settings, settings.monitor))
    return f"{HEADER}{template}---\n{schedule}"


def _name(settings: CommonSettings) -> str:
    return f"{folder.workflow_name(settings.model)}-{SPEC.name}"


def _template(files: folder.ModelFiles, settings: CommonSettings) -> WorkflowTemplate:
    return WorkflowTemplate(
        name=_name(settings),
        labels={"app.kubernetes.io/part-of": "argosy"},
        entrypoint=SPEC.name,
        arguments=[
            *(Parameter(name=one.name, value=one.default, description=one.summary) for one in SPEC.parameters),
            RawArtifact(name="settings", data=files.texts["settings"]),
        ],
        templates=[
            container_templates.container(
                SPEC,
                image=images.of(SPEC.family, files.root),
                resources=settings.resources.get(SPEC.name, RESOURCES),
                mutex=None,
            )
        ],
        ttl_strategy=argo.TTLStrategy(seconds_after_success=86400, seconds_after_failure=7 * 86400),
        active_deadline_seconds=3600,
        **container_templates.pods(),
    )


def _schedule(settings: CommonSettings, monitor: Monitor) -> CronWorkflow:
    return CronWorkflow(
        name=_name(settings),
        labels={"app.kubernetes.io/part-of": "argosy"},
        annotations={folder.MODEL: settings.model},
        schedules=[monitor.cron],
        timezone="Etc/UTC",
        # A look that comes late sees what the one before would have seen, so that none is made up for.
        concurrency_policy="Forbid",
        starting_deadline_seconds=600,
        successful_jobs_history_limit=KEPT,
        failed_jobs_history_limit=KEPT,
        workflow_template_ref=argo.WorkflowTemplateRef(name=_name(settings)),
    )
