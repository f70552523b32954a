"""A folder of partitions as one table: the files below it in the order of their paths, each read by the contract like a file of its own.

Folders named ``key=value`` (as Hive, Spark and pandas write them) are columns where the contract names them; any other folders are only
folders. A column that the contract names may be missing from the first partitions on, where it is nullable: a schema that widened. One that
was there and is gone in a later partition is a loss, and refused with both of them. Where partitions have another type of a column than
others its values are read as text, which loses none of their digits.
"""

import dataclasses
import re
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import files, sql
from argosy.adapters.duckdb_tables.files import PartitionFile, SourceTable
from argosy.domain import watermarks
from argosy.domain.data import ReachedPlace
from argosy.domain.source_settings import Column, Source

HIVE = re.compile(r"(?P<key>[^=/]+)=(?P<value>[^/]*)")
NULL = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of the missing value."""
MOST = 10_000
"""Partitions of one source."""
SHOWN = 3
NAMES = {"csv": "CSV", "parquet": "Parquet", "avro": "Avro"}
"""Kinds of files, as people call them."""


@dataclasses.dataclass(frozen=True)
class _Opened:
    """One partition."""

    name: str
    """Its path below the folder."""
    file: Path
    table: SourceTable
    keys: dict[str, str]
    """The columns of the contract that its path has, with their values."""

    def has(self, column: str) -> bool:
        """Whether *column* is there, in the file or in its path."""
        return column in self.table.columns or column in self.keys


def open_folder(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    folder: Path,
    reached: ReachedPlace | None = None,
    *,
    counted: bool = True,
) -> SourceTable:
    """The table in *folder*, without the partitions that are settled by what was *reached* before; unless its rows are *counted*, no file
    is read to its end.

    Raises Rejected where partitions break the contract, Misconfigured where there are none.
    """
    opened = [_opened(database, source, folder, file) for file in _files(source, folder, reached)]
    if problems := list(_losses(source, folder, opened)):
        raise errors.Rejected(errors.listed(problems[:20]))
    texts = frozenset(_of_several_types(source, opened)).union(
        *(each.table.texts | each.keys.keys() for each in opened)
    )
    there = [column.name for column in source.columns if any(each.has(column.name) for each in opened)]
    kinds = {name: _kind(name, opened, texts) for name in there}
    parts = [_part(database, source, each, kinds, counted=counted) for each in opened]
    return SourceTable(
        kinds,
        select="",
        typed=opened[0].table.typed,
        source=opened[0].table.source,
        texts=texts,
        parts=tuple(parts),
        absent=_absent(source, opened),
    )


def _files(source: Source, folder: Path, reached: ReachedPlace | None) -> list[Path]:
    """The files of partitions, by path; what writers leave beside them (``_SUCCESS``, ``.crc``) is passed over."""
    below = (path.relative_to(folder) for path in folder.rglob("*"))
    meant = sorted(path for path in below if not watermarks.is_beside(path.as_posix()))
    if reached is not None:
        meant = [path for path in meant if not watermarks.is_settled(source, path.as_posix(), reached)]
    named = [path for path in meant if (folder / path).is_file()]
    # Nothing below such a link is found, so its rows would be wanting and nobody told.
    if links := [path for path in meant if (folder / path).is_symlink() and not (folder / path).is_file()]:
        raise errors.Misconfigured(
            f"source {source.name!r}: {folder} holds {links[0]}, a link to a folder or to nothing, which is not followed; put the "
            "partitions themselves there, or links to files"
        )
    if not named:
        raise errors.Misconfigured(f"source {source.name!r}: there are no partitions in the folder {folder}")
    if len(named) > MOST:
        raise errors.Misconfigured(
            f"source {source.name!r}: {folder} has {len(named):,} files, more than the {MOST:,} partitions that one source may have; "
            "write fewer and larger ones"
        )
    kinds = {path: files.kind_of(source, path) for path in named}
    if strange := [path for path, kind in kinds.items() if kind is None]:
        raise errors.Misconfigured(
            f"source {source.name!r}: {folder} holds {strange[0]}, which ends in none of {', '.join(files.KINDS)}; move it away, or say "
            "`format:`"
        )
    if len(set(kinds.values())) > 1:
        first = {kind: path for path, kind in reversed(kinds.items())}
        said = " and ".join(f"{NAMES[kind]} ({first[kind]})" for kind in NAMES if kind in first)
        raise errors.Misconfigured(f"source {source.name!r}: {folder} holds {said}; partitions are of one kind")
    return [folder / path for path in named]


def _opened(database: duckdb.DuckDBPyConnection, source: Source, folder: Path, file: Path) -> _Opened:
    name = file.relative_to(folder)
    wanted = {column.name for column in source.columns}
    matched = [match for part in name.parts[:-1] if (match := HIVE.fullmatch(part))]
    keys = {match["key"]: urllib.parse.unquote(match["value"]) for match in matched if match["key"] in wanted}
    table = files.open_file(database, source, file, whole=False)
    keys = {key: value for key, value in keys.items() if key not in table.columns}
    return _Opened(name.as_posix(), file, table, keys)


def _losses(source: Source, folder: Path, opened: Sequence[_Opened]) -> Iterator[str]:
    for column in source.columns:
        having = [number for number, each in enumerate(opened) if each.has(column.name)]
        lacking = [number for number, each in enumerate(opened) if not each.has(column.name)]
        place = f"source {source.name!r}: column {column.name!r}"
        if not having:
            yield f"{place} is in none of the {len(opened)} partitions of {folder}"
        elif lost := [number for number in lacking if number > having[0]]:
            before = max(number for number in having if number < lost[0])
            yield (
                f"{place} of {folder} is gone in {opened[lost[0]].name}, and {opened[before].name} before it has it: have it "
                "written again, or take it out of the contract"
            )
        elif lacking and not column.nullable:
            yield (
                f"{place} of {folder} begins with {opened[having[0]].name}, and {len(lacking)} partition{'s' * (len(lacking) > 1)} before, "
                f"from {opened[0].name} on, {'have' if len(lacking) > 1 else 'has'} none: declare it `nullable: true`, or write it there"
            )
        yield from _unfit(column, place, opened)


def _unfit(column: Column, place: str, opened: Sequence[_Opened]) -> Iterator[str]:
    """Types that the contract does not take, where partitions differ; where all are alike the reader of a file says it."""
    found = {each.table.columns[column.name] for each in opened if column.name in each.table.columns}
    if len(found) < 2:
        return
    for each in opened:
        kind = each.table.columns.get(column.name)
        if kind is not None and kind != "VARCHAR" and not sql.accepts(column, kind):
            yield f"{place} of {each.name} is {kind}, the contract says {column.type}"
            return


def _of_several_types(source: Source, opened: Sequence[_Opened]) -> Iterator[str]:
    for column in source.columns:
        if len({each.table.columns[column.name] for each in opened if column.name in each.table.columns}) > 1:
            yield column.name


def _kind(name: str, opened: Sequence[_Opened], texts: frozenset[str]) -> str:
    return (
        "VARCHAR" if name in texts else next(each.table.columns[name] for each in opened if name in each.table.columns)
    )


def _select(part: _Opened, kinds: dict[str, str]) -> str:
    """The rows of *part* with the columns *kinds*, whatever it has itself."""
    columns = []
    for name, kind in kinds.items():
        value = part.keys.get(name)
        if name in part.table.columns:
            chosen = f"CAST({sql.name(name)} AS {kind})" if part.table.columns[name] != kind else sql.name(name)
        elif value is not None and value != NULL:
            chosen = sql.text(value)
        else:
            chosen = f"NULL::{kind}"
        columns.append(f"{chosen} AS {sql.name(name)}")
    return f"SELECT {', '.join(columns)} FROM ({part.table.select})"  # noqa: S608 - names and values are quoted


def _part(
    database: duckdb.DuckDBPyConnection, source: Source, part: _Opened, kinds: dict[str, str], *, counted: bool
) -> PartitionFile:
    select = _select(part, kinds)
    if not counted:
        return PartitionFile(part.name, part.file, 0, select, part.table)
    if part.table.avro is not None:
        return PartitionFile(part.name, part.file, part.table.avro.rows(), select, part.table)
    try:
        found = database.execute(f"SELECT count(*) FROM ({part.table.select})").fetchone()  # noqa: S608 - as it was opened
    except duckdb.Error as error:
        raise files.unreadable(source, part.file, error) from None
    return PartitionFile(part.name, part.file, found[0] if found else 0, select, part.table)


def _absent(source: Source, opened: Sequence[_Opened]) -> str | None:
    """What of the contract some partitions do not have, in words."""
    said = []
    for column in source.columns:
        lacking = [each.name for each in opened if not each.has(column.name)]
        if lacking:
            listed = ", ".join(lacking[:SHOWN]) + (", …" if len(lacking) > SHOWN else "")
            said.append(
                f"no column {column.name!r} in {len(lacking)} of {len(opened)} partitions ({listed}): missing there"
            )
    return "; ".join(said) or None
