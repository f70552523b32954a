"""Compares two Parquet files in DuckDB: shares of missing values, exact distances of distributions, levels, and rows by their keys.

Each column is grouped by its values once, both files together; rows are matched in one join. Both go to disk beyond the memory limit.
"""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import sql
from argosy.domain.data_diff import MOST_LEVELS, ColumnChange, KeyChange, LevelChange, TableChange

MEMORY = "1GB"
LEVELLED = ("VARCHAR", "BOOLEAN")
LONGEST_LEVEL = 60


class DuckDBTableComparison:
    """See :class:`argosy.ports.table_comparison.TableComparison`. Works beside *scratch* where memory does not do."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._scratch = scratch

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
        """See the port."""
        with (
            tempfile.TemporaryDirectory(dir=self._scratch, prefix="argosy-duckdb-") as spill,
            duckdb.connect(config={"temp_directory": spill, "memory_limit": MEMORY}) as database,
        ):
            database.execute(
                "SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false"
            )
            try:
                return _Pair(database, before, after).change(source, keys, aside, personal)
            except duckdb.Error as error:
                said = errors.first_line(error)
                if errors.says_disk_full(said):
                    raise errors.LocalDisk(
                        f"source {source!r}: there is no room to compare {after}; free some"
                    ) from None
                raise errors.Rejected(f"source {source!r}: {before} and {after} cannot be compared: {said}") from None


class _Pair:
    """Two files that are open."""

    def __init__(self, database: duckdb.DuckDBPyConnection, before: Path, after: Path) -> None:
        self._database = database
        for name, file in (("before", before), ("after", after)):
            database.execute(f"CREATE VIEW {name}_rows AS SELECT * FROM {sql.parquet(file)}")  # noqa: S608
        self._before, self._after = self._types("before"), self._types("after")

    def change(
        self, source: str, keys: Sequence[str], aside: Collection[str], personal: Collection[str]
    ) -> TableChange:
        both = [name for name in self._after if name in self._before and name not in aside]
        alike = [name for name in both if self._kind(self._before[name]) == self._kind(self._after[name])]
        rows, missing = self._counts(alike)
        found = self._keys(keys, alike) if keys and set(keys) <= set(alike) and all(rows) else None
        columns = [
            self._column(name, rows, missing[name], is_key=name in keys, told=name not in personal, matched=found)
            for name in alike
        ]
        return TableChange(
            source=source,
            rows_before=rows[0],
            rows_after=rows[1],
            columns_added=[name for name in self._after if name not in self._before],
            columns_removed=[name for name in self._before if name not in self._after],
            types_changed={name: (self._before[name], self._after[name]) for name in both if name not in alike},
            keys=found[0] if found else None,
            columns=sorted(columns, key=lambda each: (-(each.distance or 0.0), each.name)),
        )

    def _types(self, side: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self._database.execute(f"DESCRIBE {side}_rows").fetchall()}

    @staticmethod
    def _kind(found: str) -> str:
        """What a type is to a reader: an integer that became wider is the same."""
        return "number" if found.split("(", maxsplit=1)[0] in (*sql.WHOLE, *sql.FRACTIONS, "DECIMAL") else found

    def _counts(self, names: Sequence[str]) -> tuple[tuple[int, int], dict[str, tuple[int, int]]]:
        """The rows of both sides, and how many values of each column are missing."""
        asked = ", ".join(["count(*)", *(f"count({sql.name(name)})" for name in names)])
        sides = [self._one(f"SELECT {asked} FROM {side}_rows") for side in ("before", "after")]  # noqa: S608
        rows = int(sides[0][0]), int(sides[1][0])
        there = zip(sides[0][1:], sides[1][1:], strict=True)
        return rows, {name: (rows[0] - a, rows[1] - b) for name, (a, b) in zip(names, there, strict=True)}

    def _column(
        self,
        name: str,
        rows: tuple[int, int],
        missing: tuple[int, int],
        *,
        is_key: bool,
        told: bool,
        matched: "tuple[KeyChange, Mapping[str, int]] | None",
    ) -> ColumnChange:
        levelled = self._after[name] in LEVELLED
        there = rows[0] - missing[0], rows[1] - missing[1]
        change = ColumnChange(
            name=name,
            type=self._after[name],
            missing_before=missing[0] / rows[0] if rows[0] else 0.0,
            missing_after=missing[1] / rows[1] if rows[1] else 0.0,
            rows_changed=matched[1].get(name) if matched else None,
        )
        if is_key or not all(there):
            return change
        distance = self._levels_apart(name, there) if levelled else self._values_apart(name, there)
        levels = (
            {"new_levels": self._levels(name, "before", told), "gone_levels": self._levels(name, "after", told)}
            if levelled
            else {}
        )
        return change.model_copy(update={"distance": distance, "measure": "TV" if levelled else "KS", **levels})

    def _grouped(self, name: str) -> str:
        """Each value of the column with how often both sides have it."""
        quoted = sql.name(name)
        side = "SELECT {0} AS v, {1}::BIGINT AS b, {2}::BIGINT AS a FROM {3}_rows WHERE {0} IS NOT NULL"
        both = f"{side.format(quoted, 1, 0, 'before')} UNION ALL {side.format(quoted, 0, 1, 'after')}"
        return f"SELECT v, sum(b)::BIGINT AS b, sum(a)::BIGINT AS a FROM ({both}) GROUP BY v"  # noqa: S608

    def _values_apart(self, name: str, there: tuple[int, int]) -> float:
        # Whole numbers up to the last step: the same at each call, in whatever order rows come.
        sums = "sum(b) OVER up::HUGEINT AS b, sum(a) OVER up::HUGEINT AS a"
        running = f"SELECT {sums} FROM ({self._grouped(name)}) WINDOW up AS (ORDER BY v)"  # noqa: S608
        (apart,) = self._one(f"SELECT max(abs(b::HUGEINT * {there[1]} - a::HUGEINT * {there[0]})) FROM ({running})")  # noqa: S608
        return int(apart) / (there[0] * there[1])

    def _levels_apart(self, name: str, there: tuple[int, int]) -> float:
        (apart,) = self._one(
            f"SELECT sum(abs(b::HUGEINT * {there[1]} - a::HUGEINT * {there[0]})) FROM ({self._grouped(name)})"  # noqa: S608
        )
        return int(apart) / (2 * there[0] * there[1])

    def _levels(self, name: str, lacking: str, told: bool) -> LevelChange:
        """The levels that the side *lacking* has not."""
        has, none = ("a", "b") if lacking == "before" else ("b", "a")
        found = f"FROM ({self._grouped(name)}) WHERE {none} = 0"
        (count,) = self._one(f"SELECT count(*) {found}")
        if not count or not told:
            return LevelChange(count=int(count))
        first = self._database.execute(
            f"SELECT v::VARCHAR {found} ORDER BY {has} DESC, v LIMIT {MOST_LEVELS}"
        ).fetchall()
        return LevelChange(count=int(count), examples=[_shown(row[0]) for row in first])

    def _keys(self, keys: Sequence[str], names: Sequence[str]) -> tuple[KeyChange, Mapping[str, int]]:
        """Rows by key, and of each other column the rows in which it differs."""
        listed = ", ".join(map(sql.name, keys))
        others = [name for name in names if name not in keys]
        asked = f"SELECT count(*), count(DISTINCT ({listed})) FROM"
        distinct = [self._one(f"{asked} {side}_rows") for side in ("before", "after")]
        unique = all(row[0] == row[1] for row in distinct)
        on = " AND ".join(f"b.{sql.name(key)} = a.{sql.name(key)}" for key in keys)
        if not unique:
            sides = [f"(SELECT DISTINCT {listed} FROM {side}_rows)" for side in ("before", "after")]  # noqa: S608
            (kept,) = self._one(f"SELECT count(*) FROM {sides[0]} AS b JOIN {sides[1]} AS a ON {on}")  # noqa: S608
            return _key_change(keys, distinct, int(kept), None), {}
        differs = [f"b.{sql.name(name)} IS DISTINCT FROM a.{sql.name(name)}" for name in others]
        counted = [f"count(*) FILTER ({each})" for each in [" OR ".join(differs) or "false", *differs]]
        row = self._one(f"SELECT count(*), {', '.join(counted)} FROM before_rows AS b JOIN after_rows AS a ON {on}")  # noqa: S608
        kept, changed, *each = map(int, row)
        return _key_change(keys, distinct, kept, changed), dict(zip(others, each, strict=True))

    def _one(self, query: str) -> tuple[int, ...]:
        row = self._database.execute(query).fetchone()
        return tuple(value or 0 for value in row or ())


def _key_change(keys: Sequence[str], distinct: Sequence[tuple[int, ...]], kept: int, changed: int | None) -> KeyChange:
    before, after = (row[1] for row in distinct)
    return KeyChange(columns=list(keys), added=after - kept, removed=before - kept, changed=changed, kept=kept)


def _shown(level: str) -> str:
    return level if len(level) <= LONGEST_LEVEL else f"{level[: LONGEST_LEVEL - 1]}…"
