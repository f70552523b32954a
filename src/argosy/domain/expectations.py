"""Expectations of a model's data: the content of its ``expectations.json``.

How an expectation is asked, and what was found, is others' business.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from argosy.domain.change_limits import PreviousLimits
from argosy.domain.data import Layer
from argosy.domain.documents import Document


class Meta(Document):
    """Severity, reason and source of an expectation, beside Great Expectations' own fields."""

    critical: bool = Field(description="Whether the run stops where this does not hold.")
    why: str = Field(description="What goes wrong where this does not hold; shown to whoever has to act.")
    source: str | None = Field(default=None, description="The source it is about; the primary one where absent.")


class Expectation(Document):
    """One Great Expectations expectation."""

    type: str = Field(description="Name of the expectation, such as expect_column_values_to_be_between.")
    kwargs: dict[str, Any] = Field(default_factory=dict)
    meta: Meta

    @property
    def columns(self) -> list[str]:
        """The columns it looks at; none for one about the whole table."""
        named = [self.kwargs.get(key) for key in ("column", "column_A", "column_B")]
        listed = self.kwargs.get("column_list", [])
        return [column for column in [*named, *listed] if isinstance(column, str)]

    @property
    def is_about_the_table(self) -> bool:
        """True where it is about which columns and how many rows there are, and not about values."""
        return self.type.startswith("expect_table_") or self.type == "expect_column_to_exist" or not self.columns

    def absent_column(self, source: str, columns: Sequence[str]) -> str | None:
        """Why it cannot be asked of *source*: the column that it names and that is none of *columns*; None where there is no such."""
        # Which columns there are is what some of those about the table ask.
        named = () if self.is_about_the_table else self.columns
        absent = next((column for column in named if column not in columns), None)
        if absent is None:
            return None
        close = difflib.get_close_matches(absent, columns, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"expectations.json: {self.type} names column {absent!r}, which source {source!r} does not have{hint}"


class Suites(Document):
    """The three layers."""

    # ``schema`` is a method of the base class, hence the other name inside.
    schema_: list[Expectation] = Field(default_factory=list, alias="schema")
    statistical: list[Expectation] = Field(default_factory=list)
    business: list[Expectation] = Field(default_factory=list)

    def layers(self) -> Iterator[tuple[Layer, Expectation]]:
        """Every expectation with its layer."""
        for expectation in self.schema_:
            yield "schema", expectation
        for expectation in self.statistical:
            yield "statistical", expectation
        for expectation in self.business:
            yield "business", expectation


class Limits(Document):
    """What is checked of every model without being asked."""

    rejected_share: float = Field(default=0.05, ge=0, le=1, description="Largest share of rows kept aside by rules.")
    label_share: float = Field(default=0.01, ge=0, lt=0.5, description="Smallest share of any class among the labels.")
    leakage_auc: float = Field(
        default=0.99,
        gt=0.5,
        le=1,
        description="A column that alone tells the label this well gives it away: of pairs of rows with different labels, the share that "
        "it orders. For two classes it always stops the run; for other tasks only where this is written down, else it is said.",
    )


class Expectations(Document):
    """The whole file."""

    suites: Suites
    derived: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Source to column to DuckDB SQL: columns that only expectations look at."
    )
    limits: Limits = Limits()
    previous: PreviousLimits = Field(
        default=PreviousLimits(),
        description="How much may change since the snapshot that was accepted before, and the champion's.",
    )
