"""Holds tables against expectations. Which expectations a model has, and what follows from a failed one, is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from argosy.domain.expectations import Expectation
from argosy.ports.tables import Derived

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ExpectationFinding:
    """The outcome of one expectation, asked of a table."""

    passed: bool
    observed: Any
    """The measured value of an expectation about a whole column or table; None for one about each value."""
    unexpected_count: int
    element_count: int
    examples: Sequence[Any]
    """A few offending values."""
    missing_count: int = 0
    """Of the elements, those that were not looked at because nothing is there."""
    compiled: bool = False
    """Whether it was asked together with others in passes over the file; otherwise by Great Expectations, of columns in memory."""
    in_parts: bool = False
    """Whether it follows from what was measured of the parts of a table, each by itself; otherwise all rows were asked at once."""

    @property
    def unexpected_percent(self) -> float | None:
        """Of the values that are there, how many are unexpected; None where none is there."""
        there = self.element_count - self.missing_count
        return self.unexpected_count / there * 100 if there else None


class ExpectationChecker(Protocol):
    """Asks expectations of a table."""

    def check(
        self, asked: Derived, expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """One finding an expectation, in their order. *contract*: the columns of the table's contract, in order.

        One about the whole table sees the columns of the contract and no other; one about columns may also name those that were added.
        A column keeps its type where values are missing. Verdicts, counts and examples are those of Great Expectations.

        Raises Misconfigured where an expectation is not known, or cannot be asked of this table, or takes more memory than there is;
        LocalDisk where there is no room for what does not fit there.
        """


class FileChecker(Protocol):
    """Asks expectations of a table in a file, which need not fit in memory."""

    def takes(self, expectation: Expectation) -> bool:
        """True where its verdict, counts and observation are those of :class:`FrameChecker`."""

    def check(
        self, name: str, file: Path, expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """As :meth:`FrameChecker.check`, of a Parquet *file*. Raises TryAgain where whoever is asked went away meanwhile."""


class FrameChecker(Protocol):
    """Asks expectations of a table in memory."""

    def check(
        self, name: str, table: "pa.Table", expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """As :meth:`ExpectationChecker.check`. *name*: the source the table is of."""
