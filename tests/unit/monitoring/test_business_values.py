"""Business values, by prediction and by version, are those that anybody gets who joins log and outcomes by hand."""

import csv
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from argosy import wiring
from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.performance_report import BusinessValue, Performance
from argosy.domain.pseudonyms import hashed
from argosy.domain.release import Version
from argosy.files import model_folder
from argosy.monitoring import performance
from argosy.ports.prediction_log import Logged, ServedRelease
from argosy.settings import Settings
from kit.flights import MemoryLogHistory
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS, s3_server

ROOT = Path(__file__).parents[3]
CHURN = model_folder.load_settings(ROOT / "workflows" / "churn" / "model.yaml")
KEY = b"a secret of this test"
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
SERVED = [ServedRelease("churn", "production", number, f"sha256:{number}") for number in (1, 2)]
WORTH = {("yes", True): 250.0, ("yes", False): -40.0, ("no", True): 0.0, ("no", False): 0.0}


@dataclass(frozen=True)
class Month:
    """Who was asked about, and what became of them."""

    answers: pd.DataFrame
    outcomes: pd.DataFrame

    @classmethod
    def made_up(cls, seed: int) -> "Month":
        """Two versions asked about many of the same customers; some outcomes are missing, of nobody, or said twice."""
        random = np.random.default_rng(seed)
        customers = np.array([f"{number:04}-AB" for number in range(900)])
        asked = pd.concat(
            pd.DataFrame({"customer": random.choice(customers[:800], 500), "version": version}) for version in (1, 2)
        )
        asked["score"] = random.uniform(size=len(asked))
        asked["decision"] = np.where(asked["score"] >= 0.4, CHURN.label.classes[1], CHURN.label.classes[0])
        known = random.choice(customers[100:], 700, replace=False)
        told = pd.DataFrame(
            {
                "customer_id": known,
                "left": np.where(random.uniform(size=700) < 0.3, "Yes", "No"),
                "revenue": random.gamma(2, 35, 700).round(2),
            }
        )
        return cls(asked.reset_index(drop=True), pd.concat([told, told.sample(50, random_state=seed)]))

    def logged(self) -> list[Logged]:
        """In columns, as a reader of the log gets it."""
        features = pa.struct([("contract", pa.string())])
        parts = []
        for served in SERVED:
            rows = self.answers[self.answers["version"] == served.version]
            count = len(rows)
            parts.append(
                Logged(
                    served,
                    pa.table(
                        {
                            "time": pa.array([NOON] * count, pa.timestamp("us", tz="UTC")),
                            "request_id": [f"{served.version}-{place}" for place in range(count)],
                            "row": pa.array([0] * count, pa.int32()),
                            "entity": [hashed({"customer_id": one}, KEY) for one in rows["customer"]],
                            "score": pa.array([[score] for score in rows["score"]], pa.list_(pa.float64())),
                            "decision": rows["decision"].tolist(),
                            "features": pa.array([{"contract": "month"}] * count, features),
                        }
                    ),
                )
            )
        return parts

    def write(self, file: Path) -> None:
        """The file of outcomes."""
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(self.outcomes.columns)
            writer.writerows(self.outcomes.itertuples(index=False))

    def by_hand(self, version: int) -> pd.DataFrame:
        """The predictions of *version* with an outcome, and what each was worth."""
        told = self.outcomes.drop_duplicates().rename(columns={"customer_id": "customer"})
        joined = self.answers[self.answers["version"] == version].merge(told, on="customer")
        said = np.where(joined["decision"] == CHURN.label.classes[1], "yes", "no")
        joined["worth"] = [WORTH[one, left == "Yes"] for one, left in zip(said, joined["left"], strict=True)]
        return joined


def measured(month: Month, sources: Path) -> Performance:
    """What Argosy says of version 2, which serves, and of version 1."""
    version = Version.model_construct(model="churn", version=2, model_digest=SERVED[1].digest)
    tools = performance.Tools(MemoryLogHistory(month.logged()), DuckDBTables(), DuckDBLabelJoin(), KEY)
    day = datetime.timedelta(days=1)
    when = performance.LabelWindow(NOON - day, NOON + day, NOON + 60 * day)
    return performance.measure(performance.Measured(version, "production", CHURN, None), when, sources, tools)


def is_of(value: BusinessValue, given: Any) -> None:
    """Assert that *value* is the mean of *given*, with Student's interval."""
    assert value.rows == len(given)
    assert value.total == pytest.approx(given.sum())
    assert value.per_prediction == pytest.approx(given.mean())
    low, high = stats.t.interval(0.95, len(given) - 1, given.mean(), given.sem())
    assert (value.low, value.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_those_of_a_calculation_by_hand(seed: int, tmp_path: Path) -> None:
    """Worth of decisions and revenue, of the version that serves and of the one before."""
    month = Month.made_up(seed)
    month.write(tmp_path / "outcomes.csv")
    found = measured(month, tmp_path)
    assert [version.version for version in found.versions] == [1, 2]
    for version in found.versions:
        by_hand = month.by_hand(version.version or 0)
        values = {value.name: value for value in version.business}
        assert set(values) == {"value_per_row", "revenue"}
        assert version.labelled == len(by_hand)
        is_of(values["value_per_row"], by_hand["worth"])
        is_of(values["revenue"], by_hand["revenue"])
    assert found.business == found.versions[1].business
    assert found.labels.repeated > 0


@pytest.mark.parametrize("kind", ["served", "gateway"])
def test_outcomes_in_a_bucket(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Say what the same file says in a folder; before it is there, there are no labels, and once it is replaced, the new one counts."""
    if kind == "gateway" and GATEWAY is None:
        pytest.skip("versitygw, an S3 gateway, is not on PATH")
    month, corrected, folder = Month.made_up(1), Month.made_up(1), tmp_path / "data"
    corrected.outcomes["left"] = "Yes"
    folder.mkdir()
    with s3_gateway(tmp_path) if kind == "gateway" else s3_server() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret"])
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        from argosy.adapters.s3 import client

        store = client.connect()
        store.create_bucket(Bucket="outcomes")
        settings = Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home")})
        place, outcomes = "s3://outcomes/churn/march", performance.Measured(SERVED[0], "production", CHURN, None).table
        for told in (None, month, corrected):
            if told is not None:
                told.write(folder / "outcomes.csv")
                store.upload_file(str(folder / "outcomes.csv"), "outcomes", "churn/march/outcomes.csv")
            with wiring.sources(settings, place, [outcomes], optional=True) as sources:
                found = measured(month, sources)
            assert found == measured(month, folder)
            assert bool(found.labels.labelled) is (told is not None)
    assert {value.name: value for value in found.business}["value_per_row"].total == 250 * sum(
        corrected.by_hand(2)["decision"] == CHURN.label.classes[1]
    )
