"""gRPC's own question for health: answered to whoever asks, once or each time that it changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import grpc_health
from argosy.serving.app import ServerParts, server_parts
from kit import grpc_calls

ASK, SAID = grpc_health.CLASSES["HealthCheckRequest"], grpc_health.CLASSES["HealthCheckResponse"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come one after another."""
    monkeypatch.setattr(grpc_health, "LOOK_SECONDS", 0.0)


@pytest.fixture
def parts(predictor: Predictor) -> ServerParts:
    """The small binary model."""
    return server_parts(predictor=predictor, served=ServedRelease("leaving", "production", 4, predictor.digest))


def checked(channel: Any, service: str = "") -> Any:
    """One question."""
    ask = channel.unary_unary(grpc_health.CHECK, ASK.SerializeToString, SAID.FromString)
    return ask(ASK(service=service), timeout=grpc_calls.PATIENCE)


def watched(channel: Any, service: str = "") -> AsyncIterator[Any]:
    """All answers to one question."""
    ask = channel.unary_stream(grpc_health.WATCH, ASK.SerializeToString, SAID.FromString)
    answers: AsyncIterator[Any] = ask(ASK(service=service), timeout=grpc_calls.PATIENCE)
    return answers


def test_whoever_asks_learns_whether_the_server_is_ready(parts: ServerParts) -> None:
    """By its own name or none; of another one it is said that there is none."""

    async def run() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            for service in grpc_health.SERVICES:
                assert (await checked(channel, service)).status == grpc_health.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await checked(channel, "other")
            assert caught.value.code() == grpc.StatusCode.NOT_FOUND
            parts.lifecycle.draining = True
            assert (await checked(channel)).status == grpc_health.NOT_SERVING

    asyncio.run(run())


def test_whoever_watches_hears_of_each_change_and_of_the_end(parts: ServerParts) -> None:
    """And holds up no server that stops."""

    async def run() -> None:
        async with grpc_calls.listening(parts) as (server, channel):
            answers, others = aiter(watched(channel)), aiter(watched(channel, "other"))
            assert (await anext(answers)).status == grpc_health.SERVING
            assert (await anext(others)).status == grpc_health.SERVICE_UNKNOWN
            parts.lifecycle.draining = True
            assert (await anext(answers)).status == grpc_health.NOT_SERVING
            stopping = asyncio.create_task(server.stop(grpc_calls.PATIENCE))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await anext(answers)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            await stopping

    asyncio.run(run())


def test_who_watches_takes_no_calls_from_others(parts: ServerParts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked who they are for it, so there is room for a few; a place is free again once its caller is gone."""
    monkeypatch.setattr(grpc_health, "MOST_WATCHING", 1)

    async def run() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            first: Any = watched(channel)
            assert (await anext(aiter(first))).status == grpc_health.SERVING
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await anext(aiter(watched(channel)))
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            first.cancel()
            assert (await checked(channel)).status == grpc_health.SERVING  # it was read behind the cancelling
            assert (await anext(aiter(watched(channel)))).status == grpc_health.SERVING

    asyncio.run(run())


@pytest.mark.parametrize("path", [grpc_health.CHECK, grpc_health.WATCH])
def test_a_question_is_short(parts: ServerParts, path: str) -> None:
    """Whoever sends much without saying who they are is told so at once."""

    async def run() -> None:
        async with grpc_calls.listening(parts) as (_, channel):
            ask = channel.unary_stream(path, ASK.SerializeToString, SAID.FromString)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await anext(aiter(ask(ASK(service="x" * 20_000), timeout=grpc_calls.PATIENCE)))
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED

    asyncio.run(run())
