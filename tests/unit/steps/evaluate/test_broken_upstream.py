"""Real customers and real flights whose source breaks: nothing is promoted, and one explanation names the column.

Customers are one snapshot, so the fault is in all of them, the holdout too; of the flights those of the summer have it, after the holdout.
"""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from argosy.domain.evidence import ChampionRef
from argosy.domain.model_settings import ModelSettings
from argosy.domain.retraining_cause import Cause
from argosy.files import model_folder
from kit.training_ground import TrainingGround, policy_of

pytestmark = pytest.mark.slow

DRIFT = Cause(kind="drift")
Ground = tuple[TrainingGround, ChampionRef]


def ground_of(root: Path, place: Path, model: str, **changes: Any) -> TrainingGround:
    """The real model, with *changes* of its settings."""
    folder = root / "workflows" / model
    given = model_folder.load_settings(folder / "model.yaml").model_dump(mode="json", exclude_none=True)
    settings = ModelSettings.model_validate({**given, **changes})
    definitions = (folder / "features.py").read_text(encoding="utf-8")
    return TrainingGround(place, settings, definitions, policy_of(model, margin=0.02, minimum_rows=500))


def files(place: Path, **queries: str) -> Path:
    """A folder with one file for each of *queries*."""
    place.mkdir()
    for name, query in queries.items():
        found = duckdb.sql(query).arrow()
        table = found if isinstance(found, pa.Table) else found.read_all()
        if name == "customers":
            pyarrow.csv.write_csv(table, place / "customers.csv")
        else:
            pq.write_table(table, place / f"{name}.parquet")
    return place


@pytest.fixture(scope="module")
def customers(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The churn model with its champion."""
    ground = ground_of(root, tmp_path_factory.mktemp("customers"), "churn")
    champion = ground.built("champion", root / "data" / "churn")
    return ground, ground.in_production(champion)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param("replace (null as monthly_charges)", "monthly_charges is missing in 100%", id="all-null"),
        pytest.param(
            "replace (50.0 as monthly_charges)", "monthly_charges has all its values in one place", id="constant"
        ),
        pytest.param(
            "replace (monthly_charges::double * 100 as monthly_charges)",
            "monthly_charges has all its values",
            id="times-100",
        ),
        pytest.param("replace ('n/a' as contract)", "contract has values never seen before in 100%", id="renamed"),
    ],
)
def test_customers_with_a_broken_column(root: Path, customers: Ground, tmp_path: Path, change: str, says: str) -> None:
    """The model would have to be judged by rows that nobody ever saw so; it is not."""
    ground, champion = customers
    query = f"select * {change} from read_csv('{root / 'data' / 'churn' / 'customers.csv'}', all_varchar = true)"  # noqa: S608
    settings = ground.settings.model_dump(mode="json", exclude_none=True)
    for column in settings["sources"][0]["columns"]:
        column["nullable"] = column["nullable"] or column["name"] == "monthly_charges"
    ground = ground.with_settings(ModelSettings.model_validate(settings))
    candidate = ground.built(tmp_path.name, files(tmp_path / "data", customers=query))
    evidence = ground.judged(candidate, champion, DRIFT)
    assert evidence.verdict == "reject"
    assert f"broken upstream, not drifted: {says}" in evidence.explanation


SPLIT = {"by": "time", "holdout_from": "2013-05-01T00:00:00Z", "holdout_until": "2013-06-01T00:00:00Z"}


@pytest.fixture(scope="module")
def flights(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The model of delays with a champion of the spring."""
    place = tmp_path_factory.mktemp("flights")
    ground = ground_of(root, place, "flight_delay", split=SPLIT, evaluation={"recent": "21d"})
    champion = ground.built("champion", until(root, place / "spring", "2013-06-01"))
    return ground, ground.in_production(champion)


def until(root: Path, place: Path, day: str, weather: str = "", planes: str = "") -> Path:
    """The flights before *day*; *weather*, *planes*: what stands in place of a column there, and after May of the weather."""
    data = root / "data" / "flight_delay"
    return files(
        place,
        flights=f"select * from '{data / 'flights.parquet'}' where scheduled_departure < timestamptz '{day} 00:00:00+00'",  # noqa: S608
        weather=f"select * {weather} from '{data / 'weather.parquet'}'",  # noqa: S608
        planes=f"select * {planes} from '{data / 'planes.parquet'}'",  # noqa: S608
    )


def in_summer(value: str, column: str) -> str:
    """*value* in place of *column* from June on."""
    return f"replace (case when observed >= timestamptz '2013-06-01 00:00:00+00' then {value} else {column} end as {column})"


def test_the_summer_itself_is_no_fault(root: Path, flights: Ground, tmp_path: Path) -> None:
    """A model that learned June and July beats that of the spring on the last three weeks of July, and is promoted."""
    ground, champion = flights
    candidate = ground.built(tmp_path.name, until(root, tmp_path / "data", "2013-08-01"))
    evidence = ground.judged(candidate, champion, DRIFT)
    assert evidence.verdict == "promote", evidence.explanation
    assert evidence.recent is not None
    assert evidence.recent.rows > 3000


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        pytest.param({"weather": in_summer("null", "temp")}, "temp is missing in 100%", id="all-null"),
        pytest.param(
            {"weather": in_summer("10.0", "pressure")}, "pressure has all its values in one place", id="constant"
        ),
        pytest.param(
            {"weather": in_summer("humid * 100", "humid")}, "humid has all its values in one place", id="times-100"
        ),
        pytest.param(
            {"planes": "replace (seats * 100 as seats)"}, "seats has all its values in one place", id="whole-history"
        ),
    ],
)
def test_flights_with_a_broken_column(
    root: Path, flights: Ground, tmp_path: Path, broken: dict[str, str], says: str
) -> None:
    """From June on, or in all rows there ever were: the explanation is the fault, not what follows from it."""
    ground, champion = flights
    candidate = ground.built(tmp_path.name, until(root, tmp_path / "data", "2013-08-01", **broken))
    evidence = ground.judged(candidate, champion, DRIFT)
    assert evidence.verdict == "reject"
    assert f"broken upstream, not drifted: {says}" in evidence.explanation


def test_without_newer_labels_it_is_inconclusive(root: Path, flights: Ground, tmp_path: Path) -> None:
    """The alert came, most labels have not: June has begun, and two days of it are too few to tell."""
    ground, champion = flights
    settings = ground.settings.model_dump(mode="json", exclude_none=True) | {"evaluation": {"recent": "2d"}}
    ground = ground.with_settings(ModelSettings.model_validate(settings))
    candidate = ground.built(tmp_path.name, until(root, tmp_path / "data", "2013-06-10"))
    evidence = ground.judged(candidate, champion, DRIFT)
    assert evidence.verdict == "inconclusive"
    assert "the policy wants 500" in evidence.explanation
