"""How long it takes to read features by id from files, Redis and PostgreSQL, beside Feast's own client on the very same store.

    python tests/bench/online_read.py [--entities 10000] [--features 20] [--reads 500] [--rounds 5]

Rounds are interleaved: each asks every store for one entity and for a hundred, through Argosy and through Feast. Servers are started on
loopback; one that is not installed is left out. Prints p50 and p95 over all rounds in milliseconds, and what loading took.
"""

import argparse
import asyncio
import contextlib
import datetime
import io
import random
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy import wiring
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features import publishing, shared_store
from argosy.adapters.feast_features.index import moment_of
from argosy.adapters.feast_features.online import FeastOnline
from argosy.ports.features import Definition, OnlineFeatures, OnlineView
from argosy.ports.tables import EVENT_TIME
from argosy.settings import Settings
from kit.databases import Database, postgres_server, redis_server

DIGEST = f"sha256:{'1' * 64}"
BATCHES = (1, 100)
Samples = dict[tuple[str, int, str], list[tuple[float, float]]]
"""Store, entities a question and client to seconds, and those of this process's CPU."""


@dataclass
class Store:
    """One store, read both ways."""

    name: str
    features: OnlineFeatures
    feast: Any
    view: str
    names: list[str]

    async def ours(self, ids: list[str]) -> Any:
        """Through Argosy."""
        return await self.features.get([{"id": one} for one in ids], time.time_ns() // 1000)

    async def theirs(self, ids: list[str]) -> Any:
        """Through Feast, in the form that it answers fastest."""
        wanted = [f"{self.view}:{name}" for name in self.names]
        return self.feast.get_online_features(features=wanted, entity_rows=[{"id": one} for one in ids])


def publish(entities: int, names: list[str], folder: Path) -> None:
    """Publish random numbers as build-features does."""
    numbers = np.random.default_rng(1)
    moment = pa.array([datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * entities, pa.timestamp("us", tz="UTC"))
    columns: dict[str, Any] = {name: pa.array(numbers.normal(size=entities)) for name in names}
    columns[moment_of("view")] = moment.cast(pa.int64())
    rows = pa.table({"id": [f"C{number}" for number in range(entities)], EVENT_TIME: moment, **columns}).sort_by("id")
    features = [Definition(name, "number", "view", "rows", name) for name in names]
    views = [OnlineView("view", tuple(names), lifetime=100 * 365 * 86_400 * 10**6)]
    file = folder.with_suffix(".parquet")
    pq.write_table(rows, file)
    publishing.publish(file, ["id"], features, "bench", folder, DuckDBTables(), views)


def feast_over(online: Mapping[str, Any], names: list[str], folder: Path) -> Any:
    """Feast's own client of a shared store."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
    from feast.repo_config import RepoConfig
    from feast.types import Float64, String

    config = RepoConfig(
        project=shared_store.project(DIGEST),
        provider="local",
        registry=str(folder / f"{online['type']}.db"),
        online_store=dict(online),
        entity_key_serialization_version=3,
    )
    store, entity = FeatureStore(config=config), Entity(name="id", join_keys=["id"], value_type=ValueType.STRING)
    schema = [Field(name="id", dtype=String), *(Field(name=name, dtype=Float64) for name in names)]
    source = FileSource(name="rows", path="rows.parquet", timestamp_field=EVENT_TIME)
    store.apply(
        [entity, FeatureView(name=shared_store.VIEW, entities=[entity], schema=schema, source=source, online=True)]
    )
    return store


def of_files(folder: Path, names: list[str]) -> Store:
    """The published files, which Feast opens as its own."""
    from feast import FeatureStore

    return Store("files", FeastOnline(folder), FeatureStore(repo_path=str(folder)), "bench_online", names)


def of_server(name: str, server: Database, published: Path, names: list[str], folder: Path) -> Store:
    """What is loaded into *server*; says how long that took."""
    store = wiring.shared_online_store(Settings.from_environment({"ARGOSY_ONLINE_STORE_URI": server.uri}))
    assert store is not None
    began = time.perf_counter()
    store.load(published, DIGEST, "bench")
    print(f"{name}: loaded {store.held()[0].entities} entities in {time.perf_counter() - began:.2f} s")
    host, port = server.uri.rpartition("@")[2].removeprefix("redis://").split("/")[0].split(":")
    online: dict[str, Any] = {"type": "redis", "connection_string": f"{host}:{port}"}
    if name == "postgresql":
        where = {"host": host, "port": int(port), "database": "postgres", "user": "argosy", "password": ""}
        online = {"type": "postgres", "db_schema": "public", "sslmode": "disable", **where}
    return Store(name, store.open(DIGEST), feast_over(online, names, folder), shared_store.VIEW, names)


@contextlib.contextmanager
def stores(entities: int, names: list[str], folder: Path) -> Iterator[list[Store]]:
    """Every store that this machine has the programs of."""
    published = folder / "published"
    publish(entities, names, published)
    found = [of_files(published, names)]
    with contextlib.ExitStack() as stack:
        for name, start in (("redis", lambda: redis_server(folder)), ("postgresql", postgres_server)):
            try:
                server = stack.enter_context(start())
            except pytest.skip.Exception as why:
                print(f"{name}: left out, {why}")
                continue
            found.append(of_server(name, server, published, names, folder))
        yield found


async def measure(found: list[Store], entities: int, reads: int, rounds: int) -> Samples:
    """Ask in turn, so that whatever else the machine does meets all alike."""
    samples: Samples = defaultdict(list)
    choose = random.Random(1)
    for _ in range(rounds):
        for store in found:
            for batch in BATCHES:
                for client, ask in (("argosy", store.ours), ("feast", store.theirs)):
                    count = max(reads // (1 if batch == 1 else 10), 1)
                    questions = [[f"C{choose.randrange(entities)}" for _ in range(batch)] for _ in range(count)]
                    samples[store.name, batch, client] += [await seconds(ask, question) for question in questions]
    for store in found:
        await store.features.close()
    return samples


async def seconds(ask: Callable[[list[str]], Awaitable[Any]], question: list[str]) -> tuple[float, float]:
    """How long one question takes, and how much of this process's CPU."""
    began, worked = time.perf_counter(), time.process_time()
    await ask(question)
    return time.perf_counter() - began, time.process_time() - worked


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("entities", 10_000), ("features", 20), ("reads", 500), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    names = [f"f{number}" for number in range(given.features)]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as scratch:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), stores(given.entities, names, Path(scratch)) as found:
            samples = asyncio.run(measure(found, given.entities, given.reads, given.rounds))
    print(f"{given.entities} entities of {given.features} features; milliseconds, p50 / p95")
    for (store, batch, client), values in samples.items():
        if client == "argosy":
            theirs = np.percentile([wall for wall, _ in samples[store, batch, "feast"]], [50, 95]) * 1e3
            ours = np.percentile([wall for wall, _ in values], [50, 95]) * 1e3
            # The quickest tenth: what else the machine does takes caches away, and never gives any.
            cpu = np.percentile([worked for _, worked in values], 10) * 1e3
            print(
                f"{store:<11} {batch:>3} at once: argosy {ours[0]:7.3f} / {ours[1]:7.3f}   "
                f"feast {theirs[0]:7.3f} / {theirs[1]:7.3f}   {theirs[0] / ours[0]:5.1f} times   argosy's CPU {cpu:.3f}"
            )


if __name__ == "__main__":
    main()
