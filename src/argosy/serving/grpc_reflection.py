"""Server reflection: how a tool that has no description of the protocol asks the server for it, as ``grpcurl`` does.

What it learns is published protocols, and nothing of the model. Both versions of reflection have the same messages.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import DecodeError

from argosy.serving import grpc_health, grpc_messages
from argosy.serving.grpc_frames import GrpcStatus
from argosy.serving.message_files import MessageFile

SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
METHOD = "ServerReflectionInfo"
MOST_QUESTIONS, SECONDS = 100, 10.0
"""Of one call, and until the next of them."""
_FILE = MessageFile(
    "reflection.proto",
    "grpc.reflection.v1",
    {
        "ServerReflectionRequest": "host string 1, file_by_filename string 3, file_containing_symbol string 4, list_services string 7",
        "Files": "file_descriptor_proto bytes* 1",
        "Service": "name string 1",
        "Services": "service Service* 1",
        "Failure": "error_code int32 1, error_message string 2",
        "ServerReflectionResponse": "valid_host string 1, original_request ServerReflectionRequest 2, "
        "file_descriptor_response Files 4, list_services_response Services 6, error_response Failure 7",
    },
)
"""The fields of it that are asked for here; others are unknown, and answered as what is not there."""
CLASSES = _FILE.classes()
_REQUEST, _RESPONSE = CLASSES["ServerReflectionRequest"], CLASSES["ServerReflectionResponse"]


PATHS = frozenset(f"/{service}/{METHOD}" for service in SERVICES)
"""Of the methods."""


async def answers(questions: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The answer to each of *questions*, which end where one is none."""
    for _ in range(MOST_QUESTIONS):
        try:
            async with asyncio.timeout(SECONDS):
                question = _REQUEST.FromString(await anext(questions))
        except (StopAsyncIteration, TimeoutError, DecodeError):
            return
        content: bytes = _answer(question).SerializeToString()
        yield content


def _answer(question: Any) -> Any:
    made = _RESPONSE(valid_host=question.host, original_request=question)
    symbol, name = question.file_containing_symbol, question.file_by_filename
    found = next((file for file in _FILES if name == file.name or f"{symbol}.".startswith(f"{file.package}.")), None)
    if found is not None:
        made.file_descriptor_response.file_descriptor_proto.append(_FILES[found])
    elif name or symbol:
        made.error_response.error_code = GrpcStatus.NOT_FOUND
        made.error_response.error_message = f"there is no {name or symbol} here, only {grpc_messages.SERVICE}"
    else:
        for service in (grpc_messages.SERVICE, grpc_health.SERVICE, *SERVICES):
            made.list_services_response.service.add(name=service)
    return made


_FILES = {file: file.description().SerializeToString() for file in (grpc_messages.FILE, grpc_health.FILE)}
