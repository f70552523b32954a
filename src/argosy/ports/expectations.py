"""Holds tables against expectations. Which expectations a model has, and what follows from a failed one, is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from argosy.domain.expectations import Expectation

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


class ExpectationChecker(Protocol):
    """Asks expectations of a table."""

    def check(
        self, name: str, table: "pa.Table", expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """One finding an expectation, in their order. *name*: the source the table is of; *contract*: its contract's columns, in order.

        One about the whole table sees the columns of the contract and no other; one about columns may also name those that were added.
        A column keeps its type where values are missing.

        Raises Misconfigured where an expectation is not known, or cannot be asked of this table.
        """
