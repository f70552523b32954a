"""The journal of one run: every node and every attempt, in SQLite with a write-ahead log.

A round of the engine is one transaction; where a step ended in it, one fsync follows while the next steps start. What was committed
survives ``kill -9``; after a power loss the last rounds may be missing, never half of one. Schema version 1:

- ``meta(key, value)``: ``schema``, ``phase``, ``message``, ``started``, ``finished``, ``outputs`` (the workflow's own, as JSON),
  ``suspended`` (``true`` while nothing more begins);
- ``nodes(name, body)``: the node as JSON (``nodes.Node.to_json``), replaced whenever it changes;
- ``attempts(node, number, pid, start_time, started, finished, code)``: one row a process, written before it starts; ``start_time`` is the
  kernel's, which together with the pid names one process for good;
- ``made_of(node, body)``: what the answer of a cached step depends on, as JSON, long texts as digests. Journals of older versions lack it.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engine.nodes import Json, Node
from argosy.engine.state import disk

SCHEMA = 1

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS nodes (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    node TEXT NOT NULL, number INTEGER NOT NULL, pid INTEGER, start_time INTEGER, started REAL NOT NULL, finished REAL, code INTEGER,
    PRIMARY KEY (node, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made_of (node TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('schema', '{SCHEMA}');
COMMIT;
"""  # noqa: S608 - the number is ours

_ATTEMPTS = "SELECT node, number, started, pid, start_time, finished, code FROM attempts ORDER BY node, number"


@dataclass
class Attempt:
    """One process of one node. *code*: its exit code, 128 + n after signal n."""

    node: str
    number: int
    started: float
    pid: int | None = None
    start_time: int | None = None
    finished: float | None = None
    code: int | None = None


class Journal:
    """The journal in the file *path*, made when it is not there."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            read(path)  # which refuses what another version wrote, before anything is changed
        with disk.guarded("write the journal of the run"):
            self._database = sqlite3.connect(path, isolation_level=None)
            (mode,) = self._database.execute("PRAGMA journal_mode = WAL").fetchone()
            # With a log: no sync at a commit, `sync` has it where it is wanted, and a checkpoint syncs by itself. Some network file systems
            # have no log; there each commit syncs, also the folder in which its rollback journal goes away.
            self._database.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'EXTRA'}")
            # All of it appears at once, so that nobody reads half a journal.
            self._database.executescript(_TABLES)
        self.fsyncs = 0
        self._log = path.with_name(f"{path.name}-wal") if mode == "wal" else None

    def write(
        self,
        *,
        nodes: Iterable[Node] = (),
        attempts: Iterable[Attempt] = (),
        meta: Mapping[str, str] | None = None,
        made_of: Mapping[str, Json] | None = None,
        durable: bool = True,
    ) -> None:
        """One transaction. *made_of*: what the answers of cached steps depend on, by node.

        *durable*: on the disk before this returns; otherwise safe from ``kill -9`` only.
        """
        with disk.guarded("write the journal of the run"):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._write_rows(nodes, attempts, meta or {})
                self._write_made_of(made_of or {})
                self._database.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        if durable:
            self.sync()

    def sync(self) -> None:
        """Return once all that was written is on the disk."""
        if self._log:
            with disk.guarded("write the journal of the run"):
                disk.sync(self._log)
        self.fsyncs += 1

    def forget(self, names: Iterable[str]) -> None:
        """Remove nodes, so that they are done again. Their attempts stay on record."""
        with disk.guarded("write the journal of the run"):
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM nodes WHERE name = ?", ((name,) for name in names))
            self._database.execute("COMMIT")

    def _write_rows(self, nodes: Iterable[Node], attempts: Iterable[Attempt], meta: Mapping[str, str]) -> None:
        self._database.executemany(
            "INSERT INTO nodes (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            ((node.name, json.dumps(node.to_json())) for node in nodes),
        )
        self._database.executemany(
            "INSERT OR REPLACE INTO attempts (node, number, started, pid, start_time, finished, code) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (tuple(vars(attempt).values()) for attempt in attempts),
        )
        self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())

    def _write_made_of(self, made_of: Mapping[str, Json]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO made_of VALUES (?, ?)",
            ((node, json.dumps(parts)) for node, parts in made_of.items()),
        )

    def _roll_back(self) -> None:
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def nodes(self) -> dict[str, Node]:
        """All nodes, in the order in which they came up."""
        rows = self._database.execute("SELECT body FROM nodes ORDER BY position")
        found = (Node.from_json(json.loads(body)) for (body,) in rows)
        return {node.name: node for node in found}

    def attempts(self) -> list[Attempt]:
        """All attempts, in the order of their nodes' names and their numbers."""
        return [Attempt(*row) for row in self._database.execute(_ATTEMPTS)]

    def meta(self) -> dict[str, str]:
        """The meta data of the run as a whole."""
        return dict(self._database.execute("SELECT key, value FROM meta"))

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def read(path: Path) -> tuple[dict[str, str], dict[str, Node]]:
    """The meta data and nodes of the journal at *path* as of one moment, without changing it; nothing where it is only being made."""
    with _reading(path) as database:
        if database is None:
            return {}, {}
        meta: dict[str, str] = dict(database.execute("SELECT key, value FROM meta"))
        _demand_schema(path, meta)
        rows = database.execute("SELECT body FROM nodes ORDER BY position")
        bodies: list[Json] = [json.loads(body) for (body,) in rows]
    return meta, {body["name"]: Node.from_json(body) for body in bodies}


def read_meta(path: Path) -> dict[str, str]:
    """The meta data alone, as :func:`read` has it, for who lists many runs: bodies of nodes are most of a journal."""
    with _reading(path) as database:
        meta: dict[str, str] = dict(database.execute("SELECT key, value FROM meta")) if database else {}
        if database:
            _demand_schema(path, meta)
    return meta


def read_attempts(path: Path) -> list[Attempt]:
    """The attempts in the journal at *path*, as :meth:`Journal.attempts` has them, without changing it."""
    with _reading(path) as database:
        return [Attempt(*row) for row in database.execute(_ATTEMPTS)] if database else []


def read_made_of(path: Path) -> dict[str, Json]:
    """What the answers of cached steps depend on, by node, in the journal at *path*; nothing where an older version wrote it."""
    with _reading(path) as database:
        if database is None or not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'made_of'").fetchone():
            return {}
        return {node: json.loads(body) for node, body in database.execute("SELECT node, body FROM made_of")}


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The journal for reading, all of it as of one moment; None where its tables are not there yet."""
    path.open("rb").close()  # whoever may not read it is told so by the operating system, not by SQLite
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        database, tables = _begun(address) or _of_nobody(path, address)
        with contextlib.closing(database):
            yield database if tables >= {"meta", "nodes", "attempts"} else None
    except sqlite3.OperationalError:
        raise  # locked, or a disk that fails: nothing is wrong with the file
    except sqlite3.DatabaseError as error:
        raise errors.Misconfigured(
            f"{path} is damaged ({error}), so run {path.parent.name} cannot be read: put back a copy (`argosy restore`), or remove the "
            f"folder {path.parent}"
        ) from error


def _begun(address: str) -> tuple[sqlite3.Connection, set[str]] | None:
    """The database at *address* in a transaction, and its tables; None where it would have to write beside it, and may not."""
    database = sqlite3.connect(address, uri=True, isolation_level=None)
    try:
        database.execute("BEGIN")
        return database, {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.OperationalError as error:
        database.close()
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
            raise
        return None


def _of_nobody(path: Path, address: str) -> tuple[sqlite3.Connection, set[str]]:
    """As :func:`_begun`, of a journal in a folder that is closed to writing: no engine is at it, unless it has left a log."""
    log = path.with_name(f"{path.name}-wal")
    found = None if log.exists() and log.stat().st_size else _begun(f"{address}&immutable=1")
    if found is None:
        raise errors.Misconfigured(
            f"{path} cannot be read: its folder is closed to writing, and an engine that was killed left {log.name} there. "
            "Copy the run's folder to a place that you may write"
        )
    return found


def _demand_schema(path: Path, meta: Mapping[str, str]) -> None:
    found = meta.get("schema", str(SCHEMA))
    if found != str(SCHEMA):
        raise errors.Misconfigured(
            f"{path} has schema {found}; this version of argosy reads {SCHEMA}. Another version wrote it: go on with that one"
        )
