"""A second version beside the served one: a shadow that nobody notices, and a candidate that has entities of its own."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.ml.encoding import EncodedColumns, Matrix
from argosy.ml.predictor import Predictions, Predictor, UndefinedPrediction
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import second_version
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.arm import Arm
from argosy.serving.assignment import Assignment
from argosy.serving.hot_path import HotRequest
from argosy.serving.request_columns import RequestColumns
from argosy.serving.second_series import SecondSeries
from argosy.serving.second_version import SecondVersion
from argosy.serving.shadow import Shadow
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, Reply, rows

FIRST = ServedRelease("leaving", "production", 4, "sha256:" + "4" * 64)
SECOND = ServedRelease("leaving", "production", 5, "sha256:" + "5" * 64)
WAIT = 20.0


class Turned:
    """Answers the other way round, when it may."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.signature = predictor.signature
        self.may = threading.Event()
        self.may.set()
        self.fails: Exception | None = None
        self.calls: list[int] = []

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        self.may.wait(WAIT)
        if self.fails is not None:
            raise self.fails
        self.calls.append(len(matrix))
        return np.asarray(1 - self._predictor.predict_matrix(matrix))

    def decide(self, predictions: Predictions) -> list[str]:
        return self._predictor.decide(predictions)

    def contributions(self, matrix: Matrix) -> Predictions:
        return -self._predictor.contributions(matrix)


class Beside:
    """A server with a second version beside it."""

    def __init__(self, predictor: Predictor, role: Any, share: float = 1.0, second: Any = None) -> None:
        self.predictor = predictor
        self.second = second or Turned(predictor)
        self.log, self.its_log = MemoryLog(), MemoryLog()
        arm = Arm(self.second, SECOND, predictor.signature, log=self.its_log, hash_key=b"secret")
        self.parts: ServerParts = server_parts(
            predictor=predictor,
            served=FIRST,
            log=self.log,
            hash_key=b"secret",
            online=MemoryOnline({"C1": ROW}),
            second=SecondVersion(arm, role, share),
        )
        self.app = app_of(self.parts)
        self.client = Client(self.app, self.log)

    def post(self, instances: Sequence[Any], verb: str = "predict", **headers: str) -> Reply:
        return self.client.post(f"/v1/models/leaving:{verb}", {"instances": instances}, **headers)

    def close(self) -> None:
        """What waits is answered."""
        self.parts.service.close()

    def metric(self, name: str) -> float:
        text = self.parts.metrics.text().decode()
        return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(f"{name} "))


@pytest.fixture
def shadowed(predictor: Predictor) -> Beside:
    return Beside(predictor, second_version.SHADOW)


def test_a_shadows_answers_are_logged_compared_and_never_returned(shadowed: Beside, client: Client) -> None:
    """The answer has the bytes that it has without a shadow; the shadow's are in a log of their own, row for row."""
    sample = rows(5)
    without = client.post("/v1/models/leaving:predict", {"instances": sample}, x_request_id="r1")
    given = shadowed.post(sample, x_request_id="r1")
    shadowed.close()
    assert (given.status, given.body) == (200, without.body)
    assert given.headers["argosy-model-version"] == "4"
    ours, theirs = shadowed.log.records, shadowed.its_log.records
    assert [(one.request_id, one.row) for one in theirs] == [("r1", place) for place in range(5)]
    assert [one.score[0] for one in theirs] == pytest.approx([1 - one.score[0] for one in ours])
    assert shadowed.metric('argosy_second_predictions_total{role="shadow"}') == 5
    assert shadowed.metric('argosy_second_compared_total{role="shadow"}') == 5
    flips = sum(one.decision != other.decision for one, other in zip(ours, theirs, strict=True))
    assert shadowed.metric('argosy_second_flips_total{role="shadow"}') == flips > 0
    assert shadowed.metric("argosy_predictions_total") == 5


@pytest.mark.parametrize("path", ["/predict", "/v2/models/leaving/infer", "/v1/models/leaving:explain"])
def test_every_road_has_its_shadow(shadowed: Beside, path: str) -> None:
    """A request is copied whatever protocol it came by."""
    bodies: dict[str, Any] = {
        "/predict": {"rows": [ROW]},
        "/v2/models/leaving/infer": {
            "inputs": [{"name": "customer_id", "shape": [1], "datatype": "BYTES", "data": ["C1"]}]
        },
        "/v1/models/leaving:explain": {"instances": [ROW]},
    }
    assert shadowed.client.post(path, bodies[path]).status == 200
    shadowed.close()
    assert len(shadowed.its_log.records) == 1


def test_requests_of_the_hot_path_have_their_shadow(shadowed: Beside) -> None:
    """Those that are answered together are copied each."""
    path = shadowed.app.state.hot_path
    body = b'{"instances":[{"tenure":3,"charges":70.5,"contract":"month","birth_year":1980}]}'
    asked = [
        HotRequest(
            {"type": "http", "method": "POST", "path": "/v1/models/leaving:predict", "headers": [], "state": {}},
            body,
            0.0,
        )
        for _ in range(3)
    ]
    assert all(answer is not None for answer in path.answer(asked))
    shadowed.close()
    assert len(shadowed.its_log.records) == 3


def test_a_shadow_that_hangs_delays_nobody_and_what_it_misses_is_counted(predictor: Predictor) -> None:
    """Its backlog is bounded in memory, whatever came; what does not fit is dropped."""
    turned = Turned(predictor)
    turned.may.clear()
    arm = Arm(turned, SECOND, predictor.signature)
    series = SecondSeries("shadow", SECOND, ())
    shadow = Shadow(arm, 1.0, series, backlog_bytes=2_000)
    values = predictor.predict_matrix(np.zeros((3, 4), np.float32))
    for number in range(10):
        shadow.offer(_asked(3), f"r{number}", values, ["no"] * 3)
    said = _said(series)
    assert said["argosy_second_dropped_total"]["backlog-full"] >= 10 * 3 - 2 * 6
    turned.may.set()
    shadow.close()
    said = _said(series)
    assert said["argosy_second_predictions_total"]["shadow"] + said["argosy_second_dropped_total"]["backlog-full"] == 30
    assert said["argosy_second_waiting_rows"]["shadow"] == 0


def test_long_texts_count_in_the_backlog(predictor: Predictor) -> None:
    """What is no level may be long: a thousand of those are not taken for a thousand numbers."""
    turned = Turned(predictor)
    series = SecondSeries("shadow", SECOND, ())
    shadow = Shadow(Arm(turned, SECOND, predictor.signature), 1.0, series, backlog_bytes=2_000)
    asked = replace(_asked(1), encoded=None, features={**_asked(1).features, "contract": ["x" * 2_000]})
    shadow.offer(asked, "r1", np.zeros(1), None)
    shadow.close()
    assert _said(series)["argosy_second_dropped_total"]["backlog-full"] == 1


def test_a_broken_shadow_costs_its_own_rows_only(shadowed: Beside) -> None:
    """Callers get their answers; the errors are counted by their kind."""
    shadowed.second.fails = RuntimeError("broken")
    assert [shadowed.post([ROW]).status for _ in range(3)] == [200, 200, 200]
    shadowed.close()
    assert shadowed.metric('argosy_second_errors_total{reason="failed",role="shadow"}') == 3
    assert shadowed.its_log.records == []
    assert len(shadowed.log.records) == 3


def test_one_row_without_a_number_costs_no_other_request(predictor: Predictor) -> None:
    """Requests share a call; where it fails each is asked alone."""

    class Picky(Turned):
        def predict_matrix(self, matrix: Matrix) -> Predictions:
            if (matrix[:, 0] == 71).any():
                raise UndefinedPrediction("no number")
            return super().predict_matrix(matrix)

    picky = Picky(predictor)
    picky.may.clear()
    beside = Beside(predictor, second_version.SHADOW, second=picky)
    for tenure in (3, 71, 5):
        beside.post([ROW | {"tenure": tenure}])
    picky.may.set()
    beside.close()
    assert len(beside.its_log.records) == 2
    assert beside.metric('argosy_second_errors_total{reason="undefined",role="shadow"}') == 1


def test_a_share_of_the_requests_is_the_same_on_every_replica(predictor: Predictor) -> None:
    """The request's id decides."""
    found = []
    for _ in range(2):
        beside = Beside(predictor, second_version.SHADOW, share=0.3)
        for number in range(100):
            beside.post([ROW], x_request_id=f"r{number}")
        beside.close()
        found.append([one.request_id for one in beside.its_log.records])
    assert found[0] == found[1]
    assert 15 < len(found[0]) < 45


def test_a_version_with_other_levels_encodes_by_its_own(predictor: Predictor) -> None:
    """What the second version does not know counts as missing there, as it would be were it served."""
    second = Turned(predictor)
    fewer = [
        column.model_copy(update={"levels": ["two-year", "month"]}) if column.name == "contract" else column
        for column in predictor.signature.features
    ]
    second.signature = predictor.signature.model_copy(update={"features": fewer})
    arm = Arm(second, SECOND, predictor.signature)
    asked = _asked(2, contract=["month", "one-year"])
    matrix = arm.matrix(arm.own(asked))
    assert matrix[0, 2] == 1
    assert np.isnan(matrix[1, 2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"model": "other"}, "it is the model 'other'", id="another model"),
        pytest.param({"task": "regression", "classes": []}, "it is a regression model", id="another task"),
        pytest.param({"classes": ["no", "maybe"]}, "its classes are no, maybe", id="other classes"),
        pytest.param({"join_keys": ["household"]}, "its join keys are household", id="other join keys"),
        pytest.param(
            {"features": [FeatureColumn(name="income", type="number", view="account")]},
            "it needs the feature 'income', which the first does not",
            id="a new feature",
        ),
        pytest.param(
            {"features": [FeatureColumn(name="tenure", type="category", levels=["a"], view="account")]},
            "its feature 'tenure' is a category, the first's a number",
            id="another type",
        ),
    ],
)
def test_what_cannot_be_asked_the_same_is_refused_when_it_is_loaded(
    predictor: Predictor, change: dict[str, Any], says: str
) -> None:
    """In one line, which says what differs."""
    second = Turned(predictor)
    second.signature = predictor.signature.model_copy(update=change)
    with pytest.raises(errors.Rejected, match=f"cannot be asked with the requests of the first: {says}"):
        Arm(second, SECOND, predictor.signature)


def test_an_entity_is_always_answered_by_the_same_version(predictor: Predictor) -> None:
    """A row goes by its join keys, whatever request it is in, and the answer names the version of each row."""
    beside = Beside(predictor, second_version.CANDIDATE, share=0.5)
    customers = [ROW | {"customer_id": f"C{number}"} for number in range(40)]
    together = beside.post(customers).json()
    alone = [beside.post([each]).json()["versions"][0] for each in customers]
    assert together["versions"] == alone
    assert 8 < alone.count("5") < 32
    plain = predictor.predict([ROW])[0]
    expected = [1 - plain if version == "5" else plain for version in alone]
    assert together["predictions"] == pytest.approx(expected)
    assert together["decisions"] == [predictor.decide(np.array([each]))[0] for each in expected]


def test_both_versions_log_their_rows_under_the_places_of_the_request(predictor: Predictor) -> None:
    """Labels join by request and row: a row keeps its place whoever answered it."""
    beside = Beside(predictor, second_version.CANDIDATE, share=0.5)
    said = beside.post([ROW | {"customer_id": f"C{number}"} for number in range(20)]).json()
    ours = {one.row for one in beside.log.records}
    theirs = {one.row for one in beside.its_log.records}
    assert theirs == {place for place, version in enumerate(said["versions"]) if version == "5"}
    assert ours == set(range(20)) - theirs
    assert beside.metric("argosy_predictions_total") == len(ours)
    assert beside.metric('argosy_second_predictions_total{role="candidate"}') == len(theirs)


def test_rows_without_an_entity_go_by_the_request(predictor: Predictor) -> None:
    """All of one request to one version, and a share of the requests to each."""
    beside = Beside(predictor, second_version.CANDIDATE, share=0.5)
    found = [beside.post([ROW, ROW], x_request_id=f"r{number}").json()["versions"] for number in range(40)]
    assert all(first == second for first, second in found)
    assert 8 < sum(first == "5" for first, _ in found) < 32


def test_v2_names_the_version_too(predictor: Predictor) -> None:
    """In `model_version` where one version answered all, and for each row among the parameters."""
    beside = Beside(predictor, second_version.CANDIDATE)
    tensor = {"name": "customer_id", "shape": [1], "datatype": "BYTES", "data": ["C1"]}
    said = beside.client.post("/v2/models/leaving/infer", {"inputs": [tensor]})
    assert (said.json()["model_version"], said.json()["parameters"]["versions"]) == ("5", "5")
    assert said.headers["argosy-model-version"] == "4, 5"


def test_reasons_are_of_the_version_that_answered(predictor: Predictor) -> None:
    """An explained row is explained by the model that gave its score."""
    beside = Beside(predictor, second_version.CANDIDATE)
    ours = Client(app_of(server_parts(predictor=predictor, served=FIRST)))
    theirs, plain = (
        each.json()["explanations"][0]["contributions"]
        for each in (beside.post([ROW], "explain"), ours.post("/v1/models/leaving:explain", {"instances": [ROW]}))
    )
    assert theirs == {name: pytest.approx(-value) for name, value in plain.items()}


def test_where_the_candidate_fails_the_served_version_answers(predictor: Predictor) -> None:
    """And says so; the rows are logged as its own."""
    beside = Beside(predictor, second_version.CANDIDATE)
    beside.second.fails = RuntimeError("broken")
    said = beside.post([ROW, ROW])
    assert (said.status, said.json()["versions"]) == (200, ["4", "4"])
    assert len(beside.log.records) == 2
    assert beside.metric('argosy_second_errors_total{reason="failed",role="candidate"}') == 2


def test_values_that_the_model_was_not_made_for_are_told_in_a_split(tolerant: Predictor) -> None:
    """The warnings are those of an answer without a split."""
    odd = ROW | {"contract": "weekly", "customer_id": "C1"}
    beside = Beside(tolerant, second_version.CANDIDATE, share=1.0)
    alone = Client(app_of(server_parts(predictor=tolerant, served=FIRST)))
    plain = alone.post("/v1/models/leaving:predict", {"instances": [odd]}).json()
    assert beside.post([odd]).json()["warnings"] == plain["warnings"] != []


def test_a_share_that_grows_moves_only_those_who_come() -> None:
    """Nobody who had the candidate loses it, and about as many come as the share grew by."""
    customers = [f"C{number}" for number in range(4_000)]
    ten, twelve = ({each for each in customers if Assignment(share, "x").takes(each)} for share in (0.1, 0.12))
    assert ten < twelve
    assert 320 < len(ten) < 480
    assert 40 < len(twelve - ten) < 130


def test_another_experiment_deals_anew() -> None:
    """The same entities are not in every experiment: of those of one, the usual share is in the next."""
    customers = [f"C{number}" for number in range(4_000)]
    first, second = ({each for each in customers if Assignment(0.5, salt).takes(each)} for salt in ("x", "y"))
    assert 850 < len(first & second) < 1_150


def test_assignments_are_the_same_for_ever() -> None:
    """A constant that may not change: whoever ran an experiment over an upgrade would find entities in both arms."""
    keys = [{"customer_id": f"C{number}"} for number in range(12)]
    assert Assignment(0.5, "salt").places(12, keys, "r") == PLACES


PLACES = [2, 3, 6, 10]


def _asked(count: int, **columns: list[Any]) -> RequestColumns:
    sample: dict[str, list[Any]] = {name: [ROW[name]] * count for name in ROW}
    encoded = EncodedColumns(np.zeros((count, 4), np.float32), np.zeros((4, count)))
    return RequestColumns(count, sample | columns, None, (), lambda place, _: str(place), encoded)


def _said(series: SecondSeries) -> dict[str, dict[str, float]]:
    return {
        sample.name: {
            found.labels.get("reason", found.labels["role"]): found.value
            for family in series.collect()
            for found in family.samples
            if found.name == sample.name
        }
        for metric in series.collect()
        for sample in metric.samples
    }
