"""The Open Inference Protocol over gRPC: what callers get is what they get over HTTP, under the same limits and into the same log."""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc import StatusCode

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import graceful_server, grpc_messages, grpc_reflection, grpc_server, grpc_tensors, tensors
from argosy.serving.app import ServerParts, server_parts
from argosy.serving.exchange import RequestLimits
from argosy.serving.grpc_server import GrpcServer
from argosy.serving.tls import Certificate
from kit import grpc_calls
from kit.certificates import write_certificate
from kit.grpc_calls import Channel
from kit.serving_kit import ROW, MemoryLog, MemoryOnline, served_models


@pytest.fixture
def parts(predictor: Predictor, log: MemoryLog) -> ServerParts:
    """The small binary model with one customer in its online store, and small limits."""
    return server_parts(
        predictor=predictor,
        served=ServedRelease("leaving", "production", 4, predictor.digest),
        online=MemoryOnline({"C1": ROW}),
        log=log,
        hash_key=b"secret",
        limits=RequestLimits(body_bytes=400_000, rows=100, body_seconds=0.2, in_flight=2),
    )


def do(parts: ServerParts, work: Callable[[Channel], Awaitable[Any]]) -> Any:
    """What *work* gives, done with a line to the server."""

    async def run() -> Any:
        async with grpc_calls.listening(parts) as (_, channel):
            return await work(channel)

    return asyncio.run(run())


def refused(parts: ServerParts, method: str = "ModelInfer", **fields: Any) -> grpc.aio.AioRpcError:
    """How one call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        do(parts, lambda channel: grpc_calls.called(channel, method, **fields))
    return caught.value


def infer(parts: ServerParts, inputs: list[dict[str, Any]], **fields: Any) -> Any:
    """The answer to *inputs*."""
    return do(
        parts,
        lambda channel: grpc_calls.called(channel, "ModelInfer", model_name="leaving", inputs=inputs, **fields),
    )


def raw(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """*inputs* with their contents beside them."""
    bare = [{name: value for name, value in tensor.items() if name != "contents"} for tensor in inputs]
    contents = []
    for tensor in inputs:
        values = next(iter(tensor["contents"].values()))
        decoded = [value.decode() if isinstance(value, bytes) else value for value in values]
        contents.append(tensors.packed(decoded, tensor["datatype"]))
    return {"inputs": bare, "raw_input_contents": contents}


def test_typed_contents_get_typed_contents(parts: ServerParts, predictor: Predictor, log: MemoryLog) -> None:
    """The model's own numbers, the id that the caller gave, and a record for each row."""
    answer = infer(parts, grpc_calls.row(ROW, rows=2), id="mine")
    expected = predictor.predict([ROW, ROW])
    prediction, decision, sure = answer.outputs
    assert (answer.id, answer.model_name, answer.model_version) == ("mine", "leaving", "4")
    assert list(prediction.contents.fp32_contents) == np.float32(expected).tolist()
    assert list(decision.contents.bytes_contents) == [b"yes", b"yes"]
    assert list(sure.contents.fp64_contents) == [max(one, 1 - one) for one in expected.tolist()]
    assert (prediction.datatype, list(prediction.shape), list(answer.raw_output_contents)) == ("FP32", [2], [])
    assert len(log.records) == 2


def test_raw_contents_get_raw_contents(parts: ServerParts, predictor: Predictor) -> None:
    """As they are packed over HTTP."""
    fields = raw(grpc_calls.row(ROW))
    answer = infer(parts, fields["inputs"], raw_input_contents=fields["raw_input_contents"])
    assert np.frombuffer(answer.raw_output_contents[0], "<f4") == np.float32(predictor.predict([ROW]))
    assert answer.raw_output_contents[1] == b"\3\0\0\0yes"
    assert not answer.outputs[0].HasField("contents")


@pytest.mark.parametrize(
    ("status", "call"),
    [
        pytest.param(StatusCode.NOT_FOUND, {"model_name": "other"}, id="another-model"),
        pytest.param(StatusCode.NOT_FOUND, {"model_name": "leaving", "model_version": "3"}, id="another-version"),
        pytest.param(StatusCode.INVALID_ARGUMENT, {"model_name": "leaving"}, id="no-tensors"),
    ],
)
def test_a_refusal_has_its_code(
    parts: ServerParts, caplog: pytest.LogCaptureFixture, status: StatusCode, call: dict[str, Any]
) -> None:
    """And says what is wrong, to the caller alone: to the log of the server it is no fault."""
    error = refused(parts, **call)
    assert error.code() == status
    assert error.details()
    assert not [record.getMessage() for record in caplog.records if record.name == "argosy.serving"]


def test_a_renewed_certificate_is_taken_up(parts: ServerParts, tmp_path: Path) -> None:
    """By connections from then on; who trusts the old one alone is not answered any more, and nobody without TLS is."""
    path = write_certificate(tmp_path)
    certificate = Certificate(path, path)

    async def live(trusted: bytes | None) -> bool:
        credentials = None if trusted is None else grpc.ssl_channel_credentials(trusted)
        options = [("grpc.use_local_subchannel_pool", 1)]
        made = (
            grpc.aio.insecure_channel(address, options=options)
            if credentials is None
            else grpc.aio.secure_channel(address, credentials, options=options)
        )
        async with made as channel:
            try:
                return bool((await grpc_calls.called(channel, "ServerLive", seconds=5)).live)
            except grpc.aio.AioRpcError:
                return False

    async def run() -> None:
        old = path.read_bytes()
        assert [await live(None), await live(old)] == [False, True]
        new = write_certificate(tmp_path).read_bytes()
        certificate.look()
        assert [await live(old), await live(new)] == [False, True]

    async def served() -> None:
        server = GrpcServer(served_models(parts), address, certificate)
        await server.start()
        try:
            await run()
        finally:
            await server.stop(0)

    address = graceful_server.reserved("127.0.0.1", 0)
    asyncio.run(served())


def one(name: str, datatype: str, value: Any) -> list[dict[str, Any]]:
    """``ROW`` with *value* for *name*, as a tensor of *datatype*."""
    inputs = grpc_calls.row(ROW)
    contents = {grpc_tensors.CONTENTS[datatype]: [value]}
    changed = {"name": name, "datatype": datatype, "shape": [1, 1], "contents": contents}
    return [changed if tensor["name"] == name else tensor for tensor in inputs]


def predicted(answer: Any) -> float:
    """The number in *answer*, in whatever form."""
    if answer.raw_output_contents:
        return float(np.frombuffer(answer.raw_output_contents[0], "<f4")[0])
    return float(answer.outputs[0].contents.fp32_contents[0])


@pytest.mark.parametrize("datatype", [name for name in grpc_tensors.CONTENTS if name != "BYTES"])
def test_a_number_is_the_same_in_each_datatype(parts: ServerParts, predictor: Predictor, datatype: str) -> None:
    """With typed contents and with raw ones, in the shape [n, 1]."""
    inputs = one("tenure", datatype, True if datatype == "BOOL" else 3)
    expected = np.float32(predictor.predict([{**ROW, "tenure": 1 if datatype == "BOOL" else 3}]))[0]
    assert predicted(infer(parts, inputs)) == expected
    fields = raw(inputs)
    assert predicted(infer(parts, fields["inputs"], raw_input_contents=fields["raw_input_contents"])) == expected


def test_fp16_comes_raw(parts: ServerParts, predictor: Predictor) -> None:
    """The protocol has no typed contents for it, and says so where some come."""
    fields = raw(grpc_calls.row(ROW))
    fields["inputs"][0]["datatype"] = "FP16"
    fields["raw_input_contents"][0] = np.float16(3).tobytes()
    assert predicted(infer(parts, **fields)) == np.float32(predictor.predict([ROW]))[0]
    inputs = [
        {**tensor, "datatype": "FP16"} if tensor["name"] == "tenure" else tensor for tensor in grpc_calls.row(ROW)
    ]
    error = refused(parts, model_name="leaving", inputs=inputs)
    assert "FP16 has no typed contents" in error.details()


def test_numbers_are_found_where_nothing_is_beside_them() -> None:
    """Long and short contents begin behind their length; with other contents, or none, there is no such place."""
    contents, number = grpc_messages.CLASSES["InferTensorContents"], grpc_tensors.CONTENT_NUMBERS["FP64"]
    for values in ([0.5], [0.5, -1.0] * 100):
        written = contents(fp64_contents=values).SerializeToString()
        begin = grpc_messages.alone(written, number)
        assert np.frombuffer(written[begin:], "<f8").tolist() == values
    for other in ({}, {"fp32_contents": [0.5]}, {"fp64_contents": [0.5], "bytes_contents": [b"x"]}):
        assert grpc_messages.alone(contents(**other).SerializeToString(), number) is None


def test_every_feature_in_one_tensor(predictor: Predictor) -> None:
    """Shape [n, features], where all are numbers or all of them texts; here one is another kind, and is said to be."""
    parts = server_parts(predictor=predictor, served=ServedRelease("leaving", "none", 4, predictor.digest))
    matrix = {"name": "rows", "datatype": "FP64", "shape": [1, 4], "contents": {"fp64_contents": [3, 70.5, 1, 1980]}}
    error = refused(parts, model_name="leaving", inputs=[matrix])
    assert error.details() == "inputs: contract[0]: expected a string, a number came"


@pytest.mark.parametrize("form", ["typed", "raw"])
def test_nan_stands_for_null(parts: ServerParts, predictor: Predictor, form: str) -> None:
    """Protocol Buffers have none."""
    inputs = one("charges", "FP64", math.nan)
    answer = infer(parts, inputs) if form == "typed" else infer(parts, **raw(inputs))
    assert predicted(answer) == np.float32(predictor.predict([{**ROW, "charges": None}]))[0]


def test_join_keys_are_looked_up(parts: ServerParts, predictor: Predictor) -> None:
    """As over HTTP; an entity that nobody knows is not found."""
    keys = [{"name": "customer_id", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [b"C1"]}}]
    assert predicted(infer(parts, keys)) == np.float32(predictor.predict([ROW]))[0]
    keys[0]["contents"] = {"bytes_contents": [b"C2"]}
    assert refused(parts, model_name="leaving", inputs=keys).code() == StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("fields", "outputs"),
    [
        pytest.param({"outputs": [{"name": "decision"}]}, ["decision"], id="one-output"),
        pytest.param(
            {"parameters": {"binary_data_output": {"bool_param": True}}},
            ["prediction", "decision", "confidence"],
            id="raw",
        ),
    ],
)
def test_a_caller_chooses_the_answer(parts: ServerParts, fields: dict[str, Any], outputs: list[str]) -> None:
    """Which outputs, and in which form."""
    answer = infer(parts, grpc_calls.row(ROW), **fields)
    assert [output.name for output in answer.outputs] == outputs
    assert bool(answer.raw_output_contents) == ("parameters" in fields)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"contents": {"fp32_contents": [3]}}, "inputs[0].contents: FP64 is sent as fp64_contents, fp32", id="kind"),
        pytest.param({"contents": {"fp64_contents": [3, 4]}}, "inputs[0].data: 2 values, but the shape says 1", id="count"),
        pytest.param({"shape": [1, 2, 3]}, "inputs[0].shape: ", id="dimensions"),
        pytest.param({"shape": [-1]}, "inputs[0].shape: ", id="negative"),
        pytest.param({"datatype": "DOUBLE"}, "inputs[0].datatype: expected one of", id="datatype"),
        pytest.param({"datatype": "INT8", "contents": {"int_contents": [300]}}, "inputs[0].data[0]: the value is not INT8", id="range"),
        pytest.param({"contents": {"fp64_contents": [1e39]}}, "tenure[0]: ", id="beyond-32-bits"),
        pytest.param({"name": "tenur"}, "tenur[0]: leaving has no feature 'tenur'; did you mean 'tenure'?", id="typo"),
        pytest.param({"parameters": {"shared_memory_region": {"string_param": "x"}}}, "shares no memory", id="shared-memory"),
        pytest.param({"shape": [101], "contents": {"fp64_contents": [3] * 101}}, "at most 100 are answered", id="rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(parts: ServerParts, change: dict[str, Any], says: str) -> None:
    """INVALID_ARGUMENT, and the field in front, as the JSON of V2 would name it."""
    first, *others = grpc_calls.row(ROW)
    error = refused(parts, model_name="leaving", inputs=[{**first, **change}, *others])
    assert error.code() == StatusCode.INVALID_ARGUMENT
    assert says in error.details()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"raw_input_contents": [b"x"]}, "1 raw contents came for 4 tensors", id="raw-count"),
        pytest.param({"raw_input_contents": [b"x"] * 4}, "typed contents came beside raw_input_contents", id="both"),
        pytest.param({"outputs": [{"name": "x"}]}, "there is no such output", id="output"),
        pytest.param(
            {"parameters": {"explain": {"int64_param": 1}}}, "parameters.explain: expected true", id="parameter"
        ),
        pytest.param({"parameters": {f"p{i}": {} for i in range(65)}}, "65 parameters came", id="parameters"),
    ],
)
def test_what_is_wrong_with_the_whole_is_said(parts: ServerParts, fields: dict[str, Any], says: str) -> None:
    """Forms that do not fit, outputs that there are not."""
    error = refused(parts, model_name="leaving", inputs=grpc_calls.row(ROW), **fields)
    assert error.code() == StatusCode.INVALID_ARGUMENT
    assert says in error.details()


def raw_call(channel: Channel, message: bytes, **more: Any) -> Any:
    """A call with *message* as it is."""
    return channel.unary_unary(grpc_calls.INFER)(message, timeout=grpc_calls.PATIENCE, **more)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        pytest.param(b"\x2a\x00" * 100_000, "more than 210 fields", id="many-empty-tensors"),
        pytest.param(b"\xff" * 40, "no ModelInferRequest", id="short-rubbish"),
        pytest.param(b"\xff" * 40_000, "no ModelInferRequest", id="long-rubbish"),
        pytest.param(b"\x0b" * 40_000, "no ModelInferRequest", id="groups"),
        pytest.param(b"\x0a\xff\xff\xff\x07", "no ModelInferRequest", id="longer-than-it-is"),
        pytest.param(b"\x0a\x02\xc3\x28", "no ModelInferRequest", id="no-utf8"),
        pytest.param(b"", "there is no model ''", id="nothing"),
    ],
)
def test_no_message_costs_much(parts: ServerParts, message: bytes, says: str) -> None:
    """What is no request is refused before it takes memory, and the server goes on."""

    async def asked(channel: Channel) -> Any:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw_call(channel, message)
        assert (await grpc_calls.called(channel, "ServerReady")).ready
        return caught.value

    error = do(parts, asked)
    assert says in error.details()
    assert error.code() in {StatusCode.INVALID_ARGUMENT, StatusCode.NOT_FOUND}


def test_a_long_message_is_refused(parts: ServerParts) -> None:
    """By gRPC itself, before all of it came."""

    async def asked(channel: Channel) -> Any:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await raw_call(channel, b"\x0a" * 400_001)
        return caught.value.code()

    assert do(parts, asked) == StatusCode.RESOURCE_EXHAUSTED


class SlowOnline(MemoryOnline):
    """A store that answers when *freed*."""

    def __init__(self) -> None:
        super().__init__({"C1": ROW})
        self.freed = asyncio.Event()
        self.asked = asyncio.Event()

    async def get(self, entities: Any, at: int) -> Any:
        """See the port."""
        self.asked.set()
        await self.freed.wait()
        return await super().get(entities, at)


KEYS = [{"name": "customer_id", "datatype": "BYTES", "shape": [1], "contents": {"bytes_contents": [b"C1"]}}]


def slow(predictor: Predictor) -> tuple[ServerParts, SlowOnline]:
    """A server whose store waits."""
    store = SlowOnline()
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    limits = RequestLimits(in_flight=2, body_seconds=0.2)
    return server_parts(predictor=predictor, served=served, online=store, limits=limits), store


def by_id(channel: Channel, seconds: float = grpc_calls.PATIENCE) -> Any:
    """A call that has to be looked up."""
    return grpc_calls.called(channel, "ModelInfer", seconds=seconds, model_name="leaving", inputs=KEYS)


def test_the_deadline_of_the_caller_ends_the_work(predictor: Predictor) -> None:
    """DEADLINE_EXCEEDED, counted once, and its place is free again."""
    parts, _ = slow(predictor)

    async def asked() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            await (
                channel.channel_ready()
            )  # on a busy machine that alone takes longer than the deadline, and nobody is asked
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await by_id(channel, seconds=1.0)
            assert caught.value.code() == StatusCode.DEADLINE_EXCEEDED
            async with asyncio.timeout(grpc_calls.PATIENCE):
                # 499 where the cancellation was long under way, which a busy machine can make it.
                while not re.search(rb'code="(504|499)",route="grpc"} 1.0', parts.metrics.text()):
                    await asyncio.sleep(0.01)

    asyncio.run(asked())
    assert b"argosy_requests_in_flight 0.0" in parts.metrics.text()


@pytest.mark.parametrize(("left", "status"), [(None, 499), (60.0, 499), (0.1, 504), (-1.0, 504)])
def test_a_caller_whose_clock_ends_it_first_ran_out_of_time(left: float | None, status: int) -> None:
    """Its deadline began when it sent, ours when it came: its cancellation is there before our clock says so."""
    assert grpc_server.cut_off(left) == status


def test_too_many_at_once_are_told_to_come_again(predictor: Predictor) -> None:
    """UNAVAILABLE, with the time to wait; those inside are answered."""
    parts, store = slow(predictor)

    async def asked() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            inside = [asyncio.ensure_future(by_id(channel)) for _ in range(2)]
            async with asyncio.timeout(grpc_calls.PATIENCE):
                while b"argosy_requests_in_flight 2.0" not in parts.metrics.text():
                    await asyncio.sleep(0.01)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await by_id(channel)
            assert caught.value.code() == StatusCode.UNAVAILABLE
            assert ("grpc-retry-pushback-ms", "1000") in list(caught.value.trailing_metadata() or ())
            store.freed.set()
            assert len(await asyncio.gather(*inside)) == 2

    asyncio.run(asked())


async def until_refused(channel: Channel) -> None:
    """Call; what was on its way before the caller knew that the server stops is answered."""
    while True:
        await grpc_calls.called(channel, "ServerLive", seconds=0.5)


def test_a_server_that_stops_answers_what_came(predictor: Predictor) -> None:
    """And takes nothing more."""
    parts, store = slow(predictor)

    async def asked() -> None:
        async with grpc_calls.listening(parts) as (server, channel):
            inside = asyncio.ensure_future(by_id(channel))
            await store.asked.wait()
            stopping = asyncio.ensure_future(server.stop(grpc_calls.PATIENCE))
            with pytest.raises(grpc.aio.AioRpcError):
                await until_refused(channel)
            store.freed.set()
            assert (await inside).model_name == "leaving"
            await stopping

    asyncio.run(asked())


def stalled(channel: Channel, method: str = grpc_calls.INFER) -> Any:
    """A call whose message does not come."""

    async def never() -> Any:
        await asyncio.Event().wait()
        yield b""

    return channel.stream_unary(method)(never(), timeout=grpc_calls.PATIENCE)


def test_a_message_that_does_not_come_is_not_waited_for(parts: ServerParts) -> None:
    """The time is that of a body over HTTP."""

    async def asked(channel: Channel) -> Any:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stalled(channel)
        return caught.value

    error = do(parts, asked)
    assert error.code() == StatusCode.DEADLINE_EXCEEDED
    assert "did not arrive within 0.2 s" in error.details()


MANY = 16


@pytest.mark.parametrize("method", ["ModelInfer", "ServerLive"])
def test_those_who_stall_keep_nobody_out(predictor: Predictor, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The eldest of them gives way, whatever it is about to ask."""
    monkeypatch.setattr(grpc_server, "RECEIVED_AT_ONCE", dict.fromkeys(grpc_server.RECEIVED_AT_ONCE, MANY))
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    limits = RequestLimits(body_seconds=grpc_calls.PATIENCE)
    parts = server_parts(predictor=predictor, served=served, limits=limits)

    async def asked(channel: Channel) -> Any:
        count = MANY + 3
        calls = [stalled(channel, f"/{grpc_messages.SERVICE}/{method}") for _ in range(count)]
        waiting = [asyncio.ensure_future(_code(call)) for call in calls]
        await grpc_calls.called(channel, "ServerReady")
        answers = [
            await grpc_calls.called(channel, "ModelInfer", model_name="leaving", inputs=grpc_calls.row(ROW))
            for _ in range(3)
        ]
        done, pending = await asyncio.wait(waiting, timeout=grpc_calls.PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        for call in calls:
            call.cancel()
        await asyncio.wait(waiting)
        return len(answers), {task.result() for task in done}, len(pending)

    answered, codes, left = do(parts, asked)
    assert (answered, codes) == (3, {StatusCode.UNAVAILABLE})
    assert left >= MANY - 3


async def _code(call: Any) -> StatusCode | None:
    """How *call* ends."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    except asyncio.CancelledError:
        pass
    return None


def test_a_call_without_a_message_is_refused(parts: ServerParts) -> None:
    """Whoever ends its side at once."""

    async def nothing() -> Any:
        for message in ():
            yield message

    async def asked(channel: Channel) -> Any:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.stream_unary(grpc_calls.INFER)(nothing(), timeout=grpc_calls.PATIENCE)
        return caught.value.details()

    assert "ended without a message" in do(parts, asked)


def test_the_server_says_which_it_is(parts: ServerParts) -> None:
    """Trailers name model and request; metadata is that of HTTP; readiness follows the lifecycle."""

    async def asked(channel: Channel) -> Any:
        ask = channel.unary_unary(
            f"/{grpc_messages.SERVICE}/ModelMetadata",
            request_serializer=grpc_messages.CLASSES["ModelMetadataRequest"].SerializeToString,
            response_deserializer=grpc_messages.CLASSES["ModelMetadataResponse"].FromString,
        )
        call = ask(grpc_messages.CLASSES["ModelMetadataRequest"](name="leaving"), metadata=(("x-request-id", "mine"),))
        answer = await call
        trailers = dict(await call.trailing_metadata())
        before = await grpc_calls.called(channel, "ModelReady", name="leaving", version="4")
        parts.lifecycle.draining = True
        after = await grpc_calls.called(channel, "ServerReady")
        live = await grpc_calls.called(channel, "ServerLive")
        return answer, trailers, (before.ready, after.ready, live.live)

    answer, trailers, states = do(parts, asked)
    assert (trailers["x-request-id"], trailers["argosy-model"], trailers["argosy-model-version"]) == (
        "mine",
        "leaving",
        "4",
    )
    assert states == (True, False, True)
    metadata = parts.second.metadata()
    assert [tensor.name for tensor in answer.inputs] == [tensor["name"] for tensor in metadata["inputs"]]
    assert list(answer.versions) == metadata["versions"]


def test_a_fault_is_told_by_its_request(predictor: Predictor, caplog: pytest.LogCaptureFixture) -> None:
    """INTERNAL, without what went wrong; the log has that, under the same id."""
    served = ServedRelease("leaving", "none", 4, predictor.digest)
    parts = server_parts(predictor=predictor, served=served, online=BrokenOnline({}))
    error = refused(parts, model_name="leaving", inputs=KEYS)
    assert error.code() == StatusCode.INTERNAL
    assert "a secret" not in error.details()
    identity = dict(error.trailing_metadata() or ())["x-request-id"]
    assert f"see request {identity}" in error.details()
    assert "a secret" in caplog.text
    assert identity in caplog.text


class BrokenOnline(MemoryOnline):
    """A store with a bug."""

    async def get(self, entities: Any, at: int) -> Any:
        """See the port."""
        raise ZeroDivisionError("a secret")


def test_a_tool_learns_the_protocol(parts: ServerParts) -> None:
    """By either version of reflection: the services, and the file that describes them; what is not there is not found."""

    async def asked(channel: Channel) -> Any:
        found = []
        for service in grpc_reflection.SERVICES:
            ask = channel.stream_stream(
                f"/{service}/{grpc_reflection.METHOD}",
                request_serializer=grpc_reflection.CLASSES["ServerReflectionRequest"].SerializeToString,
                response_deserializer=grpc_reflection.CLASSES["ServerReflectionResponse"].FromString,
            )
            question = grpc_reflection.CLASSES["ServerReflectionRequest"]
            asked = [
                question(list_services="*"),
                question(file_containing_symbol=grpc_messages.SERVICE),
                question(file_by_filename="open_inference_grpc.proto"),
                question(file_containing_symbol="x.Y"),
            ]
            found.append([answer async for answer in ask(iter(asked), timeout=grpc_calls.PATIENCE)])
        return found

    for services, by_symbol, by_name, nothing in do(parts, asked):
        assert grpc_messages.SERVICE in {one.name for one in services.list_services_response.service}
        (described,) = by_symbol.file_descriptor_response.file_descriptor_proto
        assert described == grpc_messages.FILE.description().SerializeToString()
        assert list(by_name.file_descriptor_response.file_descriptor_proto) == [described]
        assert nothing.error_response.error_code == StatusCode.NOT_FOUND.value[0]
