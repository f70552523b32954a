"""Answers a stream of questions beside HTTP and gRPC, with the same path: checked, looked up, answered, counted and logged as theirs.

A message holds one row, as V1 takes it. What cannot be answered goes to a topic of its own with the reason, and holds up nothing.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from argosy import errors
from argosy.ports.streams import Stream, StreamAnswer, StreamMessage
from argosy.serving import reading
from argosy.serving.answer_app import AnswerParts
from argosy.serving.app import ServerParts
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.served_models import ServedModel
from argosy.serving.service import Answer

AT_ONCE = 500
"""Messages of one transaction at most."""
WAIT_SECONDS = 0.2
"""For a first message. Whoever stops the server waits as long."""
PAUSE_SECONDS = 2.0
"""After brokers failed."""
LAG_SECONDS = 5.0
ROUTE = "stream"
_log = logging.getLogger("argosy.serving")


class StreamServer:
    """Answers on one stream; see :class:`argosy.serving.graceful_server.Companion`."""

    def __init__(self, model: Callable[[], ServedModel], stream: Stream) -> None:
        """*model*: the one that answers now; asked before each transaction."""
        self._current = model
        self._stream = stream
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._looked_at_lag = 0.0

    async def start(self) -> None:
        """See the protocol."""
        self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float) -> None:
        """See the protocol."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
            self._task.cancel()
        await asyncio.to_thread(self._stream.close)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._turn()
            except errors.ArgosyError as error:
                # Also where somebody has to act: once that is done nobody should have to start servers anew, whose callers are well.
                _log.warning("the stream stands still: %s", error)
                self._current().parts.metrics.stream_failures.inc()
                await self._pause()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._stopping.wait()

    async def _turn(self) -> None:
        """Answer what is there now."""
        messages = await asyncio.to_thread(self._stream.poll, AT_ONCE, WAIT_SECONDS)
        if messages:
            began = time.perf_counter()
            model = self._current()
            with model.users:
                answers = await StreamAnswering(of_rows(model)).answers(messages)
            if await asyncio.to_thread(self._stream.answer, answers):
                for answer in answers:
                    model.parts.metrics.observe(ROUTE, 422 if answer.refused else 200, time.perf_counter() - began)
        if time.monotonic() - self._looked_at_lag > LAG_SECONDS:
            self._looked_at_lag = time.monotonic()
            lag = await asyncio.to_thread(self._stream.lag)
            self._current().parts.metrics.stream_lag.set(lag)


def of_rows(model: ServedModel) -> ServerParts:
    """The parts of *model*. Raises Misconfigured where it answers no rows, as messages hold them."""
    if isinstance(model.parts, AnswerParts):
        raise errors.Misconfigured(
            f"a stream holds rows, and {model.name} answers questions; serve it without --stream-from"
        )
    return model.parts


class StreamAnswering:
    """Answers messages by one model."""

    def __init__(self, parts: ServerParts) -> None:
        self._service = parts.service
        self._room = reading.JsonLimits(1, parts.service.columns.most_columns)
        self._body_bytes = parts.bodies.limits.body_bytes

    async def answers(self, messages: Sequence[StreamMessage]) -> list[StreamAnswer]:
        """The answer to each of *messages* that asks something, in their order."""
        made: dict[str, StreamAnswer] = {}
        plain: list[tuple[RequestColumns, StreamMessage]] = []
        for message in messages:
            if message.value is None:
                continue
            try:
                asked = await self._service.looked_up(self._asked(message.value))
                if self._service.plain(asked):
                    plain.append((asked, message))
                else:
                    made[message.request_id] = self._answer(message, self._service.answer(asked, message.request_id))
            except RequestProblem as problem:
                if problem.status == 503:  # the online store is down: nobody's question is wrong, so it waits
                    raise errors.TryAgain(str(problem)) from problem
                made[message.request_id] = self._refusal(message, problem)
        made |= await self._together(plain)
        return [made[message.request_id] for message in messages if message.request_id in made]

    async def _together(self, plain: Sequence[tuple[RequestColumns, StreamMessage]]) -> dict[str, StreamAnswer]:
        given = await asyncio.to_thread(
            self._service.answer_together, [(asked, message.request_id) for asked, message in plain]
        )
        if given is not None:
            return {
                message.request_id: self._answer(message, answer)
                for (_, message), answer in zip(plain, given, strict=True)
            }
        made = {}
        for asked, message in plain:
            try:
                made[message.request_id] = self._answer(message, self._service.answer(asked, message.request_id))
            except RequestProblem as problem:
                made[message.request_id] = self._refusal(message, problem)
        return made

    def _asked(self, value: bytes) -> RequestColumns:
        """The row in *value*. Raises RequestProblem."""
        if len(value) > self._body_bytes:
            raise RequestProblem(413, f"the message is larger than {self._body_bytes} bytes")
        self._room.check(value)
        return self._service.columns.rows([reading.loads(value)], _where)

    def _answer(self, message: StreamMessage, answer: Answer) -> StreamAnswer:
        said: dict[str, Any] = {"prediction": answer.predictions[0]}
        if answer.decisions is not None:
            said["decision"] = answer.decisions[0]
        if answer.confidences is not None:
            said["confidence"] = answer.confidences[0]
        if answer.warnings:
            said["warnings"] = answer.warnings
        said |= {
            "model": self._service.signature.model,
            "model_version": answer.version(self._service.version),
            "request_id": message.request_id,
        }
        return StreamAnswer(message.key, orjson.dumps(said), _headers(message))

    def _refusal(self, message: StreamMessage, problem: RequestProblem) -> StreamAnswer:
        why = [(name, str(text).encode()) for name, text in problem.body.items()]
        return StreamAnswer(message.key, message.value or b"", [*_headers(message), *why], refused=True)


def _headers(message: StreamMessage) -> list[tuple[str, bytes]]:
    return [("request-id", message.request_id.encode())]


def _where(_: int, name: str | None) -> str:
    return "the row" if name is None else name
