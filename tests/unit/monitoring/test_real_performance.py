"""Real flights, answered through a server's own records, and their labels as they came: hours later, corrected, wrong."""

import datetime
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import performance_report
from argosy.domain.bundle import Histogram
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import LabelCounts, Performance
from argosy.domain.policy import Policy
from argosy.domain.release import Version
from argosy.files import model_folder
from argosy.ml.predictor import Predictor
from argosy.monitoring import performance
from argosy.ports.prediction_log import shadows_of
from argosy.report import performance_table
from kit import flights

DAY = datetime.timedelta(days=1)
JULY = datetime.datetime(2013, 7, 1, tzinfo=datetime.UTC)
AUGUST = JULY + 31 * DAY


@pytest.fixture(scope="module")
def flown(tmp_path_factory: pytest.TempPathFactory) -> flights.Flown:
    """What a server logged of July's flights, by a model of those before."""
    table = flights.departed(JULY - 181 * DAY, JULY)
    predictor: Predictor = flights.fit(tmp_path_factory.mktemp("flights") / "bundle", table)
    return flights.answered(predictor, flights.departed(JULY, AUGUST))


@dataclass
class Airline:
    """The model in production, with its policy and the folder that its labels come from."""

    flown: flights.Flown
    data: Path
    settings: ModelSettings
    policy: Policy | None
    approved: Mapping[str, float | None] = field(default_factory=dict)
    holdout: Histogram | None = None

    def measured(self, as_of: datetime.datetime = AUGUST + 7 * DAY, *, since: datetime.datetime = JULY) -> Performance:
        """Its performance on July's flights, labels as of *as_of*."""
        version = Version.model_construct(
            model="flight_delay", version=self.flown.served.version, model_digest=self.flown.served.digest
        )
        measured = performance.Measured(version, "production", self.settings, self.policy, self.approved, self.holdout)
        tools = performance.Tools(
            history=self.flown.history(), tables=DuckDBTables(), join=DuckDBLabelJoin(), hash_key=flights.KEY
        )
        return performance.measure(measured, performance.LabelWindow(since, AUGUST, as_of), self.data, tools)

    def change(self, change: Callable[[pa.Table], pa.Table]) -> None:
        """Let the airline write another file of flights."""
        file = self.data / "flights.parquet"
        pq.write_table(change(pq.read_table(file)), file)

    def label(self, **changed: Any) -> None:
        """Change settings of `labels`."""
        labels = self.settings.labels
        assert labels is not None
        self.settings = self.settings.model_copy(update={"labels": labels.model_copy(update=changed)})


@pytest.fixture
def airline(flown: flights.Flown, tmp_path: Path) -> Airline:
    """Flights of June to August in a folder of their own."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(flights.departed(JULY - 30 * DAY, AUGUST + 30 * DAY), data / "flights.parquet")
    policy = model_folder.load_policy(flights.ROOT / "gitops-env" / "policies" / "flight_delay.yaml")
    return Airline(flown, data, flights.settings(), policy)


def clean(labels: LabelCounts) -> bool:
    """True where nothing is wrong with the labels but what is still to come."""
    return not any(
        (labels.unmatched, labels.repeated, labels.corrected, labels.contradicting, labels.early, labels.undefined)
    )


def test_performance_is_that_of_the_labels(airline: Airline) -> None:
    """Once all labels are there the figures are those of the flights themselves, and the gates of the policy hold."""
    found = airline.measured()
    july = flights.departed(JULY, AUGUST)
    arrived = july.filter(pc.is_valid(july["arrival_delay"]))
    assert (found.labels.predictions, found.labels.labelled) == (len(july), len(arrived))
    assert clean(found.labels)
    values = {score.metric: score for score in found.scores}
    late = {
        identity: delay >= 15
        for identity, delay in zip(arrived["flight_id"].to_pylist(), arrived["arrival_delay"].to_pylist(), strict=True)
    }
    said = {record.request_id.removeprefix("request-"): record.decision == "late" for record in airline.flown.records}
    assert values["accuracy"].value == pytest.approx(sum(said[each] == late[each] for each in late) / len(late))
    assert (values["auc"].at_least, values["auc"].standing, found.verdict) == (0.64, "holds", "holds")
    mean = next(value for value in found.business if value.name == "minutes_late")
    assert mean.per_prediction == pytest.approx(pc.mean(arrived["arrival_delay"]).as_py())
    assert mean.low < mean.per_prediction < mean.high
    assert {part.value for part in found.slices if part.column == "origin"} == {"EWR", "JFK", "LGA"}


def test_the_worth_of_decisions_is_the_settings(airline: Airline) -> None:
    """60 for a delay that was foreseen, -15 for one that did not come."""
    found = airline.measured()
    precision = next(score.value for score in found.scores if score.metric == "precision")
    worth = next(value for value in found.business if value.name == "value_per_row")
    said = [record for record in airline.flown.records if record.decision == "late"]
    assert precision is not None
    named = worth.total / (precision * 60 - (1 - precision) * 15)
    assert named == pytest.approx(round(named), abs=1e-6)
    assert 0.9 * len(said) < named <= len(said)


def test_labels_come_hours_later(airline: Airline) -> None:
    """At the end of the month the last flights have none yet: they are not due, and their performance is estimated."""
    found = airline.measured(AUGUST)
    assert found.labels.due < found.labels.predictions
    assert found.labels.completeness is not None
    assert found.labels.completeness > 0.98
    assert found.estimate is not None
    assert found.estimate.until > AUGUST - DAY
    assert clean(found.labels)


def test_before_any_label_there_is_an_estimate(airline: Airline) -> None:
    """No label, no performance: the verdict says so, and what is expected stands beside it."""
    airline.change(lambda table: table.filter(pc.greater(table["scheduled_departure"], AUGUST)))
    found = airline.measured()
    assert (found.verdict, found.scores, found.labels.labelled) == ("no labels", [], 0)
    expected = {score.metric: score for score in found.estimate.scores} if found.estimate else {}
    assert expected["auc"].low < expected["auc"].value < expected["auc"].high


def test_the_estimate_foretells_what_labels_say(airline: Airline) -> None:
    """Half of the labels are enough for the estimate of the others to be near what those turn out to be."""
    even = airline.measured(JULY + 15 * DAY)
    airline.change(lambda table: table.filter(pc.less(table["scheduled_departure"], JULY + 15 * DAY)))
    half = airline.measured()
    assert even.verdict == "holds"
    assert half.estimate is not None
    foretold = {score.metric: score.value for score in half.estimate.scores}
    airline.data.joinpath("flights.parquet").unlink()
    pq.write_table(flights.departed(JULY, AUGUST), airline.data / "flights.parquet")
    real = airline.measured(since=JULY + 15 * DAY)
    for score in real.scores:
        if score.metric in {"accuracy", "auc"}:
            assert score.value == pytest.approx(foretold[score.metric], abs=0.05)


def test_a_correction_changes_the_figures_of_its_day(airline: Airline) -> None:
    """And of no other; asked again, the same comes out."""
    before = airline.measured()
    tenth = JULY + 9 * DAY
    table = pq.read_table(airline.data / "flights.parquet")
    of_day = pc.and_(
        pc.greater_equal(table["scheduled_departure"], tenth), pc.less(table["scheduled_departure"], tenth + DAY)
    )
    corrected = pc.if_else(of_day, pc.subtract(90.0, table["arrival_delay"]), table["arrival_delay"])
    place = table.schema.get_field_index("arrival_delay")
    airline.change(
        lambda _: pa.concat_tables([table, table.set_column(place, "arrival_delay", corrected).filter(of_day)])
    )
    # What is said twice at one moment would contradict; the later word is the one of the later file.
    airline.label(known="scheduled_departure + INTERVAL 1 DAY + to_minutes(abs(arrival_delay)::BIGINT)")
    after = airline.measured()
    assert after.labels.corrected > 0
    assert [one.since for one, two in zip(before.periods, after.periods, strict=True) if one.scores != two.scores] == [
        tenth
    ]
    assert airline.measured() == after


def test_contradicting_labels_do_not_count(airline: Airline) -> None:
    """Two files say different things of the same flights: neither is believed, and one line says of how many."""

    def twice(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("arrival_delay")
        early = pc.equal(table["origin"], "JFK")
        return pa.concat_tables(
            [table, table.set_column(place, "arrival_delay", pc.multiply(table["arrival_delay"], -50.0)).filter(early)]
        )

    airline.change(twice)
    airline.label(known="scheduled_departure + INTERVAL 1 DAY")
    found = airline.measured()
    assert found.labels.contradicting > 1000
    lines = [line for line in found.problems if "different labels" in line]
    assert len(lines) == 1
    assert f"{found.labels.contradicting:,} predictions" in lines[0]


def test_the_same_file_twice_changes_nothing(airline: Airline) -> None:
    """Deliveries are repeated."""
    once = airline.measured()
    airline.change(lambda table: pa.concat_tables([table, table]))
    twice = airline.measured()
    assert twice.labels.repeated == once.labels.labelled
    assert (twice.scores, twice.periods, twice.verdict) == (once.scores, once.periods, once.verdict)


def test_performance_below_the_gate_is_told(airline: Airline) -> None:
    """Labels turned round are those of a world that the model does not know: the verdict is `below`, with figure, interval and gate."""

    def turned(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("arrival_delay")
        return table.set_column(place, "arrival_delay", pc.subtract(30.0, table["arrival_delay"]))

    airline.change(turned)
    found = airline.measured()
    assert found.verdict == "below"
    assert "auc" in [score.metric for score in found.below]
    assert "the policy asks for at least 0.64" in found.explanation
    assert "BELOW" in performance_table.text(found)


def test_without_a_policy_nothing_is_below(airline: Airline) -> None:
    """Who asks for nothing is told the figures all the same."""
    airline.policy = None
    found = airline.measured()
    assert found.verdict == "no gate"
    assert found.scores


def test_a_file_that_breaks_the_contract_is_refused(airline: Airline) -> None:
    """In the words of ingest, since it is ingest's reader."""
    airline.change(
        lambda table: table.rename_columns(["flight" if name == "flight_id" else name for name in table.column_names])
    )
    with pytest.raises(errors.Rejected, match="flight_id"):
        airline.measured()


def test_before_the_first_file_there_are_no_labels(airline: Airline) -> None:
    """Labels come later, and so does their file: it is told that it is not there, by name, and what is expected is told all the same."""
    shutil.rmtree(airline.data)
    found = airline.measured()
    assert found.verdict == "no labels"
    assert found.estimate is not None
    assert ["flights.parquet is not there (yet)" in line for line in found.problems] == [True]


def test_each_version_is_told_apart(airline: Airline) -> None:
    """The version that serves is judged; the one before stands beside it."""
    records = airline.flown.records
    second = replace(airline.flown.served, version=2, digest="sha256:other")
    middle = len(records) // 2
    one, two = (
        replace(airline.flown, records=records[:middle]),
        replace(airline.flown, records=records[middle:], served=second),
    )

    class Both:
        served = airline.flown.served

        def history(self) -> flights.MemoryLogHistory:
            return flights.MemoryLogHistory([one.logged(), two.logged()])

    airline.flown = Both()  # type: ignore[assignment]
    found = airline.measured()
    assert [(part.version, part.predictions) for part in found.versions] == [(1, middle), (2, len(records) - middle)]
    assert sum(part.labelled for part in found.versions) == found.labels.labelled
    assert all(part.business for part in found.versions)


def test_a_shadow_is_told_beside_and_changes_nothing(airline: Airline) -> None:
    """Its scores are by the same labels, in a list of their own; all that is said of the version that serves stays."""
    before = airline.measured()
    records = airline.flown.records
    beside = replace(
        airline.flown,
        records=records[: len(records) // 2],
        served=replace(airline.flown.served, version=2, digest="sha256:other", environment=shadows_of("production")),
    )
    parts = [airline.flown.logged(), beside.logged()]

    class Shadowed:
        served = airline.flown.served

        def history(self) -> flights.MemoryLogHistory:
            return flights.MemoryLogHistory(parts)

    airline.flown = Shadowed()  # type: ignore[assignment]
    found = airline.measured()
    (shadow,) = found.shadows or []
    assert (shadow.version, shadow.predictions) == (2, len(records) // 2)
    assert shadow.scores
    assert found.model_copy(update={"shadows": None}) == before
    assert [line.split()[1] for line in performance_table.text(found).splitlines() if line.startswith("2 ")] == [
        "shadow"
    ]


def test_a_version_that_had_other_classes_says_nothing_of_the_one_that_serves(airline: Airline) -> None:
    """The one before knew three: what it answered cannot be held against two, and says nothing of the one that serves."""
    records = airline.flown.records
    middle = len(records) // 2
    before = replace(airline.flown.served, version=0, digest="sha256:other")
    three = [replace(record, score=[0.2, 0.3, 0.5]) for record in records[:middle]]
    parts = [replace(airline.flown, records=three, served=before), replace(airline.flown, records=records[middle:])]
    logged = [part.logged() for part in parts]
    airline.flown = SimpleNamespace(served=airline.flown.served, history=lambda: flights.MemoryLogHistory(logged))  # type: ignore[assignment]
    found = airline.measured()
    assert [(part.version, part.predictions) for part in found.versions] == [(0, middle), (1, len(records) - middle)]
    assert found.verdict == "holds"
    assert (
        f"{middle:,} predictions were answered in other classes than the settings of flight_delay name"
        in found.problems[-1]
    )


def test_a_model_without_labels_says_what_to_write(airline: Airline) -> None:
    """Nothing is guessed from the training data."""
    airline.settings = airline.settings.model_copy(update={"labels": None})
    with pytest.raises(errors.Misconfigured, match="name no `labels`"):
        airline.measured()


def test_no_id_of_anybody_is_in_the_report(airline: Airline) -> None:
    """Neither an id nor its hash."""
    text = airline.measured().canonical_json()
    record = airline.flown.records[0]
    assert record.entity is not None
    assert record.entity not in text
    assert record.request_id.removeprefix("request-") not in text


def test_what_is_known_of_a_day_is_kept_and_mended(airline: Airline) -> None:
    """One object a day, which later labels replace; a day that nothing changed is not written again."""
    store = MemoryObjects()
    performance.keep(store, airline.measured(AUGUST))
    before = list(store.keys())
    first = {key: store.get(key) for key in before}
    performance.keep(store, airline.measured(AUGUST + 7 * DAY))
    changed = {key.rpartition("/")[2] for key in before if first.get(key) != store.get(key)}
    assert changed == {"latest.json", "2013-07-31.json"}
    kept = store.get(performance_report.latest_key("flight_delay", "production"))
    assert kept is not None
    assert Performance.model_validate_json(kept) == airline.measured(AUGUST + 7 * DAY)


def test_what_it_was_approved_with_stands_beside_it(airline: Airline) -> None:
    """A retraining's request says what it was before."""
    airline.approved = {"performance.auc": 0.75, "fairness.gap": 0.1}
    beside = {score.metric: score.approved for score in airline.measured().scores}
    assert beside["auc"] == 0.75
    assert {value for metric, value in beside.items() if metric != "auc"} == {None}


@pytest.mark.parametrize(("digest", "approved"), [("sha256:1", {"performance.auc": 0.75}), ("sha256:2", {})])
def test_the_evidence_of_another_version_says_nothing(
    airline: Airline, monkeypatch: pytest.MonkeyPatch, digest: str, approved: dict[str, float]
) -> None:
    """What main has is what that version was approved with."""
    evidence = SimpleNamespace(model_digest=digest, metrics={"performance.auc": 0.75})
    main = SimpleNamespace(policy=lambda _model: None, evidence=lambda _model, _environment: evidence)
    monkeypatch.setattr(performance.Main, "now", lambda _forge: main)
    version, forge = Version.model_construct(model="flight_delay", version=1, model_digest="sha256:1"), MemoryForge({})
    assert performance.of_main(forge, airline.settings, version, "production").approved == approved


def test_a_damaged_log_is_said(airline: Airline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its predictions do not count, and the report says so."""
    joined = DuckDBLabelJoin.join
    monkeypatch.setattr(DuckDBLabelJoin, "join", lambda *asked, **keys: replace(joined(*asked, **keys), damaged=2))
    assert "2 parts of the log cannot be read; the predictions in there do not count" in airline.measured().problems


def test_a_report_of_another_argosy_is_none() -> None:
    """It is measured again, and its place is taken."""
    store = MemoryObjects()
    store.put(performance_report.latest_key("flight_delay", "production"), b'{"of": "another version"}')
    assert performance.latest(store, "flight_delay", "production") is None


def test_a_day_that_is_half_in_the_window_is_not_kept(airline: Airline) -> None:
    """Its figures would be those of its evening."""
    store = MemoryObjects()
    performance.keep(store, airline.measured(since=JULY + 0.5 * DAY))
    days = sorted(key.rpartition("/")[2] for key in store.keys("performance/"))
    assert days[0] == "2013-07-02.json"


@pytest.mark.parametrize("scores", [[0.2, 0.3, 0.5], [], None], ids=["three-classes", "none", "null"])
def test_a_version_with_other_classes_is_counted_and_not_measured(airline: Airline, scores: list[float] | None) -> None:
    """It answered in the same window; the version that serves is measured as if it had not, and one line says so."""
    alone = airline.measured()
    own = airline.flown.logged()
    count = 30
    table = own.table.slice(0, count)
    table = table.set_column(
        table.schema.get_field_index("score"), "score", pa.array([scores] * count, pa.list_(pa.float64()))
    )
    before = replace(own, served=replace(own.served, version=0, digest="sha256:before"), table=table)

    class Both:
        served = own.served

        def history(self) -> flights.MemoryLogHistory:
            return flights.MemoryLogHistory([before, own])

    airline.flown = Both()  # type: ignore[assignment]
    found = airline.measured()
    assert (found.scores, found.estimate, found.verdict) == (alone.scores, alone.estimate, alone.verdict)
    first = found.versions[0]
    assert (first.version, first.predictions, first.labelled) == (0, count, 0)
    assert [problem for problem in found.problems if "other classes" in problem] == [
        "30 predictions were answered in other classes than the settings of flight_delay name now; no label is held against them"
    ]


def test_labels_whose_words_changed_are_below_no_gate(airline: Airline) -> None:
    """All flights in time, whatever happened: an alarm, and a retraining, would be about the file and not about the model."""
    airline.holdout = Histogram(column="label", levels=["on_time", "late"], counts=[8000, 2000, 0], missing=0)
    airline.label(sql="false")
    found = airline.measured()
    assert found.verdict == "unclear"
    assert "labels are 'on_time', and of the holdout's 20.0% were not" in found.explanation
    assert [score.standing for score in found.scores] == [None] * len(found.scores)


def test_delays_are_held_against_the_holdouts(airline: Airline) -> None:
    """Of 10 % late in the holdout July is drift; by seasons nothing is said, for a model's reference has none of labels."""
    airline.holdout = Histogram(column="label", levels=["on_time", "late"], counts=[9000, 1000, 0], missing=0)
    airline.settings = airline.settings.model_copy(update={"monitor": Monitor()})
    found = airline.measured().label_drift
    arrived = flights.departed(JULY, AUGUST)["arrival_delay"].drop_null()
    late = pc.mean(pc.greater_equal(arrived, 15).cast("float64")).as_py()
    assert found is not None
    assert (found.rows, found.finding.drifted) == (len(arrived), True)
    assert found.explanation.endswith(f"on_time was 90.0% and is {1 - late:.1%}")
    seasonal = {"baseline": "season", "seasonality": {"by": "month"}}
    airline.settings = airline.settings.model_copy(update={"monitor": Monitor.model_validate(seasonal)})
    assert airline.measured().label_drift is None
