"""Holds tables against expectations. Which expectations a model has, and what follows from a failed one, is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from argosy.domain.expectations import Expectation

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Finding:
    """What one expectation found."""

    passed: bool
    observed: Any
    """The measured value of an expectation about a whole column or table; None for one about each value."""
    unexpected_count: int
    element_count: int
    examples: Sequence[Any]
    """A few offending values."""


class ExpectationChecker(Protocol):
    """Asks expectations of a table."""

    def check(self, name: str, table: "pa.Table", expectations: Sequence[Expectation]) -> list[Finding]:
        """One finding an expectation, in their order. *name*: the source the table is of.

        Raises Misconfigured where an expectation is not known, or cannot be asked of this table.
        """
