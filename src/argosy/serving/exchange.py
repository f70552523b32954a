"""One HTTP exchange, on bare ASGI: the request's body within limits, its id, and a JSON answer.

Starlette's Request and Response objects cost more than a prediction does; here is the little that a model server needs of them.
"""

import asyncio
import re
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Message, Receive, Scope, Send

from argosy.serving.problems import RequestProblem

_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


@dataclass(frozen=True)
class Limits:
    """What one request may ask for."""

    body_bytes: int = 4 * 2**20
    body_seconds: float = 10.0
    rows: int = 5_000
    in_flight: int = 512
    """Requests being answered at once; one more is refused, so that those accepted stay quick."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of header *name* (lower case), the first where it comes twice."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def request_id(scope: Scope) -> str:
    """The caller's ``X-Request-Id`` where it is a plain word, else a new one."""
    given = header(scope, b"x-request-id")
    return given.decode() if given and _ID.fullmatch(given) else uuid.uuid4().hex


async def read_json(scope: Scope, receive: Receive, limits: Limits) -> Any:
    """The request's body as JSON. Raises RequestProblem: 413 too large, 408 too slow, 415 not JSON by its type, 400 not JSON."""
    _refuse_other_types(scope)
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > limits.body_bytes:
        raise _too_large(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            body = await _body(receive, limits)
    except TimeoutError:
        raise RequestProblem(408, f"the body did not arrive within {limits.body_seconds:g} s") from None
    return decode(body)


def decode(body: bytes) -> Any:
    """*body* as JSON; NaN, Infinity, numbers beyond a double and nesting deeper than 1,024 are none. Raises RequestProblem (400)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestProblem(400, f"the body is not JSON: {error}") from None


async def respond(send: Send, status: int, body: Any) -> None:
    """Answer with *body* as JSON."""
    await respond_bytes(send, status, orjson.dumps(body), b"application/json")


async def respond_bytes(send: Send, status: int, content: bytes, content_type: bytes) -> None:
    """Answer with *content*."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _body(receive: Receive, limits: Limits) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestProblem(400, "the caller went away before the body was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limits.body_bytes:
            raise _too_large(limits)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks) if len(chunks) > 1 else chunk


def _too_large(limits: Limits) -> RequestProblem:
    return RequestProblem(413, f"the body is larger than {limits.body_bytes} bytes; send fewer rows a request")


def _refuse_other_types(scope: Scope) -> None:
    if header(scope, b"inference-header-content-length") is not None:
        raise RequestProblem(415, "binary tensors are not supported; send each tensor's data as JSON")
    encoding = header(scope, b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in {b"", b"identity"}:
        raise RequestProblem(415, "the body is compressed; send it as plain JSON, without Content-Encoding")
    given = header(scope, b"content-type")
    # curl -d says "form" unless told otherwise; the body decides then.
    if given is not None and given.split(b";")[0].strip().lower() not in _TYPES:
        raise RequestProblem(415, "the body has to be JSON; send it as Content-Type: application/json")


_TYPES = {b"", b"application/json", b"text/json", b"application/x-www-form-urlencoded"}
