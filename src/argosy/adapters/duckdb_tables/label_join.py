"""Joins labels to logged predictions in a DuckDB that goes to disk where its memory does not do.

Everything happens in five tables, each made from those before: ``predictions`` (as logged), ``said`` (each row of the label source by its
key), ``chosen`` (one label a key), ``matches`` (which prediction has which key) and the answer. Of ids that were hashed under an older key
the hash is made anew. Times are compared as moments: a label's were given their zone when the table was read.
"""

import contextlib
import datetime
import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import sql
from argosy.domain.performance_report import LabelCounts
from argosy.domain.source_settings import Source
from argosy.domain.time_spans import span
from argosy.ports import tables
from argosy.ports.label_join import OUTCOME, SLICE, LabelledPredictions, LabelQuestion
from argosy.ports.prediction_log import Logged, ServedRelease

if TYPE_CHECKING:
    import pyarrow as pa

MEMORY = "512MB"
"""What DuckDB keeps in memory; the rest waits on disk."""
BLOCK = 64
"""Bytes of a block of SHA-256."""

_COLUMNS = (
    "number BIGINT, release INTEGER, time TIMESTAMPTZ, id VARCHAR, place INTEGER, score DOUBLE[], decision VARCHAR"
)


class DuckDBLabelJoin:
    """See :class:`argosy.ports.label_join.LabelJoin`."""

    def __init__(self, scratch: Path | None = None, memory: str = MEMORY) -> None:
        self._scratch = scratch
        self._memory = memory

    def join(
        self,
        snapshot: Path | None,
        question: LabelQuestion,
        hash_key: bytes,
        predictions: Iterable[Logged],
        *,
        older_keys: Sequence[bytes] = (),
    ) -> LabelledPredictions:
        """See :class:`argosy.ports.label_join.LabelJoin`."""
        try:
            with self._database() as database:
                releases, damaged = _load(database, question, predictions)
                _said(database, snapshot, question, hash_key)
                if snapshot and question.labels.by == "entity":
                    for older in older_keys:
                        _rename(database, snapshot, question, older, hash_key)
                _match(database, question)
                return LabelledPredictions(_answer(database, question), releases, _counts(database, question), damaged)
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            raise errors.LocalDisk(
                f"labels and predictions cannot be joined on this machine: {str(error).split(chr(10), 1)[0]}; make room in "
                f"{self._scratch or tempfile.gettempdir()}, or shorten `labels.window`"
            ) from None

    @contextlib.contextmanager
    def _database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="argosy-labels-") as place:
            config = {"temp_directory": f"{place}/spill", "memory_limit": self._memory}
            with duckdb.connect(config=config) as database:
                database.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
                yield database


def _load(
    database: duckdb.DuckDBPyConnection, question: LabelQuestion, predictions: Iterable[Logged]
) -> tuple[list[ServedRelease], int]:
    """Make ``predictions``; the releases that answered, in the order they came first, and how many parts of the log are damaged."""
    wanted = "".join(f", {sql.name(SLICE + column)} VARCHAR" for column in question.slices)
    wanted += ", request VARCHAR, entity VARCHAR" if question.identified else ""
    database.execute(f"CREATE TABLE predictions ({_COLUMNS}{wanted})")
    releases: dict[ServedRelease, int] = {}
    damaged = count = 0
    for logged in predictions:
        damaged += logged.damaged
        if logged.table.num_rows:
            _insert(database, question, logged, releases.setdefault(logged.served, len(releases)), count)
            count += logged.table.num_rows
    return list(releases), damaged


def _insert(
    database: duckdb.DuckDBPyConnection, question: LabelQuestion, logged: Logged, release: int, count: int
) -> None:
    present = {field.name for field in logged.table.schema.field("features").type}
    sliced = [
        f"{_shown(logged, column)} AS {sql.name(SLICE + column)}" if column in present else "NULL"
        for column in question.slices
    ]
    named = "entity" if question.labels.by == "entity" else "request_id"
    identity = ["request_id", "entity"] if question.identified else []
    columns = ", ".join(["time", named, '"row"', "score", "decision", *sliced, *identity])
    database.register("batch", logged.table)
    database.execute(
        f"INSERT INTO predictions SELECT {count} + row_number() OVER (), {release}, {columns} FROM batch"  # noqa: S608
    )
    database.unregister("batch")


def _shown(logged: Logged, column: str) -> str:
    """The value of a feature as a text that people read: 3, not 3.0."""
    value = f"features.{sql.name(column)}"
    if str(logged.table.schema.field("features").type.field(column).type) != "double":
        return value
    return f"CASE WHEN {value} = trunc({value}) AND abs({value}) < 1e15 THEN {value}::BIGINT::VARCHAR ELSE {value}::VARCHAR END"


def _said(database: duckdb.DuckDBPyConnection, snapshot: Path | None, question: LabelQuestion, hash_key: bytes) -> None:
    """Make ``said``: each row of the label source, with the key by which it joins, and when it was known."""
    labels, source = question.labels, question.table
    time = sql.name(source.timestamp or tables.EVENT_TIME)
    known = labels.known or (sql.name(source.created) if source.created else time)
    if not labels.known and source.observed_at is not None:
        known = _moment(question.as_of)  # a snapshot does not say since when; it is known where it is read
    selected = [
        f"{_key(question)} AS key",
        f"{sql.name(labels.row) if labels.row else 'NULL'}::BIGINT AS place",
        f"{time}::TIMESTAMPTZ AS time",
        f"({known})::TIMESTAMPTZ AS known",
        f"{sql.of_label(question.label)}::DOUBLE AS label",
        *(f"({expression})::DOUBLE AS {sql.name(OUTCOME + name)}" for name, expression in labels.outcomes.items()),
    ]
    rows = f"SELECT * FROM {sql.parquet(snapshot)}" if snapshot else _nothing(source)  # noqa: S608 - the name is quoted
    query = (
        f"CREATE TABLE said AS SELECT *, {_fate(question)} AS fate FROM "  # noqa: S608
        f"(SELECT {', '.join(selected)} FROM ({rows}))"
    )
    parameters = _pads(hash_key) if labels.by == "entity" else {}
    try:
        database.execute(query, parameters).fetchall()
    except duckdb.Error as error:
        raise errors.Misconfigured(
            f"the section `labels` cannot be asked of source {source.name!r}: {str(error).split(chr(10), 1)[0]}"
        ) from None


def _rename(
    database: duckdb.DuckDBPyConnection, snapshot: Path, question: LabelQuestion, older: bytes, newer: bytes
) -> None:
    """Give the predictions of entities that have labels, and were hashed under *older*, their hash under *newer*."""
    before, now = (_key(question, pad) for pad in ("older_", ""))
    parameters = {**_pads(newer), **{f"older_{name}": pad for name, pad in _pads(older).items()}}
    database.execute(
        f"CREATE OR REPLACE TABLE renamed AS SELECT DISTINCT {before} AS before, {now} AS now "  # noqa: S608
        f"FROM {sql.parquet(snapshot)} WHERE before IN (SELECT id FROM predictions)",
        parameters,
    )
    database.execute("UPDATE predictions SET id = now FROM renamed WHERE id = before")


def _key(question: LabelQuestion, pad: str = "") -> str:
    """The key by which a row of the label source joins; *pad*: what the names of the parameters of its hash begin with."""
    if question.labels.by == "request":
        return f"{sql.name(str(question.labels.request_id))}::VARCHAR"
    # A server hashes the JSON of the ids; what JSON writers disagree about, control characters, is in no id that anybody types.
    parts = [f"'{_quoted(name)}:' || to_json({sql.name(name)})::VARCHAR" for name in sorted(question.entity)]
    plain = " AND ".join(f"NOT regexp_matches({sql.name(name)}::VARCHAR, '[\\x00-\\x1f]')" for name in question.entity)
    text = "'{' || " + " || ',' || ".join(parts) + " || '}'"
    return f"CASE WHEN {plain} THEN sha256(${pad}outer::BLOB || unhex(sha256(${pad}inner::BLOB || encode({text})))) END"


def _quoted(name: str) -> str:
    """The name of a column as a JSON string, within a quoted SQL one."""
    return json.dumps(name, ensure_ascii=False).replace("'", "''")


def _pads(hash_key: bytes) -> dict[str, object]:
    """The inner and the outer block of HMAC (RFC 2104)."""
    block = (hash_key if len(hash_key) <= BLOCK else hashlib.sha256(hash_key).digest()).ljust(BLOCK, b"\0")
    return {name: bytes(byte ^ pad for byte in block) for name, pad in (("inner", 0x36), ("outer", 0x5C))}


def _nothing(source: Source) -> str:
    """A table of *source* without rows."""
    columns = [f"NULL::{sql.SQL_TYPE[column.type]} AS {sql.name(column.name)}" for column in source.columns]
    if source.observed_at is not None:
        columns.append(f"NULL::TIMESTAMPTZ AS {tables.EVENT_TIME}")
    return f"SELECT {', '.join(columns)} WHERE false"


def _fate(question: LabelQuestion) -> str:
    """Why a row of ``said`` cannot count, or null where it can."""
    as_of, since, until = (_moment(each) for each in (question.as_of, question.since, question.until))
    # What can be of a prediction before the window says nothing of those in it.
    late = f"to_seconds({span(question.labels.due).total_seconds():.0f})"
    outside = f"known < {since} + {late} OR time < {since} OR time >= {until}"
    if question.labels.by_time:
        before, after = _tolerance(question)
        outside = f"known < {since} OR time < {since} + {after} OR time > {until} - {before}"
    unknown = " OR label < 0" if question.label.classes else ""
    return (
        f"CASE WHEN known IS NULL OR known > {as_of} OR time > {as_of} THEN 'future' WHEN label IS NULL{unknown} THEN 'undefined' "
        f"WHEN {outside} THEN 'outside' END"
    )


def _moment(moment: datetime.datetime) -> str:
    return f"{sql.text(moment.isoformat())}::TIMESTAMPTZ"


def _tolerance(question: LabelQuestion) -> tuple[str, str]:
    """How long before and after a prediction its outcome may lie, as intervals."""
    before, after = (span(each or "0m") for each in (question.labels.before, question.labels.after))
    return f"to_seconds({before.total_seconds():.0f})", f"to_seconds({after.total_seconds():.0f})"


def _match(database: duckdb.DuckDBPyConnection, question: LabelQuestion) -> None:
    """Make ``chosen``, one label a key, and ``matches``, the key of each prediction that has one."""
    outcomes = [sql.name(OUTCOME + name) for name in question.labels.outcomes]
    by = ", ".join(_keys(question))
    of_moment = "".join(f", max({name}) AS {name}" for name in outcomes)
    of_key = "".join(f", arg_max_null({name}, known) AS {name}" for name in outcomes)
    moments = (
        f"SELECT {by}, known, min(label) AS low, max(label) AS high, count(*) AS count{of_moment} FROM said "  # noqa: S608
        f"WHERE fate IS NULL OR fate = 'outside' GROUP BY {by}, known"
    )
    database.execute(
        f"CREATE TABLE chosen AS SELECT row_number() OVER () AS chosen, * FROM ("  # noqa: S608
        f"SELECT {by}, arg_max(low, known) AS label, arg_max(low <> high, known) AS contradicts, sum(count)::BIGINT AS count, "
        f"count(DISTINCT low) AS different, max(known) AS known{of_key} FROM ({moments}) GROUP BY {by})"
    )
    database.execute(f"CREATE TABLE matches AS {_matching(question)}")


def _keys(question: LabelQuestion) -> list[str]:
    """The columns of ``said`` that one prediction's labels have in common."""
    if question.labels.by_time:
        return ["key", "time"]
    return ["key", "place"] if question.labels.row else ["key"]


def _matching(question: LabelQuestion) -> str:
    """The query for ``matches``: number of the prediction, number of its label, whether that label is of several rows."""
    labels = question.labels
    if labels.by_time:
        return _nearest(question)
    if labels.by == "entity":
        return "SELECT number, chosen, false AS ambiguous FROM predictions JOIN chosen ON id = key"
    if labels.row:
        return (
            "SELECT number, chosen, false AS ambiguous FROM predictions AS p "
            "JOIN chosen AS c ON p.id = c.key AND p.place = c.place"
        )
    several = "SELECT id FROM predictions GROUP BY id HAVING min(place) <> max(place)"
    return (
        f"SELECT number, chosen, id IN ({several}) AS ambiguous "  # noqa: S608
        "FROM predictions JOIN chosen ON id = key"
    )


def _nearest(question: LabelQuestion) -> str:
    """Of the outcomes within the tolerance the nearest; of two equally near ones the later."""
    before, after = _tolerance(question)
    sides = (("p.time >= c.time", "p.time - c.time", before), ("p.time <= c.time", "c.time - p.time", after))
    nearest = " UNION ALL ".join(
        f"SELECT number, chosen, c.time AS moment, {apart} AS apart "  # noqa: S608
        f"FROM predictions AS p ASOF JOIN chosen AS c ON p.id = c.key AND {order} WHERE {apart} <= {most}"
        for order, apart, most in sides
    )
    return (
        "SELECT number, arg_min(chosen, (apart, -epoch_us(moment))) AS chosen, false AS ambiguous "  # noqa: S608
        f"FROM ({nearest}) GROUP BY number"
    )


def _answer(database: duckdb.DuckDBPyConnection, question: LabelQuestion) -> "pa.Table":
    outcomes = [sql.name(OUTCOME + name) for name in question.labels.outcomes]
    slices = [sql.name(SLICE + name) for name in question.slices]
    counts = "NOT contradicts AND NOT ambiguous"
    columns = ["release", "p.time AS time", "score", "decision", f"CASE WHEN {counts} THEN label END AS label"]
    columns += [f"CASE WHEN {counts} THEN {name} END AS {name}" for name in outcomes] + slices
    columns += ["request", "p.place AS place", "entity"] if question.identified else []
    query = (
        f"SELECT {', '.join(columns)} FROM predictions AS p LEFT JOIN matches USING (number) LEFT JOIN chosen USING (chosen) "  # noqa: S608
        f"ORDER BY {', '.join(['p.time', 'release', 'score', 'label', *outcomes, *slices])}"
    )
    return database.sql(query).to_arrow_table()


def _counts(database: duckdb.DuckDBPyConnection, question: LabelQuestion) -> LabelCounts:
    seen = f"time <= {_moment(question.as_of - span(question.labels.due))}"
    counts = "chosen IS NOT NULL AND NOT contradicts AND NOT ambiguous"
    joined = (
        "(SELECT p.time, p.id, chosen, contradicts, ambiguous, known "
        "FROM predictions AS p LEFT JOIN matches USING (number) LEFT JOIN chosen USING (chosen))"
    )
    predictions, due, labelled, due_labelled, early, contradicting, nameless = _one(
        database,
        f"SELECT count(*), count(*) FILTER ({seen}), count(*) FILTER ({counts}), count(*) FILTER ({counts} AND {seen}), "  # noqa: S608
        f"count(*) FILTER ({counts} AND known < time), count(*) FILTER (contradicts AND NOT ambiguous), "
        f"count(*) FILTER (id IS NULL) FROM {joined}",
    )
    matched = "chosen IN (SELECT chosen FROM matches)"
    repeated, corrected, ambiguous = _one(
        database,
        "SELECT coalesce(sum(c.count - c.different) FILTER (NOT contradicts), 0), "  # noqa: S608
        "coalesce(sum(c.different - 1) FILTER (NOT contradicts), 0), "
        f"coalesce(sum(c.count) FILTER (chosen IN (SELECT chosen FROM matches WHERE ambiguous)), 0) FROM chosen AS c WHERE {matched}",
    )
    keys = " AND ".join(f"s.{key} = c.{key}" for key in _keys(question))
    rows, future, undefined, unmatched = _one(
        database,
        "SELECT count(*), count(*) FILTER (fate = 'future'), count(*) FILTER (fate = 'undefined'), "  # noqa: S608
        f"count(*) FILTER (fate IS NULL AND NOT EXISTS (SELECT 1 FROM chosen AS c WHERE {keys} AND {matched})) FROM said AS s",
    )
    return LabelCounts(
        predictions=predictions, due=due, labelled=labelled, due_labelled=due_labelled, rows=rows, unmatched=unmatched,
        repeated=repeated, corrected=corrected, contradicting=contradicting, future=future, early=early, undefined=undefined,
        ambiguous=ambiguous,
        nameless=nameless,
    )  # fmt: skip


def _one(database: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = database.execute(query).fetchall()[0]
    return tuple(int(value) for value in row)
