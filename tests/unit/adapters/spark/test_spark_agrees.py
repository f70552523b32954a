"""Spark's joins have the rows of DuckDB's, and what Great Expectations is asked through Spark has the findings that it has in memory.

A JVM takes a quarter of a minute: so all share one, and only who sets ARGOSY_SPARK starts it.
"""

import datetime
import os
import random
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.expectations import Expectation, Meta
from argosy.ports.expectations import ExpectationFinding
from argosy.ports.tables import EVENT_TIME, NUMBER, AsOfView, Taken

pytest.importorskip("pyspark", reason="PySpark is not installed (requirements/spark.txt)")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed"),
    pytest.mark.skipif(
        "ARGOSY_SPARK" not in os.environ, reason="ARGOSY_SPARK is not set: a JVM takes a quarter of a minute"
    ),
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]

START = datetime.datetime(2024, 3, 30, 22, 15, tzinfo=datetime.UTC)
MOMENT = pa.timestamp("us", tz="UTC")
MINUTE = datetime.timedelta(minutes=1)
MICROSECOND = datetime.timedelta(microseconds=1)
CARRIED = ["key", EVENT_TIME, "label", "side"]
TAKEN = [
    Taken("part", "part", "number"),
    Taken("word", "word", "category"),
    Taken("whole", "whole", "number"),
    Taken("odd `.[name", "odd `.[name", "number"),
    Taken("odd `.[name", "flag as text", "category"),
    Taken("whole", "whole as text", "category"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name Spark would take for a pattern."""
    folder = tmp_path_factory.mktemp("tables") / "a [b] {c}"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def spark(place: Path) -> Iterator[Any]:
    """One Spark in this process, with a JVM that does not think twice."""
    from argosy.adapters.spark.spark_session import Spark

    (place / "spark").mkdir()
    options = {
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.sql.shuffle.partitions": "3",
    }
    opened = Spark("local[1]", options, place / "spark")
    yield opened
    opened.close()


def _tables(place: Path, seed: int) -> None:
    """Examples in no order and a source, with few keys, many rows of one key at one time, and gaps everywhere."""
    rng = random.Random(seed)

    def drawn(kind: pa.DataType, draw: Any, rows: int, gaps: float = 0.1) -> pa.Array:
        return pa.array([None if rng.random() < gaps else draw() for _ in range(rows)], kind)

    def moment() -> datetime.datetime:
        return START + rng.randrange(60) * MINUTE + rng.choice([0, 0, 1]) * MICROSECOND

    keys = {
        "key": lambda rows: drawn(pa.string(), lambda: f"k{rng.randrange(6)}", rows),
        "number": lambda rows: drawn(pa.int64(), lambda: rng.randrange(3), rows),
    }
    examples = {name: draw(200) for name, draw in keys.items()} | {
        EVENT_TIME: drawn(MOMENT, moment, 200, gaps=0),
        "side": drawn(pa.string(), lambda: rng.choice(["train", "holdout"]), 200, gaps=0),
        "label": drawn(pa.int64(), lambda: rng.randrange(2), 200, gaps=0),
        NUMBER: pa.array(range(200), pa.int64()),
    }
    pq.write_table(pa.table(examples).take(pa.array(rng.sample(range(200), 200))), place / "examples.parquet")
    source = {name: draw(300) for name, draw in keys.items()} | {
        "time": drawn(MOMENT, moment, 300),
        "created": drawn(MOMENT, moment, 300),
        "part": drawn(pa.float64(), lambda: rng.gauss(0, 1e-3), 300),
        "word": drawn(pa.string(), lambda: rng.choice(["a", "", "é", "日本"]), 300),
        "whole": drawn(pa.int64(), lambda: rng.randrange(2**62), 300),
        "odd `.[name": drawn(pa.bool_(), lambda: rng.random() < 0.5, 300),
    }
    pq.write_table(pa.table(source), place / "source.parquet", row_group_size=37)


def _view(
    keys: Sequence[str], created: str | None, lifetime: datetime.timedelta | None, moment: str | None = None
) -> AsOfView:
    return AsOfView("source", keys, "time", created, lifetime, False, TAKEN, moment)


VIEWS = {
    "corrections": [_view(["key"], "created", None)],
    "two-keys-and-a-lifetime": [_view(["key", "number"], None, 7 * MINUTE, "since")],
    "no-key": [_view([], "created", 2 * MINUTE)],
    "two-views": [
        _view(["number"], "created", 20 * MINUTE + MICROSECOND),
        AsOfView("source", ["key"], "time", None, None, False, [Taken("part", "other", "number")], "since"),
    ],
}


def _joined(tables: Any, place: Path, views: Sequence[AsOfView], where: str | None = None) -> pa.Table:
    batches = tables.join(place / "examples.parquet", place, CARRIED, views, where=where)
    return pa.Table.from_batches([batch.replace_schema_metadata(None) for batch in batches])


@pytest.mark.parametrize("name", VIEWS)
def test_the_same_rows(name: str, place: Path, spark: Any) -> None:
    """To the last bit, in the same order, of the same types: by key, event time and created time, ties and lifetimes included."""
    from argosy.adapters.spark.spark_tables import SparkTables

    _tables(place, seed=len(name))
    mine, theirs = SparkTables(spark, DuckDBTables()), DuckDBTables()
    expected = _joined(theirs, place, VIEWS[name], "train" if name == "corrections" else None)
    found = _joined(mine, place, VIEWS[name], "train" if name == "corrections" else None)
    assert expected["part"].null_count < len(expected)
    assert found.schema == expected.schema
    assert found == expected


def test_a_type_that_spark_writes_otherwise(place: Path, spark: Any) -> None:
    """A fraction as a category would have other digits, and so be another level: refused before anything is calculated."""
    from argosy.adapters.spark.spark_tables import SparkTables

    _tables(place, seed=0)
    view = AsOfView("source", ["key"], "time", None, None, False, [Taken("part", "part", "category")])
    with pytest.raises(
        errors.Misconfigured, match="column 'part' of source 'source' is double: Spark writes it in other digits"
    ):
        _joined(SparkTables(spark, DuckDBTables()), place, [view])


def _asked(kind: str, **arguments: Any) -> Expectation:
    return Expectation(type=kind, kwargs=arguments, meta=Meta(critical=True, why="For a test."))


ASKED = [
    _asked("expect_column_value_z_scores_to_be_less_than", column="part", threshold=2, double_sided=True),
    _asked(
        "expect_column_kl_divergence_to_be_less_than",
        column="word",
        partition_object={"values": ["a", "é"], "weights": [0.5, 0.5]},
        threshold=0.1,
    ),
    _asked("expect_column_values_to_match_strftime_format", column="word", strftime_format="%Y", mostly=0.2),
    _asked("expect_column_values_to_be_json_parseable", column="word"),
    _asked(
        "expect_select_column_values_to_be_unique_within_record",
        column_list=["number", "whole"],
        ignore_row_if="any_value_is_missing",
    ),
]


def test_the_same_findings(place: Path, spark: Any) -> None:
    """Verdict, counts, observation: of every type that Spark is trusted with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from argosy.adapters import gx_validation

        _tables(place, seed=3)
        file = place / "source.parquet"
        rows = pq.read_table(file)
        mine = gx_validation.GreatExpectationsOnSpark(spark)
        assert {each.type for each in ASKED} == gx_validation.ON_SPARK
        assert all(map(mine.takes, ASKED))
        found = mine.check("source", file, ASKED, contract=rows.column_names)
        expected = gx_validation.GreatExpectations().check("source", rows, ASKED, contract=rows.column_names)
    assert [_said(each) for each in found] == [_said(each) for each in expected]


def _said(finding: ExpectationFinding) -> tuple[Any, ...]:
    observed = round(finding.observed, 12) if isinstance(finding.observed, float) else finding.observed
    return finding.passed, observed, finding.unexpected_count, finding.element_count, finding.missing_count
