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
from typing import TYPE_CHECKING, Any

# Read when the library is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.exceptions import GreatExpectationsError
from great_expectations.expectations import registry
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

from argosy import errors
from argosy.domain.expectations import Expectation
from argosy.ports.expectations import Finding

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES = 5
ORDER = "argosy_order"


class GreatExpectations:
    """See :class:`argosy.ports.expectations.ExpectationChecker`."""

    def check(self, name: str, table: "pa.Table", expectations: Sequence[Expectation]) -> list[Finding]:
        """Ask *expectations* of *table*; see the port."""
        asked = [_configured(expectation, order) for order, expectation in enumerate(expectations)]
        for expectation in expectations:
            _has_columns(name, expectation, table.column_names)
        with _quiet():
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
            batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table.to_pandas()})
            suite = gx.ExpectationSuite(name, expectations=asked)
            found = batch.validate(
                suite, result_format={"result_format": "SUMMARY", "partial_unexpected_count": EXAMPLES}
            )
        # They come back grouped by column.
        by_order = {result.expectation_config.meta[ORDER]: result for result in found.results}
        return [_finding(name, expectation, by_order[order]) for order, expectation in enumerate(expectations)]


def _configured(expectation: Expectation, order: int) -> Any:
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


def _has_columns(name: str, expectation: Expectation, columns: Sequence[str]) -> None:
    for column in expectation.columns:
        if column not in columns:
            close = difflib.get_close_matches(column, columns, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise errors.Misconfigured(
                f"expectations.json: {expectation.type} names column {column!r}, which source {name!r} does not have{hint}"
            )


def _finding(name: str, expectation: Expectation, result: Any) -> Finding:
    if result.exception_info.get("raised_exception") or "exception_message" not in result.exception_info:
        raise errors.Misconfigured(
            f"expectations.json: {expectation.type} {expectation.kwargs} cannot be asked of source {name!r}: {_reason(result)}"
        )
    found = result.result
    return Finding(
        passed=bool(result.success),
        observed=found.get("observed_value"),
        unexpected_count=int(found.get("unexpected_count", 0)),
        element_count=int(found.get("element_count", 0)),
        examples=[_plain(value) for value in found.get("partial_unexpected_list", [])],
    )


def _reason(result: Any) -> str:
    """The first message in what is either one exception or one for each metric."""
    info = result.exception_info
    infos = [info] if "exception_message" in info else list(info.values())
    return next((str(each["exception_message"]) for each in infos if each.get("exception_message")), "no reason given")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


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
