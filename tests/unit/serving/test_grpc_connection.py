"""A gRPC connection byte by byte: what breaks HTTP/2 ends it, what asks too much is bounded, and whoever takes answers slowly gets them."""

import asyncio
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import grpc_connection, grpc_frames, grpc_heads, grpc_messages, grpc_reflection, grpc_server
from argosy.serving.app import ServerParts, server_parts
from argosy.serving.connections import ConnectionLimits
from argosy.serving.grpc_call import PIECE_BYTES, GrpcCall
from argosy.serving.grpc_connection import GrpcConnection, GrpcConnections, GrpcLimits
from argosy.serving.grpc_frames import END_HEADERS, END_STREAM, PADDED, PREFACE, Frame, Http2Error
from argosy.serving.overload import Overload
from kit import grpc_calls
from kit.serving_kit import ROW, served_models

PATH = "/s/m"
LIMITS = GrpcLimits(ConnectionLimits(connections=2), 4, age_seconds=30, grace_seconds=5)
BLOCK = grpc_frames.header_block(
    [(":method", "POST"), (":scheme", "http"), (":path", PATH), ("content-type", "application/grpc")]
)


BEGUN = grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, BLOCK)
OTHER = grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, BLOCK.replace(b"/s/m", b"/s/x"))
"""Two calls that begin, one of them of a method that there is not."""


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.closing = self.aborted = False

    def write(self, data: bytes) -> None:
        """See asyncio, as the others."""
        self.sent += data

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _: str) -> Any:
        return "192.0.2.1", 1

    def frames(self) -> list[tuple[int, int, int, bytes]]:
        """Type, flags, stream and payload of what was written."""
        found, data = [], self.sent
        while data:
            long, flags, stream = grpc_frames.HEAD.unpack_from(data)
            end = grpc_frames.FRAME_HEAD + (long >> 8)
            found.append((long & 255, flags, stream, data[grpc_frames.FRAME_HEAD : end]))
            data = data[end:]
        return found

    def goaway(self) -> int | None:
        """Why the connection was ended, where it was."""
        codes = [payload[4:8] for kind, _, _, payload in self.frames() if kind == Frame.GOAWAY]
        return int.from_bytes(codes[-1], "big") if codes else None


class EchoHandler:
    """Answers with what came, as often as :attr:`times` says."""

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.all_open = False
        self.came: list[GrpcCall] = []

    def most_bytes(self, path: str) -> int | None:
        """See the protocol, as the others."""
        return 1_000 if path == PATH else None

    def keyed(self, path: str) -> bool:
        return not self.all_open

    def hot(self, call: GrpcCall) -> bool:
        self.came.append(call)
        call.connection.write(call.reply(call.messages[0] * self.times))
        return True

    async def answer(self, call: GrpcCall) -> None:
        self.came.append(call)
        call.connection.write(call.reply(await anext(call)))


def opened(handler: EchoHandler | None = None) -> tuple[GrpcConnection, Wire]:
    """A connection that has said hello, on the running loop."""
    connection, wire = GrpcConnections(LIMITS, handler or EchoHandler()).protocol(), Wire()
    connection.connection_made(wire)
    connection.data_received(PREFACE + grpc_frames.settings({}))
    wire.sent = b""
    return connection, wire


def call(stream: int = 1, message: bytes = b"hello", block: bytes = BLOCK) -> bytes:
    """The frames of one call."""
    head = grpc_frames.frame(Frame.HEADERS, END_HEADERS, stream, block)
    return head + grpc_frames.frame(Frame.DATA, END_STREAM, stream, grpc_frames.message_frame(message))


def on_loop(work: Callable[[], None]) -> None:
    """Do *work* on an event loop, and let that turn."""

    async def run() -> None:
        work()
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(run())


def ended(data: bytes) -> int | None:
    """Why a connection ends that *data* comes by."""
    found: list[int | None] = []

    def work() -> None:
        connection, wire = opened()
        connection.data_received(data)
        found.append(wire.goaway())
        assert wire.closing == (wire.goaway() is not None)

    on_loop(work)
    return found[0]


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_a_call_is_answered_however_it_comes(pieces: int) -> None:
    """In one piece, or byte by byte."""

    async def run() -> list[bytes]:
        connection, wire = opened()
        data = call()
        size = -(-len(data) // pieces)
        for begin in range(0, len(data), size):
            connection.data_received(data[begin : begin + size])
        for _ in range(10):
            await asyncio.sleep(0)
        assert not connection.calls
        return [payload for kind, _, _, payload in wire.frames() if kind == Frame.DATA]

    assert asyncio.run(run()) == [grpc_frames.message_frame(b"hello")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(grpc_frames.HEAD.pack(16_385 << 8, 0, 1), Http2Error.FRAME_SIZE_ERROR, id="long-frame"),
        pytest.param(grpc_frames.frame(Frame.DATA, 0, 1, b"x"), Http2Error.PROTOCOL_ERROR, id="data-of-nothing"),
        pytest.param(grpc_frames.frame(Frame.HEADERS, 4, 2, BLOCK), Http2Error.PROTOCOL_ERROR, id="even-stream"),
        pytest.param(grpc_frames.frame(Frame.HEADERS, 4, 1, b"\xff\xff\xff\xff"), Http2Error.COMPRESSION_ERROR, id="no-headers"),
        pytest.param(grpc_frames.frame(Frame.HEADERS, 0, 1, BLOCK) + call(3), Http2Error.PROTOCOL_ERROR, id="headers-interrupted"),
        pytest.param(grpc_frames.frame(Frame.CONTINUATION, 4, 1, BLOCK), Http2Error.PROTOCOL_ERROR, id="continuation-of-nothing"),
        pytest.param(grpc_frames.frame(Frame.HEADERS, 4 | PADDED, 1, b"\x09abc"), Http2Error.PROTOCOL_ERROR, id="padding"),
        pytest.param(grpc_frames.frame(Frame.PUSH_PROMISE, 4, 1, b"\0\0\0\2"), Http2Error.PROTOCOL_ERROR, id="push"),
        pytest.param(grpc_frames.window_update(0, 2**31 - 1), Http2Error.FLOW_CONTROL_ERROR, id="window"),
        pytest.param(grpc_frames.window_update(0, 0), Http2Error.PROTOCOL_ERROR, id="window-of-nothing"),
        pytest.param(grpc_frames.settings({4: 2**31}), Http2Error.FLOW_CONTROL_ERROR, id="window-setting"),
        pytest.param(grpc_frames.settings({5: 1}), Http2Error.PROTOCOL_ERROR, id="frame-size-setting"),
        pytest.param(grpc_frames.frame(Frame.PING, 0, 0, b"x"), Http2Error.FRAME_SIZE_ERROR, id="ping"),
        pytest.param(grpc_frames.reset(3, Http2Error.CANCEL), Http2Error.PROTOCOL_ERROR, id="reset-of-nothing"),
        pytest.param(grpc_frames.window_update(1, 9), Http2Error.PROTOCOL_ERROR, id="window-of-no-stream"),
        pytest.param(call() + grpc_frames.window_update(1, 0), Http2Error.PROTOCOL_ERROR, id="window-of-nothing-of-a-stream"),
        pytest.param(grpc_frames.settings({2: 2}), Http2Error.PROTOCOL_ERROR, id="push-setting"),
        pytest.param(grpc_frames.frame(Frame.SETTINGS, 0, 1), Http2Error.PROTOCOL_ERROR, id="settings-of-a-stream"),
        pytest.param(grpc_frames.frame(Frame.PING, 0, 1, b"x" * 8), Http2Error.PROTOCOL_ERROR, id="ping-of-a-stream"),
        pytest.param(grpc_frames.frame(Frame.GOAWAY, 0, 1, bytes(8)), Http2Error.PROTOCOL_ERROR, id="farewell-of-a-stream"),
        pytest.param(grpc_frames.frame(Frame.GOAWAY, 0, 0, bytes(7)), Http2Error.FRAME_SIZE_ERROR, id="farewell-cut-off"),
        pytest.param(grpc_frames.frame(Frame.PRIORITY, 0, 0, bytes(5)), Http2Error.PROTOCOL_ERROR, id="priority-of-nothing"),
        pytest.param(grpc_frames.frame(Frame.PRIORITY, 0, 1, bytes(4)), Http2Error.FRAME_SIZE_ERROR, id="priority-cut-off"),
        pytest.param(grpc_frames.frame(Frame.PRIORITY, 0, 1, b"\0\0\0\1\0"), Http2Error.PROTOCOL_ERROR, id="priority-of-itself"),
        pytest.param(grpc_frames.frame(Frame.HEADERS, 0x24, 1, b"\0\0\0\1\0" + BLOCK), Http2Error.PROTOCOL_ERROR, id="own-priority"),
        pytest.param(call() + grpc_frames.frame(Frame.HEADERS, 5, 1, BLOCK), Http2Error.STREAM_CLOSED, id="headers-behind-the-end"),
        pytest.param(call(5) + call(3), Http2Error.STREAM_CLOSED, id="stream-passed-over"),
        pytest.param(BEGUN + grpc_frames.reset(1, Http2Error.CANCEL) + call(), Http2Error.STREAM_CLOSED, id="headers-behind-a-reset"),
        pytest.param(BEGUN + BEGUN, Http2Error.PROTOCOL_ERROR, id="headers-twice"),
        pytest.param(OTHER + grpc_frames.frame(Frame.DATA, PADDED, 1, b"\x09abc"), Http2Error.PROTOCOL_ERROR, id="padding-of-what-is-over"),
        pytest.param(OTHER + grpc_frames.frame(Frame.DATA, END_STREAM, 1, b"x"), None, id="who-was-refused-goes-on"),
        pytest.param(call(3) + grpc_frames.frame(Frame.PRIORITY, 0, 1, b"12345"), None, id="priority-is-passed-over"),
        pytest.param(grpc_frames.frame(200, 0, 0, b"x"), None, id="unknown-is-passed-over"),
    ],
)  # fmt: skip
def test_what_breaks_the_protocol_ends_the_connection(data: bytes, code: Http2Error | None) -> None:
    """With the reason, by its number in RFC 9113."""
    assert ended(data) == code


def requested(*fields: tuple[str, str], **pseudo: str) -> bytes:
    """A request that ends with its headers: a call's, but for *pseudo* fields and, behind all, *fields*."""
    said = {"method": "POST", "scheme": "http", "path": PATH} | pseudo
    block = [*((f":{name}", value) for name, value in said.items() if value != "-"), *fields]
    return grpc_frames.frame(Frame.HEADERS, END_HEADERS | END_STREAM, 1, grpc_frames.header_block(block))


GRPC = ("content-type", "application/grpc")
SENT = call(block=BLOCK + grpc_frames.header_block([("content-length", "11")]))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(requested(GRPC, ("Upper", "x")), Http2Error.PROTOCOL_ERROR, id="upper-case"),
        pytest.param(requested(GRPC, ("sp ace", "x")), Http2Error.PROTOCOL_ERROR, id="no-name"),
        pytest.param(requested(GRPC, unknown="x"), Http2Error.PROTOCOL_ERROR, id="unknown-pseudo"),
        pytest.param(requested(GRPC, status="200"), Http2Error.PROTOCOL_ERROR, id="an-answer's-pseudo"),
        pytest.param(requested(GRPC, (":authority", "x")), Http2Error.PROTOCOL_ERROR, id="pseudo-behind-others"),
        pytest.param(requested((":path", PATH), GRPC), Http2Error.PROTOCOL_ERROR, id="path-twice"),
        pytest.param(requested(GRPC, path=""), Http2Error.PROTOCOL_ERROR, id="empty-path"),
        *(
            pytest.param(requested(GRPC, **{name: "-"}), Http2Error.PROTOCOL_ERROR, id=f"no-{name}")
            for name in ("method", "scheme", "path")
        ),
        pytest.param(requested(GRPC, ("connection", "close")), Http2Error.PROTOCOL_ERROR, id="of-one-hop"),
        pytest.param(requested(GRPC, ("te", "gzip")), Http2Error.PROTOCOL_ERROR, id="te"),
        pytest.param(requested(GRPC, ("content-length", "5")), Http2Error.PROTOCOL_ERROR, id="less-than-said"),
        pytest.param(SENT, Http2Error.PROTOCOL_ERROR, id="less-data-than-said"),
        pytest.param(SENT.replace(b"\x0211", b"\x0210"), None, id="as-much-as-said"),
        pytest.param(
            BEGUN + grpc_frames.frame(Frame.HEADERS, 5, 1, b"\x83"), Http2Error.PROTOCOL_ERROR, id="pseudo-in-trailers"
        ),
        pytest.param(BEGUN + grpc_frames.window_update(1, 2**31 - 1), Http2Error.FLOW_CONTROL_ERROR, id="window"),
        pytest.param(
            call() + grpc_frames.frame(Frame.DATA, 0, 1, b"x"), Http2Error.STREAM_CLOSED, id="data-behind-the-end"
        ),
        pytest.param(
            BEGUN + grpc_frames.reset(1, Http2Error.CANCEL) + grpc_frames.frame(Frame.DATA, 0, 1, b"x"),
            Http2Error.STREAM_CLOSED,
            id="data-behind-a-reset",
        ),
    ],
)
def test_what_makes_no_sense_on_a_stream_ends_that_alone(data: bytes, code: Http2Error | None) -> None:
    """The connection's other calls are answered."""

    def work() -> None:
        connection, wire = opened()
        connection.data_received(data + call(3))
        ends = [int.from_bytes(payload, "big") for kind, _, _, payload in wire.frames() if kind == Frame.RST_STREAM]
        assert ends == ([] if code is None else [code])
        assert wire.goaway() is None
        answers = [stream for kind, _, stream, _ in wire.frames() if kind == Frame.DATA]
        assert answers[-1] == 3
        assert not connection.calls

    on_loop(work)


@pytest.mark.parametrize(
    ("method", "kind", "status", "body"),
    [("GET", "text/html", 405, True), ("HEAD", "", 405, False), ("POST", "application/json", 415, True)],
)
def test_who_speaks_no_grpc_is_told_by_the_status_of_http(method: str, kind: str, status: int, body: bool) -> None:
    """Any answer of gRPC's has 200, which a browser or a load balancer's probe would take for a success."""

    def work() -> None:
        connection, wire = opened()
        connection.data_received(requested(("content-type", kind), method=method) + call(3))
        frames = [(kind, payload) for kind, _, stream, payload in wire.frames() if stream == 1]
        assert frames[0][1].startswith(b"\x08\x03%d" % status)
        assert [kind for kind, _ in frames] == [Frame.HEADERS, *([Frame.DATA] if body else []), Frame.HEADERS]
        assert wire.goaway() is None

    on_loop(work)


def test_a_large_answer_is_written_as_the_network_takes_it() -> None:
    """However much the peer allows, no more is kept in front of the network than that has room for, and others have their turn."""

    async def run() -> None:
        connection, wire = opened(EchoHandler(times=1_000))
        connection.data_received(
            grpc_frames.settings({4: 2**30}) + grpc_frames.window_update(0, 2**30) + call(message=b"x" * 900)
        )
        written = [len(wire.sent)]
        connection.pause_writing()
        for _ in range(3):
            await asyncio.sleep(0)
        written.append(len(wire.sent))
        assert written[0] == written[1] < 70_000
        connection.data_received(call(3, b"y"))
        connection.resume_writing()
        while connection.calls:
            await asyncio.sleep(0)
        data = [
            b"".join(part for kind, _, stream, part in wire.frames() if (kind, stream) == (0, asked))
            for asked in (1, 3)
        ]
        assert data == [grpc_frames.message_frame(b"x" * 900_000), grpc_frames.message_frame(b"y" * 1_000)]
        streams = [stream for kind, _, stream, _ in wire.frames() if kind == Frame.DATA]
        assert streams.index(3) < len(streams) // 2

    asyncio.run(run())


def test_a_deadline_is_forgotten_with_its_call() -> None:
    """A caller that waits for a day, and is answered at once, leaves nothing behind."""

    async def run() -> None:
        handler = EchoHandler()
        connection, _ = opened(handler)
        block = BLOCK + grpc_frames.header_block([("grpc-timeout", "99999999H")])
        connection.data_received(grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, block))
        (waits,) = connection.calls.values()
        timer = waits.timer
        connection.data_received(grpc_frames.frame(Frame.DATA, END_STREAM, 1, grpc_frames.message_frame(b"x")))
        while connection.calls:
            await asyncio.sleep(0)
        assert timer is not None
        assert timer.cancelled()

    asyncio.run(run())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(grpc_frames.frame(Frame.PING, 0, 0, b"x" * 8), id="pings"),
        pytest.param(grpc_frames.settings({}), id="settings"),
        pytest.param(grpc_frames.frame(Frame.CONTINUATION, 0, 1, b""), id="empty-continuations"),
        pytest.param(grpc_frames.frame(Frame.DATA, 0, 1, b""), id="empty-data"),
    ],
)
def test_frames_that_are_no_calls_are_few(data: bytes) -> None:
    """Each costs work or an answer; who sends nothing else is cut off."""
    begun = grpc_frames.frame(Frame.HEADERS, 0 if data[3] == Frame.CONTINUATION else END_HEADERS, 1, BLOCK)
    start = begun if data[3] in {Frame.CONTINUATION, Frame.DATA} else b""
    assert ended(start + data * grpc_connection.IDLE_FRAMES * 2) == Http2Error.ENHANCE_YOUR_CALM


def test_calls_that_are_reset_at_once_are_few() -> None:
    """The attack of 2023: streams opened and reset, of which none counts as open."""
    pairs = [
        grpc_frames.frame(Frame.HEADERS, END_HEADERS, stream, BLOCK) + grpc_frames.reset(stream, Http2Error.CANCEL)
        for stream in range(1, 4 * grpc_connection.IDLE_FRAMES, 2)
    ]
    assert ended(b"".join(pairs)) == Http2Error.ENHANCE_YOUR_CALM


def test_headers_without_end_are_not_kept() -> None:
    """Whether they come packed or not."""
    begun = grpc_frames.frame(Frame.HEADERS, 0, 1, BLOCK)
    more = grpc_frames.frame(Frame.CONTINUATION, 0, 1, b"\0\1a" + b"\x7f\x81\x7f" + b"b" * 10_000)
    assert ended(begun + more * 5) == Http2Error.ENHANCE_YOUR_CALM
    # One long field in the table, named again and again.
    bomb = b"\x40\1a\x7f\x91\x1e" + b"b" * 4_000 + b"\xbe" * 5_000
    assert ended(grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, BLOCK + bomb)) == Http2Error.COMPRESSION_ERROR


def status(data: bytes) -> tuple[str, bool]:
    """What *data* is told as a call's end, and whether the connection goes on."""

    async def run() -> tuple[str, bool]:
        connection, wire = opened()
        connection.data_received(data)
        for _ in range(5):
            await asyncio.sleep(0)
        ends = [payload for kind, flags, _, payload in wire.frames() if kind == Frame.HEADERS and flags & END_STREAM]
        assert not connection.calls
        return ends[0].split(b"grpc-status")[1][1:3].decode().strip("\0\1\2"), not wire.closing

    return asyncio.run(run())


def compressed(content: bytes) -> bytes:
    """A call whose message is *content*, packed by gzip."""
    packing = zlib.compressobj(wbits=31)
    packed = packing.compress(content) + packing.flush()
    block = BLOCK + grpc_frames.header_block([("grpc-encoding", "gzip")])
    data = b"\1" + len(packed).to_bytes(4, "big") + packed
    head = grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, block)
    return head + grpc_frames.frame(Frame.DATA, END_STREAM, 1, data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(call(block=BLOCK.replace(b"/s/m", b"/s/x")), "12", id="no-such-method"),
        pytest.param(call(message=b"x" * 1_001), "8", id="longer-than-allowed"),
        pytest.param(compressed(b"x" * 500_000), "8", id="longer-once-it-is-unpacked"),
        pytest.param(compressed(b"x" * 1_000), "0", id="packed"),
        pytest.param(call(block=BLOCK.replace(b"POST", b"HEAD")), "13", id="no-call"),
        pytest.param(call(block=BLOCK + grpc_frames.header_block([("grpc-timeout", "soon")])), "3", id="no-timeout"),
    ],
)
def test_a_call_that_cannot_be_is_told_and_the_connection_goes_on(data: bytes, expected: str) -> None:
    """By gRPC's status."""
    assert status(data) == (expected, True)


def test_more_data_than_allowed_ends_the_connection() -> None:
    """A stream has 64 KiB of room while nobody reads."""
    head = grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, BLOCK)
    assert ended(head + grpc_frames.frame(Frame.DATA, 0, 1, b"\0\0\0\3\xe8" + b"x" * 900) * 80) is None
    long = [grpc_frames.frame(Frame.DATA, 0, 1, b"\0\0\0\3\xe8" + b"x" * 1_000) for _ in range(70)]
    assert ended(head + b"".join(long)) == Http2Error.FLOW_CONTROL_ERROR


def test_an_answer_waits_until_the_peer_takes_it() -> None:
    """First nothing, then a part, then all of it, and nothing is sent beyond what the peer allowed."""

    def work() -> None:
        connection, wire = opened(EchoHandler(times=100))
        connection.data_received(grpc_frames.settings({4: 0}) + call(message=b"x" * 10))
        assert [kind for kind, *_ in wire.frames()] == [Frame.SETTINGS, Frame.HEADERS]
        connection.data_received(grpc_frames.window_update(1, 600))
        assert len(wire.frames()[-1][3]) == 600
        connection.data_received(grpc_frames.settings({4: 5_000}))
        data = b"".join(payload for kind, _, _, payload in wire.frames() if kind == Frame.DATA)
        assert data == grpc_frames.message_frame(b"x" * 1_000)
        assert wire.frames()[-1][1] & END_STREAM
        assert not connection.calls

    on_loop(work)


def test_who_takes_no_answer_is_cut() -> None:
    """After ``write_seconds``."""

    def work() -> None:
        connection, wire = opened(EchoHandler(times=100))
        connection.data_received(grpc_frames.settings({4: 0}) + call(message=b"x" * 10))
        connection.check()
        assert not wire.closing
        connection._stuck = (connection._stuck[0], connection._stuck[1] - LIMITS.connections.write_seconds - 1)
        connection.check()
        assert wire.aborted

    on_loop(work)


@pytest.mark.parametrize(
    "begun", [PREFACE[:5], PREFACE + b"\0\0", PREFACE + grpc_frames.frame(Frame.HEADERS, 0, 1, BLOCK)]
)
def test_who_begins_and_does_not_go_on_is_cut(begun: bytes) -> None:
    """In the greeting, in a frame, between the parts of headers."""

    def work() -> None:
        connection, wire = GrpcConnections(LIMITS, EchoHandler()).protocol(), Wire()
        connection.connection_made(wire)
        connection.data_received(begun)
        connection.since -= LIMITS.connections.header_seconds + 1
        connection.check()
        assert wire.aborted

    on_loop(work)


def test_silent_connections_give_way_and_busy_ones_stay() -> None:
    """The longest silent one; where all are busy, the new one is turned away."""

    def work() -> None:
        crowd = GrpcConnections(LIMITS, EchoHandler())
        wires = [Wire() for _ in range(4)]
        for wire in wires[:3]:
            crowd.protocol().connection_made(wire)
        assert [wire.aborted for wire in wires] == [True, False, False, False]
        for connection in crowd.inside:
            connection.data_received(PREFACE + grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, BLOCK))
        crowd.protocol().connection_made(wires[3])
        assert [wire.aborted for wire in wires] == [True, False, False, True]

    on_loop(work)


def test_a_block_is_not_read_by_an_older_table() -> None:
    """The same bytes mean something else once the table has changed."""
    reader = grpc_heads.BlockReader(10_000)
    same = b"\x83\x86\xbf\xbe"
    for name in ("one", "two"):
        field = b"\x40\x05:path\x03" + name.encode()
        reader.head(b"\x83\x86" + field + b"\x40\x0ccontent-type\x10application/grpc")
        assert reader.head(same).path == name
        assert reader.head(same).path == name


@pytest.mark.parametrize(
    "bits", [pytest.param(b"\x00", id="entered nowhere"), pytest.param(b"\x10", id="never entered")]
)
def test_a_key_that_is_spelled_out_each_time_is_decoded_once(bits: bytes) -> None:
    """gRPC's own clients enter no key in the table: they spell it out in each call, among references."""
    reader = grpc_heads.BlockReader(10_000)
    reader.head(b"\x83\x86\x40\x05:path\x02/m\x40\x0ccontent-type\x10application/grpc")
    called = b"\x83\x86\xbf\xbe" + bits + b"\x0dauthorization\x0aBearer key"
    first = reader.head(called)
    assert first.headers["authorization"] == "Bearer key"
    assert reader.head(called) is first
    other = reader.head(called.replace(b"key", b"why"))
    assert other.headers["authorization"] == "Bearer why"


def test_blocks_are_kept_no_larger_than_the_headers_of_a_call() -> None:
    """A block of references is a few bytes, and what it says may be a thousand times that: all of a connection's have one bound, within
    which the newest stay."""
    reader = grpc_heads.BlockReader(32 * 1024)
    reader.head(b"\x83\x86" + b"\x40\x05:path\x02/m" + b"\x40\x0ccontent-type\x10application/grpc")
    for count in range(1, 2 * grpc_heads.MOST_BLOCKS):
        newest = b"\x83\x86\xbf\xbe" + b"\xbe" * count
        kept = reader.head(newest)
    sizes = [sum(len(name) + len(value) + 32 for name, value in head.metadata) for head, _ in reader._kept.values()]
    assert sum(sizes) <= reader._kept_bytes <= grpc_heads.MOST_KEPT_BYTES
    assert 1 < len(sizes) <= grpc_heads.MOST_BLOCKS
    assert reader.head(newest) is kept


def test_who_asks_on_and_takes_nothing_makes_nothing_grow() -> None:
    """Answers of a stream wait for the peer, a few of them; once it takes them, all come."""
    asked, path = 100, next(iter(grpc_reflection.PATHS))
    question = grpc_reflection.CLASSES["ServerReflectionRequest"](file_containing_symbol="inference.A")
    block = BLOCK.replace(grpc_frames.header_block([(":path", PATH)]), grpc_frames.header_block([(":path", path)]))
    messages = grpc_frames.message_frame(question.SerializeToString()) * asked
    models: Any = SimpleNamespace(limits=SimpleNamespace(body_seconds=1.0, body_bytes=1_000), lifecycle=None)

    async def run() -> None:
        connection, wire = GrpcConnections(LIMITS, grpc_server._Methods(models)).protocol(), Wire()
        connection.connection_made(wire)
        connection.data_received(PREFACE + grpc_frames.settings({4: 0}))
        head = grpc_frames.frame(Frame.HEADERS, END_HEADERS, 1, block)
        connection.data_received(head + grpc_frames.frame(Frame.DATA, END_STREAM, 1, messages))
        for _ in range(20 * asked):
            await asyncio.sleep(0)
        assert 0 < connection.calls[1].unsent < 2 * PIECE_BYTES
        connection.data_received(grpc_frames.window_update(0, 2**24) + grpc_frames.window_update(1, 2**24))
        async with asyncio.timeout(60):
            while connection.calls:
                await asyncio.sleep(0.01)
        data = b"".join(payload for kind, _, _, payload in wire.frames() if kind == Frame.DATA)
        assert data.count(b"inference.A") == asked

    asyncio.run(run())


class BrokenWire(Wire):
    """One that cannot be written to once :attr:`broken`."""

    broken = False

    def write(self, data: bytes) -> None:
        if self.broken:
            raise KeyError("broken")
        super().write(data)


def rows_asked(predictor: Predictor) -> tuple[ServerParts, bytes, bytes]:
    """A server of rows, the block of headers that a call of it has, and a message that it answers."""
    # As many calls as there may be are more than a burst on a machine that does something else.
    patient = Overload(grpc_calls.PATIENCE)
    served = ServedRelease("leaving", "production", 4, predictor.digest)
    parts = server_parts(predictor=predictor, served=served, overload=patient)
    asked = grpc_messages.CLASSES["ModelInferRequest"](model_name="leaving", inputs=grpc_calls.row(ROW))
    path = f"/{grpc_messages.SERVICE}/ModelInfer"
    block = BLOCK.replace(grpc_frames.header_block([(":path", PATH)]), grpc_frames.header_block([(":path", path)]))
    return parts, block, asked.SerializeToString()


def test_a_connection_that_fails_takes_no_other_along(predictor: Predictor) -> None:
    """Calls that come together are answered together, each on its own connection."""
    parts, block, message = rows_asked(predictor)
    first, second = BrokenWire(), Wire()

    def work() -> None:
        crowd = GrpcConnections(LIMITS, grpc_server._Methods(served_models(parts)))
        for wire in (first, second):
            connection = crowd.protocol()
            connection.connection_made(wire)
            connection.data_received(PREFACE + call(message=message, block=block))
        first.broken = True

    on_loop(work)
    assert first.aborted
    assert any(flags & END_STREAM for _, flags, stream, _ in second.frames() if stream == 1)


def rows_handler(predictor: Predictor) -> tuple[GrpcConnection, Wire, bytes, bytes]:
    """A connection to a server of rows, the block of headers that a call of it has, and a message that it answers."""
    parts, block, message = rows_asked(predictor)
    limits = GrpcLimits(ConnectionLimits(), grpc_server.CALLS, age_seconds=30, grace_seconds=5)
    connection, wire = GrpcConnections(limits, grpc_server._Methods(served_models(parts))).protocol(), Wire()
    connection.connection_made(wire)
    connection.data_received(PREFACE + grpc_frames.settings({}))
    return connection, wire, block, message


def ends(wire: Wire, stream: int) -> bool:
    """Whether *stream* is answered, and by a message."""
    found = [(kind, flags) for kind, flags, number, _ in wire.frames() if number == stream]
    return any(kind == Frame.DATA for kind, _ in found) and any(flags & END_STREAM for _, flags in found)


def test_who_says_all_calls_first_gets_every_answer(predictor: Predictor) -> None:
    """As grpc-js does it: the headers of every call, and only then the first message."""

    async def run() -> None:
        connection, wire, block, message = rows_handler(predictor)
        streams = range(1, 2 * grpc_connection.STREAMS, 2)
        for stream in streams:
            connection.data_received(grpc_frames.frame(Frame.HEADERS, END_HEADERS, stream, block))
            await asyncio.sleep(0)
        for stream in streams:
            framed = grpc_frames.message_frame(message)
            connection.data_received(grpc_frames.frame(Frame.DATA, END_STREAM, stream, framed))
        async with asyncio.timeout(grpc_calls.PATIENCE):
            while not all(ends(wire, stream) for stream in streams) and connection.calls:
                await asyncio.sleep(0.01)
        assert [stream for stream in streams if not ends(wire, stream)] == []

    asyncio.run(run())


def test_of_long_messages_few_are_on_their_way(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The eldest of those that are longer than a window gives way to one more; short ones that are as old do not."""
    monkeypatch.setattr(grpc_server, "LONG_AT_ONCE", 2)

    async def run() -> None:
        connection, wire, block, _ = rows_handler(predictor)
        for stream in range(1, 11, 2):
            connection.data_received(grpc_frames.frame(Frame.HEADERS, END_HEADERS, stream, block))
        await asyncio.sleep(0)
        part = b"\0" + (100_000).to_bytes(4, "big") + bytes(grpc_frames.MOST_FRAME - 5)
        for stream in (5, 7, 9):
            for piece in (part, bytes(grpc_frames.MOST_FRAME), bytes(grpc_frames.MOST_FRAME)):
                connection.data_received(grpc_frames.frame(Frame.DATA, 0, stream, piece))
                await asyncio.sleep(0)
        async with asyncio.timeout(grpc_calls.PATIENCE):
            while len(connection.calls) > 4:
                await asyncio.sleep(0.01)
        assert sorted(connection.calls) == [1, 3, 7, 9]
        assert b"slow to send" in wire.sent

    asyncio.run(run())


PAYLOADS = st.one_of(st.binary(max_size=40), st.just(BLOCK), st.just(grpc_frames.message_frame(b"x")))
STREAMS = st.sampled_from([0, 1, 3, 5, 2**31 - 1])
FRAMES = st.lists(st.builds(grpc_frames.frame, st.integers(0, 11), st.integers(0, 255), STREAMS, PAYLOADS), max_size=25)


@given(frames=FRAMES, tail=st.binary(max_size=30))
@settings(max_examples=150, derandomize=True, database=None, deadline=None)
def test_no_bytes_are_too_much(frames: list[bytes], tail: bytes) -> None:
    """Whatever comes: it is answered or the connection ends, nothing is raised, and no call is left once it is gone."""

    async def run() -> None:
        connection, _ = opened()
        connection.data_received(b"".join(frames) + tail)
        await asyncio.sleep(0)
        connection.check()
        connection.connection_lost(None)
        assert (connection._crowd.calls, connection.calls, connection._crowd.inside) == (0, {}, set())

    asyncio.run(run())


def test_calls_that_need_no_key_hold_no_places_of_those_that_do() -> None:
    """Begun and never sent, they have an eighth of the places; who has a key is answered all the same."""

    def work() -> None:
        handler = EchoHandler()
        crowd = GrpcConnections(LIMITS, handler)
        connection, wire = crowd.protocol(), Wire()
        connection.connection_made(wire)
        connection.data_received(PREFACE + grpc_frames.settings({}))
        share = max(1, LIMITS.calls // grpc_connection.OPEN_SHARE)
        handler.all_open = True
        for number in range(share + 1):
            connection.data_received(grpc_frames.frame(Frame.HEADERS, END_HEADERS, 2 * number + 1, BLOCK))
        assert len(crowd.open_calls) == share
        assert len(connection.calls) <= share + 1
        handler.all_open = False
        wire.sent = b""
        connection.data_received(call(stream=2 * share + 3))
        assert b"hello" in wire.sent
        for stream in list(connection.calls):
            connection.data_received(grpc_frames.frame(Frame.RST_STREAM, 0, stream, bytes(4)))
        assert not crowd.open_calls

    on_loop(work)
