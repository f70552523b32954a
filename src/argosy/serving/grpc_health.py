"""gRPC's own question for health: what kubelets, load balancers and clients ask that know gRPC and not the Open Inference Protocol.

Nobody is asked who they are, as for the probes over HTTP; it is said whether the server is ready, and nothing of its models.
"""

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.message import DecodeError

from argosy.serving import grpc_messages
from argosy.serving.grpc_call import GrpcCall
from argosy.serving.grpc_frames import GrpcStatus
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.message_files import MessageFile

PACKAGE = "grpc.health.v1"
SERVICE = f"{PACKAGE}.Health"
SECONDS = 5.0
"""For the question to come."""
LOOK_SECONDS = 0.5
"""Between two looks for somebody who wants to hear of changes."""
MOST_WATCHING = 64
"""Callers who want that, at once: each keeps a call, of which there are as many as the server has in all."""
SERVICES = frozenset({"", grpc_messages.SERVICE})
"""What may be asked for: the server, by its own name or none."""
FILE = MessageFile(
    "grpc/health/v1/health.proto",
    PACKAGE,
    {
        "HealthCheckRequest": "service string 1",
        "HealthCheckResponse": "status HealthCheckResponse.ServingStatus 1",
    },
    service="Health",
    methods=("Check HealthCheckRequest HealthCheckResponse", "Watch HealthCheckRequest HealthCheckResponse*"),
    enums={"HealthCheckResponse.ServingStatus": ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")},
)
CLASSES = FILE.classes()
_REQUEST, _RESPONSE = CLASSES["HealthCheckRequest"], CLASSES["HealthCheckResponse"]
CHECK, WATCH = f"/{SERVICE}/Check", f"/{SERVICE}/Watch"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


class Health:
    """Answers for one server."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._watching = 0

    async def checked(self, call: GrpcCall) -> AsyncIterator[bytes]:
        """The answer to *call*. Raises Aborted."""
        service = await _asked(call)
        if service not in SERVICES:
            await call.abort(GrpcStatus.NOT_FOUND, f"there is no such service here, only {grpc_messages.SERVICE}")
        yield _said(self._status(service))

    async def watched(self, call: GrpcCall) -> AsyncIterator[bytes]:
        """The answer to *call*, and another one each time that it changes, until the caller goes or is asked to. Raises Aborted."""
        service = await _asked(call)
        if self._watching >= MOST_WATCHING:
            await call.abort(GrpcStatus.RESOURCE_EXHAUSTED, f"{MOST_WATCHING} callers watch already; use Check")
        self._watching += 1
        try:
            async for status in self._changes(service, call):
                yield _said(status)
        finally:
            self._watching -= 1
        await call.abort(GrpcStatus.UNAVAILABLE, "this connection ends; watch on another one")

    async def _changes(self, service: str, call: GrpcCall) -> AsyncIterator[int]:
        last = None
        while not call.connection.leaving:
            status = self._status(service)
            if status != last:
                yield status
            last = status
            await asyncio.sleep(LOOK_SECONDS)

    def _status(self, service: str) -> int:
        if service not in SERVICES:
            return SERVICE_UNKNOWN
        return SERVING if self._lifecycle.ready else NOT_SERVING


async def _asked(call: GrpcCall) -> str:
    """The service that *call* asks for. Raises Aborted."""
    try:
        async with asyncio.timeout(SECONDS):
            service: str = _REQUEST.FromString(await anext(call)).service
            return service
    except (StopAsyncIteration, DecodeError):
        await call.abort(GrpcStatus.INVALID_ARGUMENT, "the message is no HealthCheckRequest")
    except TimeoutError:
        await call.abort(GrpcStatus.DEADLINE_EXCEEDED, f"the message did not arrive within {SECONDS:g} s")


def _said(status: int) -> bytes:
    content: bytes = _RESPONSE(status=status).SerializeToString()
    return content
