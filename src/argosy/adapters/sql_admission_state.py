"""Keeps the ledgers of retrainings in a database: an SQLite file on a laptop, PostgreSQL on a cluster, by the same statements.

A ledger is one row. A turn begins with a write to that row, which waits for whoever else has it, and reads it in the same statement. What
a database says when it fails ends here.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy
from pydantic import ValidationError
from sqlalchemy import Connection, Engine, NullPool, event, exc, text

from argosy import errors, sql_addresses
from argosy.domain.retraining_admission import RetrainingLedger
from argosy.ports.admission_state import Answer, Turn

SETTING = "ARGOSY_LOOP_STORAGE_URI"
KINDS = ("sqlite", "postgresql", "postgres")
"""Kinds of databases that ledgers can be kept in."""

PATIENCE = 30
"""Seconds that a turn waits for another one; a turn takes milliseconds, so reaching it means that something holds the database."""

TABLE = "argosy_retrainings"
CREATE = text(
    f"CREATE TABLE IF NOT EXISTS {TABLE} (model TEXT PRIMARY KEY, turn BIGINT NOT NULL, ledger TEXT NOT NULL)"
)
# Not an insert that does nothing where the row is there: that would lock no row.
BEGIN = text(
    f"INSERT INTO {TABLE} (model, turn, ledger) VALUES (:model, 1, '') "  # noqa: S608 - no value is in the text
    f"ON CONFLICT (model) DO UPDATE SET turn = {TABLE}.turn + 1 RETURNING ledger"
)
KEEP = text(f"UPDATE {TABLE} SET ledger = :ledger WHERE model = :model")  # noqa: S608
READ = text(f"SELECT ledger FROM {TABLE} WHERE model = :model")  # noqa: S608
MODELS = text(f"SELECT model FROM {TABLE} ORDER BY model")  # noqa: S608


class SqlAdmissionState:
    """Ledgers in the database at *uri*; see :class:`argosy.ports.admission_state.AdmissionState`. Opens it on first use."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._opened: Engine | None = None

    def take_turn(self, model: str, turn: Turn[Answer]) -> Answer:
        """See the port. What *turn* raises rolls the transaction back."""
        with self._transaction() as connection:
            kept = connection.execute(BEGIN, {"model": model}).scalar_one()
            answer, ledger = turn(self._read(model, kept))
            connection.execute(KEEP, {"model": model, "ledger": ledger.canonical_json()})
        return answer

    def ledger(self, model: str) -> RetrainingLedger:
        """See the port."""
        with self._transaction() as connection:
            kept = connection.execute(READ, {"model": model}).scalar_one_or_none()
        return self._read(model, kept or "")

    def models(self) -> Sequence[str]:
        """See the port."""
        with self._transaction() as connection:
            return list(connection.execute(MODELS).scalars())

    def _read(self, model: str, kept: str) -> RetrainingLedger:
        if not kept:
            return RetrainingLedger(model=model)
        try:
            return RetrainingLedger.model_validate_json(kept)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise errors.Misconfigured(
                f"the ledger of {model} in {self._shown()} is none of this version: {field}: {first['msg']}; bring every step to one "
                f"version of Argosy, or remove the row of {model} from the table {TABLE}, which forgets its retrainings"
            ) from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._failures(), self._engine().begin() as connection:
            yield connection

    def _engine(self) -> Engine:
        if self._opened is None:
            url = self._address()
            if url.get_backend_name() == "sqlite":
                Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
            # No pool: turns are rare, and a database that was away and came back is no failure.
            engine = sqlalchemy.create_engine(url, poolclass=NullPool, connect_args=_patience(url))
            if url.get_backend_name() != "sqlite":
                event.listen(engine, "begin", _wait_for_a_row_no_longer)
            _make_table(engine)
            self._opened = engine
        return self._opened

    def _address(self) -> sqlalchemy.URL:
        url = sqlalchemy.make_url(self._uri)
        kind = url.get_backend_name()
        if kind not in KINDS or (kind == "sqlite" and not url.database):
            raise errors.Misconfigured(
                f"{SETTING} is {self._shown()}; expected sqlite:///<file> or postgresql://<user>@<host>/<database>"
            )
        return url.set(drivername=sql_addresses.DRIVERS[kind])

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise errors.Misconfigured(
                f"{SETTING} is {self._shown()}, which cannot be used: {errors.first_line(error)}"
            ) from error
        except (exc.SQLAlchemyError, sqlite3.Error) as error:
            cause = errors.first_line(error.__cause__ or error)
            subject = f"the database of retrainings {self._shown()}"
            raise errors.of_database(
                subject, cause, forgets="memory of earlier retrainings", setting=SETTING
            ) from error

    def _shown(self) -> str:
        try:
            return sqlalchemy.make_url(self._uri).render_as_string(hide_password=True)
        except exc.ArgumentError:
            return "(not shown: it is no database URL)"


def _patience(url: sqlalchemy.URL) -> dict[str, int]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": PATIENCE}
    return {} if "connect_timeout" in url.query else {"connect_timeout": PATIENCE}


def _wait_for_a_row_no_longer(connection: Connection) -> None:
    # SQLite has it from its connection. Not an option of the connection here: poolers such as PgBouncer take none.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")


def _make_table(engine: Engine) -> None:
    """Make the table where it is not there: who may not make one needs not, once somebody has."""
    if sqlalchemy.inspect(engine).has_table(TABLE):
        return
    try:
        with engine.begin() as connection:
            connection.execute(CREATE)
    except (exc.IntegrityError, exc.ProgrammingError):
        # IF NOT EXISTS is no promise in PostgreSQL where two make it at once: one of them meets a duplicate.
        if not sqlalchemy.inspect(engine).has_table(TABLE):
            raise
