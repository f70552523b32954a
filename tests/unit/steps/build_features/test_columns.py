"""What the schema says of a feature: taken from the contract, and from what the join found."""

import datetime

import pyarrow as pa
import pytest

from argosy.ports.features import Definition
from argosy.steps.build_features import row_facts, run
from kit.examples import make_settings


@pytest.mark.parametrize(
    ("allowed", "values", "nullable"),
    [
        pytest.param(False, [1.0, 2.0], False, id="never-missing"),
        pytest.param(True, [1.0, 2.0], True, id="allowed-by-the-contract"),
        pytest.param(False, [1.0, None], True, id="a-join-found-nothing"),
    ],
)
def test_null_is_expected_where_contract_or_join_give_it(
    allowed: bool, values: list[float | None], nullable: bool
) -> None:
    """The server refuses other nulls, so an example that has one must not be a surprise to it."""
    settings = make_settings("binary", ["no", "yes"], "log_loss")
    source = settings.sources[0]
    column = source.columns[0].model_copy(update={"name": "age", "type": "number", "nullable": allowed})
    settings = settings.model_copy(update={"sources": [source.model_copy(update={"columns": [column]})]})
    definition = Definition(name="age", type="number", view="v", source=source.name, column="age")
    facts = row_facts.RowFacts([definition])
    moments = pa.array([datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)] * 2, pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch({"age": pa.array(values), "event_timestamp": moments, "side": ["train", "holdout"]})
    assert list(facts.seen([batch])) == [batch]
    assert run._column(settings, facts, definition).nullable is nullable
