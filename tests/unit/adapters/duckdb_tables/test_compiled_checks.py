"""What is asked in DuckDB has the verdict, counts and examples of Great Expectations, over its core catalogue and many tables."""

import dataclasses
import datetime
import decimal
import functools
import itertools
import math
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.checks import regex_translation
from argosy.adapters.duckdb_tables.checks.compiled_checker import CompiledChecker
from argosy.adapters.duckdb_tables.checks.kept_measures import KeptMeasures
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.expectations import Expectation, Meta
from argosy.domain.source_settings import Source
from argosy.ports.expectations import ExpectationFinding, FrameChecker
from argosy.ports.tables import Derived, TablePiece

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:great_expectations", "ignore:module 'sre_:DeprecationWarning"
)

UTC = datetime.UTC
START = datetime.datetime(2024, 3, 30, 22, 15, tzinfo=UTC)
WORDS = [
    "x",
    "y",
    "",
    " y",
    "Yes",
    "no",
    "ü",
    "日本",
    "a\nb",
    "z\n",
    "12",
    "1.5",
    "007",
    "O'Hara",
    '"',
    "\\d",
    "[",
    "🤦🏼‍♂️",
    "١٢",
    "A_1",
]
Draw = Callable[[random.Random], Any]


def _of(*values: Any) -> Draw:
    return lambda rng: rng.choice(values)


COLUMNS: Mapping[str, tuple[pa.DataType, Draw]] = {
    "key": (pa.string(), lambda rng: f"k{rng.randrange(12)}"),
    "whole": (pa.int64(), lambda rng: rng.randrange(-4, 9)),
    "other": (pa.int64(), lambda rng: rng.randrange(-4, 9)),
    "small": (pa.int32(), _of(0, 1)),
    "part": (pa.float64(), _of(0.0, -0.0, 0.5, 1.5, 2.25, -3.75, 1e6)),
    "flag": (pa.bool_(), _of(True, True, False)),
    "word": (pa.string(), _of(*WORDS)),
    "again": (pa.string(), _of(*WORDS)),
    "day": (pa.timestamp("us", tz="UTC"), lambda rng: START + datetime.timedelta(minutes=rng.randrange(4000))),
    "money": (pa.decimal128(12, 2), lambda rng: decimal.Decimal(rng.randrange(-500, 500)) / 100),
    "date": (pa.date32(), lambda rng: START.date() + datetime.timedelta(days=rng.randrange(9))),
}
LARGE = {"whole": _of(2**53, 2**53 + 1, -(2**53) - 1, 2**62, 7), "other": _of(2**53, 2**53 + 1, 7)}
ODD = {"part": _of(math.nan, math.inf, 0.5, 1.5), "word": _of("x", "", "é", "a\nb\n", "\u0660", "\u1e9e")}
FRACTIONS = {"part": lambda rng: rng.gauss(0.1, 3)}


def table(rows: int, gaps: float, seed: int, **drawn: Draw) -> pa.Table:
    """A table of *rows*, of whose values the share *gaps* is missing; *drawn*: how the values of a column are drawn in another way."""
    rng = random.Random(seed)
    columns = {}
    for name, (kind, draw) in COLUMNS.items():
        one = drawn.get(name, draw)
        columns[name] = pa.array([None if rng.random() < gaps else one(rng) for _ in range(rows)], kind)
    return pa.table(columns)


TABLES: Mapping[str, Callable[[], pa.Table]] = {
    "whole": lambda: table(40, 0, 1),
    "with-gaps": lambda: table(60, 0.25, 2),
    "mostly-missing": lambda: table(30, 0.9, 3),
    "all-missing": lambda: table(5, 1, 4),
    "empty": lambda: table(0, 0, 5),
    "one-row": lambda: table(1, 0, 6),
    "two-rows": lambda: table(2, 0.3, 7),
    "large-numbers": lambda: table(30, 0, 8, **LARGE),
    "large-numbers-with-gaps": lambda: table(30, 0.2, 9, **LARGE),
    "odd": lambda: table(40, 0.1, 10, **ODD),
    "fractions": lambda: table(501, 0.05, 11, **FRACTIONS),
}
BOUNDS: Sequence[dict[str, Any]] = (
    {"min_value": 0},
    {"max_value": 1.5},
    {"min_value": -1, "max_value": 5},
    {"min_value": 0, "max_value": 1, "strict_min": True},
    {"min_value": 0.5, "max_value": 5, "strict_max": True},
    {"min_value": 2**53, "strict_min": True},
)
SHARES: Sequence[dict[str, Any]] = ({}, {"mostly": 0.5}, {"mostly": 0.9})
MOMENTS: Sequence[dict[str, Any]] = (
    {"min_value": "2024-03-31T02:00:00+02:00"},
    {"min_value": "2024-03-30T00:00:00+00:00", "max_value": "2024-04-01T00:00:00Z"},
    {"max_value": "2024-04-01 00:00:00"},
)
REGEXES = (
    "^x",
    "^[A-Za-z]+$",
    r"\d",
    r"^\w+$",
    r"^\W",
    r"\s",
    "a.b",
    "z$",
    "[^a-z]",
    "^$",
    "(x|y){1,2}",
    "(?i)YES",
    r"(.)\1",
    "ü|日",
    r"^\D*$",
)
NUMBERS = ("whole", "other", "small", "part", "flag", "money")
ALL = tuple(COLUMNS)
QUANTILES = {"quantiles": [0.0, 0.25, 0.5, 0.9, 1.0], "value_ranges": [[None, 0], [-4, 4], [0, 3], [1, None], [5, 9]]}
SETS: Mapping[str, Sequence[list[Any]]] = {
    "key": [["k1", "k2", "k3"], [f"k{n}" for n in range(12)]],
    "whole": [[0, 1, 2, 3], [2**53, 7], [0.0, 1.0], ["1"], [True]],
    "small": [[0, 1], [1]],
    "part": [[0, 0.5, 1.5], [0.0], [2.25, -3.75, 1e6, 0.5, 1.5, 0]],
    "flag": [[True], [False, True], [1]],
    "word": [WORDS, ["x", "O'Hara", "a\nb"], [1.5], ["x", None]],
    "day": [["2024-03-30T22:15:00+00:00"]],
}
PAIRS = [
    ("whole", "other"),
    ("whole", "part"),
    ("word", "again"),
    ("day", "day"),
    ("small", "whole"),
    ("flag", "flag"),
    ("word", "whole"),
]


def catalogue() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is asked of every table."""
    for part in (_of_tables, _of_gaps, _of_values, _of_columns, _of_sets, _of_texts, _of_rows):
        yield from part()


def _of_gaps() -> Iterator[tuple[str, dict[str, Any]]]:
    for column in ALL:
        for share, kind in itertools.product(SHARES, ("not_be_null", "be_null", "be_unique")):
            yield f"expect_column_values_to_{kind}", {"column": column, **share}
        yield "expect_column_proportion_of_non_null_values_to_be_between", {"column": column, "min_value": 0.75}
        yield "expect_column_unique_value_count_to_be_between", {"column": column, "min_value": 2, "max_value": 12}
        yield "expect_column_proportion_of_unique_values_to_be_between", {"column": column, "max_value": 0.5}


def _of_values() -> Iterator[tuple[str, dict[str, Any]]]:
    for column, bounds in itertools.product(("whole", "part", "small", "flag", "word", "money", "date"), BOUNDS):
        yield "expect_column_values_to_be_between", {"column": column, **bounds, "mostly": 0.7}
    for bounds, kind in itertools.product(MOMENTS, ("values", "min", "max")):
        yield f"expect_column_{kind}_to_be_between", {"column": "day", **bounds}


def _of_columns() -> Iterator[tuple[str, dict[str, Any]]]:
    for column in ("whole", "part", "small", "flag", "money"):
        for bounds, kind in itertools.product(BOUNDS[:4], ("min", "max", "mean", "median", "sum", "stdev")):
            yield f"expect_column_{kind}_to_be_between", {"column": column, **bounds}
        yield "expect_column_quantile_values_to_be_between", {"column": column, "quantile_ranges": QUANTILES}


def expectation(kind: str, **arguments: Any) -> Expectation:
    return Expectation(type=kind, kwargs=arguments, meta=Meta(critical=True, why="For a test."))


def _of_tables() -> Iterator[tuple[str, dict[str, Any]]]:
    for value in (0, 1, 40):
        yield "expect_table_row_count_to_equal", {"value": value}
        yield "expect_table_row_count_to_be_between", {"min_value": value, "max_value": 50}
    yield "expect_table_row_count_to_be_between", {"min_value": 5, "strict_min": True}
    yield "expect_table_column_count_to_equal", {"value": len(COLUMNS)}
    yield "expect_table_column_count_to_be_between", {"min_value": 3, "max_value": 5}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": [*ALL]}
    yield "expect_table_columns_to_match_ordered_list", {"column_list": [*reversed(ALL)]}
    yield "expect_table_columns_to_match_set", {"column_set": ["key", "gone"]}
    yield "expect_table_columns_to_match_set", {"column_set": ["key"], "exact_match": False}
    yield "expect_table_columns_to_match_set", {"column_set": ["gone"], "exact_match": False}
    for column, index in (("key", 0), ("key", 1), ("whole", 1), ("gone", None), ("part", 99)):
        yield "expect_column_to_exist", {"column": column, "column_index": index}


def _of_sets() -> Iterator[tuple[str, dict[str, Any]]]:
    for column, sets in SETS.items():
        for values in sets:
            for kind in ("values_to_be_in", "values_to_not_be_in"):
                yield f"expect_column_{kind}_set", {"column": column, "value_set": values, "mostly": 0.8}
            for kind in ("be_in", "contain", "equal"):
                yield f"expect_column_distinct_values_to_{kind}_set", {"column": column, "value_set": values}
            for ties in (True, False):
                asked = {"column": column, "value_set": values, "ties_okay": ties}
                yield "expect_column_most_common_value_to_be_in_set", asked


def _of_texts() -> Iterator[tuple[str, dict[str, Any]]]:
    for regex in REGEXES:
        yield "expect_column_values_to_match_regex", {"column": "word", "regex": regex, "mostly": 0.3}
        yield "expect_column_values_to_not_match_regex", {"column": "word", "regex": regex}
    for on in ("any", "all"):
        asked = {"column": "word", "regex_list": ["^[a-z]", "x"], "match_on": on}
        yield "expect_column_values_to_match_regex_list", asked
    yield "expect_column_values_to_not_match_regex_list", {"column": "word", "regex_list": ["^[a-z]", "x"]}
    yield "expect_column_value_lengths_to_equal", {"column": "word", "value": 1}
    for bounds in BOUNDS[:5]:
        yield "expect_column_value_lengths_to_be_between", {"column": "word", **bounds}


def _of_rows() -> Iterator[tuple[str, dict[str, Any]]]:
    for columns in (["key", "whole"], ["word", "flag", "small"], ["part", "day"], ["whole", "other"]):
        for ignored in ("all_values_are_missing", "any_value_is_missing", "never"):
            asked = {"column_list": columns, "ignore_row_if": ignored, "mostly": 0.6}
            yield "expect_compound_columns_to_be_unique", asked
    for first, second in PAIRS:
        for ignored in ("both_values_are_missing", "either_value_is_missing", "neither"):
            pair = {"column_A": first, "column_B": second, "ignore_row_if": ignored, "mostly": 0.4}
            yield "expect_column_pair_values_to_be_equal", pair
            yield "expect_column_pair_values_a_to_be_greater_than_b", pair
            yield "expect_column_pair_values_a_to_be_greater_than_b", {**pair, "or_equal": True}


ASKED = [expectation(kind, **arguments) for kind, arguments in catalogue()]
PARTS = 8
LEFT = ExpectationFinding(False, "left", 0, 0, [])
SOURCE = Source.model_validate(
    {
        "name": "rows",
        "file": "rows.parquet",
        "entity": ["key"],
        "observed_at": "2020-01-01T00:00:00Z",
        "columns": [{"name": name, "type": "string", "meaning": "For a test."} for name in COLUMNS],
    }
)


class Nobody:
    """Who is asked what DuckDB is not, and says nothing."""

    def check(self, _: str, __: pa.Table, asked: Sequence[Expectation], *, contract: Sequence[str]) -> list[Any]:
        assert contract == list(COLUMNS)
        return [LEFT] * len(asked)


def compiled(files: Sequence[Path], asked: Sequence[Expectation], otherwise: FrameChecker | None = None) -> list[Any]:
    checker = CompiledChecker(DuckDBTables(), lambda: otherwise or Nobody())
    return checker.check(Derived.of(files, SOURCE), asked, contract=list(COLUMNS))


def theirs(rows: pa.Table, asked: Sequence[Expectation]) -> list[ExpectationFinding | errors.Misconfigured]:
    """What Great Expectations finds, or why it objects to the question."""
    from argosy.adapters.gx_validation import GreatExpectations  # not before: its import warns

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GreatExpectations().answers("rows", rows, asked, contract=list(COLUMNS))


def alike(one: Any, other: Any) -> bool:
    """Whether two findings say the same: the same types, and fractions to the last digits."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(one, dict):
        return isinstance(other, dict) and list(one) == list(other) and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(alike, one, other))
    return (isinstance(one, datetime.datetime) or type(one) is type(other)) and bool(one == other)


@pytest.mark.parametrize(("number", "name"), list(enumerate(TABLES)), ids=list(TABLES))
def test_as_great_expectations_finds(number: int, name: str, tmp_path: Path) -> None:
    """Verdict, counts, shares, observation and examples; and what Great Expectations objects to is not answered here.

    One table is asked everything, of the others each another part: Great Expectations takes most of a minute for all.
    """
    rows, asked = TABLES[name](), ASKED if name == "with-gaps" else ASKED[number::PARTS]
    pq.write_table(rows, tmp_path / "rows.parquet")
    mine = compiled([tmp_path / "rows.parquet"], asked)
    assert sum(each is not LEFT for each in mine) > len(asked) / 3
    assert not [
        (expectation.type, expectation.kwargs, each, plain)
        for expectation, each, plain in zip(asked, mine, theirs(rows, asked), strict=True)
        if each is not LEFT and (isinstance(plain, errors.Misconfigured) or not alike(said(each), said(plain)))
    ]


def said(finding: ExpectationFinding) -> dict[str, Any]:
    """All that it says, but for who was asked."""
    unsaid = {"compiled": None, "in_parts": None}
    return {**dataclasses.asdict(finding), **unsaid, "percent": finding.unexpected_percent}


class TestWhoIsAsked:
    """What DuckDB is not asked, Great Expectations is, of the columns that it needs."""

    def test_both(self, tmp_path: Path) -> None:
        """Findings come in the order of the expectations, and say who found them; only what is needed is read into memory."""
        read: list[list[str]] = []

        class Reads(Nobody):
            def check(self, name: str, rows: pa.Table, asked: Sequence[Expectation], *, contract: Any) -> list[Any]:
                read.append(rows.column_names)
                return super().check(name, rows, asked, contract=contract)

        pq.write_table(table(20, 0.2, 1), tmp_path / "rows.parquet")
        asked = [
            expectation("expect_column_values_to_not_be_null", column="key"),
            expectation("expect_column_values_to_be_increasing", column="part"),
            expectation("expect_table_row_count_to_equal", value=20),
            expectation("expect_multicolumn_sum_to_equal", column_list=["other", "whole"], sum_total=4),
        ]
        found = compiled([tmp_path / "rows.parquet"], asked, Reads())
        assert [each.compiled for each in found] == [True, False, True, False]
        assert read == [["whole", "other", "part"]]

    def test_who_needs_no_memory_is_asked_first(self, tmp_path: Path) -> None:
        """What it takes, by a file with the columns it needs and those that were derived; the rest is asked in memory, in order."""
        read: list[list[Any]] = []

        class OfFiles:
            def takes(self, asked: Expectation) -> bool:
                return asked.type == "expect_column_value_z_scores_to_be_less_than"

            def check(self, name: str, file: Path, asked: Sequence[Expectation], *, contract: Any) -> list[Any]:
                read.append([name, *pq.read_table(file).to_pydict().items()])
                return [dataclasses.replace(LEFT, observed="by file")] * len(asked)

        pq.write_table(pa.table({"whole": [1, 2], "part": [0.5, 1.5]}), tmp_path / "rows.parquet")
        derived = Derived.of([tmp_path / "rows.parquet"], SOURCE, {"twice": "part * 2"})
        asked = [
            expectation("expect_column_values_to_be_increasing", column="part"),
            expectation("expect_column_value_z_scores_to_be_less_than", column="twice", threshold=2, double_sided=True),
            expectation("expect_column_min_to_be_between", column="whole", min_value=1),
        ]
        checker = CompiledChecker(DuckDBTables(), Nobody, of_files=OfFiles())
        found = checker.check(derived, asked, contract=list(COLUMNS))
        assert [each.observed for each in found] == ["left", "by file", 1]
        assert read == [["rows", ("twice", [1.0, 3.0])]]

    def test_of_a_limit_that_is_met(self, tmp_path: Path) -> None:
        """A sum of fractions on the limit is for Great Expectations to judge; one of whole numbers is the same to everybody."""
        pq.write_table(pa.table({"part": [0.1] * 10, "whole": [1] * 10}), tmp_path / "rows.parquet")
        asked = [
            expectation("expect_column_sum_to_be_between", column="part", max_value=1.0),
            expectation("expect_column_sum_to_be_between", column="part", max_value=1.1),
            expectation("expect_column_mean_to_be_between", column="whole", max_value=1),
        ]
        assert [each is LEFT for each in compiled([tmp_path / "rows.parquet"], asked)] == [True, False, False]


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=x)", r"(x)\1", "(?i)x", "(?m)^x", r"\bx", "x{1,2000}", "(?>x)", "x++", "(", None, 1, "(?i:x)", r"(?<!a)b",
        r"x$\n", r"(x|y$)[\n]", r"^(\n|x$){2}\Z", "((x{50}){5}){5}",
    ],
)  # fmt: skip
def test_patterns_that_are_not_translated(pattern: Any) -> None:
    """What RE2 has not, or reads in another way, is left to Python."""
    assert regex_translation.translated(pattern) is None


def test_several_files_are_one_table(tmp_path: Path) -> None:
    """Counts are of all rows, examples in the order of the files."""
    for name, values in (("b", [5, 1, 9]), ("a", [7, 2, 8])):
        pq.write_table(pa.table({"whole": values}), tmp_path / f"{name}.parquet")
    files = [tmp_path / "b.parquet", tmp_path / "a.parquet"]
    asked = [
        expectation("expect_column_values_to_be_between", column="whole", max_value=4),
        expectation("expect_table_row_count_to_equal", value=6),
    ]
    between, count = compiled(files, asked)
    assert between.examples == [5, 9, 7, 8]
    assert count.passed


def in_parts(rows: pa.Table, cuts: Sequence[int], folder: Path) -> list[TablePiece]:
    """The *rows* in files of their own, cut before each of *cuts*."""
    found = []
    for number, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(rows)])):
        file = folder / f"{number}.parquet"
        pq.write_table(rows.slice(start, end - start), file)
        found.append(TablePiece(file.name, functools.partial(Path, file), f"sha256:{number}"))
    return found


@pytest.mark.parametrize(("number", "name"), list(enumerate(TABLES)), ids=list(TABLES))
def test_parts_have_the_verdicts_of_the_whole(number: int, name: str, tmp_path: Path) -> None:
    """However a table is cut, empty parts too: verdict, counts, observations and examples are those of all rows in one file; and a second
    time, when measures of the parts are known, they are again.
    """
    rows, rng, kept = TABLES[name](), random.Random(name), KeptMeasures(MemoryObjects())
    asked = ASKED[number::PARTS]
    pq.write_table(rows, tmp_path / "whole.parquet")
    whole = compiled([tmp_path / "whole.parquet"], asked)
    cuts = sorted(rng.randrange(len(rows) + 1) for _ in range(3))
    parts = in_parts(rows, cuts, tmp_path)
    checker = CompiledChecker(DuckDBTables(), Nobody, kept=kept)
    for _ in range(2):
        found = checker.check(Derived(parts, SOURCE), asked, contract=list(COLUMNS))
        assert not [
            (expectation.type, expectation.kwargs, one, other)
            for expectation, one, other in zip(asked, found, whole, strict=True)
            if not alike(said(one), said(other))
        ]
        assert sum(each.in_parts for each in found) > sum(each.compiled for each in found) / 2


def test_a_part_that_is_known_is_not_opened(tmp_path: Path) -> None:
    """A new part costs that part: others are opened neither for measures nor for examples that they do not have.

    What needs all rows at once says so, and opens them.
    """
    rows, kept, opened = table(50, 0, 1), KeptMeasures(MemoryObjects()), []
    asked = [
        expectation("expect_column_values_to_be_between", column="whole", max_value=100),
        expectation("expect_column_mean_to_be_between", column="part", min_value=-(10**6)),
        expectation("expect_column_values_to_not_be_null", column="word"),
    ]
    (tmp_path / "old").mkdir()
    old = in_parts(rows, [20], tmp_path / "old")
    more = rows.slice(0, 5).set_column(1, "whole", pa.array([1, 2, 300, 4, 500], pa.int64()))
    pq.write_table(more, tmp_path / "more.parquet")

    def watched(part: TablePiece) -> TablePiece:
        return TablePiece(part.name, lambda: opened.append(part.name) or part.file(), part.digest)  # type: ignore[func-returns-value]

    new = TablePiece("more.parquet", lambda: tmp_path / "more.parquet", "sha256:more")
    checker = CompiledChecker(DuckDBTables(), Nobody, kept=kept)
    checker.check(Derived(old, SOURCE), asked, contract=list(COLUMNS))
    found = checker.check(Derived([*map(watched, old), new], SOURCE), asked, contract=list(COLUMNS))
    assert opened == []
    assert [each.in_parts for each in found] == [True, True, True]
    assert [each.passed for each in found] == [False, True, True]
    assert found[0].examples == [300, 500]
    unique = expectation("expect_column_values_to_be_unique", column="key")
    (whole,) = checker.check(Derived([*map(watched, old), new], SOURCE), [unique], contract=list(COLUMNS))
    assert not whole.in_parts
    assert set(opened) == {"0.parquet", "1.parquet"}


def test_what_looks_at_several_rows_is_asked_of_all(tmp_path: Path) -> None:
    """A derived column of a window, or of the clock, is not one of a part."""
    rows = table(40, 0, 1)
    parts = in_parts(rows, [20], tmp_path)
    for derived in ("count(*) OVER (PARTITION BY key)", "(SELECT 1)", "current_date", "random()", "now()"):
        asked = expectation("expect_column_values_to_not_be_null", column="derived")
        table_of = Derived(parts, SOURCE, {"derived": derived})
        (found,) = CompiledChecker(DuckDBTables(), Nobody).check(table_of, [asked], contract=list(COLUMNS))
        assert found.in_parts is False, derived
    fine = Derived(parts, SOURCE, {"derived": "lower(word) || coalesce(whole, 0)"})
    (found,) = CompiledChecker(DuckDBTables(), Nobody).check(fine, [asked], contract=list(COLUMNS))
    assert found.in_parts
