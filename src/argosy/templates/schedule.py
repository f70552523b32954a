"""The CronWorkflow that starts a model's pipeline by itself, from the ``schedule`` of its settings.

It refers to the installed WorkflowTemplate and repeats nothing of it: installing a new pipeline leaves the schedule alone.
"""

from pathlib import Path

from hera.workflows import CronWorkflow
from hera.workflows import models as argo

from argosy.domain.model_settings import CommonSettings, Schedule
from argosy.files import model_folder
from argosy.templates import folder, manifest_yaml

HEADER = (
    "# Written by `argosy compile` from `schedule` in model.yaml. Install it beside the pipeline: kubectl apply -f\n"
)
KEPT = 3
"""Finished workflows that stay listed of each kind; their own ttlStrategy removes the rest sooner or later."""


def compile_folder(model: Path) -> str | None:
    """The text of *model*'s CronWorkflow; None where its settings have no schedule. Raises Misconfigured."""
    settings = model_folder.load_any(model / folder.ARTIFACTS["settings"])
    if settings.schedule is None:
        return None
    text: str = manifest_yaml.of(clock(settings, settings.schedule, folder.workflow_name(settings.model)))
    return HEADER + text


def clock(settings: CommonSettings, schedule: Schedule, name: str) -> CronWorkflow:
    """The CronWorkflow that starts the WorkflowTemplate *name* of a model, and is called like it."""
    return CronWorkflow(
        name=name,
        labels={"app.kubernetes.io/part-of": "argosy"},
        annotations={folder.MODEL: settings.model},
        schedules=[schedule.cron],
        timezone=schedule.timezone,
        # A run that takes longer than a day is not joined by a second one; the next day's comes.
        concurrency_policy="Forbid",
        starting_deadline_seconds=schedule.starting_deadline_seconds,
        cron_suspend=schedule.suspended or None,
        successful_jobs_history_limit=KEPT,
        failed_jobs_history_limit=KEPT,
        workflow_template_ref=argo.WorkflowTemplateRef(name=name),
    )
