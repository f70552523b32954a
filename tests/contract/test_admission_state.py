"""Every store of the ledgers of retrainings holds the contract; what only a database can do is below."""

import datetime
import functools
import multiprocessing
import random
import sqlite3
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest

from argosy import errors, wiring
from argosy.adapters import sql_admission_state
from argosy.adapters.memory_admission_state import MemoryAdmissionState
from argosy.adapters.sql_admission_state import SqlAdmissionState
from argosy.domain import retraining_admission
from argosy.domain.retraining_admission import Admitted, Ask, Observation, Refused, RetrainingLedger
from argosy.domain.retraining_settings import Retraining
from argosy.settings import Settings
from argosy.testing.admission_state_contract import AdmissionStateContract, with_one_more
from kit import databases
from kit.databases import Database

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)
ASKERS = 6


@pytest.fixture(scope="module")
def postgres() -> Iterator[Database]:
    """One server for the tests of this module."""
    with databases.postgres_server() as server:
        yield server


@pytest.fixture
def empty_postgres(postgres: Database) -> str:
    """The address of a database without our table."""
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS argosy_retrainings")
    return postgres.uri


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A database that does not exist yet, in a folder that does not either."""
    return f"sqlite:///{tmp_path}/the loop/loop.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest) -> str:
    """Each of the two."""
    address: str = request.getfixturevalue("file" if request.param == "sqlite" else "empty_postgres")
    return address


class TestMemoryLedgers(AdmissionStateContract):
    """What tests use."""

    @pytest.fixture
    def state(self) -> MemoryAdmissionState:
        """An empty one."""
        return MemoryAdmissionState()


class TestSqlLedgers(AdmissionStateContract):
    """What a laptop and a cluster use."""

    @pytest.fixture
    def state(self, uri: str) -> SqlAdmissionState:
        """One whose table is made on first use."""
        return SqlAdmissionState(uri)


def decided(ledger: RetrainingLedger, ask: Ask) -> tuple[Admitted | Refused, RetrainingLedger]:
    """A turn that decides on *ask*, with two looks that show drift."""
    looks = [
        Observation(until=until, model_digest="sha256:0a", rows=9999, drifted=True, distance=0.5)
        for until in (NOW - datetime.timedelta(hours=1), NOW)
    ]
    return retraining_admission.decide(ledger, ask, Retraining(), looks, NOW)


def _ask_many(uri: str, number: int, each: int, barrier: Barrier, admitted: "multiprocessing.Queue[str]") -> None:
    """Bring *each* duplicates of five alerts, in an order of this process's own."""
    chance = random.Random(number)
    windows = [str(index % 5) for index in range(each)]
    chance.shuffle(windows)
    state = SqlAdmissionState(uri)
    barrier.wait()
    for index, window in enumerate(windows):
        ask = Ask(model="churn", kind="drift", reference="sha256:0a", window=window, holder=f"{number}-{index}")
        decision = state.take_turn("churn", functools.partial(decided, ask=ask))
        if isinstance(decision, Admitted):
            admitted.put(decision.entry.holder)


def test_duplicates_from_several_processes(uri: str) -> None:
    """Alerts five times over, shuffled, from processes that all begin on no table: one is admitted, the rest is counted by reason.

    What ten thousand show beyond six hundred is the ledger's, which knows no store, and is shown there.
    """
    each = 100
    context = multiprocessing.get_context("fork")
    barrier, admitted = context.Barrier(ASKERS), context.Queue()
    askers = [
        context.Process(target=_ask_many, args=(uri, number, each, barrier, admitted)) for number in range(ASKERS)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert [asker.exitcode for asker in askers] == [0] * ASKERS
    ledger = SqlAdmissionState(uri).ledger("churn")
    assert ledger.running is not None
    assert admitted.get(timeout=5) == ledger.running.holder
    assert admitted.empty()
    assert (ledger.admitted, sum(ledger.refused.values())) == (1, ASKERS * each - 1)
    assert set(ledger.refused) == {"duplicate", "in flight"}


def test_another_process_sees_it(uri: str) -> None:
    """What one step left, the next one finds."""
    SqlAdmissionState(uri).take_turn("churn", with_one_more)
    assert SqlAdmissionState(uri).take_turn("churn", with_one_more) == 2


def test_a_name_is_a_value(uri: str) -> None:
    """What SQL would take for its own."""
    name = "x'); DROP TABLE argosy_retrainings; --"
    state = SqlAdmissionState(uri)
    state.take_turn(name, with_one_more)
    assert list(state.models()) == [name]


def test_a_ledger_of_another_version(uri: str) -> None:
    """Is refused with the way out, and stays as it was."""
    state = SqlAdmissionState(uri)
    state.take_turn("churn", with_one_more)
    with state._engine().begin() as connection:
        connection.execute(sql_admission_state.KEEP, {"model": "churn", "ledger": '{"model":"churn","novel":1}'})
    with pytest.raises(errors.Misconfigured, match=r"the ledger of churn in .* is none of this version: novel"):
        state.take_turn("churn", with_one_more)
    with pytest.raises(errors.Misconfigured, match="remove the row"):
        state.ledger("churn")


def test_a_database_that_stays_held(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience has an end, and then the step may be tried again."""
    monkeypatch.setattr(sql_admission_state, "PATIENCE", 0.01)
    state = SqlAdmissionState(file)
    state.take_turn("churn", with_one_more)
    with sqlite3.connect(file.removeprefix("sqlite:///"), isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(errors.TryAgain, match="database is locked"):
            state.take_turn("churn", with_one_more)
    holder.close()


def test_a_row_that_stays_held(empty_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of PostgreSQL; another model's row is not held up by it."""
    monkeypatch.setattr(sql_admission_state, "PATIENCE", 1)
    state = SqlAdmissionState(empty_postgres)
    state.take_turn("churn", with_one_more)
    with psycopg.connect(empty_postgres) as holder:
        holder.execute("UPDATE argosy_retrainings SET turn = 5")
        with pytest.raises(errors.TryAgain, match="lock timeout"):
            state.take_turn("churn", with_one_more)
        assert state.take_turn("flight_delay", with_one_more) == 1


def test_a_server_that_was_away(postgres: Database, empty_postgres: str) -> None:
    """While it is away the step may be tried again; what was kept is there when it is back, for a process that lived through it too."""
    state = SqlAdmissionState(empty_postgres)
    state.take_turn("churn", with_one_more)
    postgres.stop()
    try:
        with pytest.raises(errors.TryAgain, match=r"the database of retrainings .* failed: "):
            state.take_turn("churn", with_one_more)
    finally:
        postgres.start()
    assert state.take_turn("churn", with_one_more) == 2


def test_who_may_not_make_a_table(postgres: Database, empty_postgres: str) -> None:
    """Is told so, and needs not once it is there."""
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS step")
        connection.execute("CREATE ROLE step LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    as_step = postgres.uri.replace("argosy@", "step@")
    with pytest.raises(errors.Misconfigured, match="permission denied"):
        SqlAdmissionState(as_step).take_turn("churn", with_one_more)
    SqlAdmissionState(empty_postgres).take_turn("churn", with_one_more)
    with psycopg.connect(postgres.uri, autocommit=True) as connection:
        connection.execute("GRANT SELECT, INSERT, UPDATE ON argosy_retrainings TO step")
    assert SqlAdmissionState(as_step).take_turn("churn", with_one_more) == 2


def test_a_file_that_is_no_database(file: str) -> None:
    """Something else in its place is not retried: a person has to look."""
    path = Path(file.removeprefix("sqlite:///"))
    path.parent.mkdir()
    path.write_bytes(b"not a database, and long enough to be looked at as one" * 20)
    with pytest.raises(errors.Misconfigured, match="file is not a database"):
        SqlAdmissionState(file).ledger("churn")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("nonsense", "not shown: it is no database URL", id="no-url"),
        pytest.param("mysql://root:secret@db/argosy", "expected sqlite:///", id="another-kind"),
        pytest.param("sqlite://", "expected sqlite:///", id="in-memory"),
        pytest.param("redis://db", "expected sqlite:///", id="no-database"),
    ],
)
def test_an_address_of_no_use(address: str, message: str) -> None:
    """Names the setting; a password in it is not shown."""
    with pytest.raises(errors.Misconfigured, match=message) as caught:
        SqlAdmissionState(address).ledger("churn")
    assert "ARGOSY_LOOP_STORAGE_URI" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_turn_is_not_kept_where_its_process_dies(file: str) -> None:
    """Killed in the middle of a turn: the ledger is as before, and nobody waits for the dead."""
    state = SqlAdmissionState(file)
    state.take_turn("churn", with_one_more)

    def die(ledger: RetrainingLedger) -> tuple[int, RetrainingLedger]:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)
        return with_one_more(ledger)

    process = multiprocessing.get_context("fork").Process(
        target=lambda: SqlAdmissionState(file).take_turn("churn", die)
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    assert state.take_turn("churn", with_one_more) == 2


def test_a_pod_without_a_database(tmp_path: Path) -> None:
    """Its files end with it, and a ledger that forgets lets everything in: it is refused; what is named is taken, here a file."""
    pod = {"ARGOSY_HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    with pytest.raises(errors.Misconfigured, match="a pod's own files end with it"):
        wiring.admission_state(Settings.from_environment(pod))
    named = Settings.from_environment({**pod, "ARGOSY_LOOP_STORAGE_URI": f"sqlite:///{tmp_path}/stays.db"})
    assert list(wiring.admission_state(named).models()) == []
    assert list(wiring.admission_state(Settings.from_environment({"ARGOSY_HOME": str(tmp_path)})).models()) == []
