"""Features by id from a store that fails: said, bounded, counted, never guessed."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from argosy import errors
from argosy.ml.predictor import Predictor
from argosy.ports.features import OnlineRow, OnlineView
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import circuit_breaker
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.lookup import Lookup
from argosy.serving.prometheus import Metrics
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import RequestProblem
from kit.clock import Clock
from kit.serving_kit import ROW, Client, MemoryOnline, build_app

V1 = "/v1/models/leaving:predict"


class Flaky:
    """An online store that fails while told to, and counts how often it is asked."""

    views: Sequence[OnlineView] = ()

    def __init__(self) -> None:
        self.down = False
        self.why: errors.ArgosyError = errors.TryAgain("redis://10.0.0.7 refuses the connection")
        self.asked = 0

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """See the port."""
        self.asked += 1
        if self.down:
            raise self.why
        return [OnlineRow(ROW) if entity["customer_id"] == "C1" else None for entity in entities]

    async def close(self) -> None:
        """See the port."""


def outcomes(metrics: Metrics) -> dict[str, int]:
    """How many rows came to what."""
    lines = [line for line in metrics.text().decode().splitlines() if line.startswith("argosy_online_lookups_total")]
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in lines}


def test_a_store_that_keeps_failing_is_left_alone() -> None:
    """After some failures in a row nobody is asked for a second; then one request finds out for all."""
    clock, store, metrics = Clock(), Flaky(), Metrics(ServedRelease("leaving", "none", 1, "sha256:0"), None)
    found = Lookup(store, ["customer_id"], metrics, clock)

    by_id = RequestColumns(1, {name: [None] for name in ROW}, [{"customer_id": "C1"}], [0], lambda *_: "instances[0]")

    def ask() -> int:
        try:
            asyncio.run(found.filled(by_id))
        except RequestProblem as problem:
            return problem.status
        return 200

    store.down = True
    assert [ask() for _ in range(circuit_breaker.TOLERATED + 3)] == [503] * (circuit_breaker.TOLERATED + 3)
    assert store.asked == circuit_breaker.TOLERATED
    clock.now += circuit_breaker.PAUSE_SECONDS
    assert [ask(), ask()] == [503, 503]
    assert store.asked == circuit_breaker.TOLERATED + 1
    store.down = False
    clock.now += circuit_breaker.PAUSE_SECONDS
    assert [ask(), ask(), ask()] == [200, 200, 200]
    assert outcomes(metrics) == {"found": 3, "unknown": 0, "failed": circuit_breaker.TOLERATED + 1, "refused": 4}


BY_IDS = RequestColumns(
    2, {name: [None, None] for name in ROW}, [{"customer_id": "C1"}, {"customer_id": "C2"}], [0, 1], lambda *_: "it"
)


def test_how_old_features_are_is_counted_by_view() -> None:
    """Those of a request by their oldest row, a view without rows not at all; what has expired is known by its place, counted from 0."""
    views = [OnlineView("account", ["tenure"], 5), OnlineView("person", ["birth_year"], None)]
    rows = {"C1": OnlineRow(ROW, [80 * 10**6, None], ["tenure"]), "C2": OnlineRow(ROW, [95 * 10**6, None], [])}
    metrics = Metrics(ServedRelease("leaving", "none", 1, "sha256:0"), None)
    found = Lookup(MemoryOnline(rows, views), ["customer_id"], metrics, now=lambda: 100 * 10**6)
    before = metrics.text().decode()
    assert re.findall(r"argosy_expired_values_total\{.*", before) == [
        'argosy_expired_values_total{feature="tenure"} 0.0'
    ]
    assert asyncio.run(found.filled(BY_IDS)).expired == {0: ["tenure"]}
    text = metrics.text().decode()
    assert 'argosy_online_age_seconds_sum{view="account"} 20.0' in text
    assert 'argosy_online_age_seconds_count{view="person"} 0.0' in text


def test_a_store_without_moments_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """It answers as it did; what an operator has to do is said when the server starts."""
    metrics = Metrics(ServedRelease("leaving", "none", 1, "sha256:0"), None)
    Lookup(MemoryOnline({}, [OnlineView("account", ["tenure"], 5)]), ["customer_id"], metrics)
    Lookup(None, ["customer_id"], metrics)
    assert caplog.text == ""
    found = Lookup(MemoryOnline({"C1": ROW, "C2": ROW}), ["customer_id"], metrics)
    assert "by an earlier Argosy, without the moments of its features: none expires, however old" in caplog.text
    assert asyncio.run(found.filled(BY_IDS)).features["tenure"] == (3, 3)


def test_one_failure_among_successes_stops_nobody() -> None:
    """Only failures in a row count."""
    breaker = CircuitBreaker(Clock())
    for _ in range(3):
        for _ in range(circuit_breaker.TOLERATED - 1):
            breaker.failed()
        assert not breaker.refuses()
        breaker.succeeded()
    assert not breaker.refuses()


def test_while_one_asks_others_wait_for_what_it_finds() -> None:
    """A store that comes back is not met by everybody at once."""
    clock = Clock()
    breaker = CircuitBreaker(clock)
    for _ in range(circuit_breaker.TOLERATED):
        breaker.failed()
    clock.now += circuit_breaker.PAUSE_SECONDS
    assert [breaker.refuses(), breaker.refuses(), breaker.refuses()] == [False, True, True]


@pytest.fixture
def store() -> Flaky:
    """A store that is well."""
    return Flaky()


@pytest.fixture
def client(predictor: Predictor, store: Flaky) -> Client:
    """Calls the small model over that store."""
    return Client(
        build_app(predictor=predictor, served=ServedRelease("leaving", "none", 1, predictor.digest), online=store)
    )


@pytest.mark.parametrize(
    "why",
    [
        pytest.param(errors.TryAgain("redis://10.0.0.7 refuses the connection"), id="down"),
        pytest.param(errors.Misconfigured("redis://10.0.0.7 refuses user reader"), id="rights-taken-away"),
    ],
)
def test_a_store_that_is_down_is_no_reason_to_send_callers_away(
    client: Client, store: Flaky, why: errors.ArgosyError, caplog: pytest.LogCaptureFixture
) -> None:
    """By id: 503 and when to come back. Full rows are answered, and the server stays ready: all pods read one store, and taking every
    one of them out would turn a part into the whole."""
    store.down, store.why = True, why
    reply = client.post(V1, {"instances": [ROW, {"customer_id": "C1"}]})
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    # What our network looks like inside is in the log, and nowhere else.
    assert reply.json()["error"] == "the online store does not answer; send every feature, or try again"
    assert str(why) in caplog.text
    assert client.post(V1, {"instances": [ROW]}).status == 200
    assert (client.get("/readyz").status, client.get("/healthz").status) == (200, 200)
    store.down = False
    assert client.post(V1, {"instances": [{"customer_id": "C1"}]}).status == 200


def test_rows_by_id_and_whole_ones_mix(client: Client, store: Flaky) -> None:
    """All ids of a request are one question; the answer is that of the full row; the field of an unknown one is named."""
    mixed = client.post(V1, {"instances": [{"customer_id": "C1"}, ROW, {"customer_id": "C1"}]})
    assert store.asked == 1
    assert len(set(mixed.json()["predictions"])) == 1
    unknown = client.post(V1, {"instances": [ROW, {"customer_id": "C1"}, {"customer_id": "C9"}]})
    assert (unknown.status, unknown.json()["field"]) == (404, "instances[2]")
