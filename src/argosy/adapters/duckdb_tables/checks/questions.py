"""What is asked of a table for one expectation, and how the answers become a finding.

A question has measures, of which any number are taken in one pass, and further queries where a measure is not enough. A judge that gives
no judgement leaves the expectation to Great Expectations: two ways to add up fractions differ in the last digit, so what lies on a limit is
not decided here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

TABLE = "asked"
"""The name of the table in queries."""
ROW = "argosy_asked_row"
"""The column of a row's number in its table."""

Rows = Sequence[tuple[Any, ...]]
Merged = Literal["added", "least", "greatest", "spread"]


@dataclass(frozen=True)
class Measure:
    """An aggregate over all rows, and how it follows from those of their parts."""

    sql: str
    merged: Merged = "added"


@dataclass(frozen=True)
class Query:
    """A query of its own, over :data:`TABLE`."""

    sql: str


@dataclass(frozen=True)
class TableAnswers:
    """What was measured so far."""

    measured: Mapping[Measure, Any]
    queried: Mapping[Query, Rows] = field(default_factory=dict)

    def __getitem__(self, measure: Measure) -> Any:
        return self.measured[measure]

    def rows(self, query: Query) -> Rows:
        """The rows that *query* gave."""
        return self.queried[query]


@dataclass(frozen=True)
class ExampleRows:
    """The first rows in the order of the table for which *where* holds, of *columns*; *joined*: SQL that comes after the table's name."""

    columns: Sequence[str]
    where: str
    shown: Callable[[tuple[Any, ...]], Any]
    often: Callable[[TableAnswers], int]
    """How many there are, by the measures of the question, of all rows or of a part of them."""
    joined: str = ""


@dataclass(frozen=True)
class TableJudgement:
    """What follows from the answers."""

    passed: bool
    observed: Any = None
    unexpected_count: int = 0
    element_count: int = 0
    missing_count: int = 0
    values: Sequence[Any] = ()
    """Offending values, where they are known already."""
    examples: ExampleRows | None = None
    """Where to find them otherwise."""


def _nothing(_: TableAnswers) -> Sequence[Query]:
    return ()


@dataclass(frozen=True)
class TableQuestion:
    """What one expectation asks. *then*: queries that can be put only when the measures are known."""

    measures: Sequence[Measure]
    judge: Callable[[TableAnswers], TableJudgement | None]
    queries: Sequence[Query] = ()
    then: Callable[[TableAnswers], Sequence[Query]] = _nothing


ROWS = Measure("count(*)")


def nonnull(column: str) -> Measure:
    """How many values of *column*, a name in SQL, are there."""
    return Measure(f"count({column})")


def least(column: str) -> Measure:
    """The least value of *column*, a name in SQL."""
    return Measure(f"min({column})", "least")


def greatest(column: str) -> Measure:
    """The greatest value of *column*, a name in SQL."""
    return Measure(f"max({column})", "greatest")


def times(condition: str) -> Measure:
    """How often *condition* holds."""
    # Of no row at all count_if is null.
    return Measure(f"coalesce(count_if({condition}), 0)")


def mostly(considered: int, unexpected: int, share: float) -> bool:
    """Whether enough of the values are as expected: in the words, and so in the rounding, of Great Expectations."""
    return considered == 0 or (considered - unexpected) / considered >= share


def groups(columns: Sequence[str], where: str) -> Query:
    """Of the rows for which *where* holds, by their *columns*: how many groups, how many rows in groups of several, the largest group."""
    sizes = f"SELECT count(*) AS n FROM {TABLE} WHERE {where} GROUP BY {', '.join(columns)}"  # noqa: S608 - names are quoted
    several = "coalesce(sum(n) FILTER (WHERE n > 1), 0)::BIGINT"
    return Query(f"SELECT count(*), {several}, coalesce(max(n), 0) FROM ({sizes})")  # noqa: S608


def joined_to_repeated(columns: Sequence[str], where: str) -> str:
    """What comes after the table's name so that only the rows are left of which *columns* are those of another row too."""
    names = [f"argosy_again_{number}" for number in range(len(columns))]
    keys = ", ".join(f"{column} AS {name}" for column, name in zip(columns, names, strict=True))
    repeated = f"SELECT {keys} FROM {TABLE} WHERE {where} GROUP BY {', '.join(columns)} HAVING count(*) > 1"  # noqa: S608
    alike = [f"{column} IS NOT DISTINCT FROM {name}" for column, name in zip(columns, names, strict=True)]
    return f" SEMI JOIN ({repeated}) AS argosy_repeated ON {' AND '.join(alike)}"
