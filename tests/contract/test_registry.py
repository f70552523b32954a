"""Every registry holds the contract; what MLflow shows to people, and how it survives kills, is below."""

import itertools
import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.adapters.mlflow_registry import MlflowRegistry
from argosy.domain.documents import sha256
from argosy.ports.registry import Registered
from argosy.testing.registry_contract import Aliases, RegistryContract, candidate, judgement

# MLflow's own use of SQLAlchemy 2.1.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry's folder with an empty database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("registry")
    MlflowRegistry(f"sqlite:///{folder}/mlflow.db").check()
    return folder


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """An empty registry's database."""
    return Path(shutil.copytree(migrated, tmp_path / "registry")) / "mlflow.db"


class TestMemoryRegistry(RegistryContract):
    """The fake that other tests use."""

    @pytest.fixture
    def registry(self) -> MemoryRegistry:
        """A fresh one."""
        return MemoryRegistry()

    @pytest.fixture
    def aliases(self, registry: MemoryRegistry) -> Aliases:
        """As it keeps them."""
        return lambda: {alias: version for (model, alias), version in registry.aliases.items() if model == "toy"}


class TestMlflowRegistry(RegistryContract):
    """An SQLite file."""

    @pytest.fixture
    def registry(self, database: Path) -> MlflowRegistry:
        """A fresh one."""
        return MlflowRegistry(f"sqlite:///{database}")

    @pytest.fixture
    def aliases(self, database: Path) -> Aliases:
        """As MLflow keeps them."""
        return lambda: dict(_rows(database, "select alias, version from registered_model_aliases where name = 'toy'"))


def _rows(database: Path, query: str) -> list[Any]:
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def _client(database: Path) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{database}", registry_uri=f"sqlite:///{database}")


def test_what_people_see(database: Path, tmp_path: Path) -> None:
    """Run and version show how the model was made and judged, and its files are beside them."""
    registry = MlflowRegistry(f"sqlite:///{database}")
    recorded = registry.record(candidate("a", tmp_path))
    registry.judge("toy", 1, judgement("promote", tmp_path))
    client = _client(database)
    run, version = client.get_run(recorded.run), client.get_model_version("toy", "1")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"eta": "0.1"}
    assert run.data.metrics == {"auc": 0.8, "trial.score": 0.6, "performance.slice.plan.Month-to-month _auto_.auc": 0.5}
    assert [(m.step, m.value) for m in client.get_metric_history(recorded.run, "trial.score")] == [(0, 0.5), (1, 0.6)]
    assert run.data.tags["git_commit"] == "0" * 40
    assert {path.path for path in client.list_artifacts(recorded.run)} == {"bundle", "evidence", "model.yaml", "search"}
    assert [path.path for path in client.list_artifacts(recorded.run, "search")] == ["search/history.json"]
    assert version.run_id == recorded.run
    assert version.description == "# Card\n"
    assert version.tags["ready_for_deployment"] == "true"
    assert version.tags["verdict"] == "promote"
    assert version.source.startswith(f"file://{database.parent}/artifacts/toy/")


def test_judgements_are_kept_apart(database: Path, tmp_path: Path) -> None:
    """The second evidence does not overwrite the first; repeating either adds nothing."""
    registry = MlflowRegistry(f"sqlite:///{database}")
    recorded = registry.record(candidate("a", tmp_path))
    for evidence in ("first", "second", "second", "first"):
        registry.judge("toy", 1, judgement("promote", tmp_path, evidence))
    client = _client(database)
    assert {path.path for path in client.list_artifacts(recorded.run)} >= {"evidence", "evidence-2"}
    history = client.get_metric_history(recorded.run, "performance.slice.plan.Month-to-month _auto_.auc")
    assert [metric.step for metric in history] == [0, 1]


def test_a_long_card_is_shortened(database: Path, tmp_path: Path) -> None:
    """A description has a limit in the databases MLflow supports; the whole card is in the artifacts."""
    registry = MlflowRegistry(f"sqlite:///{database}")
    registry.record(candidate("a", tmp_path))
    judged = judgement("promote", tmp_path)
    registry.judge("toy", 1, type(judged)(**{**vars(judged), "model_card": "x" * 9000}))
    description = _client(database).get_model_version("toy", "1").description
    assert len(description) <= 5000
    assert description.endswith("artifacts under `evidence`)")


def _calls(registry: MlflowRegistry, tmp_path: Path) -> Registered:
    recorded = registry.record(candidate("a", tmp_path))
    registry.judge("toy", recorded.version, judgement("promote", tmp_path))
    return recorded


def _kill_self_at_commit(call: int, folder: Path, *, after: bool) -> None:
    """Die at commit number *call* of the registry in *folder*: those are the moments at which something becomes true.

    Most commits end a reading. They count where a file came or went since the commit before; of the others, the kill would find and leave
    what it does at the next one.
    """
    from sqlalchemy.engine import default

    real, calls = default.DefaultDialect.do_commit, itertools.count()
    seen: set[Path] = set()

    def do_commit(self: object, connection: Any) -> None:
        files = set((folder / "artifacts").rglob("*"))
        counts = connection.in_transaction or files != seen
        seen.clear()
        seen.update(files)
        here = counts and next(calls) == call
        if here and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, connection)  # type: ignore[arg-type,no-untyped-call]
        if here:
            os.kill(os.getpid(), signal.SIGKILL)

    default.DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _killed_at(call: int, folder: Path, *, after: bool, action: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        _kill_self_at_commit(call, folder, after=after)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _every_commit(migrated: Path, tmp_path: Path, *, after: bool) -> Iterator[MlflowRegistry]:
    """A registry for each commit at which recording can be killed, as the kill left it."""
    for call in itertools.count():
        folder = Path(shutil.copytree(migrated, tmp_path / f"{call}"))
        registry = MlflowRegistry(f"sqlite:///{folder}/mlflow.db")
        if not _killed_at(call, folder, after=after, action=lambda registry=registry: _calls(registry, tmp_path)):  # type: ignore[misc]
            assert call > 10, "recording made hardly any commits: nothing was tried"
            return
        yield registry
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before-each-commit", "after-each-commit"])
def test_killed_and_registered_again(migrated: Path, tmp_path: Path, after: bool) -> None:
    """Killed round every commit, then registered again: one run, one version, everything recorded once."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - loaded before the forks, once

    for registry in _every_commit(migrated, tmp_path, after=after):
        recorded = _calls(registry, tmp_path)
        database = Path(registry._uri.removeprefix("sqlite:///"))
        assert recorded.version == 1
        assert _rows(database, "select count(*) from model_versions") == [(1,)]
        assert _rows(database, "select count(*) from runs") == [(1,)]
        assert _rows(database, "select step, value from metrics where key = 'trial.score' order by step") == [
            (0, 0.5),
            (1, 0.6),
        ]
        assert _rows(database, "select alias, version from registered_model_aliases") == [("challenger", 1)]
        assert _calls(registry, tmp_path) == recorded


def _record(database: Path, folder: Path, barrier: Barrier, results: Any) -> None:
    registry = MlflowRegistry(f"sqlite:///{database}")
    for number in range(10):
        barrier.wait()
        results.put((number, registry.record(candidate(f"{number}", folder / f"{number}")).version))


def test_two_processes_register_at_once(database: Path, tmp_path: Path) -> None:
    """Both get the same number for the same model, and there is one run and one version of it."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - loaded before the forks, once

    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(2, timeout=60), context.Queue()
    workers = [
        context.Process(target=_record, args=(database, tmp_path / f"w{worker}", barrier, results))
        for worker in range(2)
    ]
    for worker in workers:
        worker.start()
    versions = sorted(results.get(timeout=60) for _ in range(20))
    for worker in workers:
        worker.join(60)
    results.close()
    results.join_thread()
    assert versions == sorted([(number, number + 1) for number in range(10)] * 2)
    assert _rows(database, "select count(*) from model_versions") == [(10,)]
    assert _rows(database, "select count(*) from runs") == [(10,)]


def test_a_version_made_in_a_race_is_taken_back(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a server nobody takes turns: whoever finds that another's version came first removes their own."""
    from mlflow.tracking import MlflowClient

    registry = MlflowRegistry(f"sqlite:///{database}")
    real, rival = MlflowClient.create_model_version, {"model": "toy"}

    def beaten(self: Any, name: str, **options: Any) -> Any:
        if rival.pop("model", None):
            real(self, name, **options)
        return real(self, name, **options)

    monkeypatch.setattr(MlflowClient, "create_model_version", beaten)
    assert registry.record(candidate("a", tmp_path)).version == 1
    assert [version.version for version in _client(database).search_model_versions("name = 'toy'")] == [1]


def test_a_database_is_made_whole(tmp_path: Path) -> None:
    """The database appears when its tables are complete, and nothing else is left."""
    database = tmp_path / "registry" / "mlflow.db"
    MlflowRegistry(f"sqlite:///{database}").check()
    assert sorted(path.name for path in database.parent.iterdir()) == ["mlflow.db", "mlflow.db.lock"]
    assert MlflowRegistry(f"sqlite:///{database}").crown("toy", sha256(b"a")) is None


def test_a_server_that_is_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No answer is a reason to try again, not a traceback."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(errors.TryAgain, match=r"registry at http://127\.0\.0\.1:9 fails"):
        MlflowRegistry("http://127.0.0.1:9").record(candidate("a", tmp_path))


def test_a_damaged_database(database: Path, tmp_path: Path) -> None:
    """A file that is no database is named."""
    database.write_bytes(b"this is no database" * 100)
    with pytest.raises(errors.TryAgain, match=r"mlflow\.db fails"):
        MlflowRegistry(f"sqlite:///{database}").record(candidate("a", tmp_path))
