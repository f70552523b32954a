"""The settings of one model: the content of its ``model.yaml``.

Every field is documented here once; the JSON Schema that editors complete from is generated from these classes. Reading the file, and
saying on which line it is wrong, is an adapter's work.
"""

import datetime
import re
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AwareDatetime, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from argosy.domain.compute_settings import Compute
from argosy.domain.documents import Document
from argosy.domain.label_settings import Labels
from argosy.domain.monitor_settings import Monitor
from argosy.domain.notify_settings import Audience, Notify
from argosy.domain.retraining_settings import Retraining
from argosy.domain.source_settings import Name, RejectRule, Source
from argosy.domain.time_spans import Duration, span

Task = Literal["binary", "multiclass", "regression"]
"""The task of a model of tables."""
AnyTask = Literal["binary", "multiclass", "regression", "answers"]
"""Or of one that answers in words, whose settings are ``answer_settings``' business."""
Surprise = Literal["refuse", "missing"]
"""Refuse: 422 that names row and column. Missing: scored as missing, with a warning in the answer."""
Direction = Literal["increasing", "decreasing"]
"""Increasing: the answer never falls where the column rises. Decreasing: it never rises there."""
PodName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=40)]
Resource = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")]


class Label(Document):
    """What the model predicts."""

    source: Name = Field(description="The primary source: one row of it is one example.")
    sql: str = Field(
        description="A DuckDB SQL expression over the primary source; for a binary task it is a condition."
    )
    classes: list[str] = Field(
        default_factory=list, description="Names of the classes, the negative one first; empty for regression."
    )
    columns: list[str] = Field(
        description="Columns that the expression reads or that are known only with the label: never features."
    )


class EntitySplit(Document):
    """Holdout by a keyed hash of the entity's id: an entity is on the same side in every run, whatever else the data holds."""

    by: Literal["entity"]
    holdout: float = Field(gt=0.0, lt=0.9, description="Expected share of entities in the holdout.")
    key: str = Field(default="argosy", description="Key of the hash. A new key draws a new holdout.")


class TimeSplit(Document):
    """Holdout by time: everything from a moment on, or up to another."""

    by: Literal["time"]
    holdout_from: AwareDatetime
    holdout_until: AwareDatetime | None = Field(
        default=None,
        description="End of the holdout: rows from then on are for training again, so that a retraining learns from the newest. "
        "Without it the holdout never ends.",
    )
    as_of: Duration | None = Field(
        default=None,
        description="How much of the newest is held out in a run as of a moment before the holdout ended, such as 30d; a fifth of the "
        "time that the rows cover where absent.",
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.holdout_until is not None and self.holdout_until <= self.holdout_from:
            raise ValueError("`holdout_until` is not after `holdout_from`")
        return self


class FloatRange(Document):
    """A real-valued hyperparameter between two bounds, both inclusive."""

    low: float
    high: float
    log: bool = False


class IntRange(Document):
    """A whole-numbered hyperparameter between two bounds, both inclusive."""

    int_low: int
    int_high: int
    log: bool = False


class Search(Document):
    """The hyperparameter search. Its result depends on these values and the seed, never on how many workers there are."""

    trials: int = Field(default=100, ge=1)
    per_round: int = Field(
        default=20, ge=1, description="Trials asked from the sampler at once; also how many may run side by side."
    )
    per_task: int = Field(default=5, ge=1, description="Trials that one task of the fan-out runs, one after the other.")
    folds: int = Field(default=5, ge=2)
    rows: int | None = Field(
        default=20_000,
        ge=100,
        description="About how many rows of the training side trials are scored on: a fixed draw of whole entities, or days, 50 of "
        "those at least. The chosen point is cross-validated, its rounds counted and the model fitted on all rows. All of them with "
        "`null`, or where there are fewer.",
    )
    stop_after_rounds: int | None = Field(
        default=None,
        ge=1,
        description="The search is over once so many rounds of trials one after another found nothing better. All trials are run where "
        "absent.",
    )
    metric: str = Field(description="What a trial is scored by, averaged over the folds.")
    max_boost_rounds: int = Field(default=500, ge=1)
    early_stopping_rounds: int = Field(default=25, ge=1)
    prune_after_folds: int = Field(
        default=1, ge=1, description="A trial may be pruned once this many folds are scored."
    )
    space: dict[str, FloatRange | IntRange] = Field(
        default_factory=dict, description="Parameter of the library (`training.library`) to its range."
    )


XGBOOST = "xgboost"
"""The library that comes with Argosy."""


class Training(Document):
    """How the final model is fitted."""

    library: str = Field(
        default=XGBOOST,
        pattern=r"^[a-z][a-z0-9_-]{0,39}$",
        description="What fits models: xgboost, or the name of a trainer that an installed package brings (docs/extending.md).",
    )
    nthread: int = Field(default=1, ge=1, description="Part of what the model's digest depends on.")
    window: Duration | None = Field(
        default=None,
        description="How far back from its newest row the training side goes, such as 180d; all rows where absent.",
    )
    threshold: Literal["f1", "half"] = Field(
        default="f1", description="Decision threshold of a binary model: cross-validated best F1, or 0.5."
    )
    golden_rows: int = Field(
        default=20, ge=1, description="Holdout rows kept in the bundle to prove parity wherever it is served."
    )
    monotone: dict[str, Direction] = Field(
        default_factory=dict,
        description="Features that are numbers, with the way answers go where they rise, all else equal: a monotonic constraint. It is "
        "measured by asking rows with other values (robustness.order_violations). Not for several classes, which have no one answer.",
    )
    bind_monotone: bool = Field(
        default=True,
        description="Whether training is held to `monotone`; else it is only measured, to see what it would change.",
    )


class Serving(Document):
    """What the server does with a row that the model was not made for. It counts them either way."""

    unknown_level: Surprise = Field(
        default="refuse", description="A category that training never saw: refuse the request, or score it as missing."
    )
    unexpected_null: Surprise = Field(
        default="refuse", description="Null where the contract allows none: refuse the request, or score it as missing."
    )


class Evaluation(Document):
    """What evaluate looks at besides the whole holdout."""

    sensitive: list[str] = Field(
        default_factory=list, description="Sensitive attributes; the policy says which criterion gates each."
    )
    slices: list[str] = Field(default_factory=list, description="Columns whose values each get their own metrics.")
    recent: Duration | None = Field(
        default=None,
        description="The newest labelled rows, such as those of 30d, are kept out of training: a model retrained for drift or for its "
        "performance must beat the champion on them. Without it such a retraining is never promoted.",
    )
    business: dict[str, float] = Field(
        default_factory=dict, description="Value of one true/false positive/negative, in money."
    )


class Toleration(Document):
    """A taint of nodes that a step's pod bears."""

    key: str | None = Field(default=None, description="The taint's key; every taint where absent.")
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.operator == "Exists" and self.value is not None:
            raise ValueError("a toleration with operator Exists takes no value")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("a toleration without a key bears every taint; say so with operator: Exists")
        return self


class StepResources(Document):
    """What one step may use on a cluster, and where it may run."""

    cpu: Resource = Field(default="1", description="Cores that are kept for it; also its limit, unless that is named.")
    cpu_limit: Resource | None = Field(default=None, description="Cores it may use where nobody else needs them.")
    memory: Resource = Field(default="1Gi", description="Memory that is kept for it, and its limit.")
    gpu: int = Field(default=0, ge=0, description="Devices; whole ones only.")
    gpu_resource: str = Field(default="nvidia.com/gpu", description="The name under which nodes offer them.")
    deadline_seconds: int = Field(default=3600, ge=1)
    node_selector: dict[str, str] = Field(default_factory=dict, description="Labels that its node must have.")
    tolerations: list[Toleration] = Field(default_factory=list)
    priority_class: str | None = Field(default=None, description="Name of the PriorityClass of its pod.")
    shared_slots: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] | None = Field(
        default=None,
        description="Namespace of the platform: the step takes one of the places that all teams share (`shared` of the chart platform).",
    )


class Schedule(Document):
    """When the pipeline starts by itself on a cluster."""

    cron: Annotated[str, Field(pattern=r"^\S+( \S+){4}$")] = Field(
        default="0 2 * * *", description="Minute, hour, day of the month, month, day of the week."
    )
    timezone: str = Field(default="Etc/UTC", description="Name in the IANA database, such as Europe/Berlin.")
    starting_deadline_seconds: int = Field(
        default=3600, ge=0, description="How late a start may be, where the controller was away at its time."
    )
    suspended: bool = Field(default=False, description="Keep the schedule, start nothing.")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        # Not the files of this machine: a laptop and the controller are to agree, and some images have no time zones.
        if not re.fullmatch(r"[A-Za-z]+(/[A-Za-z0-9_+-]+)*", name):
            raise ValueError(f"{name!r} is no name of the IANA database, such as Europe/Berlin")
        return name


class ScoringSettings(Document):
    """Tables that the model scores by itself, such as every night; compiled to a workflow beside the pipeline."""

    tables: str = Field(
        alias="in",
        min_length=1,
        description="A table (Parquet, CSV) or a folder of them, s3://<bucket>/<prefix>; {as_of} in it is the day, such as 2026-01-31.",
    )
    results: str = Field(
        alias="out",
        min_length=1,
        description="Where results go, s3://<bucket>/<prefix>: as_of=<day>/version=<n>/ below it, or, where it has {as_of}, version=<n>/. "
        "Or sql://<name>/<table>: rows of a database, its address in ARGOSY_SOURCE_<NAME>.",
    )
    environment: Literal["staging", "production"] = Field(default="production", description="Whose version scores.")
    with_features: bool = Field(default=False, description="Keep the features in the results too.")
    pods: int = Field(default=4, ge=1, le=256, description="Pods that share the parts, at most one a part.")
    schedule: Schedule | None = Field(
        default=None, description="When it scores by itself; where absent, when somebody runs or submits it."
    )


def _wrong(at: tuple[str | int, ...], text: str) -> PydanticCustomError:
    """A problem at *at*, a place that is not where pydantic found it."""
    return PydanticCustomError("misplaced", "{text}", {"text": text, "at": at})


class CommonSettings(Document):
    """Settings of every model, whatever it answers: who owns it, where its steps run, when it starts, who hears of it."""

    model: Name
    task: AnyTask
    description: str
    owner: str = Field(description="The team that answers for the model.")
    seed: int = Field(ge=0, lt=2**31)
    resources: dict[str, StepResources] = Field(
        default_factory=dict, description="Step name to its resources; defaults elsewhere."
    )
    fuse: dict[PodName, Annotated[list[str], Field(min_length=2)]] = Field(
        default_factory=dict,
        description="Steps that follow one another and share a pod, by that pod's name, such as prepare: [ingest, validate].",
    )
    data: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9+.-]*://\S+$",
        description="Where a cluster finds the sources, such as s3://<bucket>/<prefix>; without it, whoever submits says so with "
        "`-p data=`. A laptop takes its own data/<model>, where that is there.",
    )
    schedule: Schedule | None = Field(
        default=None, description="Compiled to a CronWorkflow beside the pipeline; none where absent."
    )
    retraining: Retraining = Retraining()
    notify: Notify = Field(
        default_factory=dict,
        description="Who hears of what, by the name of a channel; its address is the environment's, ARGOSY_NOTIFY_<CHANNEL>.",
    )
    monitor: Monitor | None = Field(
        default=None,
        description="How its predictions are watched; compiled to a CronWorkflow beside the pipeline. Where absent, "
        "only `argosy drift` looks at them.",
    )
    release_days: int = Field(default=180, ge=1, description="Days after which a released bundle is no longer served.")

    @model_validator(mode="after")
    def _fuses_each_step_once(self) -> Self:
        fused = [step for steps in self.fuse.values() for step in steps]
        if twice := next((step for step in fused if fused.count(step) > 1), None):
            raise _wrong(("fuse",), f"the step {twice!r} is there twice; a step is in one pod")
        return self

    def only(self, parts: Collection[str]) -> Self:
        """These settings with nothing but *parts*, each ``section`` or ``section.field``: reading another raises AttributeError."""
        wanted: dict[str, set[str]] = {}
        for section, _, field in (part.partition(".") for part in parts):
            wanted.setdefault(section, set()).add(field)
        kept = {section: _only(getattr(self, section), fields) for section, fields in wanted.items()}
        return _bare(self, kept)

    @property
    def personal(self) -> frozenset[str]:
        """The columns that are personal data; a model of no tables has none."""
        return frozenset()

    @property
    def audience(self) -> Audience | None:
        """Who hears of the model; None where nobody does."""
        return Audience(owner=self.owner, notify=self.notify) if self.notify else None


class ModelSettings(CommonSettings):
    """All settings of one model of tables."""

    task: Task
    entity: list[str] = Field(min_length=1, description="Join keys of one example, as the serving side receives them.")
    feature_service: str = Field(description="The Feast FeatureService that lists the model's features.")
    sources: list[Source] = Field(min_length=1)
    reject: list[RejectRule] = Field(default_factory=list)
    label: Label
    split: EntitySplit | TimeSplit = Field(discriminator="by")
    search: Search
    training: Training = Training()
    serving: Serving = Serving()
    evaluation: Evaluation = Evaluation()
    compute: Compute = Compute()
    scoring: ScoringSettings | None = Field(
        default=None,
        description="Tables that it scores, such as every night; compiled to a workflow beside the pipeline. `argosy score` scores any.",
    )
    labels: Labels | None = Field(
        default=None,
        description="Where outcomes come from once they are known, so that real performance is measured; not measured where absent.",
    )

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        names = [source.name for source in self.sources]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise _wrong(("sources", index, "name"), f"two sources have one name, {name!r}")
        rules = ((("reject", index, "source"), rule.source) for index, rule in enumerate(self.reject))
        for at, used in [(("label", "source"), self.label.source), *rules]:
            if used not in names:
                raise _wrong(at, f"there is no source {used!r}; sources: {', '.join(names)}")
        if problem := self._labels_problem(names):
            raise problem
        if self.task == "binary" and len(self.label.classes) != 2:
            given = f"; these are {len(self.label.classes)}: for three or more, the task is multiclass" * bool(
                self.label.classes
            )
            raise _wrong(("label", "classes"), f"a binary task names two label classes, the negative one first{given}")
        if self.task == "multiclass" and len(self.label.classes) < 3:
            raise _wrong(("label", "classes"), "a multiclass task names three label classes or more")
        return self

    @model_validator(mode="after")
    def _is_fitted_where_it_can_be(self) -> Self:
        if not self.compute.asks_spark("train"):
            return self
        others = [step for step in self.compute.steps if step != "train"]
        instead = f"fit it in the step: `steps: [{', '.join(others)}]`"
        if self.training.library != XGBOOST:
            raise _wrong(
                ("compute", "steps"), f"XGBoost alone fits on Spark, and `training.library` is another; {instead}"
            )
        if self.monitor is not None and self.monitor.seasonality is not None:
            raise _wrong(
                ("compute", "steps"), f"`monitor.seasonality` counts all rows of the past in the step; {instead}"
            )
        return self

    def _labels_problem(self, names: Collection[str]) -> PydanticCustomError | None:
        labels = self.labels
        if labels is None:
            return None
        if labels.source is not None and labels.source not in names:
            return _wrong(("labels", "source"), f"there is no source {labels.source!r}; sources: {', '.join(names)}")
        table = labels.table_among(self.sources)
        columns = [column.name for column in table.columns]
        wanted = self.entity if labels.by == "entity" else filter(None, (labels.request_id, labels.row))
        if absent := next((column for column in wanted if column not in columns), None):
            return _wrong(
                ("labels",),
                f"source {table.name!r} has no column {absent!r}, by which its labels join; columns: {', '.join(columns)}",
            )
        if labels.by_time and table.timestamp is None:
            return _wrong(
                ("labels",),
                f"source {table.name!r} has no `timestamp`: `before` and `after` need the time of an outcome",
            )
        enter, most = self.retraining.enter, datetime.timedelta(hours=self.retraining.enter.hours)
        if "performance" in self.retraining.on and (enter.looks - 1) * span(labels.every) >= most:
            return _wrong(
                ("labels", "every"),
                f"performance is measured every {labels.every}, and {enter.looks} measurements within {enter.hours:g} hours have to show "
                "that it is low before a retraining (`retraining.enter`): it never could; set `hours` higher, or `looks` to 1",
            )
        return None

    def source(self, name: str) -> Source:
        """The source called *name*."""
        return next(source for source in self.sources if source.name == name)

    @property
    def personal(self) -> frozenset[str]:
        """The columns that the contract calls personal."""
        return frozenset(column.name for source in self.sources for column in source.columns if column.personal)

    @property
    def primary(self) -> Source:
        """The source whose rows are the examples."""
        return self.source(self.label.source)


def _only(section: Any, fields: Collection[str]) -> Any:
    return (
        section
        if section is None or "" in fields
        else _bare(section, {field: getattr(section, field) for field in fields})
    )


Bare = TypeVar("Bare", bound=Document)


def _bare(document: Bare, kept: Mapping[str, Any]) -> Bare:
    """*document* without anything but the fields *kept*, defaults neither."""
    copy = document.model_copy()
    copy.__dict__.clear()
    copy.__dict__.update(kept)
    return copy
