"""A retraining for drift is promoted only if it beats the champion on the newest labelled rows, which nothing was trained on.

From the sources to the evidence through the steps' own logic. The world changes on a day: what spoke for buying then speaks against it.
"""

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from argosy.domain import bundle as bundles
from argosy.domain import column_health, comparison
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.retraining_cause import Cause, MovedColumn
from argosy.ml import frames
from kit.examples import make_settings
from kit.training_ground import TrainingGround, policy_of

DAY = datetime.timedelta(days=1)
BEGIN = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
A_DAY = 60
"""Rows."""
DRIFT = Cause(kind="drift", columns=[MovedColumn(column="size", measure="Jensen-Shannon distance", before=0, now=0.3)])
COLUMNS = [
    {"name": "id", "type": "string", "meaning": "Which one."},
    {"name": "at", "type": "timestamp", "meaning": "When."},
    {"name": "size", "type": "number", "meaning": "How large.", "nullable": True},
    {"name": "weight", "type": "number", "meaning": "How heavy.", "nullable": True},
    {"name": "kind", "type": "string", "meaning": "Of what kind.", "nullable": True},
    {"name": "bought", "type": "integer", "meaning": "The label."},
]
DEFINITIONS = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, String
thing = Entity(name="thing", join_keys=["id"], value_type=ValueType.STRING)
rows = FileSource(name="rows", path="rows.parquet", timestamp_field="at")
fields = [Field(name="size", dtype=Float64), Field(name="weight", dtype=Float64), Field(name="kind", dtype=String)]
plain = FeatureView(name="plain", entities=[thing], ttl=timedelta(days=9), source=rows, schema=fields)
toy = FeatureService(name="toy", features=[plain])
"""
POLICY = policy_of("toy", margin=0.5, minimum_rows=200)

Column = npt.NDArray[Any]
Upstream = Callable[[Column, npt.NDArray[np.bool_]], Column]
"""What becomes of a column in the rows of a mask."""


@dataclasses.dataclass(frozen=True)
class ChangingWorld:
    """Rows up to a day. From the day *changed* on, size speaks against buying."""

    days: int
    changed: int = 10_000
    broken_from: int = 10_000
    size: Upstream = lambda values, _: values
    kind: Upstream = lambda values, _: values

    def write(self, folder: Path) -> Path:
        """The source's file in *folder*."""
        # Drawn for more days than there are, so that a longer world begins as the shorter one.
        random, most = np.random.default_rng(4), 200 * A_DAY
        size, weight, kind = random.normal(size=most), random.normal(size=most), random.choice(["a", "b", "c"], most)
        day = np.arange(most) // A_DAY
        turn = np.where(day >= self.changed, -1.0, 1.0)
        chance = 1 / (1 + np.exp(-(1.5 * turn * size + 0.7 * weight + (kind == "a"))))
        bought = (random.random(most) < chance).astype(int)
        broken = day >= self.broken_from
        shown_size, shown_kind = self.size(size, broken), self.kind(kind, broken)
        lines = [
            f"i{n:05d},{BEGIN + day[n] * DAY + (n % A_DAY) * datetime.timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ},"
            f"{_text(shown_size[n])},{weight[n]:.4f},{shown_kind[n] or ''},{bought[n]}"
            for n in range(self.days * A_DAY)
        ]
        folder.mkdir(parents=True)
        (folder / "rows.csv").write_text("\n".join(["id,at,size,weight,kind,bought", *lines]) + "\n", encoding="utf-8")
        return folder


def _text(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"


def settings_of(**changes: Any) -> ModelSettings:
    """The settings of the toy model, whose rows have times; the newest ten days are kept for judging."""
    given = make_settings("binary", ["no", "yes"], "auc").model_dump(mode="json", exclude_none=True)
    given["sources"][0] |= {"columns": COLUMNS, "timestamp": "at"}
    del given["sources"][0]["observed_at"]
    given["label"] |= {"sql": "bought = 1", "columns": ["bought"]}
    given["split"] = {"by": "entity", "holdout": 0.2}
    given["evaluation"] = {"recent": "10d"}
    return ModelSettings.model_validate({**given, **changes})


@dataclasses.dataclass(frozen=True)
class Retraining:
    """A place in which worlds become bundles, and a bundle evidence."""

    place: Path

    def built(self, name: str, world: ChangingWorld, settings: ModelSettings) -> Path:
        """The folder of *name*, with snapshot, features and bundle of *world*."""
        return self._ground(settings).built(name, world.write(self.place / f"{name}-source"))

    def judged(
        self,
        world: ChangingWorld,
        *,
        champion: ChangingWorld | None,
        cause: Cause | None = DRIFT,
        settings: ModelSettings | None = None,
        champions_settings: ModelSettings | None = None,
    ) -> Evidence:
        """The evidence of a model trained on *world*, beside the one trained on the world of the *champion*."""
        own = settings or settings_of()
        ground = self._ground(own)
        known = champion and ground.in_production(self.built("champion", champion, champions_settings or own))
        return ground.judged(self.built("candidate", world, own), known, cause)

    def _ground(self, settings: ModelSettings) -> TrainingGround:
        return TrainingGround(self.place, settings, DEFINITIONS, POLICY)


@pytest.fixture
def retraining(tmp_path: Path) -> Retraining:
    """A place of its own."""
    return Retraining(tmp_path)


BEFORE, AFTER = ChangingWorld(60), ChangingWorld(90, changed=60)


def test_a_retraining_that_learned_the_change_is_promoted(retraining: Retraining) -> None:
    """It beats the champion on the newest rows; the evidence says so, what it was trained on, and why."""
    evidence = retraining.judged(AFTER, champion=BEFORE)
    assert evidence.verdict == "promote", evidence.explanation
    assert evidence.recent is not None
    assert evidence.recent.outcome == "better"
    assert evidence.recent.reason in evidence.explanation
    assert evidence.cause == DRIFT
    assert evidence.recent_rows is not None
    assert evidence.trained_on is not None
    assert evidence.trained_on.until <= evidence.recent_rows.since == evidence.recent_rows.until - 10 * DAY
    assert evidence.recent.rows == evidence.recent_rows.rows


def test_one_that_is_merely_not_worse_is_not(retraining: Retraining) -> None:
    """Where nothing changed, a model of more rows is as good, and as good is not enough for drift."""
    evidence = retraining.judged(ChangingWorld(90), champion=BEFORE)
    assert evidence.verdict == "reject"
    assert comparison.RECENT_GATE in evidence.explanation


def test_what_is_not_for_drift_need_not_be_better(retraining: Retraining) -> None:
    """New data, a push, a schedule: not being worse still promotes."""
    evidence = retraining.judged(ChangingWorld(90), champion=BEFORE, cause=Cause(kind="new data"))
    assert evidence.verdict == "promote"
    assert evidence.recent is not None
    assert evidence.recent.outcome != "better"
    assert comparison.RECENT_GATE not in {gate.gate for gate in evidence.gates}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"evaluation": {}}, "set `evaluation.recent`", id="none-kept"),
        pytest.param({"evaluation": {"recent": "12h"}}, "the policy wants 200", id="too-few"),
        pytest.param(
            {"evaluation": {"recent": "80d"}}, "the champion was trained on rows up to 2025-02-19", id="known"
        ),
    ],
)
def test_without_enough_labels_it_is_inconclusive(retraining: Retraining, changes: dict[str, Any], says: str) -> None:
    """Too few, or such as the champion was trained on: no promotion, no rejection, and what would be needed."""
    evidence = retraining.judged(
        AFTER, champion=BEFORE, settings=settings_of(**changes), champions_settings=settings_of()
    )
    assert evidence.verdict == "inconclusive"
    assert says in evidence.explanation
    (gate,) = [gate for gate in evidence.gates if gate.gate == comparison.RECENT_GATE]
    assert gate.would_pass


def test_without_a_champion_there_is_nothing_to_beat(retraining: Retraining) -> None:
    """Drift of a model that is in no production yet promotes nothing by itself."""
    evidence = retraining.judged(AFTER, champion=None)
    assert evidence.verdict == "inconclusive"
    assert "must beat the model in production, and there is none" in evidence.explanation


def _nulls(values: Column, mask: npt.NDArray[np.bool_]) -> Column:
    return np.where(mask, np.nan, values)


def _constant(values: Column, mask: npt.NDArray[np.bool_]) -> Column:
    return np.where(mask, 1.0, values)


def _scaled(values: Column, mask: npt.NDArray[np.bool_]) -> Column:
    return np.where(mask, 100 * values, values)


def _one_level(values: Column, mask: npt.NDArray[np.bool_]) -> Column:
    return np.where(mask, "b", values)


def _empty(values: Column, mask: npt.NDArray[np.bool_]) -> Column:
    return np.where(mask, "", values)


@pytest.mark.parametrize(
    "broken_from", [pytest.param(60, id="since-the-champion"), pytest.param(0, id="the-whole-history")]
)
@pytest.mark.parametrize(
    ("broken", "column", "says"),
    [
        pytest.param({"size": _nulls}, "size", "is missing in 100% of the rows", id="all-null"),
        pytest.param({"size": _constant}, "size", "has all its values in one place", id="constant"),
        pytest.param({"size": _scaled}, "size", "lies at the ends of its range", id="times-100"),
        pytest.param({"kind": _empty}, "kind", "is missing in 100% of the rows", id="level-null"),
        pytest.param({"kind": _one_level}, "kind", "has one value", id="level-constant"),
    ],
)
def test_a_broken_column_is_no_drift(
    retraining: Retraining, broken: dict[str, Upstream], column: str, says: str, broken_from: int
) -> None:
    """Nothing is promoted, whatever the figures say, and there is one explanation."""
    evidence = retraining.judged(ChangingWorld(90, changed=60, broken_from=broken_from, **broken), champion=BEFORE)  # type: ignore[arg-type]
    assert evidence.verdict == "reject"
    assert f"broken upstream, not drifted: {column} {says}" in evidence.explanation
    assert "mend it where it comes from" in evidence.explanation


def test_the_figures_alone_would_promote_a_broken_column(
    retraining: Retraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that learned to do without the column beats the champion that counts on it: hence the gate."""
    monkeypatch.setattr(column_health, "broken", lambda *_: None)
    evidence = retraining.judged(ChangingWorld(90, broken_from=60, size=_scaled), champion=BEFORE)
    assert evidence.verdict == "promote"


def _keys(folder: Path, side: str) -> list[str]:
    return frames.read(folder / "features", side).keys()


def test_settings_of_time_leave_the_holdout_alone(retraining: Retraining) -> None:
    """The newest rows and those before the window leave the training side only, and what is kept for judging is in no other side."""
    plain = settings_of(evaluation={})
    dated = settings_of(training={"window": "30d"})
    whole, cut = (
        {
            side: set(_keys(folder, side))
            for side in ("train", "holdout", "recent")
            if side != "recent" or settings.evaluation.recent
        }
        for settings, folder in (
            (plain, retraining.built("plain", AFTER, plain)),
            (dated, retraining.built("dated", AFTER, dated)),
        )
    )
    assert whole["holdout"] == cut["holdout"]
    assert cut["train"] | cut["recent"] < whole["train"]
    assert not cut["train"] & cut["recent"]
    days = {side: sorted({int(key[1:]) // A_DAY for key in keys}) for side, keys in cut.items()}
    assert (days["train"][0], days["train"][-1]) == (50, 79)
    assert (days["recent"][0], days["recent"][-1]) == (80, 89)


def test_rows_after_the_holdout_are_trained_on(retraining: Retraining) -> None:
    """A holdout by time that ends lets a retraining learn from what came after it, up to the newest rows."""
    split = {"by": "time", "holdout_from": BEGIN + 30 * DAY, "holdout_until": BEGIN + 40 * DAY}
    evidence = retraining.judged(AFTER, champion=BEFORE, settings=settings_of(split=split))
    assert evidence.verdict == "promote", evidence.explanation
    assert evidence.rows_holdout == 10 * A_DAY
    assert evidence.rows_train == 70 * A_DAY


def test_equal_data_gives_an_equal_model(retraining: Retraining) -> None:
    """The windows are counted back from the newest row, never from today."""
    settings = settings_of(training={"window": "30d"})
    first, second = (retraining.built(name, AFTER, settings) for name in ("first", "second"))
    assert bundles.digest(first / "bundle") == bundles.digest(second / "bundle")
