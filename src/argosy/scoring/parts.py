"""The parts that tables are scored in: a file of CSV or Avro, or so many row groups of a Parquet file.

A part has a name and a fingerprint of what it is made of, so that whoever begins again knows which are done.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.ml import csv_signs
from argosy.ml.avro_file import AvroFile
from argosy.ports.table_files import TableFiles

PART_ROWS = 250_000
"""Rows of a part, as far as row groups allow: what is done again after a crash, and one segment of the prediction log."""
BATCH_ROWS = 65_536
SUFFIXES = (".parquet", ".csv", ".avro")
UNREADABLE = "__argosy_unreadable"
"""A column of batches in which some cell of a number is none: why its row cannot be answered, or null."""
_PLAIN_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_SHOWN_LETTERS = 60


@dataclass(frozen=True)
class TablePart:
    """One part of one file."""

    file: str
    """The file's name among the tables."""
    name: str
    """Of its results, without a suffix: the file's name, and the place of its row groups."""
    fingerprint: str
    """Of the file's content and the row groups, as ``sha256:<hex>``."""
    groups: tuple[int, ...] = ()
    """Row groups of a Parquet file; none for CSV and Avro, which are read whole."""
    version: str | None = None
    """The file's version when it was looked at; see :meth:`argosy.ports.table_files.TableFiles.open`."""


def files(tables: TableFiles) -> list[str]:
    """The names of the *tables*: Parquet, CSV and Avro that is not hidden. Raises Misconfigured where there is none."""
    found = [name for name in tables.names() if _is_table(PurePosixPath(name))]
    if not found:
        raise errors.Misconfigured(f"{tables.uri}: expected {', '.join(SUFFIXES)}, or a folder with such files")
    return found


def of(tables: TableFiles) -> list[TablePart]:
    """The parts of *tables*, by name. Raises Misconfigured."""
    found = [part for file in files(tables) for part in _of_file(tables, file)]
    names = [part.name for part in found]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise errors.Misconfigured(f"{tables.uri}: two files would have their results at {twice}.parquet; rename one")
    return found


def share(found: Sequence[TablePart], number: int, of_all: int) -> list[TablePart]:
    """The share of pod *number* (from 1) of *of_all*: every so many-th part."""
    return list(found[number - 1 :: of_all])


def batches(tables: TableFiles, part: TablePart, features: Sequence[FeatureColumn]) -> Iterator[pa.Table]:
    """The rows of *part* of *tables*, a batch at a time, some with the column ``UNREADABLE``.

    Raises Misconfigured, with the file, for content that is no table.
    """
    try:
        if part.file.endswith(".csv"):
            yield from _csv(lambda: tables.open(part.file, part.version), features)
            return
        if part.file.endswith(".avro"):
            yield from _avro(tables, part, features)
            return
        with tables.open(part.file, part.version) as stream, pq.ParquetFile(stream) as file:
            groups = list(part.groups)
            yield from map(_table, file.iter_batches(BATCH_ROWS, row_groups=groups, use_threads=False))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if part.file.endswith(".csv") and isinstance(error, pa.ArrowInvalid | UnicodeDecodeError):
            with tables.open(part.file, part.version) as stream:
                said = csv_signs.foreign_line(part.file, stream)
            if said is not None:
                raise errors.Misconfigured(f"{tables.uri}: {said}") from error
        raise errors.Misconfigured(f"{tables.uri}: {part.file} cannot be read: {errors.first_line(error)}") from error


def _is_table(name: PurePosixPath) -> bool:
    return name.suffix in SUFFIXES and not any(part.startswith((".", "_")) for part in name.parts)


def _of_file(tables: TableFiles, file: str) -> Iterator[TablePart]:
    version, content = tables.version(file), tables.fingerprint(file)
    stem = str(PurePosixPath(file).with_suffix(""))
    if file.endswith((".csv", ".avro")):
        yield TablePart(file, stem, _fingerprint(content, None), version=version)
        return
    groups = _groups(tables, file, version)
    for place, numbers in enumerate(groups):
        name = stem if len(groups) == 1 else f"{stem}-{place:05d}"
        yield TablePart(file, name, _fingerprint(content, numbers), numbers, version)


def _fingerprint(content: str, numbers: tuple[int, ...] | None) -> str:
    """Of a whole file, or of its row groups *numbers*; a store's own kind is made ours."""
    if numbers is None and content.startswith("sha256:"):
        return content
    seen = content.removeprefix("sha256:") + ("" if numbers is None else f" {numbers}")
    return f"sha256:{hashlib.sha256(seen.encode()).hexdigest()}"


def _groups(tables: TableFiles, file: str, version: str | None) -> list[tuple[int, ...]]:
    """The row groups of *file*, put together to about ``PART_ROWS`` rows."""
    try:
        with tables.open(file, version) as stream, pq.ParquetFile(stream) as opened:
            rows = [opened.metadata.row_group(number).num_rows for number in range(opened.metadata.num_row_groups)]
    except (pa.ArrowException, OSError) as error:
        raise errors.Misconfigured(f"{tables.uri}: {file} is no Parquet file: {errors.first_line(error)}") from error
    found: list[list[int]] = [[]]
    held = 0
    for number, count in enumerate(rows):
        if found[-1] and held + count > PART_ROWS:
            found.append([])
            held = 0
        found[-1].append(number)
        held += count
    return [tuple(numbers) for numbers in found]


def _avro(tables: TableFiles, part: TablePart, features: Sequence[FeatureColumn]) -> Iterator[pa.Table]:
    """The rows of a file. A field that is no single value is no column of them, and may be no feature."""
    place = f"{tables.uri}: {part.file}"
    try:
        avro = AvroFile(place, lambda: tables.open(part.file, part.version))
        if nested := [f"{name!r} is {avro.left_out[name]}" for name in sorted(_named(features, avro.left_out))]:
            raise errors.Misconfigured(f"{place}: column {', '.join(nested)}, and a feature is one value")
        texts = [column for column in features if column.name in avro.texts]
        for batch in avro.batches():
            yield _with_numbers(_table(batch), texts) if texts else _table(batch)
    except errors.Rejected as refusal:
        raise errors.Misconfigured(str(refusal)) from None


def _named(features: Sequence[FeatureColumn], names: Collection[str]) -> set[str]:
    return {column.name for column in features} & set(names)


def _csv(
    opened: Callable[[], AbstractContextManager[BinaryIO]], features: Sequence[FeatureColumn]
) -> Iterator[pa.Table]:
    """The rows of a file. Numbers are parsed as it is read, which takes least. A cell that is none would end that: from its batch on
    numbers are read as text. A word for a missing value is one then; a decimal comma is a point, in a file that is written with such; and
    of what is left only its row is told to be unreadable."""
    given = 0
    with opened() as stream:
        sign = csv_signs.delimiter(stream)
    with opened() as stream:
        before = csv_signs.hint_lines(stream)

    def read(numbers: pa.DataType) -> Iterator[pa.RecordBatch]:
        return _read(opened, features, numbers, sign, before)

    try:
        for batch in read(pa.float64()):
            given += batch.num_rows
            yield _table(batch)
        return
    except pa.ArrowInvalid:
        pass  # where something else is wrong than a cell, the second look finds it too, and says so
    commas = sign != "," and _has_decimal_commas(read(pa.string()), features)
    for batch in read(pa.string()):
        known, given = min(given, batch.num_rows), max(given - batch.num_rows, 0)
        if known < batch.num_rows:
            yield _with_numbers(_plain(_table(batch.slice(known)), features, commas=commas), features)


def _read(
    opened: Callable[[], AbstractContextManager[BinaryIO]],
    features: Sequence[FeatureColumn],
    numbers: pa.DataType,
    sign: str,
    before: int,
) -> Iterator[pa.RecordBatch]:
    """The rows of a file with *sign* between values, under a header that comes after so many lines (*before*)."""
    types = {column.name: numbers if column.type == "number" else pa.string() for column in features}
    # An empty field is a value that is not known, of a text too.
    convert = pyarrow.csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True)
    parse = pyarrow.csv.ParseOptions(delimiter=sign)
    options: Any = {"parse_options": parse, "convert_options": convert}
    if before:
        options["read_options"] = pyarrow.csv.ReadOptions(skip_rows=before)
    with opened() as stream, pyarrow.csv.open_csv(stream, **options) as reader:
        # A header that is not UTF-8 is told to whoever asks for it first: that is not to be who scores the rows.
        _ = reader.schema.names
        yield from reader


def _has_decimal_commas(batches: Iterable[pa.RecordBatch], features: Sequence[FeatureColumn]) -> bool:
    """True where the numbers of a file, which *batches* have as text, are written with decimal commas: one has a comma that stands between
    no thousands, and none has a point. So `argosy init` and the contract read it; what is in doubt is nobody's guess."""
    sure = False
    for batch in batches:
        for _, texts in _numbers(_table(batch), features):
            if pc.any(pc.match_substring_regex(texts, csv_signs.WITH_POINT)).as_py():
                return False
            commas = texts.filter(pc.match_substring_regex(texts, csv_signs.WITH_COMMA))
            decimal = pc.invert(pc.match_substring_regex(commas, csv_signs.MAYBE_THOUSANDS))
            sure = sure or bool(pc.any(decimal).as_py())
    return sure


def _plain(table: pa.Table, features: Sequence[FeatureColumn], *, commas: bool) -> pa.Table:
    """*table*, whose numbers are text, with null for the words that stand for a missing one. *commas*: theirs are decimal points."""
    words = pa.array(csv_signs.MISSING_WORDS)
    for place, found in _numbers(table, features):
        texts = pc.if_else(pc.is_in(found, words), pa.scalar(None, pa.string()), found)
        if commas:
            pointed = pc.replace_substring(texts, ",", ".")
            texts = pc.if_else(pc.match_substring_regex(texts, csv_signs.WITH_COMMA), pointed, texts)
        table = table.set_column(place, table.column_names[place], texts)
    return table


def _numbers(table: pa.Table, features: Sequence[FeatureColumn]) -> Iterator[tuple[int, pa.Array]]:
    """The columns of *table* that are numbers and text still, each with its place."""
    for column in features:
        place = table.schema.get_field_index(column.name)
        if column.type == "number" and place >= 0:
            yield place, pc.ascii_trim(table.column(place).combine_chunks(), " \t")


def _with_numbers(table: pa.Table, features: Sequence[FeatureColumn]) -> pa.Table:
    """*table*, whose numbers are text, with numbers, and null where a cell is none; and the column ``UNREADABLE``."""
    told: list[str | None] = [None] * table.num_rows
    for place, found in _numbers(table, features):
        name, texts = table.column_names[place], found
        odd = pc.indices_nonzero(pc.invert(pc.match_substring_regex(texts, _PLAIN_NUMBER)))
        wrong = [row for row in odd.to_pylist() if not _is_number(texts[row])]
        for row in wrong:
            told[row] = told[row] or f"{name}: {texts[row].as_py()[:_SHOWN_LETTERS]!r} is no number"
        if wrong:
            mask = pc.is_in(pa.array(range(len(texts))), value_set=pa.array(wrong))
            texts = pc.if_else(mask, pa.scalar(None, pa.string()), texts)
        table = table.set_column(place, name, texts.cast(pa.float64()))
    return table.append_column(UNREADABLE, pa.array(told, pa.string()))


def _is_number(text: pa.StringScalar) -> bool:
    """True where *text* is a number of the rarer forms, such as NaN."""
    try:
        text.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])
