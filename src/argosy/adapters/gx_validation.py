"""Expectations through Great Expectations, in memory: no store, no data docs, no progress bars, no analytics.

Its own report keeping can cost more than the checks; what was found is handed on as values.
"""

import contextlib
import difflib
import logging
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, SupportsFloat

from argosy import telemetry

os.environ.update(telemetry.OFF)

import great_expectations as gx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from great_expectations import util as gx_util
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations import registry
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from argosy import errors
from argosy.domain.expectations import Expectation
from argosy.ports.expectations import ExpectationFinding

if TYPE_CHECKING:
    import pyarrow as pa

View = Literal["contract", "types", "columns", "rows"]
"""An expectation's view: the contract's columns and no other, what types there are, every column by itself, or columns side by side."""

ABOUT_TYPES = (
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
    "expect_column_type_to_be",
)
NULLABLE: dict[str, Any] = {"int64": pd.Int64Dtype(), "bool": pd.BooleanDtype()}
"""Arrow's type to pandas' that has missing values. Side by side with others it is an error in Great Expectations."""

ON_SPARK = frozenset(
    {
        "expect_column_kl_divergence_to_be_less_than",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_match_strftime_format",
        "expect_select_column_values_to_be_unique_within_record",
    }
)
"""Types that its Spark engine answers as its pandas engine does. Of others it does not: types have other names there, order is not kept,
patterns are Java's, a missing value is 0 in a sum of several columns, and some it cannot be asked at all."""

EXAMPLES = 5
ORDER = "argosy_order"


def _as_float(d: SupportsFloat) -> float:
    """In the place of its own, which asks of each row of a decimal column who called, by the whole stack and the files of all its frames.

    That is milliseconds a row for a sum or a mean, in order to decide whether to warn; it warns nobody here.
    """
    return float(d)


gx_util.convert_decimal_to_float = _as_float


class GreatExpectations:
    """See :class:`argosy.ports.expectations.FrameChecker`."""

    def check(
        self, name: str, table: "pa.Table", expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """Ask *expectations* of *table*; see the port."""
        answers = self.answers(name, table, expectations, contract=contract)
        for answer in answers:
            if isinstance(answer, errors.Misconfigured):
                raise answer
        return [answer for answer in answers if isinstance(answer, ExpectationFinding)]

    def answers(
        self, name: str, table: "pa.Table", expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding | errors.Misconfigured]:
        """As :meth:`check`, with the objection in the place of the finding where there is one."""
        found: dict[int, ExpectationFinding | errors.Misconfigured] = {}
        by_view: dict[View, list[Any]] = {}
        for order, expectation in enumerate(expectations):
            try:
                by_view.setdefault(_view(expectation), []).append(_configured(name, expectation, order, table))
            except errors.Misconfigured as problem:
                found[order] = problem
        # They come back grouped by column.
        with _quiet():
            source = _context().data_sources.add_pandas(name)
            for view, configured in by_view.items():
                for result in _validate(source.add_dataframe_asset(view), _frame(view, table, contract), configured):
                    order = result.expectation_config.meta[ORDER]
                    found[order] = _answer(name, expectations[order], result, table.schema)
        return [found[order] for order in range(len(expectations))]


class SparkOfFiles(Protocol):
    """What has files as Spark does, and knows what its failures are to us."""

    def table(self, file: Path) -> Any:
        """The Parquet *file*."""

    def reported(self, subject: str) -> contextlib.AbstractContextManager[None]:
        """Turns what Spark raises into failures of ours."""

    def failure(self, subject: str, said: str) -> errors.ArgosyError | None:
        """What its word is to us; None where it is about what was asked."""


class GreatExpectationsOnSpark:
    """See :class:`argosy.ports.expectations.FileChecker`."""

    def __init__(self, spark: SparkOfFiles) -> None:
        self._spark = spark

    def takes(self, expectation: Expectation) -> bool:
        """See the port. A condition on rows is written in the engine's own language."""
        return expectation.type in ON_SPARK and not expectation.kwargs.get("row_condition")

    def check(
        self, name: str, file: Path, expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """Ask *expectations* of *file*; see the port. None is about the *contract*, of whose columns it has but those asked for."""
        del contract
        schema = pq.read_schema(file)
        configured = [_configured(name, each, order, schema.empty_table()) for order, each in enumerate(expectations)]
        found: dict[int, ExpectationFinding] = {}
        subject = f"expectations cannot be asked of source {name!r}"
        with self._spark.reported(subject), _quiet():
            # Before Great Expectations looks for a Spark: where there is none it starts one of its own, in this process.
            rows = self._spark.table(file)
            source = _context().data_sources.add_spark(name, persist=False)
            for result in _validate(source.add_dataframe_asset("columns"), rows, configured):
                # It keeps what Spark raises for itself, as if the question were at fault.
                if _was_raised(result) and (failure := self._spark.failure(subject, _reason(result))):
                    raise failure
                order = result.expectation_config.meta[ORDER]
                found[order] = _finding(name, expectations[order], result, schema)
        return [found[order] for order in range(len(expectations))]


def _answer(
    name: str, expectation: Expectation, result: Any, schema: "pa.Schema"
) -> ExpectationFinding | errors.Misconfigured:
    try:
        return _finding(name, expectation, result, schema)
    except errors.Misconfigured as problem:
        return problem


def _view(expectation: Expectation) -> View:
    if expectation.is_about_the_table:
        return "contract"
    if expectation.type in ABOUT_TYPES:
        return "types"
    return "columns" if len(expectation.columns) == 1 else "rows"


def _frame(view: View, table: "pa.Table", contract: Sequence[str]) -> pd.DataFrame:
    # What is asked of a whole table is asked of the table as its contract has it: no label, no time of ours, nothing derived.
    shown = table.select(contract) if view == "contract" else table
    frame: pd.DataFrame = shown.to_pandas()
    for field in shown.schema:
        # pandas alone makes a fraction of a whole number and an object of a boolean where values are missing.
        nullable = NULLABLE.get(str(field.type))
        if nullable is not None and shown.column(field.name).null_count and view in ("types", "columns"):
            column = pd.Series(shown.column(field.name).to_pylist(), dtype=nullable)
            # Asked for its types, Great Expectations does not take pandas' nullable ones for those that they stand for.
            frame[field.name] = (
                column.fillna(nullable.type(0)).astype(nullable.numpy_dtype) if view == "types" else column
            )
    return frame


def _context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return context


def _validate(asset: Any, frame: Any, asked: list[Any]) -> list[Any]:
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(asset.name, expectations=asked)
    found = batch.validate(suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": EXAMPLES})
    return list(found.results)


def _configured(name: str, expectation: Expectation, order: int, table: "pa.Table") -> Any:
    if problem := expectation.absent_column(name, table.column_names):
        raise errors.Misconfigured(problem)
    try:
        return ExpectationConfiguration(
            type=expectation.type, kwargs=expectation.kwargs, meta={ORDER: order}
        ).to_domain_obj()
    except GreatExpectationsError:
        known = registry.list_registered_expectation_implementations()
        close = difflib.get_close_matches(expectation.type, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise errors.Misconfigured(f"expectations.json: there is no expectation {expectation.type!r}{hint}") from None
    except ValueError as error:
        said = " ".join(str(error).split())
        raise errors.Misconfigured(f"expectations.json: {expectation.type} {expectation.kwargs}: {said}") from None


def _finding(name: str, expectation: Expectation, result: Any, schema: "pa.Schema") -> ExpectationFinding:
    if _was_raised(result):
        raise errors.Misconfigured(
            f"expectations.json: {expectation.type} {expectation.kwargs} cannot be asked of source {name!r}: {_reason(result)}"
        )
    found = result.result
    return ExpectationFinding(
        passed=bool(result.success),
        observed=_plain(found.get("observed_value")),
        unexpected_count=int(found.get("unexpected_count", 0)),
        element_count=int(found.get("element_count", 0)),
        examples=[_example(expectation, value, schema) for value in found.get("partial_unexpected_list", [])],
        missing_count=int(found.get("missing_count") or 0) if "element_count" in found else 0,
    )


def _was_raised(result: Any) -> bool:
    info = result.exception_info
    return bool(info.get("raised_exception")) or "exception_message" not in info


def _reason(result: Any) -> str:
    """The first message in what is either one exception or one for each metric."""
    info = result.exception_info
    infos = [info] if "exception_message" in info else list(info.values())
    return next((str(each["exception_message"]) for each in infos if each.get("exception_message")), "no reason given")


def _example(expectation: Expectation, value: Any, schema: "pa.Schema") -> Any:
    """One value, or the values of several columns, a whole number as one where its column is of whole numbers."""
    if isinstance(value, dict):
        return {name: _whole(each, schema, name) for name, each in value.items()}
    if isinstance(value, tuple) and len(value) == len(expectation.columns):
        return tuple(_whole(each, schema, name) for name, each in zip(expectation.columns, value, strict=True))
    return _plain(value)


def _whole(value: Any, schema: "pa.Schema", column: str) -> Any:
    plain = _plain(value)
    is_whole = isinstance(plain, float) and plain.is_integer() and str(schema.field(column).type) == "int64"
    return int(plain) if is_whole else plain


def _plain(value: Any) -> Any:
    """*value* without NumPy's and pandas' types; what is missing is None."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(each) for each in value)
    if isinstance(value, np.generic):
        value = value.item()
    missing = value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))
    return None if missing else value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Great Expectations warns of its own and of pandas' future; nothing that we could act on."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
