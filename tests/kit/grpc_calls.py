"""Calls over gRPC to a server in this process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc

from argosy.serving import graceful_server, grpc_messages
from argosy.serving.app import ServerParts
from argosy.serving.grpc_server import GrpcServer
from argosy.serving.served_models import ServedModels
from kit.serving_kit import served_models

Channel = Any
PATIENCE = 30.0
INFER = f"/{grpc_messages.SERVICE}/ModelInfer"


@asynccontextmanager
async def listening(parts: ServerParts) -> AsyncIterator[tuple[GrpcServer, Channel]]:
    """A server of *parts*, and a line to it."""
    async with listening_to(served_models(parts)) as found:
        yield found


@asynccontextmanager
async def listening_to(models: ServedModels) -> AsyncIterator[tuple[GrpcServer, Channel]]:
    """A server of *models*, and a line to it."""
    address = graceful_server.reserved("127.0.0.1", 0)
    server = GrpcServer(models, address)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield server, channel
    finally:
        await server.stop(0)


def begun(
    channel: Channel,
    method: str,
    *,
    seconds: float = PATIENCE,
    metadata: Sequence[tuple[str, str]] = (),
    **fields: Any,
) -> Any:
    """A call of *method*, whose message has these *fields*."""
    ask = channel.unary_unary(
        f"/{grpc_messages.SERVICE}/{method}",
        request_serializer=grpc_messages.CLASSES[f"{method}Request"].SerializeToString,
        response_deserializer=grpc_messages.CLASSES[f"{method}Response"].FromString,
    )
    return ask(grpc_messages.CLASSES[f"{method}Request"](**fields), timeout=seconds, metadata=metadata)


async def called(channel: Channel, method: str, *, seconds: float = PATIENCE, **fields: Any) -> Any:
    """The answer to one call of *method*, whose message has these *fields*. Raises grpc.aio.AioRpcError."""
    return await begun(channel, method, seconds=seconds, **fields)


def row(values: dict[str, Any], *, rows: int = 1) -> list[dict[str, Any]]:
    """The tensors of *rows* equal rows, with typed contents."""
    made = []
    for name, value in values.items():
        text = isinstance(value, str)
        given: Sequence[Any] = [value.encode()] * rows if text else [float(value)] * rows
        contents = {"bytes_contents" if text else "fp64_contents": given}
        made.append({"name": name, "datatype": "BYTES" if text else "FP64", "shape": [rows], "contents": contents})
    return made
