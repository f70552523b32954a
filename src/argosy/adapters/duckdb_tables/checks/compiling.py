"""An expectation to the question that is asked of DuckDB for it; none where Great Expectations has to ask itself."""

from collections.abc import Mapping, Sequence

from argosy.adapters.duckdb_tables.checks import row_checks, summary_checks, table_checks, value_checks
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import TableQuestion
from argosy.domain.expectations import Expectation


def compiled(
    expectation: Expectation, columns: Mapping[str, AskedColumn], contract: Sequence[str]
) -> TableQuestion | None:
    """The question for *expectation*. *columns*: those that can be asked; *contract*: the names that the table has by its contract."""
    # An argument that is null is one that is not given.
    arguments = {name: value for name, value in expectation.kwargs.items() if value is not None}
    kind = expectation.type
    return (
        table_checks.question(kind, arguments, contract)
        or value_checks.question(kind, arguments, columns)
        or summary_checks.question(kind, arguments, columns)
        or row_checks.question(kind, arguments, columns)
    )
