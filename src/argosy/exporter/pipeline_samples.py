"""Reads the runs of pipelines: when each last started and succeeded, whether the newest failed, and when its schedule had it start.

Argo removes finished workflows, and its own metrics of them go with time; what was seen of them is kept in the monitoring store, so that
the series outlive both and a restart of this process.
"""

import datetime
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from argosy.domain.pipeline_standing import PipelineStanding, PipelineStandings
from argosy.engine import api
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.ports.runs import FAILED, OVER, Run, Runs
from argosy.ports.workflows import Workflow, Workflows

KEY = "exporter/pipelines.json"
MODEL = "argosy.dev/model"
TEMPLATE_LABEL = "workflows.argoproj.io/workflow-template"


class PipelineStore(Protocol):
    """What is asked of the store in which standings are kept."""

    def get(self, key: str) -> bytes | None: ...

    def put(self, key: str, content: bytes) -> None: ...


@dataclass(frozen=True)
class InstalledPipeline:
    """One pipeline that is there: its name, its model, and when its schedule last had it start."""

    name: str
    model: str
    due: float | None = None


@dataclass(frozen=True)
class PipelineRun:
    """One run of a pipeline. Times are seconds since 1970."""

    pipeline: str
    phase: str
    started: float | None
    finished: float | None


@dataclass(frozen=True)
class SeenPipelines:
    """What there is at one moment."""

    pipelines: Sequence[InstalledPipeline]
    runs: Sequence[PipelineRun]
    problems: Sequence[str] = ()


PipelineLook = Callable[[], SeenPipelines]


@dataclass
class Pipelines:
    """The pipelines that *look* sees, with what *objects* keep of earlier."""

    look: PipelineLook
    objects: PipelineStore

    def __call__(self) -> Reading:
        """How each stands. Raises TryAgain where the runs or the store cannot be read, Misconfigured where that is refused."""
        seen = self.look()
        before, problems = self._kept()
        of_runs: dict[str, list[PipelineRun]] = defaultdict(list)
        for run in seen.runs:
            of_runs[run.pipeline].append(run)
        standings = {
            each.name: standing(each, of_runs[each.name]).after(before.get(each.name)) for each in seen.pipelines
        }
        kept = {**before, **standings}
        if kept != before:
            document = PipelineStandings(pipelines=[kept[name] for name in sorted(kept)])
            self.objects.put(KEY, document.canonical_json().encode())
        found = [
            sample for each in seen.pipelines for sample in _samples(each, standings[each.name], of_runs[each.name])
        ]
        return Reading(found, [*seen.problems, *problems])

    def _kept(self) -> tuple[dict[str, PipelineStanding], list[str]]:
        content = self.objects.get(KEY)
        if content is None:
            return {}, []
        try:
            return {each.pipeline: each for each in PipelineStandings.model_validate_json(content).pipelines}, []
        except ValidationError as error:
            return {}, [f"{KEY} is not what was kept of pipelines, and is written anew: {error.errors()[0]['msg']}"]


def standing(pipeline: InstalledPipeline, runs: Iterable[PipelineRun]) -> PipelineStanding:
    """How *pipeline* stands by *runs* alone."""
    known = list(runs)
    over = [run for run in known if run.phase in OVER and run.finished is not None]
    newest = max(over, key=lambda run: run.finished or 0, default=None)
    return PipelineStanding(
        pipeline=pipeline.name,
        model=pipeline.model,
        started=max((run.started for run in known if run.started is not None), default=None),
        succeeded=max((run.finished or 0 for run in over if run.phase == "Succeeded"), default=None),
        ended=newest.finished if newest else None,
        failed=newest is not None and newest.phase in FAILED,
    )


def _samples(pipeline: InstalledPipeline, stands: PipelineStanding, runs: Sequence[PipelineRun]) -> Iterator[Sample]:
    labels = {"pipeline": pipeline.name, "model": pipeline.model}
    yield samples.of(series.PIPELINE_RUNNING, sum(run.phase not in OVER for run in runs), **labels)
    if stands.ended is not None:
        yield samples.of(series.PIPELINE_FAILED, stands.failed, **labels)
    moments = {
        series.PIPELINE_SUCCESS: stands.succeeded,
        series.PIPELINE_START: stands.started,
        series.PIPELINE_DUE: pipeline.due,
    }
    for one, moment in moments.items():
        if moment is not None:
            yield samples.of(one, moment, **labels)


def of_cluster(workflows: Workflows, clock: Callable[[], float] = time.time) -> PipelineLook:
    """PipelineLook at the pipelines that are installed in a namespace of a cluster."""

    def look() -> SeenPipelines:
        problems: list[str] = []
        pipelines = _installed(workflows.installed(), clock(), problems)
        runs = [run for found in workflows.newest_first() if (run := _run(found)) is not None]
        return SeenPipelines(pipelines, runs, problems)

    return look


def together(looks: Sequence[PipelineLook]) -> PipelineLook:
    """PipelineLook at what all of *looks* see. A model is one team's, so that no pipeline is in two of them."""

    def look() -> SeenPipelines:
        seen = [each() for each in looks]
        return SeenPipelines(
            [pipeline for each in seen for pipeline in each.pipelines],
            [run for each in seen for run in each.runs],
            [problem for each in seen for problem in each.problems],
        )

    return look


def _installed(found: Iterable[Workflow], now: float, problems: list[str]) -> list[InstalledPipeline]:
    """The pipelines of models; a schedule speaks for the template that it starts, or for itself where it holds its own steps."""
    by_name: dict[str, InstalledPipeline] = {}
    for each in sorted(found, key=lambda one: one["kind"] == "CronWorkflow"):  # templates first
        metadata = each["metadata"]
        model = (metadata.get("annotations") or {}).get(MODEL)
        if model is None:
            continue
        spec = each.get("spec") or {}
        scheduled = each["kind"] == "CronWorkflow"
        template = ((spec.get("workflowSpec") or {}).get("workflowTemplateRef") or {}).get("name")
        name = str(template or metadata["name"]) if scheduled else str(metadata["name"])
        due = None
        if scheduled:
            try:
                due = _due(each, now)
            except ValueError as error:
                problems.append(f"the CronWorkflow {metadata['name']}: {error}")
        by_name[name] = InstalledPipeline(name, str(model), due)
    return list(by_name.values())


def _due(cron: Workflow, now: float) -> float | None:
    """When *cron* last had its pipeline start; None where it is suspended, or was not installed then. Raises ValueError."""
    spec, metadata = cron["spec"], cron["metadata"]
    if spec.get("suspend"):
        return None
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    last = api.last_time(
        [*(spec.get("schedules") or ()), *filter(None, [spec.get("schedule")])], spec.get("timezone"), moment
    )
    if last is None or last.timestamp() < (_seconds(metadata.get("creationTimestamp")) or 0):
        return None
    return last.timestamp()


def _run(workflow: Workflow) -> PipelineRun | None:
    """*workflow*, where it is one of a template."""
    metadata, status = workflow["metadata"], workflow.get("status") or {}
    reference: Mapping[str, Any] = (workflow.get("spec") or {}).get("workflowTemplateRef") or {}
    pipeline = (metadata.get("labels") or {}).get(TEMPLATE_LABEL) or reference.get("name")
    if not pipeline:
        return None
    return PipelineRun(
        pipeline=str(pipeline),
        phase=str(status.get("phase") or "Pending"),
        started=_seconds(status.get("startedAt") or metadata.get("creationTimestamp")),
        finished=_seconds(status.get("finishedAt")),
    )


def _seconds(text: str | None) -> float | None:
    return datetime.datetime.fromisoformat(text).timestamp() if text else None


def of_machine(runs: Runs) -> PipelineLook:
    """PipelineLook at the runs of this machine, which has no schedules. A pipeline is called as its model there."""

    def look() -> SeenPipelines:
        found = [_local(run) for run in runs.newest_first()]
        names = sorted({run.pipeline for run in found})
        return SeenPipelines([InstalledPipeline(name, name.replace("-", "_")) for name in names], found)

    return look


def _local(run: Run) -> PipelineRun:
    return PipelineRun(run.pipeline, run.phase, run.started, run.finished)
