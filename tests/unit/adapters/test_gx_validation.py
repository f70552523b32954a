"""Expectations are asked of the user's table: the verdicts and figures are those of Great Expectations itself on that table."""

import contextlib
import datetime
import decimal
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.domain.expectations import Expectation, Meta
from argosy.ports.expectations import ExpectationFinding

# What Great Expectations imports warns of its own future.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:great_expectations", "ignore:module 'sre_:DeprecationWarning"
)

UTC = datetime.UTC
DAYS = [datetime.datetime(2020, 1, day, tzinfo=UTC) for day in range(1, 6)]
CONTRACT = pa.table(
    {
        "id": ["a", "b", "c", "d", "e"],
        "gaps": pa.array([1, 2, None, 4, 5], pa.int64()),
        "whole": pa.array([1, 2, 3, 4, 5], pa.int64()),
        "part": [1.5, 2.5, None, 4.5, 9.0],
        "flag": pa.array([True, None, False, True, True]),
        "word": ["x", "y", None, "x", "zz"],
        "day": pa.array(DAYS, pa.timestamp("us", tz="UTC")),
    }
)
ADDED = CONTRACT.append_column("event_timestamp", CONTRACT.column("day")).append_column(
    "twice", CONTRACT.column("whole")
)
ADDED = ADDED.append_column("label", pa.array([0, 1, 0, 1, 0]))
QUANTILES = {"quantiles": [0.1, 0.5], "value_ranges": [[0, 1], [9, 10]]}
PARTITION = {"values": [1, 2, 3, 4, 5], "weights": [0.2] * 5}

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("expect_table_column_count_to_equal", {"value": 7}),
    ("expect_table_column_count_to_be_between", {"min_value": 8, "max_value": 20}),
    ("expect_table_columns_to_match_ordered_list", {"column_list": CONTRACT.column_names}),
    ("expect_table_columns_to_match_set", {"column_set": CONTRACT.column_names, "exact_match": True}),
    ("expect_table_row_count_to_equal", {"value": 5}),
    ("expect_table_row_count_to_be_between", {"min_value": 6}),
    ("expect_column_to_exist", {"column": "whole", "column_index": 2}),
    ("expect_column_to_exist", {"column": "absent"}),
    ("expect_column_values_to_be_of_type", {"column": "whole", "type_": "int64"}),
    ("expect_column_values_to_be_of_type", {"column": "part", "type_": "float64"}),
    ("expect_column_values_to_be_of_type", {"column": "word", "type_": "str"}),
    ("expect_column_values_to_be_between", {"column": "whole", "min_value": 2, "max_value": 4}),
    ("expect_column_values_to_be_between", {"column": "gaps", "min_value": 2, "max_value": 4}),
    ("expect_column_values_to_be_between", {"column": "part", "min_value": 2}),
    ("expect_column_values_to_be_between", {"column": "day", "min_value": DAYS[1], "max_value": DAYS[2]}),
    ("expect_column_values_to_not_be_null", {"column": "gaps"}),
    ("expect_column_values_to_be_null", {"column": "gaps"}),
    ("expect_column_values_to_be_in_set", {"column": "gaps", "value_set": [1, 2]}),
    ("expect_column_values_to_be_in_set", {"column": "flag", "value_set": [True]}),
    ("expect_column_values_to_not_be_in_set", {"column": "word", "value_set": ["x"]}),
    ("expect_column_values_to_be_unique", {"column": "word"}),
    ("expect_column_values_to_be_increasing", {"column": "whole"}),
    ("expect_column_values_to_be_decreasing", {"column": "whole"}),
    ("expect_column_distinct_values_to_be_in_set", {"column": "word", "value_set": ["x"]}),
    ("expect_column_distinct_values_to_contain_set", {"column": "whole", "value_set": [1, 9]}),
    ("expect_column_distinct_values_to_equal_set", {"column": "gaps", "value_set": [1, 2, 4, 5]}),
    ("expect_column_max_to_be_between", {"column": "gaps", "max_value": 2}),
    ("expect_column_min_to_be_between", {"column": "gaps", "min_value": 1}),
    ("expect_column_mean_to_be_between", {"column": "gaps", "max_value": 1}),
    ("expect_column_median_to_be_between", {"column": "gaps", "max_value": 1}),
    ("expect_column_stdev_to_be_between", {"column": "gaps", "max_value": 1}),
    ("expect_column_sum_to_be_between", {"column": "gaps", "max_value": 12}),
    ("expect_column_unique_value_count_to_be_between", {"column": "gaps", "min_value": 9}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "word", "max_value": 0.1}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "gaps", "min_value": 0.9}),
    ("expect_column_most_common_value_to_be_in_set", {"column": "word", "value_set": ["y"]}),
    ("expect_column_quantile_values_to_be_between", {"column": "gaps", "quantile_ranges": QUANTILES}),
    ("expect_column_value_z_scores_to_be_less_than", {"column": "gaps", "threshold": 1, "double_sided": True}),
    ("expect_column_kl_divergence_to_be_less_than", {"column": "whole", "partition_object": PARTITION, "threshold": 0.1}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "gaps", "column_B": "whole"}),
    ("expect_column_pair_values_to_be_equal", {"column_A": "gaps", "column_B": "whole"}),
    ("expect_column_pair_values_to_be_in_set", {"column_A": "gaps", "column_B": "whole", "value_pairs_set": [(1, 1)]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["flag", "word"]}),
    ("expect_multicolumn_sum_to_equal", {"column_list": ["gaps", "whole"], "sum_total": 4}),
    ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["gaps", "whole"]}),
    ("expect_column_value_lengths_to_equal", {"column": "word", "value": 1}),
    ("expect_column_value_lengths_to_be_between", {"column": "word", "min_value": 2}),
    ("expect_column_values_to_match_regex", {"column": "word", "regex": "^x"}),
    ("expect_column_values_to_not_match_regex", {"column": "word", "regex": "^x"}),
    ("expect_column_values_to_match_regex_list", {"column": "word", "regex_list": ["^x", "^y"]}),
    ("expect_column_values_to_match_strftime_format", {"column": "word", "strftime_format": "%Y"}),
    ("expect_column_values_to_be_dateutil_parseable", {"column": "word"}),
    ("expect_column_values_to_be_json_parseable", {"column": "word"}),
]  # fmt: skip


def expectation(kind: str, arguments: dict[str, Any]) -> Expectation:
    return Expectation(type=kind, kwargs=arguments, meta=Meta(critical=True, why="For a test."))


def check(*asked: Expectation) -> list[ExpectationFinding]:
    from argosy.adapters.gx_validation import GreatExpectations  # not before: its import warns

    return GreatExpectations().check("rows", ADDED, asked, contract=CONTRACT.column_names)


def find(kind: str, **arguments: Any) -> ExpectationFinding:
    return check(expectation(kind, arguments))[0]


@pytest.fixture(scope="module")
def ours() -> list[ExpectationFinding]:
    """What each of :data:`ASKED` found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(*(expectation(*each) for each in ASKED))


@pytest.fixture(scope="module")
def theirs() -> list[Any]:
    """What Great Expectations finds without us, on the user's table as pandas has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        asset = context.data_sources.add_pandas("plain").add_dataframe_asset("plain")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": CONTRACT.to_pandas()})
        form: Any = {"result_format": "SUMMARY", "partial_unexpected_count": 5}
        return [
            batch.validate(ExpectationConfiguration(type=kind, kwargs=arguments).to_domain_obj(), result_format=form)
            for kind, arguments in ASKED
        ]


@pytest.mark.parametrize("index", range(len(ASKED)), ids=[f"{kind[7:]}-{n}" for n, (kind, _) in enumerate(ASKED)])
def test_the_same_as_without_us(index: int, ours: list[ExpectationFinding], theirs: list[Any]) -> None:
    """The same verdict, the same counts, the same examples and the same observation."""
    mine, plain = ours[index], theirs[index]
    assert mine.passed == bool(plain.success)
    assert mine.unexpected_count == plain.result.get("unexpected_count", 0)
    assert [comparable(value) for value in mine.examples] == [
        comparable(value) for value in plain.result.get("partial_unexpected_list", [])
    ]
    assert comparable(mine.observed) == comparable(plain.result.get("observed_value"))


def comparable(value: Any) -> Any:
    """Without the types of NumPy and pandas: those are what is not to be shown."""
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [comparable(each) for each in value]
    return None if value is None or pd.isna(value) else value


@pytest.mark.parametrize(
    ("kind", "column", "arguments"),
    [
        pytest.param("expect_column_values_to_be_of_type", "gaps", {"type_": "int64"}, id="integer"),
        pytest.param("expect_column_values_to_be_in_type_list", "gaps", {"type_list": ["int64"]}, id="integer-list"),
        pytest.param("expect_column_values_to_be_of_type", "flag", {"type_": "bool"}, id="boolean"),
    ],
)
def test_a_column_keeps_its_type_where_values_are_missing(kind: str, column: str, arguments: dict[str, Any]) -> None:
    """pandas alone would make a fraction or an object of it."""
    assert find(kind, column=column, **arguments).passed


def test_examples_are_plain_values() -> None:
    """As they stand in the file: whole numbers whole, missing ones None, nothing of NumPy's."""
    pair = find("expect_column_pair_values_to_be_in_set", column_A="gaps", column_B="whole", value_pairs_set=[(1, 1)])
    assert repr(pair.examples) == "[(2, 2), (None, 3), (4, 4), (5, 5)]"
    record = find("expect_multicolumn_sum_to_equal", column_list=["gaps", "whole"], sum_total=4)
    assert repr(record.examples[0]) == "{'gaps': 1, 'whole': 1}"
    single = find("expect_column_values_to_be_between", column="gaps", min_value=2, max_value=4)
    assert repr(single.examples) == "[1, 5]"
    assert repr(find("expect_column_max_to_be_between", column="gaps", max_value=2).observed) == "5"


def test_columns_that_were_added_can_be_named() -> None:
    """The label and what is derived, in an expectation about columns."""
    assert find("expect_column_mean_to_be_between", column="label", min_value=0.3, max_value=0.5).passed
    assert find("expect_column_pair_values_to_be_equal", column_A="twice", column_B="whole").passed


def test_a_sum_of_decimal_numbers_walks_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Great Expectations looks at every row for who calls, through the files of all frames; asked through us it does not."""
    from great_expectations import util

    from argosy.adapters.gx_validation import GreatExpectations

    walks: list[str] = []

    def stack() -> list[Any]:
        walks.append("walked")
        return []

    monkeypatch.setattr(util, "stack", stack)
    rows = pa.table({"money": pa.array([decimal.Decimal(number) / 100 for number in range(300)], pa.decimal128(12, 2))})
    asked = expectation("expect_column_sum_to_be_between", {"column": "money", "min_value": 1})
    (found,) = GreatExpectations().check("rows", rows, [asked], contract=["money"])
    assert (found.passed, found.observed) == (True, pytest.approx(448.5))
    assert walks == []


class SparkOpened(Exception):
    """A table was asked of it."""


class SparkThatTells:
    """A Spark that only tells that it was opened."""

    def table(self, file: Path) -> Any:
        """Tell."""
        raise SparkOpened(file)

    @contextlib.contextmanager
    def reported(self, subject: str) -> Iterator[None]:
        """Report nothing of *subject*."""
        yield

    def failure(self, subject: str, said: str) -> errors.ArgosyError | None:
        """Know nothing of *subject* and what was *said*."""


def test_spark_is_opened_before_great_expectations_starts_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no Spark yet Great Expectations starts one in the step's own process, and ours never comes."""
    from argosy.adapters import gx_validation

    def too_early() -> Any:
        raise AssertionError("Great Expectations was told of a source before there was a Spark")

    monkeypatch.setattr(gx_validation, "_context", too_early)
    file = tmp_path / "customers.parquet"
    pq.write_table(pa.table({"tenure": [1, 2]}), file)
    asked = Expectation(
        type="expect_column_value_z_scores_to_be_less_than",
        kwargs={"column": "tenure", "threshold": 3, "double_sided": True},
        meta=Meta(critical=False, why="To be asked there."),
    )
    with pytest.raises(SparkOpened):
        gx_validation.GreatExpectationsOnSpark(SparkThatTells()).check("customers", file, [asked], contract=["tenure"])
