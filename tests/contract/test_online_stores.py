"""Files, Redis, PostgreSQL and a store that a package brings answer alike, byte for byte; Feast's own stores read and write the same bytes.

The servers are real; a test skips by name where one is not installed.
"""

import asyncio
import datetime
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features import publishing, shared_store
from argosy.adapters.feast_features.index import moment_of
from argosy.adapters.feast_features.online import FeastOnline
from argosy.adapters.feast_features.postgres_store import PostgresStore
from argosy.adapters.feast_features.redis_store import RedisStore
from argosy.ports.features import Definition, OnlineFeatures, OnlineView, SharedOnlineStore
from argosy.ports.tables import EVENT_TIME
from argosy.settings import Settings
from argosy.testing.online_store_contract import (
    DIGEST,
    HOUR,
    MOMENTS,
    NOON,
    OTHERS,
    ROWS,
    VIEWS,
    OnlineFeaturesContract,
    Rows,
    SharedOnlineStoreContract,
    asked,
    keys,
)
from kit.databases import Database, postgres_server, redis_server
from kit.installed_package import install_example

FEATURES = [
    Definition("score", "number", "scores", "s", "score"),
    Definition("kind", "category", "kinds", "s", "kind"),
]
MOMENT = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
pytestmark = pytest.mark.slow


def publish(rows: Rows, folder: Path, views: Sequence[OnlineView] = VIEWS) -> Path:
    """Publish *rows* as build-features does."""
    table = pa.table(
        {
            "id": [entity[0] for entity in rows],
            "number": [entity[1] for entity in rows],
            EVENT_TIME: pa.array([MOMENT] * len(rows), pa.timestamp("us", tz="UTC")),
            "score": pa.array([row["score"] for row in rows.values()], pa.float64()),
            "kind": pa.array([row["kind"] for row in rows.values()], pa.string()),
            **{
                moment_of(view.name): pa.array([MOMENTS.get(row, (NOON, NOON))[place] for row in rows], pa.int64())
                for place, view in enumerate(views)
            },
        }
    )
    file = folder.with_name(f"{folder.name}.parquet")
    pq.write_table(table.sort_by([("id", "ascending"), ("number", "ascending")]), file)
    publishing.publish(file, ["id", "number"], FEATURES, "toy", folder, DuckDBTables(), views)
    return folder


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does much else at the same time is no store that hangs."""
    monkeypatch.setattr(shared_store, "ANSWER_SECONDS", 30.0)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was published from ROWS."""
    return publish(ROWS, tmp_path_factory.mktemp("published") / "online")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was published from OTHERS."""
    return publish(OTHERS, tmp_path_factory.mktemp("others") / "online")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A Redis of this file's own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[Database]:
    """A PostgreSQL of this file's own."""
    with postgres_server() as server:
        yield server


def emptied(store: SharedOnlineStore) -> SharedOnlineStore:
    """*store*, without what the last test left."""
    for held in store.held():
        store.drop(held.digest)
    return store


class TestFiles(OnlineFeaturesContract):
    """What a laptop uses."""

    @pytest.fixture
    def features(self, published: Path) -> FeastOnline:
        """The files themselves."""
        return FeastOnline(published)


class TestBrought(SharedOnlineStoreContract):
    """The example of a package that brings one, chosen by its address."""

    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedOnlineStore:
        install_example("own-online-store", tmp_path / "site")
        monkeypatch.syspath_prepend(tmp_path / "site")
        address = f"folder://{tmp_path / 'shared features'}"
        variables = {"ARGOSY_HOME": str(tmp_path), "ARGOSY_ONLINE_STORE_URI": address}
        store = wiring.shared_online_store(Settings.from_environment(variables))
        assert store is not None
        return store


class TestRedis(SharedOnlineStoreContract):
    """A hash an entity."""

    @pytest.fixture
    def store(self, redis: Database) -> SharedOnlineStore:
        """An empty one."""
        return emptied(RedisStore(redis.uri))


class TestPostgres(SharedOnlineStoreContract):
    """A table a published store."""

    @pytest.fixture
    def store(self, postgres: Database) -> SharedOnlineStore:
        """An empty one."""
        return emptied(PostgresStore(postgres.uri))


@pytest.fixture(params=["redis", "postgres"])
def server(request: pytest.FixtureRequest) -> Database:
    """Either."""
    found: Database = request.getfixturevalue(request.param)
    return found


def opened(server: Database) -> SharedOnlineStore:
    """The store in *server*, as a step and a server find it."""
    store = wiring.shared_online_store(Settings.from_environment({"ARGOSY_ONLINE_STORE_URI": server.uri}))
    assert store is not None
    return emptied(store)


def feast_store(server: Database, folder: Path) -> Any:
    """Feast's own, with the view that Argosy's bytes are laid out for."""
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
    from feast.repo_config import RepoConfig
    from feast.types import Float64, Int64, String

    place, port = server.uri.rpartition("@")[2].removeprefix("redis://").split("/")[0].split(":")
    online: dict[str, Any] = {"type": "redis", "connection_string": f"{place}:{port}"}
    if server.uri.startswith("postgresql"):
        where = {"host": place, "port": int(port), "database": "postgres", "user": "argosy", "password": ""}
        online = {"type": "postgres", "db_schema": "public", "sslmode": "disable", **where}
    store = FeatureStore(
        config=RepoConfig(
            project=shared_store.project(DIGEST),
            provider="local",
            registry=str(folder / "registry.db"),
            online_store=online,
            entity_key_serialization_version=3,
        )
    )
    entities = [
        Entity(name="id", join_keys=["id"], value_type=ValueType.STRING),
        Entity(name="number", join_keys=["number"], value_type=ValueType.INT64),
    ]
    schema = [Field(name="id", dtype=String), Field(name="number", dtype=Int64)]
    schema += [Field(name="score", dtype=Float64), Field(name="kind", dtype=String)]
    schema += [Field(name=moment_of(view.name), dtype=Float64) for view in VIEWS]
    source = FileSource(name="rows", path="rows.parquet", timestamp_field=EVENT_TIME)
    view = FeatureView(
        name=shared_store.VIEW, entities=entities, ttl=datetime.timedelta(0), schema=schema, source=source, online=True
    )
    store.apply([*entities, view])
    return store


@pytest.mark.filterwarnings("ignore")  # Feast's, about itself
def test_feast_reads_what_argosy_wrote(server: Database, published: Path, tmp_path: Path) -> None:
    """Through its own store, with nothing of Argosy in between."""
    store = opened(server)
    store.load(published, DIGEST, "toy")
    answer = feast_store(server, tmp_path).get_online_features(
        features=[f"{shared_store.VIEW}:{name}" for name in ("score", "kind", *map(moment_of, ("scores", "kinds")))],
        entity_rows=[keys(entity) for entity in ROWS],
    )
    found = answer.to_dict()
    assert found["score"] == [row["score"] for row in ROWS.values()]
    assert found["kind"] == [row["kind"] for row in ROWS.values()]
    moments = zip(found[moment_of("scores")], found[moment_of("kinds")], strict=True)
    assert list(moments) == list(MOMENTS.values())


@pytest.mark.filterwarnings("ignore")
def test_argosy_reads_what_feast_wrote(server: Database, published: Path, tmp_path: Path) -> None:
    """The same places, keys and values: Feast writes over what Argosy laid down, and its rows are answered."""
    import pandas as pd

    store = opened(server)
    store.load(published, DIGEST, "toy")
    told = {moment_of(view.name): float(NOON) for view in VIEWS}
    rows = [
        {**keys(("a", 1)), "score": 2.25, "kind": "feast", **told},
        {**keys(("new", 5)), "score": None, "kind": "feast", **told},
    ]
    frame = pd.DataFrame(rows).assign(**{EVENT_TIME: MOMENT + datetime.timedelta(days=1)})
    feast_store(server, tmp_path).write_to_online_store(shared_store.VIEW, frame)
    found = asked(store.open(DIGEST), [keys(("a", 1)), keys(("new", 5)), keys(("b", 1))])
    assert found == [{"score": 2.25, "kind": "feast"}, {"score": None, "kind": "feast"}, ROWS["b", 1]]


async def everybody(features: OnlineFeatures) -> None:
    """Ask for each entity alone, and for all at once: each answer is that entity's, never one that somebody else asked for."""
    for entity, row in ROWS.items():
        assert [found and found.features for found in await features.get([keys(entity)], NOON)] == [row]
    together = await features.get([keys(entity) for entity in ROWS], NOON)
    assert [found and found.features for found in together] == list(ROWS.values())


def failing_then_well(server: Database, published: Path, break_it: Callable[[], None], mend: Callable[[], None]) -> str:
    """Ask one reader before, while and after the server is broken; returns what was said meanwhile."""
    store = opened(server)
    store.load(published, DIGEST, "toy")
    features = store.open(DIGEST)

    async def ask() -> str:
        await everybody(features)
        break_it()
        # Several at once, so that every connection is left with an answer that nobody waits for any more.
        questions = [[keys(("a", 1))], [keys(("a", 1)), keys(("a", 2))]] * 5
        failures = await asyncio.gather(*(features.get(each, NOON) for each in questions), return_exceptions=True)
        assert {type(failure) for failure in failures} == {errors.TryAgain}
        mend()
        await everybody(features)
        await features.close()
        return str(failures[0])

    return asyncio.run(ask())


def test_a_store_that_is_down(server: Database, published: Path) -> None:
    """Said at once; the same reader goes on when it is back, with no restart."""
    assert "the online store " in failing_then_well(server, published, server.stop, server.start)


def test_a_store_that_hangs(server: Database, published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question has an end, whatever the other side does; an answer that comes too late is never taken for another question's."""

    def hang() -> None:
        server.signal(signal.SIGSTOP)
        monkeypatch.setattr(shared_store, "ANSWER_SECONDS", 0.2)

    def go_on() -> None:
        server.signal(signal.SIGCONT)
        monkeypatch.setattr(shared_store, "ANSWER_SECONDS", 30.0)

    assert failing_then_well(server, published, hang, go_on) == "no answer within 0.2 s"


@pytest.mark.parametrize(
    ("uri", "kind", "message"),
    [
        pytest.param("redis://:secret@127.0.0.1:1/0", errors.TryAgain, "redis://127.0.0.1:1/0", id="redis-away"),
        pytest.param("postgresql://u:secret@127.0.0.1:1/x", errors.TryAgain, "127.0.0.1:1/x", id="postgres-away"),
        pytest.param("redis://127.0.0.1:x/", errors.Misconfigured, "ARGOSY_ONLINE_STORE_URI", id="redis-no-port"),
        pytest.param(
            "postgresql://127.0.0.1:1/x?no=1", errors.Misconfigured, "ARGOSY_ONLINE_STORE_URI", id="postgres-no-option"
        ),
        pytest.param("mysql://u:secret@h/x", errors.Misconfigured, "begins with mysql://; expected", id="another"),
        pytest.param("secret@h", errors.Misconfigured, "begins with no scheme; expected", id="no-scheme"),
    ],
)
def test_addresses_that_lead_nowhere(uri: str, kind: type[errors.ArgosyError], message: str) -> None:
    """The setting or the place is named, never the password."""
    with pytest.raises(kind, match=message) as caught:
        opened(Database(uri, Path(), [], lambda: True))
    assert "secret" not in str(caught.value)


def test_a_redis_that_refuses(tmp_path: Path, published: Path) -> None:
    """A wrong password is a person's to mend; so is a Redis that would forget customers when memory is short."""
    with redis_server(tmp_path, "--requirepass", "right", "--maxmemory-policy", "allkeys-lru") as server:
        wrong = server.uri.replace("//", "//:wrong@")
        with pytest.raises(errors.Misconfigured, match=r"refuses: .*; look at ARGOSY_ONLINE_STORE_URI") as caught:
            RedisStore(wrong).held()
        assert "wrong@" not in str(caught.value)
        with pytest.raises(errors.Misconfigured, match="maxmemory-policy allkeys-lru"):
            RedisStore(server.uri.replace("//", "//:right@")).load(published, DIGEST, "toy")


def test_a_redis_that_is_full(tmp_path: Path, published: Path) -> None:
    """What to do is said, and nothing half is ever opened."""
    with redis_server(tmp_path, "--maxmemory", "100kb", "--maxmemory-policy", "noeviction") as server:
        with pytest.raises(errors.Misconfigured, match=r"is full: .*argosy online prune"):
            RedisStore(server.uri).load(published, DIGEST, "toy")
        with pytest.raises(errors.Misconfigured, match="was not loaded"):
            RedisStore(server.uri).open(DIGEST)


def test_a_postgres_that_refuses(postgres: Database) -> None:
    """Whom it does not know."""
    with pytest.raises(errors.Misconfigured, match='role "nobody" does not exist; look at ARGOSY_ONLINE_STORE_URI'):
        PostgresStore(postgres.uri.replace("argosy@", "nobody@")).held()


def test_a_folder_that_is_no_store(server: Database, tmp_path: Path) -> None:
    """Nothing is written."""
    store = opened(server)
    with pytest.raises(errors.Misconfigured, match="holds no online store"):
        store.load(tmp_path, DIGEST, "toy")
    assert store.held() == []


def test_what_an_earlier_argosy_published_is_read(server: Database, tmp_path: Path) -> None:
    """Without moments: from files and from a database alike, and nothing expires, however late it is."""
    folder = publish(ROWS, tmp_path / "online", views=())
    assert set(json.loads((folder / "online.json").read_text(encoding="utf-8"))) == {"table", "keys", "features"}
    store = opened(server)
    store.load(folder, DIGEST, "toy")
    for features in (FeastOnline(folder), store.open(DIGEST)):
        assert list(features.views) == []
        assert asked(features, [keys(entity) for entity in ROWS], NOON + 99_999 * HOUR) == list(ROWS.values())
