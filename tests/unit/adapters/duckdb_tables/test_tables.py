"""Reading files by a contract: what is kept, what is kept aside, and what each kind of broken file is told."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.row_eraser import DuckDBRowEraser
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.model_settings import Label
from argosy.domain.source_settings import Column, ColumnType, RejectRule, Source
from argosy.ports.tables import Counts, Derived

UTC = datetime.UTC
SECRET = "secret@example.org"


def column(name: str, kind: ColumnType = "string", **more: Any) -> Column:
    return Column(name=name, type=kind, meaning="For a test.", **more)


def source(*columns: Column, **more: Any) -> Source:
    """A source of people; a snapshot of one moment where no time column is named."""
    times = {} if "timestamp" in more else {"observed_at": datetime.datetime(2020, 1, 1, tzinfo=UTC)}
    return Source(name="people", file="people.csv", entity=["id"], columns=list(columns), **times, **more)


PEOPLE = source(column("id"), column("age", "integer"))


class Reader:
    """Reads one file into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, content: str | bytes, name: str = "people.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, content: str | bytes | Path, wanted: Source = PEOPLE, *rules: RejectRule) -> Counts:
        file = content if isinstance(content, Path) else self.write(content)
        return DuckDBTables().snapshot(wanted, rules, file, kept=self.kept, rejected=self.rejected)

    def rows(self, content: str | bytes | Path, wanted: Source = PEOPLE, *rules: RejectRule) -> list[dict[str, Any]]:
        self.read(content, wanted, *rules)
        rows: list[dict[str, Any]] = pq.read_table(self.kept).to_pylist()
        return rows

    @property
    def kept(self) -> Path:
        return self.folder / "kept.parquet"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected.parquet"


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def rule(when: str, reason: str = "odd") -> RejectRule:
    return RejectRule(source="people", when=when, reason=reason)


class TestTyping:
    """A value is what the contract says it is, or it is nothing."""

    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            pytest.param("string", "007", "007", id="text-stays-text"),
            pytest.param("string", " x ", " x ", id="blanks-stay-in-text"),
            pytest.param("integer", " 42 ", 42, id="blanks-round-a-number"),
            pytest.param("integer", "-9223372036854775808", -(2**63), id="smallest-integer"),
            pytest.param("number", "1e-3", 0.001, id="exponent"),
            pytest.param("number", ".5", 0.5, id="no-leading-zero"),
            pytest.param("boolean", "TRUE", True, id="boolean"),
            pytest.param(
                "timestamp",
                "2020-02-29T23:30:00+01:00",
                datetime.datetime(2020, 2, 29, 22, 30, tzinfo=UTC),
                id="offset",
            ),
            pytest.param(
                "timestamp",
                "2020-06-01 12:00:00.000001Z",
                datetime.datetime(2020, 6, 1, 12, 0, 0, 1, UTC),
                id="microseconds",
            ),
        ],
    )
    def test_a_value_that_looks_like_its_type(self, reader: Reader, kind: ColumnType, text: str, value: object) -> None:
        """Read as that type."""
        assert reader.rows(f"id,value\na,{text}\n", source(column("id"), column("value", kind)))[0]["value"] == value

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            pytest.param("integer", "1.5", id="fraction"),
            pytest.param("integer", "9223372036854775808", id="one-too-large"),
            pytest.param("integer", "0x10", id="hexadecimal"),
            pytest.param("integer", "1_000", id="underscore"),
            pytest.param("number", "nan", id="not-a-number"),
            pytest.param("number", "1e999", id="infinite"),
            pytest.param("number", '"1,5"', id="decimal-comma"),
            pytest.param("boolean", "1", id="one-is-no-boolean"),
            pytest.param("timestamp", "2020-01-01T00:00:00", id="no-zone"),
            pytest.param("timestamp", "2020-02-30T00:00:00Z", id="no-such-day"),
            pytest.param("timestamp", "yesterday", id="a-word"),
        ],
    )
    def test_a_value_that_does_not(self, reader: Reader, kind: ColumnType, text: str) -> None:
        """Refused with its column, row and an example; never guessed."""
        wanted = source(column("id"), column("value", kind, nullable=True))
        with pytest.raises(errors.Rejected, match=rf"column 'value' .* is no {kind} in 1 row: in line 3 it says"):
            reader.read(f"id,value\na,\nb,{text}\n", wanted)

    def test_a_personal_value_is_withheld(self, reader: Reader) -> None:
        """What breaks the contract of a personal column is not quoted."""
        wanted = source(column("id"), column("age", "integer", personal=True))
        with pytest.raises(errors.Rejected, match="withheld") as refusal:
            reader.read(f"id,age\na,{SECRET}\n", wanted)
        assert SECRET not in str(refusal.value)

    def test_a_missing_value(self, reader: Reader) -> None:
        """Allowed only where the contract says so."""
        with pytest.raises(errors.Rejected, match=r"'age' .* is missing in 1 row, first in line 3"):
            reader.read("id,age\na,1\nb,\n")
        nullable = source(column("id"), column("age", "integer", nullable=True))
        assert [row["age"] for row in reader.rows("id,age\na,1\nb,\n", nullable)] == [1, None]

    def test_a_missing_id(self, reader: Reader) -> None:
        """Never allowed, whatever the contract says: a row of nobody joins to nothing."""
        with pytest.raises(errors.Rejected, match=r"'id' .* is missing"):
            reader.read("id,age\n,1\n", source(column("id", nullable=True), column("age", "integer")))


class TestRules:
    """Rows that a rule keeps aside."""

    def test_are_kept_aside_as_they_were_read(self, reader: Reader) -> None:
        """With their row and the rule; the rest goes on."""
        counts = reader.read("id,age\na,1\nb,-1\n", PEOPLE, rule("age < 0", "negative"), rule("age > 200", "too old"))
        assert (counts.read, counts.kept, dict(counts.rejected)) == (2, 1, {"negative": 1, "too old": 0})
        assert pq.read_table(reader.rejected).to_pylist() == [
            {"__argosy_row": 2, "id": "b", "age": "-1", "__argosy_reason": "negative"}
        ]

    def test_unreadable_is_missing_to_a_rule(self, reader: Reader) -> None:
        """A rule about missing values keeps unreadable ones aside too, and keeps their text."""
        counts = reader.read("id,age\na,1\nb,old\n", PEOPLE, rule("age IS NULL"))
        assert counts.kept == 1
        assert pq.read_table(reader.rejected).to_pylist()[0]["age"] == "old"

    def test_the_first_rule_counts(self, reader: Reader) -> None:
        """A row is kept aside once."""
        counts = reader.read("id,age\na,1\nb,-1\n", PEOPLE, rule("age < 0", "first"), rule("id = 'b'", "second"))
        assert dict(counts.rejected) == {"first": 1, "second": 0}

    @pytest.mark.parametrize(
        ("when", "told"),
        [
            pytest.param("agee < 0", "agee", id="no-such-column"),
            pytest.param("age <", "cannot be asked", id="no-sql"),
            pytest.param("age + 1", "not a condition", id="no-condition"),
        ],
    )
    def test_a_rule_that_cannot_be_asked(self, reader: Reader, when: str, told: str) -> None:
        """Somebody has to change it: misconfigured, with the rule."""
        with pytest.raises(errors.Misconfigured, match=told):
            reader.read("id,age\na,1\n", PEOPLE, rule(when))


class TestBrokenFiles:
    """One error each, with the file and the place."""

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            pytest.param(b"", "is empty: it has not even a header", id="empty"),
            pytest.param(b"id,age\n", "has no rows", id="only-a-header"),
            pytest.param(b"id,years\na,1\n", "no column 'age'; its columns: 'id', 'years'", id="missing-column"),
            pytest.param(b"id;years\na;1\n", "separated by ';': set `delimiter: ';'`", id="semicolons"),
            pytest.param(b"id,age,age\na,1,2\n", "column 'age' twice", id="column-twice"),
            pytest.param("id,age\na,1\n".encode("utf-16"), "UTF-16; save it as UTF-8", id="utf-16"),
            pytest.param("id,age\nM\xfcller,1\n".encode("latin-1"), "line 2 .* is not UTF-8", id="latin-1"),
            pytest.param(
                b"id,age\na,1\nb,2,3\n", "line 3 .* has 3 values where the header has 2", id="too-many-values"
            ),
            pytest.param(b"id,age\na\n", "line 2 .* has 1 values where the header has 2", id="too-few-values"),
            pytest.param(b'id,age\n"a,1\nb,2\n', "line 2 .* a quote is opened and never closed", id="open-quote"),
            pytest.param(
                b"id,age\na," + b"9" * 3_000_000 + b"\n",
                "the last line .* cannot be read: it is longer",
                id="huge-field",
            ),
            pytest.param(b",".join(b"c%d" % n for n in range(3000)) + b"\n", "3000 columns", id="too-many-columns"),
        ],
    )
    def test_csv(self, reader: Reader, content: bytes, told: str) -> None:
        """The answer is no, and nothing was written."""
        with pytest.raises(errors.Rejected, match=told) as refusal:
            reader.read(content)
        assert "people.csv" in str(refusal.value)
        assert len(str(refusal.value)) < 600
        assert not reader.kept.exists()

    def test_latin_1_far_into_the_file(self, reader: Reader) -> None:
        """Found wherever it is, and the line is not quoted: it may be somebody's name."""
        lines = [b"id,age\n", *(b"p%d,1\n" % number for number in range(300_000)), "M\xfcller,1\n".encode("latin-1")]
        with pytest.raises(errors.Rejected, match=r"line 300002 .* is not UTF-8") as refusal:
            reader.read(b"".join(lines))
        assert "ller" not in str(refusal.value)

    def test_a_line_is_never_quoted(self, reader: Reader) -> None:
        """What a malformed line holds may be personal."""
        with pytest.raises(errors.Rejected) as refusal:
            reader.read(f"id,age\n{SECRET},1,2\n")
        assert SECRET not in str(refusal.value)

    @pytest.mark.parametrize("size", [pytest.param(40, id="short"), pytest.param(-20, id="cut-at-the-end")])
    def test_truncated_parquet(self, reader: Reader, size: int) -> None:
        """Named as unreadable."""
        file = reader.folder / "people.parquet"
        pq.write_table(pa.table({"id": ["a"], "age": [1]}), file)
        file.write_bytes(file.read_bytes()[:size])
        with pytest.raises(errors.Rejected, match=r"people.parquet cannot be read"):
            reader.read(file)

    def test_no_file(self, reader: Reader) -> None:
        """Somebody has to write the right path."""
        with pytest.raises(errors.Misconfigured, match=r"no file .*gone.csv"):
            reader.read(reader.folder / "gone.csv")

    def test_unknown_suffix(self, reader: Reader) -> None:
        """The settings can say what it is."""
        with pytest.raises(errors.Misconfigured, match="format:"):
            reader.read(reader.write("id,age\na,1\n", "people.txt"))
        named = source(*PEOPLE.columns, format="csv")
        assert reader.rows(reader.write("id,age\na,1\n", "people.txt"), named)[0]["age"] == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfid,age\na,1\n", id="byte-order-mark"),
        pytest.param(b"id,age\r\na,1\r\n", id="windows-line-ends"),
        pytest.param(b"id,age\na,1", id="no-last-line-end"),
        pytest.param(b"id,age\n\na,1\n\n", id="blank-lines"),
        pytest.param(b"age,id\n1,a\n", id="other-order"),
        pytest.param(b'"id","age"\n"a","1"\n', id="all-quoted"),
    ],
)
def test_what_spreadsheets_write(reader: Reader, content: bytes) -> None:
    """Ordinary variations are read."""
    row = reader.rows(content)[0]
    assert (row["id"], row["age"]) == ("a", 1)


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        pytest.param("1.0", None, 1, id="as-pandas-writes"),
        pytest.param("1000.000", None, 1000, id="too-long-for-thousands"),
        pytest.param("0.000", None, 0, id="nothing"),
        pytest.param("1.000", ".", 1, id="said"),
        pytest.param("1.000", None, None, id="in-doubt"),
        pytest.param("-12.000", None, None, id="in-doubt-below-zero"),
    ],
)
def test_a_thousand_is_not_one(reader: Reader, text: str, decimal: Any, expected: int | None) -> None:
    """A point before three zeros may be a decimal sign, or stand between thousands: where nobody said which, it is asked."""
    wanted = PEOPLE.model_copy(update={"decimal": decimal})
    content = f"id,age\na,{text}\n"
    if expected is None:
        with pytest.raises(errors.Rejected, match=r"if its point is a decimal sign, set `decimal: '\.'`"):
            reader.read(content, wanted)
    else:
        assert reader.rows(content, wanted) == [{"id": "a", "age": expected, "event_timestamp": wanted.observed_at}]


@pytest.mark.parametrize("name", ["a[b]", "id=9", "q?*"])
def test_folders_of_any_name(reader: Reader, name: str) -> None:
    """What a path says is no pattern, and no value of a column, whoever reads the file."""
    reader.folder /= name
    reader.folder.mkdir()
    reader.read("id,age\na,1\nb,2\n")
    asked = Derived.of([reader.kept], PEOPLE, {"next": "age + 1"})
    assert DuckDBTables().derive(asked).to_pylist()[1]["id"] == "b"
    assert DuckDBTables().derive(asked).to_pylist()[1]["next"] == 3
    (batch,) = DuckDBTables().in_order(reader.kept, "id")
    assert batch.column("id").to_pylist() == ["a", "b"]
    eraser = DuckDBRowEraser()
    assert eraser.holds(reader.kept, {"id": "a"}) == 1
    assert eraser.leave_out(reader.kept, {"id": "a"}, reader.folder / "left.parquet") == 1


def test_other_columns_are_left_behind(reader: Reader) -> None:
    """A column that the contract does not name is not read, and is told: it may be personal, and nobody has said so."""
    counts = reader.read("id,email,age\na,x,1\n")
    assert list(counts.left_behind) == ["email"]
    assert pq.read_schema(reader.kept).names == ["id", "age", "event_timestamp"]


def test_formulas_stay_text(reader: Reader) -> None:
    """What a spreadsheet would run is data here."""
    assert reader.rows('id,age\n"=cmd|x",1\n')[0]["id"] == "=cmd|x"


class TestSnapshots:
    """The same rows give the same bytes."""

    def test_whatever_order_they_came_in(self, reader: Reader) -> None:
        """Sorted by the whole row."""
        reader.read("id,age\nb,2\na,1\na,0\n")
        first = reader.kept.read_bytes()
        reader.read("age,id\n0,a\n2,b\n1,a\n")
        assert reader.kept.read_bytes() == first

    def test_whatever_number_of_threads(self, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
        """Row groups included."""
        content = "id,age\n" + "".join(f"p{number * 7919 % 400_000},{number % 90}\n" for number in range(400_000))
        digests = set()
        connect: Callable[..., Any] = duckdb.connect
        for threads in (1, 3):
            monkeypatch.setattr(duckdb, "connect", lambda config, n=threads: connect(config={**config, "threads": n}))
            reader.read(content)
            digests.add(reader.kept.read_bytes())
        assert len(digests) == 1

    def test_times_are_utc_in_microseconds(self, reader: Reader) -> None:
        """Whatever the file had: nanoseconds would break the join later."""
        timed = source(column("id"), column("seen", "timestamp"), timestamp="seen")
        moment = pa.array([1_600_000_000_123_456_789], pa.timestamp("ns", tz="Europe/Berlin"))
        file = reader.folder / "people.parquet"
        pq.write_table(pa.table({"id": ["a"], "seen": moment}), file)
        reader.read(file, timed)
        assert pq.read_schema(reader.kept).field("seen").type == pa.timestamp("us", tz="UTC")

    def test_one_moment_for_all(self, reader: Reader) -> None:
        """A table without times gets the moment it describes."""
        assert reader.rows("id,age\na,1\n")[0]["event_timestamp"] == datetime.datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        pytest.param(pa.array(["1"]), "integer", "is VARCHAR, the contract says integer", id="text-for-integer"),
        pytest.param(pa.array([1.0, 1.5]), "integer", "is no integer in 1 row: in row 2 it says '1.5'", id="fraction"),
        pytest.param(pa.array([1]), "string", "is BIGINT, the contract says string", id="integer-for-text"),
        pytest.param(pa.array([0], pa.timestamp("us")), "timestamp", "set `timezone: UTC`", id="time-without-zone"),
    ],
)
def test_a_typed_file_of_other_types(reader: Reader, values: pa.Array, kind: ColumnType, told: str) -> None:
    """A file that says its types is not read as others."""
    file = reader.folder / "people.parquet"
    pq.write_table(pa.table({"id": ["a"] * len(values), "value": values}), file)
    with pytest.raises(errors.Rejected, match=told):
        reader.read(file, source(column("id"), column("value", kind)))


def test_not_a_number_is_missing_in_a_typed_file(reader: Reader) -> None:
    """Writers without a missing number use it for one; infinity they mean."""
    file = reader.folder / "people.parquet"
    wanted = source(column("id"), column("value", "number", nullable=True))
    # Two numbers that differ: of one alone DuckDB does not go by the file's statistics, which leave NaN out.
    pq.write_table(pa.table({"id": ["a", "b", "c"], "value": [float("nan"), 1.0, 2.0]}), file)
    assert [row["value"] for row in reader.rows(file, wanted)] == [None, 1.0, 2.0]
    pq.write_table(pa.table({"id": ["a"], "value": [float("inf")]}), file)
    with pytest.raises(errors.Rejected, match="is no number in 1 row"):
        reader.read(file, wanted)


@pytest.mark.parametrize(
    "name", [pytest.param('a"b', id="quote"), pytest.param("a'; DROP TABLE x; --", id="statement")]
)
def test_names_are_names(reader: Reader, name: str) -> None:
    """A column's name never becomes SQL."""
    header = '"' + name.replace('"', '""') + '"'
    rows = reader.rows(f"id,{header}\na,1\n", source(column("id"), column(name, "integer")))
    assert rows[0][name] == 1


class TestQuestions:
    """What snapshots are asked."""

    def _snapshot(self, reader: Reader, names: Sequence[str] = ("a", "b")) -> Path:
        reader.read("id,age\n" + "".join(f"{name},{age}\n" for age, name in enumerate(names)))
        return reader.kept

    def test_examples(self, reader: Reader) -> None:
        """Columns, time and label, in the order of the entity."""
        label = Label(source="people", sql="age >= 1", classes=["no", "yes"], columns=["age"])
        batches = DuckDBTables().examples(self._snapshot(reader, ("b", "a")), PEOPLE, label, ["id"], ["id"])
        rows = pa.Table.from_batches(batches).to_pylist()
        assert [(row["id"], row["label"]) for row in rows] == [("a", True), ("b", False)]
        assert rows[0]["event_timestamp"] == datetime.datetime(2020, 1, 1, tzinfo=UTC)

    def test_a_label_that_cannot_be_asked(self, reader: Reader) -> None:
        """Misconfigured, with the expression."""
        label = Label(source="people", sql="agee >= 1", classes=["no", "yes"], columns=[])
        with pytest.raises(errors.Misconfigured, match=r"label.sql: agee >= 1"):
            list(DuckDBTables().examples(self._snapshot(reader), PEOPLE, label, ["id"], ["id"]))

    def test_derived_columns(self, reader: Reader) -> None:
        """One more for each expression."""
        table = DuckDBTables().derive(Derived.of([self._snapshot(reader)], PEOPLE, {"twice": "age * 2"}))
        assert table.column("twice").to_pylist() == [0, 2]
        with pytest.raises(errors.Misconfigured, match="`twice: agee`"):
            DuckDBTables().derive(Derived.of([self._snapshot(reader)], PEOPLE, {"twice": "agee"}))
