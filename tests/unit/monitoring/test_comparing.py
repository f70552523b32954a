"""The served version held against a second one, on real flights that both answered, or that each had its own of."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import markupsafe
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain import comparison, version_comparison
from argosy.domain.comparison import Paired
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.release import Version
from argosy.domain.version_comparison import VersionComparison
from argosy.files import model_folder
from argosy.ml.predictor import Predictor
from argosy.monitoring import comparing, performance
from argosy.ports.prediction_log import Logged, shadows_of
from argosy.report import comparison_page, version_comparison_table
from kit import flights

DAY = datetime.timedelta(days=1)
JULY = datetime.datetime(2013, 7, 1, tzinfo=datetime.UTC)
UNTIL = JULY + 8 * DAY


@dataclass
class Experiment:
    """Flights of some days, what was logged of them, and where their labels are."""

    served: Predictor
    second: Predictor
    table: pa.Table
    data: Path

    def logged(self, predictor: Predictor, table: pa.Table, version: int, environment: str = "production") -> Logged:
        flown = flights.answered(predictor, table, version=version, environment=environment)
        return replace(flown, served=replace(flown.served, digest=f"sha256:{version:064d}")).logged()

    def compared(self, parts: Sequence[Logged], second: int | None = None, *, labels: bool = True) -> VersionComparison:
        version = Version.model_construct(model="flight_delay", version=1, model_digest=f"sha256:{1:064d}")
        settings = flights.settings() if labels else flights.settings().model_copy(update={"labels": None})
        policy = model_folder.load_policy(flights.ROOT / "gitops-env" / "policies" / "flight_delay.yaml")
        narrow = policy.comparison.model_copy(update={"margin": 0.001})
        policy = policy.model_copy(update={"comparison": narrow})
        measured = performance.Measured(version, "production", settings, policy)
        history = flights.MemoryLogHistory(parts)
        tools = performance.Tools(history, DuckDBTables(), DuckDBLabelJoin(), flights.KEY)  # type: ignore[arg-type]
        when = performance.LabelWindow(JULY, UNTIL, UNTIL + 7 * DAY)
        return comparing.compare(measured, when, self.data if labels else None, tools, second)


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """A model of half a year, and one of 60 flights."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "data").mkdir()
    pq.write_table(flights.departed(JULY - 30 * DAY, JULY + 30 * DAY), folder / "data" / "flights.parquet")
    served = flights.fit(folder / "served", flights.departed(JULY - 181 * DAY, JULY))
    second = flights.fit(folder / "second", flights.departed(JULY - 3 * DAY, JULY).slice(0, 60))
    return Experiment(served, second, flights.departed(JULY, UNTIL), folder / "data")


@pytest.fixture(scope="module")
def shadowed(experiment: Experiment) -> list[Logged]:
    """Both versions asked the same flights, the second as a shadow."""
    return [
        experiment.logged(experiment.served, experiment.table, 1),
        experiment.logged(experiment.second, experiment.table, 2, shadows_of("production")),
    ]


def test_a_worse_shadow_is_held(experiment: Experiment, shadowed: list[Logged]) -> None:
    """By the policy's metric and margin, on the rows that both answered; each version's figures are its own."""
    found = experiment.compared(shadowed)
    assert (found.way, found.verdict) == ("shadow", "hold"), found.explanation
    assert found.result is not None
    assert found.result.high < -found.result.margin
    assert found.first.predictions == found.second.predictions == len(experiment.table)
    assert found.agreement is not None
    assert found.agreement.rows == len(experiment.table)
    assert 0 < found.agreement.flips < len(experiment.table)
    assert found.values == []
    said = version_comparison_table.text(found)
    assert "shadow, on the same rows" in said
    assert said.splitlines()[-1].startswith("hold: ")


def test_slices_and_what_it_would_take(experiment: Experiment, shadowed: list[Logged]) -> None:
    """Each value of the features that the settings slice by, with its own interval; and what is missing, in words, on page and terminal."""
    found = experiment.compared(shadowed)
    assert {part.column for part in found.slices} == set(
        flights.settings().labels.slices or flights.settings().evaluation.slices
    )  # type: ignore[union-attr]
    assert all(part.flips is not None and part.flips <= part.rows for part in found.slices)
    assert any(part.score and part.score.low is not None for part in found.slices)
    assert "or more, on rows like these" in found.would_take
    page = comparison_page.render(found)
    for said in ("hold", "It would take", found.explanation, found.slices[0].value, "Disagreements", "margin"):
        assert str(markupsafe.escape(said)) in page
    assert VersionComparison.model_validate_json(found.canonical_json()) == found


@pytest.mark.parametrize(
    ("low", "high", "rows", "said"),
    [
        pytest.param(-0.06, 0.02, 400, "600 more rows with a label", id="too-few"),
        pytest.param(-0.06, 0.02, 2000, "about 32,000 rows with a label in all", id="wide"),
        pytest.param(-0.12, 0.0, 2000, "about 8,000 rows", id="rather-worse"),
        pytest.param(-0.2, -0.1, 2000, "different from the served version's by +0.0200 or more", id="worse"),
        pytest.param(0.01, 0.03, 2000, "", id="better"),
    ],
)
def test_what_it_would_take(low: float, high: float, rows: int, said: str) -> None:
    """By the width of the interval: it narrows with the square root of its rows."""
    policy = ComparisonPolicy(metric="auc", margin=0.03, minimum_rows=1000)
    middle = (low + high) / 2
    result = comparison.decide(policy, Paired(0.8 + middle, 0.8, middle, low, high, 0.5, rows))
    assert said in version_comparison.would_take(policy, result)
    assert bool(said) == bool(version_comparison.would_take(policy, result))


def test_turned_round_the_better_one_is_promoted(experiment: Experiment) -> None:
    """The same rows, the worse model in service: the interval is the other's, turned."""
    parts = [
        experiment.logged(experiment.second, experiment.table, 1),
        experiment.logged(experiment.served, experiment.table, 2, shadows_of("production")),
    ]
    assert experiment.compared(parts).verdict == "promote"


def test_rows_that_only_one_of_them_answered_say_nothing(experiment: Experiment, shadowed: list[Logged]) -> None:
    """A shadow that is asked a share of the requests is compared on that share; an id that came twice names no row."""
    served, shadow = shadowed
    part = shadow.table.slice(0, 300)
    twice = pa.concat_tables([part, part.slice(0, 1)])
    found = experiment.compared([served, replace(shadow, table=twice)])
    assert found.agreement is not None
    assert found.agreement.rows == 299
    assert any("2 rows have a request id that came more than once" in problem for problem in found.problems)


def test_too_few_rows_are_inconclusive(experiment: Experiment, shadowed: list[Logged]) -> None:
    """The policy says how many it wants."""
    served, shadow = shadowed
    found = experiment.compared([served, replace(shadow, table=shadow.table.slice(0, 100))])
    assert found.verdict == "inconclusive"
    assert "rows to compare on; the policy wants" in found.explanation


def test_in_a_split_each_has_entities_of_its_own(experiment: Experiment) -> None:
    """Those that met both are left out, and said; the interval is that of two samples."""
    middle = len(experiment.table) // 2
    parts = [
        experiment.logged(experiment.served, experiment.table.slice(0, middle + 10), 1),
        experiment.logged(experiment.second, experiment.table.slice(middle), 2),
    ]
    found = experiment.compared(parts)
    assert found.way == "split"
    assert any("10 entities met both versions" in problem for problem in found.problems)
    assert found.result is not None
    assert found.result.rows <= len(experiment.table) - middle - 10
    assert found.agreement is None


def test_without_labels_the_answers_are_still_held_together(experiment: Experiment, shadowed: list[Logged]) -> None:
    """How often they decide otherwise is known at once; which is right, nobody knows."""
    found = experiment.compared(shadowed, labels=False)
    assert found.verdict == "inconclusive"
    assert "the settings name no `labels`" in found.explanation
    assert found.agreement is not None
    assert found.agreement.rows == len(experiment.table)


def test_a_second_version_that_is_not_there_is_said(experiment: Experiment, shadowed: list[Logged]) -> None:
    """With those that are."""
    with pytest.raises(errors.Rejected, match=r"has version 7 not in this time \(others: 2\)"):
        experiment.compared(shadowed, second=7)
    with pytest.raises(errors.Rejected, match=r"has no second version in this time \(others: none\)"):
        experiment.compared(shadowed[:1])


def test_the_times_of_a_shadow_are_its_own(experiment: Experiment, shadowed: list[Logged]) -> None:
    """It answers a moment later, which keeps no row from its pair."""
    served, shadow = shadowed
    later = pc.add(shadow.table["time"], pa.scalar(datetime.timedelta(milliseconds=40)))
    moved = replace(shadow, table=shadow.table.set_column(0, "time", later))
    found = experiment.compared([served, moved])
    assert found.agreement is not None
    assert found.agreement.rows >= len(experiment.table) - 5
