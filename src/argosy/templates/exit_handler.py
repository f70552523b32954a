"""What a pipeline does when it has ended, whatever its end: people are told, where the model names channels.

A model without channels has no exit handler, so that it costs no pod; one with channels has a pod where there is something to tell. Nothing
that happens here changes how the run ended.
"""

from hera.workflows import DAG, Artifact, Parameter, Task
from hera.workflows import models as argo

from argosy.domain import retraining_cause, run_failures
from argosy.domain.model_settings import StepResources
from argosy.steps.notify.spec import SPEC
from argosy.templates import container_templates

NAME = "exit"
# Some minutes, whatever a channel does: until it is over the run has not ended.
RESOURCES = {SPEC.name: StepResources(cpu="100m", cpu_limit="1", memory="512Mi", deadline_seconds=300)}
"""Of steps that are not the model's work."""

_CAUSE = f"workflow.parameters.{retraining_cause.PARAMETER}"
# Of a retraining people wait for the end, also where it is a good one.
_TELLING = f'{{{{=workflow.status != "Succeeded" || {_CAUSE} != ""}}}}'
# What steps wrote is part of it. A value of the environment, never of a script; the longest that one may be is 128 KiB.
FAILURES = f"{{{{=sprig.trunc({run_failures.LONGEST}, workflow.failures)}}}}"


def write() -> None:
    """Add the template to the workflow that is open."""
    settings = container_templates.SETTINGS
    with DAG(name=NAME, inputs=[Artifact(name=settings)]):
        Task(
            name=SPEC.name,
            template=SPEC.name,
            arguments=[
                Artifact(name=settings, from_=f"{{{{inputs.artifacts.{settings}}}}}"),
                Parameter(name="run", value="{{workflow.name}}"),
                Parameter(name="status", value="{{workflow.status}}"),
                Parameter(name="failures", value=FAILURES),
                Parameter(name="cause", value=f"{{{{{_CAUSE}}}}}"),
            ],
            when=_TELLING,
            continue_on=argo.ContinueOn(error=True, failed=True),
        )
