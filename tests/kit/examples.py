"""Examples for tests that fit: settings of a small search, and columns in the form that ``build-features`` hands over."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from argosy.domain.data import FeatureColumn, FeatureSchema
from argosy.domain.model_settings import ModelSettings

MOMENT = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Given:
    """A model's settings and the folder of its features."""

    settings: ModelSettings
    features: Path

    def changed(self, **fields: Any) -> ModelSettings:
        """The settings with *fields* changed; a double underscore leads into a part (``search__folds=3``)."""
        values = self.settings.model_dump(mode="json")
        for name, value in fields.items():
            *parts, last = name.split("__")
            target = values
            for part in parts:
                target = target[part]
            target[last] = value
        return ModelSettings.model_validate(values)


def write_features(
    folder: Path, columns: dict[str, list[Any]], labels: Sequence[float], *, task: str, holdout_every: int = 5
) -> Path:
    """Write a features folder of *columns* (lists of strings are categories); every n-th row is the holdout."""
    count = len(labels)
    sides = ["holdout" if index % holdout_every == 0 else "train" for index in range(count)]
    table = {"id": [f"e{index:05d}" for index in range(count)], "event_timestamp": [MOMENT] * count}
    schema = FeatureSchema(
        features=[_feature(name, values, sides) for name, values in columns.items()],
        context=[],
        join_keys=["id"],
        rows_train=sides.count("train"),
        rows_holdout=sides.count("holdout"),
        online_digest="sha256:0",
    )
    folder.mkdir(parents=True, exist_ok=True)
    label_type = pa.float64() if task == "regression" else pa.int64()
    arrays = {name: pa.array(values) for name, values in (table | columns | {"side": sides}).items()}
    arrays["label"] = pa.array(list(labels), label_type)
    pq.write_table(pa.table(arrays), folder / "rows.parquet")
    schema.write(folder / "schema.json")
    return folder


def _feature(name: str, values: list[Any], sides: list[str]) -> FeatureColumn:
    present = [value for value, side in zip(values, sides, strict=True) if value is not None and side == "train"]
    if present and isinstance(present[0], str):
        return FeatureColumn(name=name, type="category", levels=sorted(set(present)), view="v")
    return FeatureColumn(name=name, type="number", view="v")


def make_settings(task: str, classes: list[str], metric: str, **more: Any) -> ModelSettings:
    """Settings of a small search."""
    return ModelSettings.model_validate(
        {
            "model": "toy",
            "task": task,
            "description": "A model for tests.",
            "owner": "tests",
            "seed": 5,
            "entity": ["id"],
            "feature_service": "toy",
            "sources": [
                {
                    "name": "rows",
                    "file": "rows.csv",
                    "entity": ["id"],
                    "observed_at": "2020-01-01T00:00:00Z",
                    "columns": [{"name": "id", "type": "string", "meaning": "The entity."}],
                }
            ],
            "label": {"source": "rows", "sql": "y", "classes": classes, "columns": ["y"]},
            "split": {"by": "entity", "holdout": 0.2},
            "search": {
                "trials": 8,
                "per_round": 4,
                "per_task": 2,
                "folds": 3,
                "metric": metric,
                "max_boost_rounds": 60,
                "early_stopping_rounds": 10,
                "space": {
                    "learning_rate": {"low": 0.05, "high": 0.3, "log": True},
                    "max_depth": {"int_low": 2, "int_high": 4},
                },
            },
            "training": {"golden_rows": 7},
        }
        | more
    )
