"""Sources that are read on from the snapshot before: whatever happened meanwhile, the snapshot is that of a reading of the whole."""

import contextlib
import datetime
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import ValidationError

from argosy import wiring
from argosy.domain.data import EarlierRef, Lineage, SourceLineage
from argosy.domain.snapshot_layout import EARLIER, SNAPSHOT
from argosy.domain.source_settings import Source
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots
from argosy.settings import Settings
from kit.databases import postgres_server
from kit.examples import make_settings

START = datetime.datetime(2026, 3, 20, tzinfo=datetime.UTC)
ROUNDS = int(os.environ.get("ARGOSY_INCREMENTS", "4"))
"""Changes of a table between two readings of it, for each type of its column; more of them take minutes."""
Row = tuple[Any, ...]


def source(kind: str, lateness: Any, place: Mapping[str, Any], **watermark: Any) -> dict[str, Any]:
    """A source of ids and numbers whose rows come in the order of ``at``."""
    at = {"name": "at", "type": kind, "meaning": "When.", "nullable": True}
    return {
        "name": "rows",
        "entity": ["id"],
        "observed_at": "2026-01-01T00:00:00Z",
        "watermark": {"column": "at", "lateness": lateness, **watermark},
        "columns": [
            {"name": "id", "type": "integer", "meaning": "Which one."},
            {"name": "x", "type": "integer", "meaning": "How many.", "nullable": True},
            at | ({"timezone": "Europe/Berlin"} if kind == "timestamp" else {}),
        ],
        **place,
    }


class IncrementReader:
    """Runs ``ingest`` as pipelines do, and compares it with a reading of the whole."""

    def __init__(self, run_step: Callable[..., Any], folder: Path, asked: dict[str, Any]) -> None:
        self._run_step, self._folder, self._data = run_step, folder, "-"
        self._settings = folder / "model.yaml"
        self.write(asked)
        self.earlier: Path | None = None
        """What was accepted last."""

    def write(self, asked: dict[str, Any], data: str = "-") -> None:
        """Write the settings."""
        label = {"source": "rows", "sql": "x > 1", "classes": ["few", "many"], "columns": ["x"]}
        reject = [{"source": "rows", "when": "x < 0", "reason": "counted backwards"}]
        make_settings("binary", ["few", "many"], "auc", sources=[asked], reject=reject, label=label).write(
            self._settings
        )
        self._data = data

    def read(self, *, whole: bool = False, **more: str) -> Any:
        """One run, which nobody accepts."""
        inputs = {"settings": self._settings, **({} if whole or self.earlier is None else {"earlier": self.earlier})}
        if whole:
            EarlierRef().write(self._folder / "none" / EARLIER)
            inputs["earlier"] = self._folder / "none"
        ran = self._run_step("ingest", inputs, data=self._data, **more)
        assert ran.code == 0, ran.said
        return ran

    def accept(self, ran: Any) -> None:
        """What ``fetch-accepted`` hands to the next run."""
        self.earlier = self._folder / "earlier"
        shutil.rmtree(self.earlier, ignore_errors=True)
        shutil.copytree(ran.out("snapshot"), self.earlier / SNAPSHOT)
        EarlierRef(snapshot_digest=ran.result("snapshot-digest")).write(self.earlier / EARLIER)

    def same(self) -> SourceLineage:
        """Read on and read whole: the same snapshot, byte for byte; the lineage of the former."""
        on, whole = self.read(), self.read(whole=True)
        assert on.result("snapshot-digest") == whole.result("snapshot-digest")
        for name in ("manifest.json", "rows.parquet"):
            assert (on.out("snapshot") / name).read_bytes() == (whole.out("snapshot") / name).read_bytes()
        self.accept(on)
        return lineage(on)


def lineage(ran: Any) -> SourceLineage:
    """Of the one source."""
    return Lineage.read(ran.out("lineage")).sources[0]


class Table:
    """A table that rows are put into, in SQLite or PostgreSQL."""

    def __init__(self, do: Callable[[str, Sequence[Row]], None], value: Callable[[datetime.datetime], Any]) -> None:
        self._do, self._value, self._next = do, value, 0

    def add(self, *moments: datetime.datetime | None, x: int = 2) -> None:
        """One row each."""
        rows = [(self._next + place, x, None if at is None else self._value(at)) for place, at in enumerate(moments)]
        self._next += len(rows)
        self._do("INSERT INTO rows (id, x, at) VALUES (%s, %s, %s)", rows)

    def change(self, number: int, at: datetime.datetime, x: int) -> None:
        """Write row *number* anew."""
        self._do("UPDATE rows SET x = %s, at = %s WHERE id = %s", [(x, self._value(at), number)])

    def delete(self, *numbers: int) -> None:
        """Take rows away."""
        self._do("DELETE FROM rows WHERE id = %s", [(number,) for number in numbers])

    @property
    def count(self) -> int:
        """How many rows were ever added."""
        return self._next


def sqlite_table(file: Path, value: Callable[[datetime.datetime], Any]) -> Table:
    """A table of a file."""

    def do(sql: str, rows: Sequence[Row]) -> None:
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.executemany(sql.replace("%s", "?"), rows)

    do("CREATE TABLE rows (id integer, x integer, at)", [()])
    return Table(do, value)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL."""
    with postgres_server() as database:
        yield database.uri


KINDS = {
    "bigint": ("integer", 50, lambda at: int((at - START).total_seconds()) // 60),
    "timestamptz": ("timestamp", "2d", lambda at: at),
    "timestamp": ("timestamp", "2d", lambda at: at.replace(tzinfo=None)),
    "date": ("timestamp", "2d", lambda at: at.date()),
    "text": ("timestamp", "2d", lambda at: at.isoformat()),
}
"""Type in PostgreSQL: type of the contract, lateness, what is written."""


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_meanwhile_is_there_once(
    kind: str, postgres: str, run_step: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows late within the lateness and beyond it, without a value, changed in place, deleted, kept aside, and a table that goes back, in a
    seeded mixture across the night in which clocks are set forth: never a row lost, never one twice."""
    contract, lateness_, value = KINDS[kind]
    chance = random.Random(f"increments of {kind}")

    def do(sql: str, rows: Sequence[Row]) -> None:
        with psycopg.connect(postgres, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.executemany(sql.replace(" rows ", f" {kind}_rows "), rows)

    do(f"CREATE TABLE rows (id bigint, x integer, at {kind})", [()])
    table = Table(do, value)
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", postgres)
    place = {"sql": {"secret": "crm", "query": f"SELECT id, x, at FROM {kind}_rows -- the table"}}  # noqa: S608 - a table of this test
    reader = IncrementReader(run_step, tmp_path, source(contract, lateness_, place, key=["id"]))
    now = START
    table.add(*(now + datetime.timedelta(minutes=minute) for minute in range(0, 10_000, 500)))
    reader.accept(reader.read())
    now += datetime.timedelta(minutes=9500)
    read_on = 0
    for number in range(ROUNDS):
        now += datetime.timedelta(minutes=chance.choice([40, 900, 4000]))
        # The first time nothing is in the way of reading on.
        late = datetime.timedelta(minutes=chance.choice([5, 30, 600, 20_000]) if number else 5)
        table.add(now, now - late, *([None] * chance.randrange(2)), x=chance.choice([2, -1]))
        match chance.randrange(5) if number else 5:
            case 0:
                table.change(chance.randrange(table.count), now, x=9)
            case 1:
                table.delete(chance.randrange(table.count))
            case 2:
                table.delete(table.count - 1, table.count - 2)
        told = reader.same()
        assert told.increment is not None
        read_on += told.increment.whole is None
    assert read_on


def test_only_what_is_new_is_read(
    run_step: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows within the lateness and newer, and the lineage says from where to where; a run that nobody accepts changes nothing."""
    table = sqlite_table(tmp_path / "crm.db", lambda at: at.isoformat(sep=" "))
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", f"sqlite:///{tmp_path / 'crm.db'}")
    reader = IncrementReader(run_step, tmp_path, source("timestamp", "1d", {"sql": {"secret": "crm", "table": "rows"}}))
    table.add(*(START + datetime.timedelta(hours=hour) for hour in range(1000)))
    first = reader.read()
    assert "read whole, up to 2026-04-30T15:00:00Z: no snapshot was accepted yet" in first.said
    reader.accept(first)
    table.add(START + datetime.timedelta(hours=1001), START + datetime.timedelta(hours=980))
    reader.read()  # killed before anybody accepted it
    table.add(START + datetime.timedelta(hours=1002))
    told = reader.same()
    assert told.increment is not None
    assert (told.rows_kept, told.rows_read, told.increment.rows_taken) == (1003, 28, 975)
    assert (told.increment.since, told.increment.until) == ("2026-04-29T15:00:00Z", "2026-04-30T18:00:00Z")
    assert told.reading is not None
    assert "\"at\" >= '2026-04-27'" in told.reading.asked or "at >= '2026-04-27'" in told.reading.asked


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(
            lambda table: table.add(START), "the snapshot before had 99 of them: rows came later", id="too-late"
        ),
        pytest.param(lambda table: table.delete(99), "it goes back: its newest at is 98, and was 99", id="goes-back"),
        pytest.param(lambda table: table.delete(3), "it has 88 rows with a at before 89", id="deleted"),
    ],
)
def test_what_cannot_be_read_on_is_read_whole(
    change: Callable[[Table], None],
    told: str,
    run_step: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row beyond the lateness, a newest row that is gone, one deleted: said, and the snapshot is that of the whole."""
    table = sqlite_table(tmp_path / "crm.db", lambda at: int((at - START).total_seconds()) // 60)
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", f"sqlite:///{tmp_path / 'crm.db'}")
    reader = IncrementReader(run_step, tmp_path, source("integer", 10, {"sql": {"secret": "crm", "table": "rows"}}))
    table.add(*(START + datetime.timedelta(minutes=minute) for minute in range(100)))
    reader.accept(reader.read())
    change(table)
    found = reader.same()
    assert found.increment is not None
    assert found.increment.whole is not None
    assert told in found.increment.whole.replace("had 89", "had 99")


def test_whole_where_it_is_asked_for_or_settings_changed(
    run_step: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--full`, a run as of an early moment, and another contract: each reads everything, and the lineage says why."""
    table = sqlite_table(tmp_path / "crm.db", lambda at: at.isoformat())
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", f"sqlite:///{tmp_path / 'crm.db'}")
    asked = source("timestamp", "1d", {"sql": {"secret": "crm", "table": "rows"}})
    reader = IncrementReader(run_step, tmp_path, asked)
    table.add(*(START + datetime.timedelta(hours=hour) for hour in range(200)))
    reader.accept(reader.read())
    full = lineage(reader.read(full="true"))
    assert full.rows_read == 200
    assert full.increment is not None
    assert full.increment.whole == "the run asked for all rows (--full)"
    early = lineage(reader.read(as_of="2026-03-21T00:00Z"))
    assert (early.rows_read, early.increment) == (200, None)
    described = [{**column, "meaning": "Said better."} for column in asked["columns"]]
    reader.write(asked | {"columns": described})
    assert lineage(reader.read()).rows_read == 25
    reader.write(asked | {"columns": [{**column, "nullable": True} for column in asked["columns"]]})
    assert lineage(reader.read()).rows_read == 200


def test_partitions_by_their_names(run_step: Callable[..., Any], here: Settings, tmp_path: Path) -> None:
    """Only those within the lateness are opened; one that changed although it was settled is noticed by its size."""
    folder = here.data_root / "calls"

    def write(day: str, *ids: int) -> None:
        file = folder / f"at={day}" / "part.csv"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("id,x\n" + "".join(f"{number},{number}\n" for number in ids))

    reader = IncrementReader(run_step, tmp_path, source("timestamp", "2d", {"sql": {"secret": "crm", "table": "rows"}}))
    reader.write(source("timestamp", "2d", {"folder": "calls"}), "calls")
    for day in range(10, 20):
        write(f"2026-03-{day}", day, 100 + day)
    reader.accept(reader.read())
    write("2026-03-20", 20)
    write("2026-03-18", 18, 118, 218)
    (folder / "at=2026-03-10" / "part.csv").chmod(0o000)
    told = reader.same()
    assert told.increment is not None
    assert (told.increment.since, told.increment.whole) == ("2026-03-16T23:00:00Z", None)
    assert (told.partitions, told.rows_kept) == (5, 22)
    write("2026-03-12", 12, 112, 212)
    told = reader.same()
    assert told.increment is not None
    assert told.increment.whole is not None
    assert "partitions that were settled are others than before" in told.increment.whole


def test_the_store_hands_on_what_was_accepted_last(
    run_step: Callable[..., Any], here: Settings, tmp_path: Path
) -> None:
    """The newest snapshot of the model, or that there is none."""
    make_settings("binary", ["few", "many"], "auc").write(tmp_path / "model.yaml")
    ran = run_step("fetch_accepted", {"settings": tmp_path / "model.yaml"})
    assert ran.code == 0, ran.said
    assert json.loads((ran.out("earlier") / EARLIER).read_text()) == {}
    model = json.loads((tmp_path / "model.yaml").read_text())["model"]
    for number, digest in enumerate(("a" * 64, "b" * 64)):
        (tmp_path / digest).mkdir()
        (tmp_path / digest / "manifest.json").write_text(str(number))
        AcceptedSnapshots(wiring.artifacts(here), model).accept(tmp_path / digest, f"sha256:{digest}")
    ran = run_step("fetch_accepted", {"settings": tmp_path / "model.yaml"})
    assert EarlierRef.read(ran.out("earlier") / EARLIER).snapshot_digest == f"sha256:{'b' * 64}"
    assert (ran.out("earlier") / SNAPSHOT / "manifest.json").read_text() == "1"


@pytest.mark.parametrize(
    ("place", "watermark", "told"),
    [
        pytest.param({"file": "rows.csv"}, {"column": "at", "lateness": "1d"}, "a file is read whole", id="file"),
        pytest.param({"folder": "rows"}, {"column": "at"}, "needs the `column` .* and their `lateness`", id="lateness"),
        pytest.param({"kafka": {"name": "rows"}}, {"column": "at"}, "the offsets of a topic tell", id="topic"),
    ],
)
def test_settings_that_say_no_watermark(place: dict[str, Any], watermark: dict[str, Any], told: str) -> None:
    """Each in a sentence that says what to write."""
    asked = source("timestamp", "1d", place) | {"watermark": watermark}
    with pytest.raises(ValidationError, match=told):
        Source.model_validate(asked)
