"""Where a model's tables are calculated: in the step itself, or by Spark. Which Spark, and how it is reached, is the environment's word."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from argosy.domain.documents import Document

SparkStep = Literal["validate", "build-features", "train", "score-batch"]
SPARK_STEPS: tuple[SparkStep, ...] = ("validate", "build-features", "train", "score-batch")
OURS = (
    "spark.driver.host",
    "spark.kubernetes.driver.pod.name",
    "spark.kubernetes.namespace",
    "spark.master",
    "spark.remote",
    "spark.sql.ansi.enabled",
    "spark.sql.caseSensitive",
    "spark.sql.session.timeZone",
)
"""Settings of Spark that decide where it is or what a value means: not a model's."""
OURS_ALIKE = ("spark.kubernetes.authenticate.", "spark.kubernetes.executor.podTemplate")
"""Beginnings of those that decide what its pods may do."""


class Compute(Document):
    """Who calculates: DuckDB within the memory of the step, which answers up to some hundred million rows, or Spark beyond."""

    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="The same rows, verdicts and answers come of either; of the same settings Spark fits another model, by `workers`.",
    )
    steps: list[SparkStep] = Field(
        default_factory=lambda: list(SPARK_STEPS), min_length=1, description="The steps that ask Spark."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=1024,
        description="Tasks of Spark that fit a model together, each with its share of the rows in memory. The same number gives the same "
        "model.",
    )
    options: dict[str, str] = Field(
        default_factory=dict,
        description="Spark's own settings, such as {spark.executor.memory: 8g}. Where Spark is says ARGOSY_SPARK_MASTER.",
    )

    @field_validator("options")
    @classmethod
    def _are_a_models(cls, options: Mapping[str, str]) -> Mapping[str, str]:
        for name in options:
            if not name.startswith("spark."):
                raise ValueError(f"{name!r} is no setting of Spark: they begin with `spark.`")
            if name in OURS or name.startswith(OURS_ALIKE):
                raise ValueError(
                    f"{name!r} is not a model's: it says where Spark is, what its pods may do, or what a value means there"
                )
        return options

    def asks_spark(self, step: str) -> bool:
        """True where *step* asks Spark."""
        return self.engine == "spark" and step in self.steps
