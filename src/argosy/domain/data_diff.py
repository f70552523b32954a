"""What changed from one snapshot to another, column by column, as figures. How it is counted and how it is shown are others' business."""

from typing import Literal

from argosy.domain.documents import Document

NOTABLE = 0.1
"""Distance from which on a distribution is another one to a reader; the same as for drift by default."""
MOST_LEVELS = 10
"""Levels that are named; all are counted."""


class LevelChange(Document):
    """Levels of a column that one side has and the other has not."""

    count: int = 0
    examples: list[str] = []
    """The most frequent first; empty where the column is personal."""


class ColumnChange(Document):
    """One column that both sides have."""

    name: str
    type: str
    """As the newer side has it."""
    missing_before: float
    """Share of rows."""
    missing_after: float
    distance: float | None = None
    """Between the values that are there: 0 for equal shares, 1 for nothing in common. None of a key, or where a side has none."""
    measure: Literal["KS", "TV"] | None = None
    """KS: the largest difference of the shares up to a value (numbers, times). TV: the share that would have to be another (levels)."""
    new_levels: LevelChange = LevelChange()
    gone_levels: LevelChange = LevelChange()
    rows_changed: int | None = None
    """Rows of one key on both sides whose values differ; None where keys are not compared."""

    @property
    def is_notable(self) -> bool:
        """True where a reader should look at it."""
        moved = self.distance is not None and self.distance >= NOTABLE
        return moved or abs(self.missing_after - self.missing_before) >= NOTABLE or self.new_levels.count > 0


class KeyChange(Document):
    """Rows by their keys."""

    columns: list[str]
    added: int
    removed: int
    changed: int | None = None
    """None where a key is there more than once, so that nobody knows which row became which."""
    kept: int
    """Keys on both sides."""


class TableChange(Document):
    """One table of both snapshots."""

    source: str
    rows_before: int
    rows_after: int
    columns_added: list[str] = []
    columns_removed: list[str] = []
    types_changed: dict[str, tuple[str, str]] = {}
    keys: KeyChange | None = None
    columns: list[ColumnChange] = []
    """The largest distance first."""

    @property
    def is_same(self) -> bool:
        """True where nothing of it differs."""
        whole = not (self.columns_added or self.columns_removed or self.types_changed)
        moved = any(
            each.distance or each.rows_changed or each.missing_before != each.missing_after for each in self.columns
        )
        keys = self.keys is None or not (self.keys.added or self.keys.removed)
        return whole and keys and not moved and self.rows_before == self.rows_after


class DataChange(Document):
    """Everything between two snapshots."""

    before: str
    """What people call it, such as the beginning of its digest."""
    after: str
    tables: list[TableChange] = []
    sources_added: list[str] = []
    sources_removed: list[str] = []

    @property
    def is_same(self) -> bool:
        """True where nothing differs."""
        return not (self.sources_added or self.sources_removed) and all(table.is_same for table in self.tables)

    def table(self, source: str) -> TableChange | None:
        """The change of *source*; None where only one side has it."""
        return next((table for table in self.tables if table.source == source), None)
