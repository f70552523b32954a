"""Every counter of requests holds the rate; what only one that replicas share can do is below."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.redis_rate_limiter import RedisRateLimiter
from argosy.domain import access_rules
from argosy.domain.access_rules import AccessRules
from argosy.ports.rate_limiter import RateLimiter
from argosy.serving.access.gatekeeper import Credentials, Gatekeeper
from argosy.serving.access.local_rate_limiter import LocalRateLimiter
from kit import databases
from kit.databases import Database


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One server for the tests of this module."""
    with databases.redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


Kind = Callable[[str], RateLimiter]


@pytest.fixture(params=["local", "redis"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Makes a counter of one kind, for a namespace."""
    if request.param == "local":
        return lambda _: LocalRateLimiter()
    server: Database = request.getfixturevalue("redis")
    return lambda namespace: RedisRateLimiter(server.uri, namespace)


@asynccontextmanager
async def closed(limiter: RateLimiter) -> AsyncIterator[RateLimiter]:
    """*limiter*, closed at the end."""
    try:
        yield limiter
    finally:
        await limiter.close()


def run(body: Coroutine[Any, Any, None]) -> None:
    """Run *body* on a loop of its own."""
    asyncio.run(body)


def test_so_many_and_no_more(kind: Kind) -> None:
    """Each key by itself; who is refused is told when to come back."""

    async def body() -> None:
        async with closed(kind("so-many")) as limiter:
            assert [await limiter.hit("a", "4/hour") for _ in range(4)] == [0.0] * 4
            for _ in range(3):
                assert 0 < await limiter.hit("a", "4/hour") <= 3600
            assert await limiter.hit("b", "4/hour") == 0.0

    run(body())


def test_the_rate_comes_back(kind: Kind) -> None:
    """After the time it is for."""

    async def body() -> None:
        async with closed(kind("comes-back")) as limiter:
            while await limiter.hit("a", "3/second") == 0.0:
                pass
            for _ in range(100):
                wait = await limiter.hit("a", "3/second")
                if wait == 0.0:
                    return
                await asyncio.sleep(min(wait, 1.0))
            pytest.fail("it never did")

    run(body())


def test_replicas_that_share_a_counter_hold_one_rate(redis: Database) -> None:
    """Three servers of a model together let in as many as one; those of another environment count apart."""

    async def body() -> None:
        replicas = [RedisRateLimiter(redis.uri, "churn:production") for _ in range(3)]
        staging = RedisRateLimiter(redis.uri, "churn:staging")
        try:
            waits = await asyncio.gather(*(each.hit("billing", "10/hour") for each in replicas for _ in range(20)))
            assert waits.count(0.0) == 10
            assert await staging.hit("billing", "10/hour") == 0.0
        finally:
            for each in (*replicas, staging):
                await each.close()

    run(body())


@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_without_the_shared_counter_each_replica_counts_by_itself(
    tmp_path_factory: pytest.TempPathFactory, fault: str
) -> None:
    """Nobody is refused because a database is down, and nobody asks without limit; soon it is not even asked any more."""
    text, key = access_rules.new_key("billing", ["churn"])
    rules = AccessRules.model_validate({"keys": [key], "limits": {"principals": {"billing": "20/hour"}}})
    headers = {"authorization": f"Bearer {text}"}

    async def body(server: Database) -> None:
        async with closed(RedisRateLimiter(server.uri, "churn:x")) as shared:
            gate = Gatekeeper(rules, shared=shared)
            await gate.admit(Credentials("192.0.2.1", headers), "churn")
            server.stop() if fault == "is gone" else server.signal(signal.SIGSTOP)
            began = asyncio.get_running_loop().time()
            for _ in range(20):
                await gate.admit(Credentials("192.0.2.1", headers), "churn")
            assert asyncio.get_running_loop().time() - began < 5
            with pytest.raises(Exception, match="may ask 20/hour"):
                await gate.admit(Credentials("192.0.2.1", headers), "churn")

    with databases.redis_server(tmp_path_factory.mktemp("down")) as server:
        run(body(server))
        server.signal(signal.SIGCONT)


def test_a_counter_that_is_not_there_is_worth_another_try() -> None:
    """The port's promise: no library's own error comes out."""

    async def body() -> None:
        async with closed(RedisRateLimiter("redis://127.0.0.1:1/0", "churn:x")) as limiter:
            with pytest.raises(errors.TryAgain, match="cannot be counted in Redis"):
                await limiter.hit("a", "1/second")

    run(body())
