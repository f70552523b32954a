"""The port to the drift page: rows of now beside rows of before, drawn for a person."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from argosy.domain.drift import Finding

if TYPE_CHECKING:
    import pyarrow as pa


class DriftPages(Protocol):
    """Draws pages. What is drift was decided before, by ``domain.drift`` and from all rows: a page says nothing else."""

    def write(
        self,
        path: Path,
        *,
        now: "pa.Table",
        before: "pa.Table",
        findings: Mapping[str, Finding],
        drift: bool,
        title: str,
        verdict: str,
        beside: Sequence[str] = (),
    ) -> None:
        """Write one HTML file, which needs nothing else to be opened, to *path*, whole or not at all.

        *now*, *before*: the same columns, numbers as float64 and categories as strings. A column without a value on a side is left out.
        *findings*: what was decided of each column, by its name there; nothing of those that are absent. *drift*: whether all of it is
        called drift, which the mean or a part of the rows may be where no column is. *title*, *verdict*: a line each, above it. *beside*:
        lines below those, about what is no part of the verdict.
        Raises Rejected where no column is left.
        """
