"""Keeps trials in a database in Optuna's own form, so that its dashboard and tools can read them.

SQLite for a laptop, PostgreSQL or MySQL for a cluster. The trial as Argosy knows it is a user attribute; parameters, value and state
are Optuna's. What a database says when it fails ends here.
"""

import contextlib
import fcntl
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy import exc

from argosy import errors
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Trial
from argosy.ml import metrics, sampling

SETTING = "ARGOSY_SEARCH_STORAGE_URI"
SQLITE = "sqlite:///"
ATTRIBUTE = "argosy"

# Seconds that a writer waits for another one; a write takes milliseconds, so reaching it means that something holds the database.
PATIENCE = 30
# A reader that turns writer while another writes is refused at once, whatever the patience: SQLite cannot wait without a deadlock.
ATTEMPTS = 8


class OptunaStorage:
    """Trials of one model's searches in the database at *uri*. Opens it on first use."""

    def __init__(self, uri: str, settings: ModelSettings) -> None:
        self._uri = uri
        self._space = sampling.distributions(settings)
        self._direction = metrics.direction(settings.task, settings.search.metric)
        self._storage: RDBStorage | None = None

    def recorded(self, study: str) -> Mapping[int, Trial]:
        """The trials of *study*, by number; of a number that was recorded twice the first."""
        with self._failures():
            attributes = [trial.user_attrs.get(ATTRIBUTE) for trial in self._study(study).get_trials(deepcopy=False)]
        trials = [Trial.model_validate(attribute) for attribute in attributes if attribute]
        return {trial.number: trial for trial in reversed(trials)}

    def record(self, study: str, trial: Trial) -> None:
        """Add *trial* to *study*."""
        kept = sampling.frozen(trial, self._space, {ATTRIBUTE: trial.model_dump(mode="json")})
        with self._failures():
            self._again(lambda: self._study(study).add_trial(kept))

    def _study(self, name: str) -> optuna.Study:
        return optuna.create_study(
            storage=self._opened(), study_name=name, direction=self._direction, load_if_exists=True
        )

    def _opened(self) -> RDBStorage:
        if self._storage is None:
            # Its log would announce every study; a step's log is for people.
            logging.getLogger("alembic").setLevel(logging.WARNING)
            optuna.logging.set_verbosity(optuna.logging.WARNING)
            self._storage = (
                self._sqlite() if self._uri.startswith(SQLITE) else self._again(lambda: RDBStorage(self._uri))
            )
        return self._storage

    def _sqlite(self) -> RDBStorage:
        path = Path(self._uri.removeprefix(SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two tasks that create the tables at once trip over each other; one waits here instead. What the lock file says spares the others
        # Optuna's look at the tables' version, which takes longer than all of a task's reads and writes.
        with path.with_name(f"{path.name}.lock").open("a+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            ready = lock.read() == optuna.__version__ and path.exists() and path.stat().st_size > 0
            if not ready:
                with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
                    connection.execute("PRAGMA journal_mode=WAL")
            storage = RDBStorage(
                self._uri,
                engine_kwargs={"connect_args": {"timeout": PATIENCE}},
                skip_compatibility_check=ready,
                skip_table_creation=ready,
            )
            lock.truncate(0)
            lock.write(optuna.__version__)
        return storage

    def _again(self, call: Any) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return call()
            except (
                exc.OperationalError,
                exc.IntegrityError,
                exc.ProgrammingError,
                optuna.exceptions.StorageInternalError,
            ):
                if attempt == ATTEMPTS:
                    raise
                time.sleep(0.01 * 2**attempt)
        raise AssertionError

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise errors.Misconfigured(
                f"{SETTING} is {self._shown()}, which cannot be used: {errors.first_line(error)}"
            ) from error
        except (exc.SQLAlchemyError, sqlite3.Error, optuna.exceptions.StorageInternalError) as error:
            cause = errors.first_line(error.__cause__ or error)
            subject = f"the search's database {self._shown()}"
            raise errors.of_database(subject, cause, forgets="memory of old trials", setting=SETTING) from error

    def _shown(self) -> str:
        try:
            return sqlalchemy.engine.make_url(self._uri).render_as_string(hide_password=True)
        except exc.ArgumentError:
            return "(not shown: it is no database URL)"
