"""Compares two tables column by column. Which tables, and what a difference means, is decided elsewhere."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from argosy.domain.data_diff import TableChange


class TableComparison(Protocol):
    """Compares tables in files."""

    def compare(
        self,
        source: str,
        before: Path,
        after: Path,
        *,
        keys: Sequence[str],
        aside: Collection[str],
        personal: Collection[str],
    ) -> TableChange:
        """What changed from the Parquet file *before* to *after*, exactly and the same at each call.

        *keys*: the columns that identify a row; rows are not matched where there are none, or a side lacks one. *aside*: columns that say
        nothing of a row, such as the moment of the whole snapshot. *personal*: columns whose values are never told. Memory is bounded: what
        is larger goes to disk. Raises Rejected where a file cannot be read, LocalDisk where there is no room.
        """
