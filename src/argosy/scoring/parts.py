"""The parts that tables are scored in: a file of CSV, or so many row groups of a Parquet file.

A part has a name and a fingerprint of what it is made of, so that whoever begins again knows which are done.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from argosy import errors
from argosy.domain.data import FeatureColumn

PART_ROWS = 250_000
"""Rows of a part, as far as row groups allow: what is done again after a crash, and one segment of the prediction log."""
BATCH_ROWS = 65_536
SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class TablePart:
    """One part of one file."""

    file: Path
    name: str
    """Of its results, without a suffix: the file's place below the folder that was named, and the place of its row groups."""
    fingerprint: str
    """Of the file's content and the row groups, as ``sha256:<hex>``."""
    groups: tuple[int, ...] = ()
    """Row groups of a Parquet file; none for CSV, which is read whole."""


def files(place: Path) -> list[Path]:
    """The tables at *place*, a file or a folder of them. Raises Misconfigured where there is none."""
    if place.is_file():
        found = [place]
    elif place.is_dir():
        found = sorted(
            path for path in place.rglob("*") if path.suffix in SUFFIXES and not path.name.startswith((".", "_"))
        )
    else:
        raise errors.Misconfigured(f"--in {place}: there is no such file or folder")
    if not found or found[0].suffix not in SUFFIXES:
        raise errors.Misconfigured(f"--in {place}: expected {' or '.join(SUFFIXES)}, or a folder with such files")
    return found


def of(place: Path) -> list[TablePart]:
    """The parts of the tables at *place*, by name. Raises Misconfigured."""
    root = place if place.is_dir() else place.parent
    found = [part for file in files(place) for part in _of_file(file, root)]
    names = [part.name for part in found]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise errors.Misconfigured(f"--in {place}: two files would have their results at {twice}.parquet; rename one")
    return found


def share(found: Sequence[TablePart], number: int, of_all: int) -> list[TablePart]:
    """The share of pod *number* (from 1) of *of_all*: every so many-th part."""
    return list(found[number - 1 :: of_all])


def batches(part: TablePart, features: Sequence[FeatureColumn]) -> Iterator[pa.Table]:
    """The rows of *part*, a batch at a time. Raises Misconfigured, with the file, for content that is no table."""
    try:
        if part.file.suffix == ".csv":
            yield from map(_table, _csv(part.file, features))
        else:
            with pq.ParquetFile(part.file) as file:
                yield from map(_table, file.iter_batches(BATCH_ROWS, row_groups=list(part.groups), use_threads=False))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(f"{part.file} cannot be read: {errors.first_line(error)}") from error


def _of_file(file: Path, root: Path) -> Iterator[TablePart]:
    with file.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    stem = file.relative_to(root).with_suffix("").as_posix()
    if file.suffix == ".csv":
        yield TablePart(file, stem, f"sha256:{content}")
        return
    groups = _groups(file)
    for place, numbers in enumerate(groups):
        name = stem if len(groups) == 1 else f"{stem}-{place:05d}"
        seen = hashlib.sha256(f"{content} {numbers}".encode()).hexdigest()
        yield TablePart(file, name, f"sha256:{seen}", numbers)


def _groups(file: Path) -> list[tuple[int, ...]]:
    """The row groups of *file*, put together to about ``PART_ROWS`` rows."""
    try:
        with pq.ParquetFile(file) as opened:
            rows = [opened.metadata.row_group(number).num_rows for number in range(opened.metadata.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise errors.Misconfigured(f"{file} is no Parquet file: {errors.first_line(error)}") from error
    found: list[list[int]] = [[]]
    held = 0
    for number, count in enumerate(rows):
        if found[-1] and held + count > PART_ROWS:
            found.append([])
            held = 0
        found[-1].append(number)
        held += count
    return [tuple(numbers) for numbers in found]


def _csv(file: Path, features: Sequence[FeatureColumn]) -> Iterator[pa.RecordBatch]:
    types = {column.name: pa.float64() if column.type == "number" else pa.string() for column in features}
    # An empty field is a value that is not known, of a text too.
    convert = pyarrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    with pyarrow.csv.open_csv(file, convert_options=convert) as reader:
        yield from reader


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])
