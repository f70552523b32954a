"""The names of a file's columns: a name for each that has none of its own, and what to say where the contract's are not there.

A column that the contract does not name is left behind whatever it is called, so only what the contract names has to be there once.
"""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from argosy import errors
from argosy.adapters.duckdb_tables import dialects, sql
from argosy.domain.source_settings import Source

MOST_COLUMNS = 2000


def distinct(source: Source, file: Path, names: Sequence[str], *, whole: bool = True) -> list[str]:
    """A name for each column of *file*, no two the same to DuckDB: *names* themselves wherever the contract has them.

    A column without a name, or with one that is taken, is called after its position. Raises Rejected where a column of the contract is not
    there, if the file is to be *whole*, or twice.
    """
    if len(names) > MOST_COLUMNS:
        raise errors.Rejected(
            f"source {source.name!r}: {file} has {len(names)} columns, more than the {MOST_COLUMNS} a table may have"
        )
    if problems := [*_twice(source, file, names), *(_absent(source, file, names) if whole else ())]:
        raise errors.Rejected(errors.listed(problems))
    wanted = {column.name for column in source.columns}
    # DuckDB does not tell "A" from "a".
    taken = {name.casefold() for name in wanted} | {sql.ROW, sql.REASON}
    return [name if name in wanted else _free(name, position, taken) for position, name in enumerate(names)]


def shown(word: str) -> str:
    """A name out of somebody's file, fit for a message."""
    return repr(word if len(word) <= 60 else f"{word[:57]}...")


def _free(name: str, position: int, taken: set[str]) -> str:
    # As pandas calls a column without a name, so that people find it.
    candidate = name or f"Unnamed: {position}"
    while candidate.casefold() in taken:
        candidate = f"{candidate}.{position}"
    taken.add(candidate.casefold())
    return candidate


def _twice(source: Source, file: Path, names: Sequence[str]) -> Iterator[str]:
    for column in source.columns:
        if names.count(column.name) > 1:
            yield f"source {source.name!r}: {file} has the column {shown(column.name)} twice; which of them is meant?"


def _absent(source: Source, file: Path, names: Sequence[str]) -> Iterator[str]:
    absent = [column.name for column in source.columns if column.name not in names]
    if not absent:
        return
    if delimiter := _other_delimiter(source, names):
        word = dialects.word(delimiter)
        yield f"source {source.name!r}: {file} is separated by {word!r}: set `delimiter: {word!r}` at the source in model.yaml"
        return
    has = ", ".join(shown(name) for name in names[:40]) + (", …" if len(names) > 40 else "")
    lost = ", ".join(f"{name!r}{_meant(name, names)}" for name in absent[:20]) + (", …" if len(absent) > 20 else "")
    yield f"source {source.name!r}: {file} has no column {lost}; its columns: {has}"


def _meant(name: str, names: Sequence[str]) -> str:
    bare = {each.strip().casefold(): each for each in names}
    if (same := bare.get(name.strip().casefold())) is not None:
        how = "with blanks round it" if same.strip() == name.strip() else "written otherwise"
        return f" (there is {shown(same)}, {how})"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    return f" (did you mean {shown(close[0])}?)" if close else ""


def _other_delimiter(source: Source, names: Sequence[str]) -> str | None:
    """The delimiter that would find more of the contract's columns in the header *names* than the present one did."""
    wanted = {column.name for column in source.columns}
    present = source.delimiter or ","
    line = present.join(names)
    found = {
        delimiter: len(wanted.intersection(part.strip().strip('"') for part in line.split(delimiter)))
        for delimiter in dialects.DELIMITERS
        if delimiter != present
    }
    best = max(found, key=lambda delimiter: found[delimiter])
    return best if found[best] > len(wanted.intersection(names)) else None
