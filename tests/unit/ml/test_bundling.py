"""Golden rows, and what drift is measured from, are rows that a server answers."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from argosy import errors
from argosy.domain.data import FeatureSchema
from argosy.domain.model_settings import Serving
from argosy.ml import bins, bundling, frames
from argosy.ml.predictor import Predictor
from kit.serving_kit import write_bundle


@pytest.fixture
def answering(tmp_path: Path) -> Predictor:
    """The small model, whose levels of `contract` are month, one-year and two-year."""
    folder = tmp_path / "bundle"
    return Predictor.load(folder, write_bundle(folder))


def holdout(answering: Predictor, contracts: list[str | None]) -> frames.Examples:
    """A holdout whose contracts are these."""
    features = answering.signature.features
    count = len(contracts)
    values = {"tenure": range(count), "charges": [50.0] * count, "contract": contracts, "birth_year": [1980.0] * count}
    table = pa.table({name: list(column) for name, column in values.items()})
    schema = FeatureSchema(
        features=features, context=[], join_keys=["id"], rows_train=0, rows_holdout=count, online_digest="sha256:0"
    )
    return frames.Examples(schema, table, answering.encoder.table(table), np.zeros(count))


def test_a_level_that_is_refused_is_in_no_golden_row(answering: Predictor) -> None:
    """The server is asked each of them before a model is promoted, and logs no such row; null is a value that it takes."""
    examples = holdout(answering, ["month", "for-life", None, "for-life"])
    asked = bundling.servable(answering.signature, examples)
    contracts = [row.features["contract"] for row in bundling.golden_rows(answering, asked, 4).rows]
    assert sorted(map(str, contracts)) == ["None", "month"]
    assert asked.table.column("contract").to_pylist() == ["month", None]
    assert bins.of(asked, answering).rows == 2
    lenient = answering.signature.model_copy(update={"serving": Serving(unknown_level="missing")})
    assert len(bundling.servable(lenient, examples)) == 4


def test_a_holdout_that_no_server_answers_is_said(answering: Predictor) -> None:
    """With what to do about it."""
    examples = holdout(answering, ["for-life", "for-life"])
    with pytest.raises(errors.Rejected, match="unknown_level: missing"):
        bundling.servable(answering.signature, examples)
