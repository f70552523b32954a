"""One HTTP exchange, on bare ASGI: the request's body within limits, its id, and an answer.

Starlette's Request and Response objects cost more than a prediction does; here is the little that a model server needs of them. What a body
says is read in :mod:`argosy.serving.reading`.
"""

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson
from starlette.types import Message, Receive, Scope, Send

from argosy.serving.request_problems import RequestProblem, ShedRequest
from argosy.serving.request_spans import RequestTrace

JSON = b"application/json"
OCTETS = b"application/octet-stream"
HEADER_LENGTH = b"inference-header-content-length"
"""Header that says how much of a body is JSON, in bytes; binary tensors follow."""
_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


@dataclass(frozen=True)
class RequestLimits:
    """Limits on requests: on the body and rows of each, and on how many are in flight at once (backpressure)."""

    body_bytes: int = 4 * 2**20
    body_seconds: float = 10.0
    rows: int = 5_000
    in_flight: int = 512
    """Requests being answered at once, once their bodies are there; one more is refused, so that those accepted stay quick."""
    queue_seconds: float = 0.004
    """Latency budget: work that a request may wait for. Past saturation those that would wait for more are refused."""
    all_bodies_bytes: int = 64 * 2**20
    """Bytes of all bodies in memory at once; who would bring more is sent away."""


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """An answer's body."""

    body: bytes
    type: bytes = JSON
    headers: Sequence[tuple[bytes, bytes]] = ()


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of header *name* (lower case), the first where it comes twice."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def request_id(scope: Scope, trace: RequestTrace | None = None) -> str:
    """The caller's ``X-Request-Id`` where it is a plain word, else a new one: of a request that is recorded by *trace*, the one it says."""
    given = header(scope, b"x-request-id")
    if given and is_plain(given):
        return given.decode()
    return uuid.uuid4().hex if trace is None else trace.request_id


def is_plain(identity: bytes) -> bool:
    """Whether a caller's *identity* of a request is a plain word, which may stand in headers and logs."""
    return _ID.fullmatch(identity) is not None


class Bodies:
    """The bodies that are in memory, within one budget."""

    def __init__(self, limits: RequestLimits) -> None:
        self.limits = limits
        self._held = 0

    def take(self, size: int) -> None:
        """Count *size* bytes more. Raises ShedRequest where there is no room for them."""
        if self._held + size > self.limits.all_bodies_bytes:
            message = "the bodies of others fill the memory that is set aside for them; try again"
            raise ShedRequest(message, closes=True)
        self._held += size

    def give_back(self, size: int) -> None:
        """*size* bytes are gone."""
        self._held -= size


class BodyReader:
    """Reads one body, whose bytes count among all *bodies* until the end of the block that it is used in."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._limits = bodies.limits
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bodies.give_back(self.size)

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body. Raises RequestProblem: 413 too large, 408 too slow, 503 no room for it, 400 cut off."""
        declared = header(scope, b"content-length")
        if declared is not None and declared.isdigit() and int(declared) > self._limits.body_bytes:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._whole(receive)
        except TimeoutError:
            message = f"the body did not arrive within {self._limits.body_seconds:g} s"
            raise RequestProblem(408, message, closes=True) from None

    async def _whole(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        while True:
            message: Message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestProblem(400, "the caller went away before the body was complete")
            chunk: bytes = message.get("body", b"")
            if self.size + len(chunk) > self._limits.body_bytes:
                raise self._too_large()
            self._bodies.take(len(chunk))
            self.size += len(chunk)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks) if len(chunks) > 1 else chunk

    def _too_large(self) -> RequestProblem:
        message = f"the body is larger than {self._limits.body_bytes} bytes; send fewer rows a request"
        return RequestProblem(413, message, closes=True)


def json_length(scope: Scope, *, binary: bool) -> int | None:
    """Bytes of JSON at the head of the body, where binary tensors follow it; None where all of it is JSON. *binary*: tensors are allowed.

    Raises RequestProblem: 415 where the headers announce something else.
    """
    said = dict(scope["headers"])
    encoding = said.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in {b"", b"identity"}:
        raise RequestProblem(415, "the body is compressed; send it as it is, without Content-Encoding")
    length = said.get(HEADER_LENGTH)
    if length is not None:
        return _number(length, binary=binary)
    given = said.get(b"content-type", JSON)
    # curl -d says "form" unless told otherwise; the body decides then.
    if given != JSON and given.split(b";")[0].strip().lower() not in _TYPES:
        more = " (binary tensors come with Inference-Header-Content-Length)" if binary else ""
        raise RequestProblem(415, f"the body has to be JSON; send it as Content-Type: application/json{more}")
    return None


_TYPES = {b"", JSON, b"text/json", b"application/x-www-form-urlencoded"}


def _number(length: bytes, *, binary: bool) -> int:
    if not binary:
        raise RequestProblem(415, "V1 has no binary tensors; send JSON, or ask over V2")
    if not length.isdigit() or len(length) > 18:
        raise RequestProblem(400, "expected a whole number of bytes", field="Inference-Header-Content-Length")
    return int(length)


async def respond(send: Send, status: int, body: Any) -> None:
    """Answer with *body* as JSON."""
    await respond_content(send, status, ResponseBody(orjson.dumps(body)))


async def respond_content(send: Send, status: int, content: ResponseBody) -> None:
    """Answer with *content*."""
    headers = [
        (b"content-type", content.type),
        (b"content-length", b"%d" % len(content.body)),
        *content.headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content.body})
