"""The Open Inference Protocol over gRPC: what callers get is what they get over HTTP, under the same limits and into the same log."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc import StatusCode

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import graceful_server, tensors
from argosy.serving.app import ServerParts, server_parts
from argosy.serving.exchange import RequestLimits
from argosy.serving.grpc_server import GrpcServer
from argosy.serving.tls import Certificate
from kit import grpc_calls
from kit.certificates import write_certificate
from kit.grpc_calls import Channel
from kit.serving_kit import ROW, MemoryLog, MemoryOnline


@pytest.fixture
def log() -> MemoryLog:
    """Where the server logs."""
    return MemoryLog()


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
    prediction, decision = answer.outputs
    assert (answer.id, answer.model_name, answer.model_version) == ("mine", "leaving", "4")
    assert list(prediction.contents.fp32_contents) == np.float32(expected).tolist()
    assert list(decision.contents.bytes_contents) == [b"yes", b"yes"]
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
def test_a_refusal_has_its_code(parts: ServerParts, status: StatusCode, call: dict[str, Any]) -> None:
    """And says what is wrong."""
    error = refused(parts, **call)
    assert error.code() == status
    assert error.details()


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
        server = GrpcServer(parts, address, certificate)
        await server.start()
        try:
            await run()
        finally:
            await server.stop(0)

    address = graceful_server.reserved("127.0.0.1", 0)
    asyncio.run(served())
