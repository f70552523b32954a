"""Who calculates: what a model may say of it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from argosy.domain.compute_settings import SPARK_STEPS, Compute
from kit.examples import Given, make_settings


def test_duckdb_unless_asked() -> None:
    """Nothing asks Spark by itself; asked, the steps that can do, or those that are named."""
    assert not any(map(Compute().asks_spark, SPARK_STEPS))
    assert all(map(Compute(engine="spark").asks_spark, SPARK_STEPS))
    assert not Compute(engine="spark").asks_spark("trial")
    assert not Compute(engine="spark", steps=["validate"]).asks_spark("build-features")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("executor.memory", "is no setting of Spark", id="not-spark's"),
        pytest.param("spark.sql.session.timeZone", "is not a model's", id="what-a-time-means"),
        pytest.param("spark.master", "is not a model's", id="where-it-is"),
    ],
)
def test_options_are_sparks_and_change_no_value(option: str, said: str) -> None:
    """A slip is found here, and no option makes another row of the same data."""
    with pytest.raises(ValidationError, match=said):
        Compute(engine="spark", options={option: "1"})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        pytest.param({"training__library": "linear"}, "XGBoost alone fits on Spark", id="another-library"),
        pytest.param(
            {"monitor": {"baseline": "season", "seasonality": {"by": "month"}}},
            "counts all rows of the past",
            id="seasons",
        ),
    ],
)
def test_what_spark_cannot_fit(changed: dict[str, Any], said: str) -> None:
    """Said before anything runs, with the steps that are left; whoever leaves `train` out may have it."""
    given = Given(make_settings("binary", ["no", "yes"], "log_loss"), Path())
    asking = {"compute": {"engine": "spark"}}
    given.changed(**asking)
    with pytest.raises(ValidationError, match=rf"{said}.*\[validate, build-features, score-batch\]"):
        given.changed(**asking, **changed)
    given.changed(compute={"engine": "spark", "steps": ["validate", "score-batch"]}, **changed)
