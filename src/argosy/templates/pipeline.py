"""Places steps in a pipeline: which task takes what from which, and what the whole WorkflowTemplate says.

A pipeline is a Hera file; this module only spares it the wiring that is the same everywhere: the model's files travel with the manifest as
raw artifacts, a task depends on the tasks whose outputs it takes, templates with effects outside hold the model's lock.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hera.workflows import DAG, Artifact, Container, ContainerSet, Parameter, RawArtifact, WorkflowTemplate
from hera.workflows import models as argo

from argosy import errors
from argosy.domain import as_of, asker, provenance, retraining_cause, watermarks
from argosy.domain.model_settings import CommonSettings, ModelSettings, StepResources
from argosy.files import model_folder
from argosy.steps import spec as specs
from argosy.steps.finish_scoring.spec import SPEC as FINISH_SCORING
from argosy.steps.ingest.spec import SPEC as INGEST
from argosy.steps.notify.spec import SPEC as NOTIFY
from argosy.steps.plan_scoring.spec import SPEC as PLAN_SCORING
from argosy.steps.score_batch.spec import SPEC as SCORE_BATCH
from argosy.steps.watch_drift.spec import SPEC as WATCH_DRIFT
from argosy.templates import container_sets, container_templates, exit_handler, folder, fusing, images
from argosy.templates.fusing import Fusion
from argosy.templates.tasks import (
    DagTask,
    TaskHandle,
    TemplateOutputs,
    Value,
    outputs_of,
    refuse_incomplete,
    renamed,
    source,
)

ENTRYPOINT = "main"
AS_OF = Parameter(
    name=as_of.PARAMETER,
    value="",
    description="The moment as of which the data is looked at, such as 2026-01-31, in UTC; empty: all that the sources have.",
)
FULL = Parameter(
    name=watermarks.PARAMETER,
    value="",
    description="`true`: read the sources whole, also those with a watermark.",
)
ELSEWHERE = "elsewhere://"
"""The place of sources that do not lie at the parameter `data`."""


@dataclass
class Pipeline:
    """A model's pipeline while it is being written."""

    files: folder.ModelFiles
    settings: CommonSettings
    _calls: list[DagTask] = field(default_factory=list)
    """The tasks of the DAG that is open."""
    _dags: list[str] = field(default_factory=list)
    _placed: dict[str, specs.StepSpec] = field(default_factory=dict)
    _alone: dict[str, specs.StepSpec] = field(default_factory=dict)
    _fused: list[Fusion] = field(default_factory=list)

    def step(
        self,
        spec: specs.StepSpec,
        *,
        name: str | None = None,
        for_each: str | None = None,
        after: Sequence[TaskHandle] = (),
        **arguments: Value,
    ) -> TaskHandle:
        """Put *spec* into the DAG that is open, as task *name* (its own name unless given).

        *arguments*: for each input artifact and parameter (dashes as underscores) what it takes; the model's own files are taken from the
        DAG's inputs. *for_each*: a JSON list; one task an entry, which arguments name as ``{{item}}``. *after*: tasks that it waits for and
        takes nothing of.
        Raises Misconfigured where an input has no argument or an argument no input.
        """
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        spec = _as_set(spec, self.settings)
        refuse_incomplete(spec, given, list(self.files.texts))
        own = tuple(artifact.name for artifact in spec.inputs if artifact.name in self.files.texts)
        waits_for = tuple(task.name for task in after)
        self._calls.append(DagTask(name or spec.name, spec.name, own, given, for_each, spec, waits_for))
        self._placed[spec.name] = spec
        return TaskHandle(name or spec.name, outputs_of(spec))

    def group(
        self,
        outputs: TemplateOutputs,
        *,
        name: str | None = None,
        after: Sequence[TaskHandle] = (),
        **arguments: Value,
    ) -> TaskHandle:
        """Put the DAG template that :meth:`dag` made into the DAG that is open; *after*: as of :meth:`step`."""
        given = {argument.replace("_", "-"): value for argument, value in arguments.items()}
        waits_for = tuple(task.name for task in after)
        self._calls.append(
            DagTask(name or outputs.template, outputs.template, tuple(self.files.texts), given, after=waits_for)
        )
        return TaskHandle(name or outputs.template, outputs)

    @contextlib.contextmanager
    def dag(
        self,
        name: str,
        *,
        inputs: tuple[str, ...] = (),
        parameters: tuple[str, ...] = (),
        optional: tuple[str, ...] = (),
        outputs: Mapping[str, Artifact] | None = None,
        results: Mapping[str, str] | None = None,
    ) -> Iterator[DAG]:
        """A DAG template that takes the model's files, the artifacts *inputs* and *parameters*, and gives *outputs* and the values
        *results* on; written when the block ends. *optional*: parameters that are empty where a caller names none.

        Raises Misconfigured where steps that the settings fuse cannot share a pod.
        """
        self._dags.append(name)
        taken = [Artifact(name=artifact) for artifact in (*self.files.texts, *inputs)]
        turns = container_templates.in_turn() if name == ENTRYPOINT else None
        dag = DAG(
            name=name,
            inputs=[
                *taken,
                *(Parameter(name=parameter) for parameter in parameters),
                *(Parameter(name=parameter, value="") for parameter in optional),
            ],
            synchronization=turns,
        )
        with dag:
            yield dag
            calls, stand_ins = self._with_fused(self._calls)
            for call in calls:
                call.write()
        handed_on = {key: renamed(value, stand_ins) for key, value in (outputs or {}).items()}
        dag.outputs = [
            *(
                Parameter(name=key, value_from=argo.ValueFrom(parameter=source(renamed(value, stand_ins))))
                for key, value in (results or {}).items()
            ),
            *(Artifact(name=key, from_=source(value)) for key, value in handed_on.items()),
        ]
        self._calls = []

    def _with_fused(self, calls: list[DagTask]) -> tuple[list[DagTask], dict[str, str]]:
        """*calls* with the pods that the settings ask for, and the task that stands in place of each step."""
        stand_ins: dict[str, str] = {}
        for name, steps in self.settings.fuse.items():
            if not {call.name for call in calls}.issuperset(steps):
                continue
            self._refuse_taken(name)
            try:
                calls, fusion = fusing.fuse(name, steps, calls, self.settings.resources)
            except fusing.CannotFuse as error:
                raise self._wrong(f"fuse.{name}", str(error)) from None
            self._fused.append(fusion)
            stand_ins |= dict.fromkeys(steps, name)
        self._alone |= {call.spec.name: call.spec for call in calls if call.spec}
        return calls, stand_ins

    def tables(self) -> ModelSettings:
        """The settings, of a model of tables. Raises Misconfigured of any other."""
        if not isinstance(self.settings, ModelSettings):
            raise self._wrong(
                "task", "the steps of this pipeline are for models of tables; a language model has `answering.dag`"
            )
        return self.settings

    def place_exit(self) -> None:
        """Put the exit handler beside the pipeline's own templates."""
        self._refuse_taken(exit_handler.NAME)
        self._dags.append(exit_handler.NAME)
        self._placed[NOTIFY.name] = self._alone[NOTIFY.name] = NOTIFY
        exit_handler.write()

    def templates(self) -> list[Container | ContainerSet]:
        """The templates of the steps that were placed, by name."""
        mutex = f"argosy-{self.settings.model}"
        found: dict[str, Container | ContainerSet] = {
            name: container_templates.container(
                spec,
                image=images.of(spec.family, self.files.root),
                resources=self.settings.resources.get(name, exit_handler.RESOURCES.get(name, StepResources())),
                mutex=mutex if spec.exclusive else None,
            )
            for name, spec in self._alone.items()
        }
        for fusion in self._fused:
            self._refuse_taken(fusion.name)
            found[fusion.name] = container_sets.of(
                fusion,
                images={spec.name: images.of(spec.family, self.files.root) for spec in fusion.specs},
                resources=self.settings.resources,
                mutex=mutex if any(spec.exclusive for spec in fusion.specs) else None,
            )
        return [found[name] for name in sorted(found)]

    def _refuse_taken(self, name: str) -> None:
        if name in (*self._placed, *self._dags):
            raise self._wrong(f"fuse.{name}", f"{name!r} is the name of a step or a DAG; name the pod otherwise")

    def refuse_unplaced(self) -> None:
        """Raises Misconfigured where the settings speak of steps that the pipeline has not: a slip would go unnoticed."""
        known = ", ".join(sorted(self._placed))
        tables = self.settings if isinstance(self.settings, ModelSettings) else None
        beside = {WATCH_DRIFT.name} if self.settings.monitor else set()
        if tables and tables.scoring:
            beside |= {step.name for step in (PLAN_SCORING, SCORE_BATCH, FINISH_SCORING)}
        for name in self.settings.resources:
            if name not in self._placed and name not in beside:
                raise self._wrong("resources", f"names the step {name!r}, but the pipeline has {known}", joined=" ")
        done = {fusion.name for fusion in self._fused}
        for name, steps in self.settings.fuse.items():
            if name not in done:
                absent = [step for step in steps if step not in self._placed]
                what = (
                    f"there is no step {absent[0]!r}; the pipeline has {known}"
                    if absent
                    else "they are not tasks of one DAG"
                )
                raise self._wrong(f"fuse.{name}", what)

    def _wrong(self, setting: str, what: str, joined: str = ": ") -> errors.Misconfigured:
        return errors.Misconfigured(f"{self.files.settings}: {setting}{joined}{what}")


@contextlib.contextmanager
def of(source: str) -> Iterator[Pipeline]:
    """Open the pipeline of the folder in which the file *source* lies; it is complete, and known to the compiler, when the block ends.

    Raises Misconfigured where the folder's files are wrong or too large to travel with the manifest.
    """
    files = folder.read(Path(source).parent)
    pipeline = Pipeline(files, model_folder.load_any(files.settings))
    workflow = workflow_of(files, pipeline.settings, parameters=_choices(pipeline.settings))
    with workflow:
        yield pipeline
    if pipeline.settings.notify:
        with workflow:
            pipeline.place_exit()
        workflow.on_exit = exit_handler.NAME
    pipeline.refuse_unplaced()
    workflow.templates.extend(pipeline.templates())
    compiled.append(workflow)


compiled: list[WorkflowTemplate] = []
"""The pipelines that were written since the compiler last looked."""


def workflow_of(
    files: folder.ModelFiles, settings: CommonSettings, *, name: str | None = None, parameters: Sequence[Parameter] = ()
) -> WorkflowTemplate:
    """The WorkflowTemplate *name* (the pipeline's own unless given) of a model, with more *parameters*, and without templates."""
    return WorkflowTemplate(
        name=name or folder.workflow_name(settings.model),
        annotations=files.annotations(settings.model),
        labels={"app.kubernetes.io/part-of": "argosy"},
        entrypoint=ENTRYPOINT,
        arguments=[
            _data(settings),
            Parameter(
                name=provenance.PARAMETER,
                value="",
                description="Commit, files, manifest and images, as `argosy run`, `submit` and `compile --stamp` write them.",
            ),
            Parameter(
                name=asker.PARAMETER,
                value="",
                description="Who asks for it, as `argosy run` and `submit` write it; Argo's own labels come first.",
            ),
            Parameter(
                name=retraining_cause.PARAMETER,
                value="",
                description="Why it is started, as `argosy retrain` writes it; empty where nobody asked for a retraining.",
            ),
            *parameters,
            *(RawArtifact(name=name, data=text) for name, text in files.texts.items()),
        ],
        ttl_strategy=argo.TTLStrategy(seconds_after_success=7 * 86400, seconds_after_failure=30 * 86400),
        active_deadline_seconds=6 * 3600,
        **container_templates.pods(),
    )


def _choices(settings: CommonSettings) -> list[Parameter]:
    """What whoever starts the pipeline of *settings* may choose of its data."""
    if not isinstance(settings, ModelSettings):
        return []
    return [AS_OF, *([FULL] if reads_on(settings) else [])]


def _data(settings: CommonSettings) -> Parameter:
    """The parameter ``data``. Without an address it has no value: the controller refuses a submission that names none, before any pod."""
    described = "Folder, file or bucket that holds the sources."
    if isinstance(settings, ModelSettings) and not any(source.is_in_data for source in settings.sources):
        return Parameter(name="data", value=ELSEWHERE, description="Nothing: each source names its own place.")
    if settings.data is None:
        return Parameter(name="data", description=described)
    return Parameter(name="data", value=settings.data, description=described)


def _as_set(spec: specs.StepSpec, settings: CommonSettings) -> specs.StepSpec:
    """*spec* as *settings* have it: of ingest each source that it reads from elsewhere, because nobody knows whether what is there has
    changed, so nothing is cached, without what only a source with a watermark asks for, where there is none; of a step that asks Spark
    the image with it, and the Secret that says where it is."""
    if not isinstance(settings, ModelSettings):
        return spec
    spec = container_templates.asking_spark(spec, settings.compute)
    if spec.name != INGEST.name:
        return spec
    outside = tuple(f"{ELSEWHERE}{source.name}" for source in settings.sources if not source.is_in_data)
    spec = dataclasses.replace(spec, reads=(*spec.reads, *outside))
    if reads_on(settings):
        return spec
    inputs = tuple(each for each in spec.inputs if not each.optional)
    return dataclasses.replace(
        spec, inputs=inputs, parameters=tuple(each for each in spec.parameters if each.name != watermarks.PARAMETER)
    )


def reads_on(settings: CommonSettings) -> bool:
    """True where a source has a watermark, so that a run reads on from the snapshot before."""
    return isinstance(settings, ModelSettings) and any(source.watermark is not None for source in settings.sources)
