"""The section ``labels`` of a model's ``model.yaml``: where outcomes come from once they are known, and which prediction each is of."""

from collections.abc import Iterator, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from argosy.domain.documents import Document
from argosy.domain.source_settings import Name, Source
from argosy.domain.time_spans import Age, Duration


class Labels(Document):
    """Labels that arrive after the predictions, and how they join."""

    source: Name | None = Field(
        default=None, description="The source of `sources` that has them: the same contract, the same rows kept aside."
    )
    table: Source | None = Field(
        default=None,
        description="In place of `source`: a table of its own, which nothing is trained on, such as a file of outcomes. Its "
        "`timestamp` says when an outcome was, its `created` when it was known.",
    )
    data: str | None = Field(
        default=None,
        pattern=r"^([a-z][a-z0-9+.-]*://)?\S+$",
        description="Where the table lies: a folder below the data root, or s3://<bucket>/<prefix>; as the run's sources where absent.",
    )
    by: Literal["request", "entity"] = Field(
        description="What a label names its prediction by: the id of the request (the header X-Request-Id), or the model's entity."
    )
    request_id: str | None = Field(default=None, description="Column of the request's id; for `by: request`.")
    row: str | None = Field(
        default=None,
        description="Column of the row's place in its request, from 0; where absent, a request that is labelled has one row.",
    )
    before: Age | None = Field(
        default=None,
        description="For `by: entity`: how long before the prediction an outcome may lie; 0m where only `after` is named.",
    )
    after: Age | None = Field(
        default=None,
        description="For `by: entity`: how long after the prediction an outcome may lie (the horizon); 0m where only `before` is "
        "named. Of several the nearest counts. Where neither is named, an entity has one outcome, whatever its time.",
    )
    sql: str | None = Field(
        default=None,
        description="A DuckDB SQL expression over the table that gives the label, as `label.sql` does; that one where absent.",
    )
    known: str | None = Field(
        default=None,
        description="A DuckDB SQL expression over the table: the moment at which the label became known. Where absent, the column "
        "`created` of its source; where there is none, its `timestamp`.",
    )
    due: Age = Field(
        default="0m",
        description="How long after a prediction its label is due: completeness and performance are of predictions that are older.",
    )
    window: Duration = Field(
        default="28d",
        description="How much of the log real performance is measured over, up to the newest due prediction.",
    )
    every: Age = Field(
        default="6h", description="How often `watch-drift` measures: a look before that carries what was measured last."
    )
    minimum_rows: int = Field(default=100, ge=2, description="Fewer labelled rows say nothing, of a slice neither.")
    slices: list[str] = Field(
        default_factory=list,
        description="Features whose values each get their own metrics; those of `evaluation.slices` where empty.",
    )
    outcomes: dict[Name, str] = Field(
        default_factory=dict,
        description="Business values: a name, such as revenue, conversion or satisfaction, to a DuckDB SQL expression over the table "
        "that gives a number, such as the name of a column.",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if problem := next(self._problems(), None):
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        if (self.source is None) == (self.table is None):
            yield "name either `source`, one of `sources`, or `table`, a table of its own"
        if self.by == "request":
            if self.request_id is None:
                yield "`by: request` needs `request_id`, the column of the request's id"
            if self.before is not None or self.after is not None:
                yield "`before` and `after` are for `by: entity`; a request's id names its prediction without them"
        elif self.request_id is not None or self.row is not None:
            yield "`request_id` and `row` are for `by: request`"
        if self.table is not None:
            names = [column.name for column in self.table.columns]
            for column in (self.request_id, self.row):
                if column is not None and column not in names:
                    yield f"`table` has no column {column!r}; columns: {', '.join(names)}"

    @property
    def by_time(self) -> bool:
        """True where the time of an outcome says which prediction of its entity it is of."""
        return self.before is not None or self.after is not None

    def table_among(self, sources: Sequence[Source]) -> Source:
        """The table that has the labels, of a model with these *sources*."""
        return self.table or next(source for source in sources if source.name == self.source)
