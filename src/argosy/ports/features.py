"""Features, defined once: joined to examples as they were known at the time, and looked up by id while serving.

Owns no definition: those are the model's own file. Which rows are examples, and on which side of the split, is decided before and after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

Value = float | str | None


@dataclass(frozen=True)
class Definition:
    """One feature of a service."""

    name: str
    type: Literal["number", "category"]
    view: str
    source: str
    """The source of the data contract that the view reads."""
    column: str
    """The column of that source."""


class Features(Protocol):
    """The features of one model over one snapshot."""

    def definitions(self) -> Sequence[Definition]:
        """The features of the model's service, in its order.

        Raises Misconfigured where the definitions cannot be loaded, or read a source by other times than the data contract's.
        """

    def join_keys(self) -> Sequence[str]:
        """The columns of an example that features are looked up by."""

    def join(self, examples: "pa.Table") -> "pa.Table":
        """*examples* with a column for each feature: the value that was true and known at the row's ``event_timestamp``; else null.

        Rows keep their order; numbers are float64, categories are strings.
        """

    def publish(self, rows: "pa.Table", into: Path) -> str:
        """Write the online store to the folder *into*: the newest of the joined *rows* of each entity, by the model's own join keys.

        The folder may be moved, and has the same bytes for the same rows. Returns the digest of its content.
        """


class OnlineFeatures(Protocol):
    """The newest features by id."""

    def get(self, join_keys: Mapping[str, Any]) -> Mapping[str, Value]:
        """The features of one entity, as the offline join gave them.

        Raises LookupError where the entity is unknown, TryAgain where the store fails.
        """
