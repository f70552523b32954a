"""Past saturation some are refused at once, so that those who are let in stay quick; a burst costs nobody an answer."""

import asyncio
import json
from typing import Any

import grpc
import pytest

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.hot_queue import MOST_LATE, MOST_TOGETHER, HotQueue
from argosy.serving.overload import BURST_SECONDS, CALM_SECONDS, FIRST_SECONDS, Overload
from argosy.serving.request_problems import ShedRequest
from kit import grpc_calls
from kit.clock import Clock
from kit.serving_kit import ROW, Client, build_app
from kit.stepped_loop import SteppedLoop

V1 = "/v1/models/leaving:predict"
BUDGET = 0.01


class Cycle:
    """A request, as uvicorn has it."""

    def __init__(self, body: Any) -> None:
        self.scope = {"type": "http", "method": "POST", "path": V1, "headers": [], "state": {}}
        self.body = bytearray(json.dumps(body).encode())
        self.waiting_for_100_continue = self.disconnected = False


class Caller:
    """A connection that remembers what came of its requests."""

    def __init__(self, loop: SteppedLoop) -> None:
        self.loop: Any = loop
        self.replies: list[bytes] = []
        self.started = 0
        self.dropped = False

    def start(self, cycle: Any, app: Any) -> None:
        """See the connection."""
        self.started += 1

    def drop(self) -> None:
        """See the connection."""
        self.dropped = True

    def take_up(self) -> None:
        """See the connection."""

    def reply(self, cycle: Any, status: bytes, content: bytes) -> None:
        """See the connection."""
        self.replies.append(status + b"\r\n" + content)


class SteppedServer:
    """The small model behind its queue, on a clock that the test sets."""

    def __init__(self, predictor: Predictor) -> None:
        self.clock, self.loop = Clock(), SteppedLoop()
        self.app = build_app(predictor=predictor, served=ServedRelease("leaving", "x", 1, predictor.digest))
        self.wall = Clock()
        self.overload = Overload(BUDGET, self.clock, self.wall)
        self.queue = HotQueue(self.app.state.hot_path, self.overload)

    def turn(self, requests: int, seconds: float) -> list[bytes]:
        """The replies to *requests* that the loop reads in one turn, evenly over *seconds*."""
        caller = Caller(self.loop)
        for _ in range(requests):
            cycle: Any = Cycle({"instances": [ROW]})
            assert self.queue.may_take(cycle)
            self.queue.put(caller, cycle, None)
            self.clock.now += seconds / requests
        self.loop.run()
        return caller.replies

    def metric(self, name: str) -> float:
        """The value of a series."""
        lines = Client(self.app).get("/metrics").body.decode().splitlines()
        return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} "))


@pytest.fixture
def server(predictor: Predictor) -> SteppedServer:
    """A server that nobody asked yet."""
    return SteppedServer(predictor)


def refused(replies: list[bytes]) -> int:
    """How many of *replies* are refusals."""
    return sum(reply.startswith(b"503 ") for reply in replies)


def test_a_burst_is_answered(server: SteppedServer) -> None:
    """One turn that is too long by as much as a burst may be, then quiet ones: everybody is answered."""
    assert refused(server.turn(100, BURST_SECONDS)) == 0
    for _ in range(10):
        assert refused(server.turn(5, BUDGET / 2)) == 0
    assert refused(server.turn(100, BURST_SECONDS)) == 0


def test_those_that_waited_for_longer_than_a_burst_are_refused(server: SteppedServer) -> None:
    """In turns right behind the first one that is too long, all that the budget has no time for; in the first nobody."""
    counts = [refused(server.turn(100, 4 * BUDGET)) for _ in range(6)]
    assert counts[0] == 0
    assert all(70 <= count <= 76 for count in counts[1:])
    assert server.metric('argosy_requests_shed_total{route="v1"}') == sum(counts)
    assert server.metric('argosy_requests_total{code="503",route="v1"}') == sum(counts)
    assert server.metric('argosy_request_seconds_count{route="v1"}') == 600 - sum(counts)


def test_a_first_turn_has_an_end(server: SteppedServer) -> None:
    """It may be a large request or a collection of garbage; longer than those take, it is a queue."""
    assert refused(server.turn(100, 2 * FIRST_SECONDS)) == pytest.approx(50, abs=1)


def test_what_is_no_request_s_work_refuses_nobody(server: SteppedServer) -> None:
    """What the server does for itself on the event loop, such as counting together what a version that goes has counted."""
    for _ in range(5):
        assert server.overload.arrived()
        with server.overload.aside():
            server.clock.now += 2 * FIRST_SECONDS
        assert refused(server.turn(3, BUDGET / 2)) == 0
        server.overload.over()
    assert not server.overload.late


def test_who_comes_later_is_let_in_again(server: SteppedServer) -> None:
    """Turns within the budget for a second, and a burst is answered again."""
    while not refused(server.turn(100, 4 * BUDGET)):
        pass
    assert refused(server.turn(3, BUDGET / 2)) == 0
    server.wall.now += CALM_SECONDS + 0.01
    assert refused(server.turn(3, BUDGET / 2)) == 0
    assert refused(server.turn(100, BURST_SECONDS)) == 0


def test_a_turn_that_refusals_made_short_is_not_the_end(server: SteppedServer) -> None:
    """Right behind it those who wait for too long are refused at once: not a burst later, turn after turn."""
    while not refused(server.turn(100, 4 * BUDGET)):
        pass
    for _ in range(5):
        server.wall.now += CALM_SECONDS / 10
        assert refused(server.turn(3, BUDGET / 2)) == 0
        assert refused(server.turn(100, 4 * BUDGET)) > 50


def test_where_turns_hold_too_much_fewer_are_answered_together(server: SteppedServer) -> None:
    """So that the work that is known to be done keeps up with what is taken."""
    server.turn(32, 1.1 * BUDGET)
    server.turn(32, 0.9 * BUDGET)
    assert server.metric("argosy_requests_together_sum") == 64
    assert server.metric("argosy_requests_together_count") == 1 + 32 / MOST_LATE


def test_a_refusal_says_when_to_come_back(server: SteppedServer) -> None:
    """503 with Retry-After, the model's headers and a request id, as JSON."""
    while not (replies := [reply for reply in server.turn(100, 4 * BUDGET) if reply.startswith(b"503")]):
        pass
    head, _, body = replies[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"503 Service Unavailable"
    assert {b"retry-after: 1", b"argosy-model: leaving", b"content-length: %d" % len(body)} <= set(lines)
    assert any(line.startswith(b"x-request-id: ") for line in lines)
    assert "try again" in json.loads(body)["error"]


def test_what_waits_is_bounded(server: SteppedServer) -> None:
    """However many come in a turn, no more are held than are answered together."""
    replies = server.turn(3 * MOST_TOGETHER + 1, 0.0)
    assert len(replies) == 3 * MOST_TOGETHER + 1
    assert refused(replies) == 0
    assert server.metric("argosy_requests_together_count") == 4
    assert server.metric("argosy_requests_together_sum") == 3 * MOST_TOGETHER + 1


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_whenever_a_request_is_read_it_is_answered(server: SteppedServer, steps: int) -> None:
    """Also where the loop reads it between two of our own steps."""
    caller = Caller(server.loop)
    for _ in range(3):
        cycle: Any = Cycle({"instances": [ROW]})
        server.queue.put(caller, cycle, None)
        for _ in range(steps):
            if server.loop.busy:
                server.loop.step()
    server.loop.run()
    assert len(caller.replies) == 3


def test_a_lone_request_waits_for_nobody(predictor: Predictor) -> None:
    """On a real loop, its answer is there in the turn in which it was read."""
    app = build_app(predictor=predictor, served=ServedRelease("leaving", "x", 1, predictor.digest))

    async def one() -> list[bytes]:
        caller = Caller(SteppedLoop())
        caller.loop = asyncio.get_running_loop()
        cycle: Any = Cycle({"instances": [ROW]})
        app.state.hot_queue.put(caller, cycle, None)
        await asyncio.sleep(0)
        return caller.replies

    assert len(asyncio.run(one())) == 1


class Late(Overload):
    """A loop in which everybody has waited too long."""

    def sheds(self) -> bool:
        """See Overload."""
        return True


def late(predictor: Predictor) -> ServerParts:
    """The small model, past saturation."""
    served = ServedRelease("leaving", "x", 1, predictor.digest)
    return server_parts(predictor=predictor, served=served, overload=Late(BUDGET))


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (V1, "v1"),
        ("/v1/models/leaving/versions/1:predict", "v1"),
        ("/v1/models/leaving:explain", "explain"),
        ("/v2/models/leaving/versions/1/infer", "v2"),
        ("/predict", "plain"),
    ],
)
def test_every_way_in_is_judged(predictor: Predictor, path: str, route: str) -> None:
    """Also those that the hot path does not take; what is refused is no error of the version, and no answer's time."""
    client = Client(app_of(late(predictor)))
    reply = client.post(path, {"instances": [ROW]})
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    lines = client.get("/metrics").body.decode().splitlines()
    assert f'argosy_requests_shed_total{{route="{route}"}} 1.0' in lines
    assert f'argosy_requests_total{{code="503",route="{route}"}} 1.0' in lines
    assert not any(line.startswith(f'argosy_request_seconds_count{{route="{route}"}}') for line in lines)


def test_calls_over_grpc_are_judged(predictor: Predictor) -> None:
    """As requests over HTTP are."""
    parts = late(predictor)

    async def asked() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await grpc_calls.called(channel, "ModelInfer", model_name="leaving", inputs=grpc_calls.row(ROW))
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(asked())
    assert b'argosy_requests_shed_total{route="grpc"} 1.0' in parts.metrics.text()


def test_on_the_common_road_turns_are_measured_alike(predictor: Predictor) -> None:
    """Behind the first that is too long only those are answered that the budget has time for."""
    clock = Clock()
    served = ServedRelease("leaving", "x", 1, predictor.digest)
    gate = server_parts(predictor=predictor, served=served, overload=Overload(BUDGET, clock)).gate

    async def one(seconds: float) -> bool:
        try:
            gate.judge()
        except ShedRequest:
            return True
        finally:
            clock.now += seconds
        return False

    async def turn() -> int:
        refused = sum(await asyncio.gather(*(one(4 * BUDGET / 100) for _ in range(100))))
        for _ in range(3):
            await asyncio.sleep(0)
        return refused

    async def turns() -> list[int]:
        return [await turn() for _ in range(6)]

    counts = asyncio.run(turns())
    assert counts[0] == 0
    assert all(70 <= count <= 76 for count in counts[1:])


def test_whoever_begins_a_turn_the_queue_is_emptied(server: SteppedServer) -> None:
    """A request of the common road was read first."""
    assert server.overload.arrived()
    assert len(server.turn(3, 0.0)) == 3
    server.overload.over()
    assert len(server.turn(3, 0.0)) == 3


def test_what_is_odd_goes_to_the_common_road(server: SteppedServer) -> None:
    """A request that is refused there, from among those that are answered together."""
    caller, odd = Caller(server.loop), Cycle({"instances": [{**ROW, "tenure": "x"}]})
    for cycle in (Cycle({"instances": [ROW]}), odd, Cycle({"instances": [ROW]})):
        asked: Any = cycle
        server.queue.put(caller, asked, None)
    server.loop.run()
    assert (len(caller.replies), caller.started) == (2, 1)


def test_a_connection_that_fails_takes_nobody_along(server: SteppedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Of those that are answered together, one whose connection is at fault is ended and told in the log; the others get their answers."""

    class Broken(Caller):
        def reply(self, cycle: Any, status: bytes, content: bytes) -> None:
            raise ValueError("no transport")

    callers = [Caller(server.loop), Broken(server.loop), Caller(server.loop)]
    for caller in callers:
        cycle: Any = Cycle({"instances": [ROW]})
        server.queue.put(caller, cycle, None)
    server.loop.run()
    assert [len(caller.replies) for caller in callers] == [1, 0, 1]
    assert [caller.dropped for caller in callers] == [False, True, False]
    assert "no transport" in caplog.text
