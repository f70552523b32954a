"""Every storage of trials holds the contract; what only a database can do is below."""

import multiprocessing
import sqlite3
import threading
from multiprocessing.synchronize import Barrier
from pathlib import Path

import optuna
import pytest

from argosy import errors
from argosy.adapters import optuna_storage
from argosy.adapters.memory_search_storage import MemorySearchStorage
from argosy.adapters.optuna_storage import OptunaStorage
from argosy.testing.search_storage_contract import SearchStorageContract, make_trial
from kit.examples import make_settings

SETTINGS = make_settings("binary", ["no", "yes"], "log_loss")
WRITERS, EACH = 6, 6


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A database that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path}/the search/optuna.db"


class TestMemory(SearchStorageContract):
    """What tests use."""

    @pytest.fixture
    def storage(self) -> MemorySearchStorage:
        """An empty one."""
        return MemorySearchStorage()


class TestSqlite(SearchStorageContract):
    """What a laptop uses."""

    @pytest.fixture
    def storage(self, uri: str) -> OptunaStorage:
        """One whose tables are made on first use."""
        return OptunaStorage(uri, SETTINGS)


def test_another_process_sees_it(uri: str) -> None:
    """What one task recorded, the next one finds."""
    OptunaStorage(uri, SETTINGS).record("s", make_trial(0))
    assert OptunaStorage(uri, SETTINGS).recorded("s") == {0: make_trial(0)}


def test_people_can_read_it_with_optuna(uri: str) -> None:
    """Optuna's own tools show parameters, value, state and running means."""
    storage = OptunaStorage(uri, SETTINGS)
    storage.record("s", make_trial(0))
    storage.record("s", make_trial(1, state="pruned"))
    first, second = optuna.load_study(study_name="s", storage=uri).trials
    assert (first.value, first.params["max_depth"]) == (pytest.approx(0.41), 3)
    assert (second.state, second.intermediate_values) == (optuna.trial.TrialState.PRUNED, {1: 0.6})


def _warm(folder: Path) -> None:
    """Import what opening takes, so that processes forked from here meet at the database and not at the imports."""
    OptunaStorage(f"sqlite:///{folder}/other.db", SETTINGS).recorded("s")


def _write(uri: str, writer: int, barrier: Barrier) -> None:
    barrier.wait()
    storage = OptunaStorage(uri, SETTINGS)
    storage.recorded("s")
    for number in range(EACH):
        storage.record("s", make_trial(EACH * writer + number))


def test_many_processes_create_and_write_at_once(uri: str, tmp_path: Path) -> None:
    """Tables made by several tasks at once, then written by all: no error, nothing lost."""
    _warm(tmp_path)
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(WRITERS)
    writers = [context.Process(target=_write, args=(uri, number, barrier)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert sorted(OptunaStorage(uri, SETTINGS).recorded("s")) == list(range(WRITERS * EACH))


def test_a_held_database_is_waited_for(uri: str) -> None:
    """A writer that finds another one inside waits for it."""
    storage = OptunaStorage(uri, SETTINGS)
    storage.record("s", make_trial(0))
    holder = sqlite3.connect(uri.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, lambda: holder.execute("COMMIT")).start()
    storage.record("s", make_trial(1))
    assert sorted(storage.recorded("s")) == [0, 1]
    holder.close()


def test_a_database_that_stays_held(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience has an end, and then the task may be tried again."""
    monkeypatch.setattr(optuna_storage, "PATIENCE", 0.01)
    monkeypatch.setattr(optuna_storage, "ATTEMPTS", 2)
    storage = OptunaStorage(uri, SETTINGS)
    storage.record("s", make_trial(0))
    with sqlite3.connect(uri.removeprefix("sqlite:///"), isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.TryAgain, match="database is locked"):
            storage.record("s", make_trial(1))
    holder.close()


def test_a_file_that_is_no_database(uri: str) -> None:
    """Something else in its place is not retried: a person has to look."""
    path = Path(uri.removeprefix("sqlite:///"))
    path.parent.mkdir()
    path.write_bytes(b"not a database, and long enough to be looked at as one" * 20)
    with pytest.raises(errors.Misconfigured, match="file is not a database"):
        OptunaStorage(uri, SETTINGS).recorded("s")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("nonsense", "cannot be used", id="no-url"),
        pytest.param("oracle9://db/x", "cannot be used", id="unknown-kind"),
    ],
)
def test_addresses_that_cannot_be_used(address: str, message: str) -> None:
    """The setting is named."""
    with pytest.raises(errors.Misconfigured, match=f"ARGOSY_SEARCH_STORAGE_URI is .*{message}"):
        OptunaStorage(address, SETTINGS).recorded("s")


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error names the database, never the key to it."""
    storage = OptunaStorage("unknown://argosy:secret@db/search", SETTINGS)
    with pytest.raises(errors.Misconfigured) as caught:
        storage.recorded("s")
    assert "secret" not in str(caught.value)
    assert "argosy:***@db" in str(caught.value)
