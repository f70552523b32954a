"""A first look at a file that no contract describes: the type of each column from all of its values, counts, and what gives a label away.

Types follow the contract's reader (``adapters.duckdb_tables.sql``): what is guessed here, it reads. What columns mean is
``domain.new_model``'s guess.
"""

import dataclasses
import itertools
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from pyarrow import compute

from argosy import errors
from argosy.domain.column_profiles import MOST_LEVELS, ColumnProfile, TableProfile
from argosy.domain.model_settings import Task
from argosy.domain.source_settings import ColumnType
from argosy.ml import csv_signs, leakage
from argosy.ml.avro_file import AvroFile

MISSING_TEXTS = ("NA", "N/A", "NaN", "nan", "null", "NULL", "#N/A")
INTEGER = r"^\s*[+-]?[0-9]{1,18}(\.0*)?\s*$"
NUMBER = r"^\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\s*$"
BOOLEAN = r"^\s*(?i:true|false)\s*$"
LOCAL = r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?\s*$"
MOMENT = (
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)\s*$"
)
COMMA = r"^\s*[+-]?[0-9]+,[0-9]+\s*$"
WHOLE_OR_COMMA = r"^\s*[+-]?[0-9]+(,[0-9]+)?\s*$"
THOUSANDS = r"^\s*[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?\s*$"
WHOLE_OR_THOUSANDS = r"^\s*[+-]?[0-9]{1,3}((,[0-9]{3})*|[0-9]*)(\.[0-9]+)?\s*$"
OTHER_FORMS = (
    (WHOLE_OR_THOUSANDS, "numbers with commas between thousands, which are read as text: write them without"),
    (WHOLE_OR_COMMA, "numbers with a decimal comma, which are read as text in this file: write them with a point"),
    (
        r"^\s*[€$£]\s?[0-9.,]+\s*$|^\s*[0-9.,]+\s?[€$£%]\s*$",
        "numbers with a sign, which are read as text: write the sign into the header",
    ),
    (
        r"^\s*[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}(\s.*)?$",
        "days in a form that is read as text: write them as 2025-12-31",
    ),
)
"""Forms of numbers and times that no contract reads as such, each with what is said of a column of them."""
MAIL = r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"
TOO_GOOD = 0.99
"""A column that alone tells the label this well is known only with it."""
FEWEST_POINTS = 2
"""Points that a line goes through, whatever they are."""
LABEL = "label"
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""What Hive and Spark call the folder of the missing value."""
ODD = (pa.types.is_binary, pa.types.is_time, pa.types.is_null)
"""Types of single values of which a contract knows none."""
Numbers = npt.NDArray[np.float64]


def read_partitions(folder: Path, files: Sequence[Path]) -> tuple[pa.Table, TableProfile]:
    """The rows of all *files* below *folder* as one table, with the columns that their folders name, and their profile.

    Raises Rejected where one is no table, UsageError where they are of no one table.
    """
    read_ones = [_partition(folder, file) for file in files]
    _refuse_others(folder, files, [each for each, _ in read_ones])
    signs = {sign for _, sign in read_ones if sign is not None}
    if len(signs) > 1:
        raise errors.Rejected(
            f"{folder} has files with {' and '.join(map(repr, sorted(signs)))} between values; write them alike"
        )
    try:
        table = pa.concat_tables([each for each, _ in read_ones], promote_options="permissive")
    except (pa.ArrowException, TypeError) as error:
        raise errors.Rejected(f"{folder}: its files are of no one table: {errors.first_line(error)[:200]}") from None
    if signs:
        return _of_csv(_named(folder, table), signs.pop())
    return _of_values(_named(folder, table))


def _refuse_others(folder: Path, files: Sequence[Path], tables: Sequence[pa.Table]) -> None:
    """Raise UsageError where a file lacks a column of one before it: partitions gain columns, and lose none."""
    for (before, earlier), (file, table) in itertools.pairwise(zip(files, tables, strict=True)):
        if lost := [name for name in earlier.column_names if name not in table.column_names]:
            raise errors.UsageError(
                f"--from {folder}: it has {before.relative_to(folder)} with a column {lost[0]!r} and {file.relative_to(folder)} without, "
                "which are of no one table; name the one file whose rows are examples, or a folder of one table"
            )


def _partition(folder: Path, file: Path) -> tuple[pa.Table, str | None]:
    """The rows of *file* with what its path says of them, and the sign between values of a CSV file."""
    values = VALUES.get(file.suffix.casefold())
    sign = delimiter(file) if values is None else None
    table = values(file) if values is not None else _csv(file, sign or ",")
    for key, equals, value in (part.partition("=") for part in file.relative_to(folder).parts[:-1]):
        if equals and key not in table.column_names:
            named = None if value == HIVE_NULL else urllib.parse.unquote(value)
            # In front: of the columns of a file the last one is often what is predicted.
            table = table.add_column(0, key, pa.array([named] * table.num_rows, pa.string()))
    return table, sign


def of_texts(place: str, table: pa.Table, key: str | None) -> tuple[pa.Table, TableProfile]:
    """The rows of *table*, texts that a database answered, and their profile. *place*: for people. *key*: its primary key."""
    named = _named(place, table)
    profiles = tuple(_of_text(name, named.column(name)) for name in named.column_names)
    return named, TableProfile(profiles, named.num_rows, primary_key=key)


def read(file: Path) -> tuple[pa.Table, TableProfile]:
    """The rows of *file* (CSV: texts as they stand, a missing value null) and their profile. Raises Rejected where it is no table.

    Of Avro without the fields that :func:`left_out` names.
    """
    if (values := VALUES.get(file.suffix.casefold())) is not None:
        return _of_values(values(file))
    sign = delimiter(file)
    return _of_csv(_csv(file, sign), sign)


def _of_csv(table: pa.Table, sign: str) -> tuple[pa.Table, TableProfile]:
    commas = [] if sign == "," else _with_decimal_comma(table)
    for name in commas:
        pointed = compute.replace_substring(table.column(name), ",", ".")
        table = table.set_column(table.column_names.index(name), name, pointed)
    words = _missing_words(table)
    cleaned = _without(table, words)
    profiles = tuple(_of_text(name, cleaned.column(name)) for name in cleaned.column_names)
    delimiter = None if sign == "," else sign
    return cleaned, TableProfile(profiles, table.num_rows, delimiter, bool(commas), tuple(words))


def _with_decimal_comma(table: pa.Table) -> list[str]:
    """The columns of *table* whose numbers have a decimal comma; none where another's have a point, since one sign is a file's."""
    found = []
    for name in table.column_names:
        column = table.column(name).drop_null()
        there = column.filter(compute.invert(compute.is_in(column, pa.array(csv_signs.MISSING_WORDS))))
        if _all(there, NUMBER) and not _all(there, INTEGER):
            return []
        # Groups of three alone may as well be thousands: nobody's guess.
        commas = there.filter(compute.match_substring_regex(there, COMMA))
        if len(commas) and _all(there, WHOLE_OR_COMMA) and not _all(commas, THOUSANDS):
            found.append(name)
    return found


def _all(column: pa.ChunkedArray, pattern: str) -> bool:
    """True where *column* has a value, and all are of *pattern*."""
    return len(column) > 0 and bool(compute.all(compute.match_substring_regex(column, pattern)).as_py())


def given_away(rows: pa.Table, task: Task, classes: int, features: Sequence[str]) -> list[tuple[str, float]]:
    """Those of *features* that alone tell the column ``label`` of *rows* as well as only what is known with it does; 1: entirely."""
    there = rows.filter(rows.column(LABEL).is_valid())
    labels = np.asarray(there.column(LABEL).cast(pa.float64()).to_numpy(), np.float64)
    alone = {name: _alone(there.column(name), labels, task, classes) for name in features}
    return [(name, found) for name, found in alone.items() if found >= TOO_GOOD]


def positive_share(rows: pa.Table) -> float:
    """The share of the positive class among the labels of *rows*."""
    return float(compute.mean(rows.column(LABEL)).as_py())


def left_out(file: Path) -> dict[str, str]:
    """Fields of *file* that no contract can name, each with the reason. Columns of Parquet are refused instead, those of CSV are texts."""
    if file.suffix.casefold() != ".avro":
        return {}
    avro = _avro(file)
    odd = {each.name: str(each.type) for each in avro.schema if any(is_odd(each.type) for is_odd in ODD)}
    return {
        name: f"it is {kind}, which is no text, number, truth or time" for name, kind in (avro.left_out | odd).items()
    }


def write_numbered(file: Path, key: str, target: Path, first: int) -> int:
    """Write the Parquet or Avro *file* to *target* with a column *key* in front that numbers its rows from *first*; returns how many."""
    if file.suffix.casefold() == ".avro":
        return _avro(file).write_numbered(key, target, first)
    rows = _read_parquet(file)
    pq.write_table(rows.add_column(0, key, pa.array(range(first, first + rows.num_rows), pa.int64())), target)
    return int(rows.num_rows)


def _typed(column: pa.ChunkedArray, kind: ColumnType) -> pa.ChunkedArray:
    """A *column* of texts as numbers where it is some; others as they are."""
    if kind not in ("integer", "number"):
        return column.cast(pa.string())
    if pa.types.is_string(column.type):
        column = compute.utf8_trim_whitespace(column)
    return column.cast(pa.float64())


def _alone(column: pa.ChunkedArray, labels: Numbers, task: Task, classes: int) -> float:
    if task == "binary":
        return leakage.separation(column, labels)
    if task == "regression":
        return _correlation(column, labels)
    return min(leakage.separation(column, (labels == each).astype(np.float64)) for each in range(classes))


def _correlation(column: pa.ChunkedArray, labels: Numbers) -> float:
    """How well a line through *column* tells *labels*, as r²; 0 of texts."""
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return 0.0
    there = np.asarray(column.is_valid())
    one, other = np.asarray(column.drop_null().cast(pa.float64()).to_numpy(), np.float64), labels[there]
    if len(one) <= FEWEST_POINTS or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1] ** 2)


def delimiter(file: Path) -> str:
    """The sign between the values of *file*; see :func:`csv_signs.delimiter`."""
    with file.open("rb") as stream:
        return csv_signs.delimiter(stream)


def hint_lines(file: Path) -> int:
    """The lines of *file* above its header; see :func:`csv_signs.hint_lines`."""
    with file.open("rb") as stream:
        return csv_signs.hint_lines(stream)


def _csv(file: Path, delimiter: str) -> pa.Table:
    skipped = hint_lines(file)
    try:
        with pyarrow.csv.open_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(skip_rows=skipped),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
        ) as reader:
            names = reader.schema.names
        types = dict.fromkeys(names, pa.string())
        table = pyarrow.csv.read_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(skip_rows=skipped),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        refuse_foreign(file)
        raise errors.Rejected(f"{file} cannot be read as a table: {str(error).splitlines()[0][:200]}") from None
    return _named(file, table)


def refuse_foreign(file: Path) -> None:
    """Raise Rejected, with the command that helps, where the CSV *file* is not UTF-8."""
    with file.open("rb") as stream:
        if (said := csv_signs.foreign_line(str(file), stream)) is not None:
            raise errors.Rejected(said) from None


def _read_parquet(file: Path) -> pa.Table:
    try:
        # Not as a dataset: what its folders are named is another's business.
        with pq.ParquetFile(file) as opened:
            return _named(file, opened.read())
    except (pa.ArrowException, OSError) as error:
        raise errors.Rejected(f"{file} cannot be read as Parquet: {str(error).splitlines()[0][:200]}") from None


def _read_avro(file: Path) -> pa.Table:
    table, lost = _avro(file).table(), left_out(file)
    return _named(file, table.select([name for name in table.column_names if name not in lost]))


def _avro(file: Path) -> AvroFile:
    return AvroFile(str(file), lambda: file.open("rb"))


VALUES: Mapping[str, Callable[[Path], pa.Table]] = MappingProxyType({".parquet": _read_parquet, ".avro": _read_avro})
"""What reads a file whose values have types, by its suffix; any other is CSV."""


def _of_values(table: pa.Table) -> tuple[pa.Table, TableProfile]:
    plain = pa.table({name: _plain(table.column(name)) for name in table.column_names})
    return plain, TableProfile(
        tuple(_of_typed(name, plain.column(name)) for name in plain.column_names), plain.num_rows
    )


def _named(file: Path | str, table: pa.Table) -> pa.Table:
    """*table* without columns that have no name, which no contract can name. Raises Rejected where two have one name."""
    names = [name for name in table.column_names if name.strip()]
    folded = [name.casefold() for name in names]
    twice = next((name for name in names if folded.count(name.casefold()) > 1), None)
    if twice is not None:
        raise errors.Rejected(
            f"{file} has the column {twice!r} twice, or twice but for its case, which is one to a database; rename one"
        )
    if not names or table.num_rows == 0:
        raise errors.Rejected(f"{file} has no rows under its header" if names else f"{file} has no column with a name")
    return table.select(names)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """*column* as one of few types, NaN as null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_floating(kind):
        return compute.if_else(compute.is_nan(column), pa.scalar(None, kind), column)
    return column


def _missing_words(table: pa.Table) -> list[str]:
    """The words of *table* that stand for a missing value, in the order of :data:`csv_signs.MISSING_WORDS`."""
    found = set()
    for column in table.columns:
        there = [word for word in csv_signs.MISSING_WORDS if compute.any(compute.equal(column, word)).as_py()]
        if not there:
            continue
        others = column.filter(compute.invert(compute.is_in(column, pa.array(there))))
        numeric = len(others) > 0 and _kind(others) != "string"
        found |= {word for word in there if numeric or word in MISSING_TEXTS}
    return [word for word in csv_signs.MISSING_WORDS if word in found]


def _without(table: pa.Table, words: Sequence[str]) -> pa.Table:
    if not words:
        return table
    listed = pa.array(words)
    columns = {
        name: compute.if_else(
            compute.is_in(table.column(name), listed), pa.scalar(None, pa.string()), table.column(name)
        )
        for name in table.column_names
    }
    return pa.table(columns)


def _kind(column: pa.ChunkedArray) -> ColumnType:
    there = column.drop_null()
    patterns: tuple[tuple[ColumnType, str], ...] = (
        ("integer", INTEGER),
        ("number", NUMBER),
        ("boolean", BOOLEAN),
        ("timestamp", LOCAL),
        ("timestamp", MOMENT),
    )
    if not len(there):
        return "string"
    for kind, pattern in patterns:
        if _all(there, pattern):
            return "string" if kind == "integer" and _is_code(there) else kind
    return "string"


def _is_code(column: pa.ChunkedArray) -> bool:
    """Digits with a zero in front, such as a postcode: a number would lose it."""
    return bool(compute.any(compute.match_substring_regex(column, r"^\s*0[0-9]+\s*$")).as_py())


def _of_text(name: str, column: pa.ChunkedArray) -> ColumnProfile:
    kind = _kind(column)
    there = column.drop_null()
    zoneless = kind == "timestamp" and not compute.all(compute.match_substring_regex(there, MOMENT)).as_py()
    mail = kind == "string" and _all(there, MAIL)
    profile = _profile(name, kind, column, zoneless=zoneless, mail=mail)
    if kind != "string" or _is_code(there):
        return profile
    form = next((said for pattern, said in OTHER_FORMS if _all(there, pattern)), "")
    return dataclasses.replace(profile, read_as_text=form)


def _of_typed(name: str, column: pa.ChunkedArray) -> ColumnProfile:
    arrow = column.type
    zoneless = False
    if pa.types.is_boolean(arrow):
        kind: ColumnType = "boolean"
    elif pa.types.is_integer(arrow):
        kind = "integer"
    elif pa.types.is_floating(arrow) or pa.types.is_decimal(arrow):
        kind = "number"
    elif pa.types.is_timestamp(arrow) or pa.types.is_date(arrow):
        kind, zoneless = "timestamp", not (pa.types.is_timestamp(arrow) and arrow.tz)
    elif pa.types.is_string(arrow) or pa.types.is_large_string(arrow):
        kind = "string"
    else:
        raise errors.Rejected(
            f"column {name!r} is of type {arrow}, which is no text, number, truth or time; leave it out of the file"
        )
    return _profile(name, kind, column, zoneless=zoneless, mail=False)


def _profile(name: str, kind: ColumnType, column: pa.ChunkedArray, *, zoneless: bool, mail: bool) -> ColumnProfile:
    there = column.drop_null()
    numeric = kind in ("integer", "number")
    values = _typed(there, kind) if numeric else there.cast(pa.string())
    if kind == "boolean":
        values = compute.utf8_lower(compute.utf8_trim_whitespace(values))
    distinct = compute.count_distinct(values).as_py()
    levels: tuple[tuple[str, int], ...] = ()
    if 0 < distinct <= MOST_LEVELS:
        counted = compute.value_counts(values).to_pylist()
        pairs = [(_level(each["values"]), each["counts"]) for each in counted]
        levels = tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
    ends = compute.min_max(values).as_py() if numeric and len(there) else {"min": None, "max": None}
    return ColumnProfile(
        name=name,
        type=kind,
        rows=len(column),
        missing=column.null_count,
        distinct=distinct,
        levels=levels,
        smallest=ends["min"],
        largest=ends["max"],
        counts_up=kind == "integer" and not column.null_count and _counts_up(values),
        zoneless=zoneless,
        looks_like_mail=mail,
        longest=(compute.max(compute.utf8_length(values)).as_py() or 0) if kind == "string" and len(there) else 0,
    )


def _level(value: object) -> str:
    return f"{value:.17g}" if isinstance(value, float) else str(value)


def _counts_up(values: pa.ChunkedArray) -> bool:
    numbers = np.asarray(values.to_numpy(), np.float64)
    return len(numbers) > 1 and numbers[0] in (0.0, 1.0) and bool((np.diff(numbers) == 1.0).all())
