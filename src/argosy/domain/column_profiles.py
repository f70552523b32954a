"""The profile of a column of a table that nobody has described yet: what its values look like, counted, without a word on what they mean.

What is guessed from it is ``argosy.domain.new_model``.
"""

from dataclasses import dataclass

from argosy.domain.source_settings import ColumnType

MOST_LEVELS = 100
"""Different values that are listed; a column of more has no list."""


@dataclass(frozen=True)
class ColumnProfile:
    """One column, seen whole."""

    name: str
    type: ColumnType
    rows: int
    missing: int
    """Empty values, and words that stand for one."""
    distinct: int
    """Different values, missing not counted."""
    levels: tuple[tuple[str, int], ...] = ()
    """Each value as text with its count, the commonest first; empty where they are more than :data:`MOST_LEVELS`."""
    smallest: float | None = None
    largest: float | None = None
    counts_up: bool = False
    """Whole numbers that go up by one from row to row, from 0 or 1."""
    zoneless: bool = False
    """Times that do not say their zone."""
    looks_like_mail: bool = False
    read_as_text: str = ""
    """Of texts that are numbers or times in a form that no contract reads: which, and how to write them instead."""
    longest: int = 0
    """Characters of the longest text."""

    @property
    def present(self) -> int:
        """Rows that have a value."""
        return self.rows - self.missing

    @property
    def is_unique(self) -> bool:
        """True where each row has a value, and none is there twice."""
        return self.missing == 0 and self.distinct == self.rows


@dataclass(frozen=True)
class TableProfile:
    """A file, as it was read."""

    columns: tuple[ColumnProfile, ...]
    rows: int
    delimiter: str | None = None
    """None for a comma, and for a file that is not CSV."""
    decimal_comma: bool = False
    """Whether its numbers have a comma where others have a point."""
    missing_words: tuple[str, ...] = ()
    """Words that stand for a missing value."""
    primary_key: str | None = None
    """The column that a database says is the key by itself."""

    def column(self, name: str) -> ColumnProfile:
        """The column called *name*, which is there."""
        return next(each for each in self.columns if each.name == name)
