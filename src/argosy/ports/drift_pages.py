"""The port to the drift page: rows of now beside rows of before, drawn for a person."""

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class DriftPages(Protocol):
    """Draws pages. What it says of drift is its own opinion: the verdict is ``domain.drift``'s."""

    def write(self, path: Path, *, now: "pa.Table", before: "pa.Table", title: str) -> None:
        """Write one HTML file, which needs nothing else to be opened, to *path*, whole or not at all.

        *now*, *before*: the same columns, numbers as float64 and categories as strings. A column without a value on a side is left out.
        Raises Rejected where no column is left.
        """
