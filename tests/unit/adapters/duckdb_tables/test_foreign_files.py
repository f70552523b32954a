"""Files as other programs write them: read as they are, or by a setting that the message names."""

import datetime
import decimal
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.source_settings import Column, ColumnType, RejectRule, Source

UTC = datetime.UTC
Rows = list[dict[str, Any]]
Read = Callable[..., Rows]


def column(name: str, kind: ColumnType = "string", **more: Any) -> Column:
    return Column(name=name, type=kind, meaning="For a test.", **more)


def source(*columns: Column, **more: Any) -> Source:
    moment = datetime.datetime(2020, 1, 1, tzinfo=UTC)
    return Source(name="people", file="people.csv", entity=["id"], columns=list(columns), observed_at=moment, **more)


PEOPLE = source(column("id"), column("age", "integer", nullable=True))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the content of a CSV file, or a file, into rows without their time."""

    def rows(content: str | Path, wanted: Source = PEOPLE, *rules: RejectRule) -> Rows:
        file = content if isinstance(content, Path) else tmp_path / "people.csv"
        if isinstance(content, str):
            file.write_text(content, encoding="utf-8")
        kept, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
        DuckDBTables().snapshot(wanted, rules, file, kept=kept, rejected=rejected)
        return [
            {name: row[name] for name in row if name != "event_timestamp"} for row in pq.read_table(kept).to_pylist()
        ]

    return rows


ONE = [{"id": "a", "age": 1}]


class TestNames:
    """A column that the contract does not name is left out, whatever it is called."""

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(",id,age\n0,a,1\n", id="index-of-pandas"),
            pytest.param(",,id,age\n0,x,a,1\n", id="two-without-a-name"),
            pytest.param("id,age,\na,1,\n", id="delimiter-behind-the-last"),
            pytest.param("Unnamed: 0,,id,age\n0,0,a,1\n", id="index-written-twice"),
            pytest.param("x,x,X,id,age\n1,2,3,a,1\n", id="names-twice"),
            pytest.param("id,age,Age\na,1,2\n", id="another-case"),
            pytest.param("id,age,__argosy_row\na,1,2\n", id="a-name-of-ours"),
            pytest.param("\ufeff,id,age\n0,a,1\n", id="byte-order-mark"),
        ],
    )
    def test_in_csv(self, read: Read, content: str) -> None:
        """Nothing but the contract's columns comes through."""
        assert read(content) == ONE

    def test_rows_kept_aside_have_every_column(self, read: Read, tmp_path: Path) -> None:
        """Those without a name too, each under one of its own."""
        read(",,id,age\n0,x,a,1\n1,y,b,-1\n", PEOPLE, RejectRule(source="people", when="age < 0", reason="odd"))
        aside = pq.read_table(tmp_path / "rejected.parquet").to_pylist()[0]
        assert (aside["Unnamed: 0"], aside["Unnamed: 1"], aside["id"]) == ("1", "y", "b")

    @pytest.mark.parametrize("index", [pytest.param(None, id="range"), pytest.param([7], id="values")])
    def test_in_parquet_of_pandas(self, read: Read, tmp_path: Path, index: list[int] | None) -> None:
        """Its index is a column, or a remark in the file; neither is the contract's."""
        file = tmp_path / "people.parquet"
        pd.DataFrame({"id": ["a"], "age": [1]}, index=index).to_parquet(file)
        assert read(file) == ONE

    def test_parquet_with_one_name_in_two_cases(self, read: Read, tmp_path: Path) -> None:
        """Told apart as they are written."""
        file = tmp_path / "people.parquet"
        pq.write_table(pa.table({"id": ["a"], "Age": [5], "age": [1]}), file)
        assert read(file) == ONE

    def test_blanks_round_a_name(self, read: Read) -> None:
        """Named, not guessed."""
        with pytest.raises(
            errors.Rejected, match=r"no column 'age' .there is ' age', with blanks round it."
        ) as refusal:
            read("id, age\na,1\n")
        assert "'id'," in str(refusal.value)

    def test_every_absent_column_is_named(self, read: Read) -> None:
        """At once, each with what is near."""
        wanted = source(column("id"), *(column(f"c{number}") for number in range(9)), column("salary"))
        with pytest.raises(errors.Rejected) as refusal:
            read("id,Salary\na,1\n", wanted)
        assert all(f"'c{number}'" in str(refusal.value) for number in range(9))
        assert "'salary' (there is 'Salary', written otherwise)" in str(refusal.value)


class TestDialects:
    """Other delimiters, decimal signs and words for a missing value."""

    @pytest.mark.parametrize(
        ("delimiter", "setting"),
        [pytest.param(";", ";", id="semicolon"), pytest.param("\t", "tab", id="tab"), pytest.param("|", "|", id="bar")],
    )
    def test_delimiter(self, read: Read, delimiter: str, setting: str) -> None:
        """Found by the contract's columns in the header; recognised in the message where another is set; read where it is."""
        content = f"id{delimiter}age\na{delimiter}1\n"
        assert read(content) == read(f"\ufeff{content}") == ONE
        with pytest.raises(errors.Rejected, match=re.escape(f"separated by '{setting}': set `delimiter: '{setting}'`")):
            read(content, source(*PEOPLE.columns, delimiter=","))
        assert read(content, source(*PEOPLE.columns, delimiter=setting)) == ONE

    @pytest.mark.parametrize("hint", ["sep=;\n", "\ufeffSEP=;\n", '"sep=;"\n'], ids=["plain", "marked", "quoted"])
    def test_a_hint_for_excel(self, read: Read, hint: str) -> None:
        """A first line that names the delimiter is no header, whether the settings name it too; a problem is at the line of an editor."""
        assert read(f"{hint}id;age\na;1\n") == ONE
        assert read(f"{hint}id;age\na;1\n", source(*PEOPLE.columns, delimiter=";")) == ONE
        with pytest.raises(errors.Rejected, match=r"line 4 of .* it has 3 values"):
            read(f"{hint}id;age\na;1\nb;2;3\n")
        with pytest.raises(errors.Rejected, match="line 4"):
            read(f"{hint}id;age\na;1\nb;old\n")
        with pytest.raises(errors.Rejected, match=r"a hint for Excel .* ends otherwise .*; take it out"):
            read(f"{hint.strip()}\r\nid;age\na;1\n")

    def test_a_column_that_begins_like_a_hint(self, read: Read) -> None:
        """Is a column: a hint is a whole line."""
        assert read("id,sep=;\na,b\n", source(column("id"), column("sep=;"))) == [{"id": "a", "sep=;": "b"}]

    def test_a_comma_where_another_is_set(self, read: Read) -> None:
        """The same the other way round."""
        with pytest.raises(errors.Rejected, match="separated by ',': set `delimiter: ','`"):
            read("id,age\na,1\n", source(*PEOPLE.columns, delimiter=";"))

    def test_decimal_comma(self, read: Read) -> None:
        """Found where it can be nothing else, and read where it is set; where a point is set, the message names the setting."""
        columns = (column("id"), column("age", "integer"), column("height", "number"))
        content = "id;age;height\na;38,0;-1,75e1\n"
        with pytest.raises(
            errors.Rejected, match="it says '-1,75e1'; if the comma is its decimal sign, set `decimal: ','`"
        ):
            read(content, source(*columns, delimiter=";", decimal="."))
        for settings in ({}, {"delimiter": ";"}, {"delimiter": ";", "decimal": ","}):
            assert read(content, source(*columns, **settings)) == [{"id": "a", "age": 38, "height": -17.5}]

    @pytest.mark.parametrize("value", ["1,234", "1.5", "1,5\nb;1.5", "12,345,678"])
    def test_a_comma_in_doubt(self, read: Read, value: str) -> None:
        """Thousands are written alike: nothing is guessed of a file in which a comma may be one, or a point is the sign."""
        content, wanted = f"id;x\na;{value}\n", source(column("id"), column("x", "number"))
        if value == "1.5":
            assert read(content, wanted) == [{"id": "a", "x": 1.5}]
        else:
            with pytest.raises(errors.Rejected, match="is no number"):
                read(content, wanted)

    def test_a_delimiter_in_doubt(self, read: Read) -> None:
        """Two that would both do are none."""
        with pytest.raises(errors.Rejected, match="separated by"):
            read("id;x|id\na;1|a\n", source(column("id")))

    def test_a_decimal_point_is_then_no_number(self, read: Read) -> None:
        """1.234 of such a file may be a thousand and more: never guessed."""
        with pytest.raises(errors.Rejected, match="is no number"):
            read("id;x\na;1.234\n", source(column("id"), column("x", "number"), delimiter=";", decimal=","))

    @pytest.mark.parametrize(
        "settings",
        [
            pytest.param({"decimal": ","}, id="comma-for-both"),
            pytest.param({"delimiter": ";;"}, id="two-characters"),
            pytest.param({"delimiter": '"'}, id="a-quote"),
        ],
    )
    def test_a_dialect_that_cannot_be(self, settings: dict[str, str]) -> None:
        """Refused with the settings."""
        with pytest.raises(ValidationError, match="delimiter"):
            source(column("id"), **settings)

    def test_words_for_missing(self, read: Read) -> None:
        """Recognised in the message; null where they are set, and a word as ever where they are not."""
        content = "id,age\na,NA\n"
        with pytest.raises(errors.Rejected, match=r"set `missing: \['NA'\]` at the source"):
            read(content)
        assert read(content, source(*PEOPLE.columns, missing=["NA", "?"])) == [{"id": "a", "age": None}]
        assert read("id,age\nNA,1\n") == [{"id": "NA", "age": 1}]


class TestValues:
    """Numbers, booleans and times as other programs write them."""

    @pytest.mark.parametrize("text", ["38.0", "38.", "38.00", "+38"])
    def test_a_whole_number_with_a_point(self, read: Read, text: str) -> None:
        """An integer: so it is written beside missing values."""
        assert read(f"id,age\na,{text}\nb,\n") == [{"id": "a", "age": 38}, {"id": "b", "age": None}]

    def test_a_large_one(self, read: Read) -> None:
        """Keeps its last digit."""
        assert read("id,age\na,9007199254740993.0\n") == [{"id": "a", "age": 9007199254740993}]

    def test_in_parquet_of_pandas(self, read: Read, tmp_path: Path) -> None:
        """The same for a column of floats; beyond 2^53 a float does not know which whole number it is."""
        file = tmp_path / "people.parquet"
        pd.DataFrame({"id": ["a", "b"], "age": [38, None]}).to_parquet(file)
        assert read(file) == [{"id": "a", "age": 38}, {"id": "b", "age": None}]
        pd.DataFrame({"id": ["a"], "age": [2.0**60]}).to_parquet(file)
        with pytest.raises(errors.Rejected, match="is no integer in 1 row: in row 1"):
            read(file)

    @pytest.mark.parametrize(
        ("word", "form", "advice"),
        [
            pytest.param(
                "29.02.2024", "%d.%m.%Y", '`format: "%d.%m.%Y"` at the column, and its `timezone`', id="points"
            ),
            pytest.param("02/29/2024 06:30", "%m/%d/%Y %H:%M", '`format: "%m/%d/%Y %H:%M"`', id="month-first"),
            pytest.param("29-02-2024", "%d-%m-%Y", '`format: "%d-%m-%Y"`', id="dashes"),
            pytest.param("1709164800", "epoch", "`format: epoch` at the column;", id="seconds"),
            pytest.param("1709164800000", "epoch_ms", "`format: epoch_ms` at the column;", id="milliseconds"),
        ],
    )
    def test_dates_in_other_forms(self, read: Read, word: str, form: str, advice: str) -> None:
        """The message names the form that the value can be in alone; with it the value is that day."""
        content = f"id,at\na,{word}\n"
        with pytest.raises(errors.Rejected, match=re.escape(advice)):
            read(content, source(column("id"), column("at", "timestamp")))
        zone = {} if form.startswith("epoch") else {"timezone": "UTC"}
        (row,) = read(content, source(column("id"), column("at", "timestamp", format=form, **zone)))
        assert row["at"].date() == datetime.date(2024, 2, 29)

    def test_a_day_that_may_be_a_month(self, read: Read) -> None:
        """02/03/2024 is told by nobody: no form is proposed as if it were known."""
        with pytest.raises(errors.Rejected, match=re.escape('with `format: "%d.%m.%Y %H:%M"` or alike')):
            read("id,at\na,02/03/2024\n", source(column("id"), column("at", "timestamp")))

    @pytest.mark.parametrize("word", ["1709164800.5", "99999999999999999999", "soon"])
    def test_no_count_from_1970(self, read: Read, word: str) -> None:
        """What is no whole number, or beyond what microseconds reach, is refused as any other value."""
        with pytest.raises(errors.Rejected, match="is no timestamp in 1 row"):
            read(f"id,at\na,{word}\n", source(column("id"), column("at", "timestamp", format="epoch")))

    def test_an_id_of_more_than_64_bits(self, read: Read) -> None:
        """The message says what keeps it."""
        with pytest.raises(errors.Rejected, match="declared `type: string`, and keeps every digit"):
            read("id,age\na,18446744073709551616\n")

    def test_a_decimal_of_a_parquet_file_kept_as_text(self, read: Read, tmp_path: Path) -> None:
        """Every digit of it."""
        file = tmp_path / "people.parquet"
        amount = decimal.Decimal("12345678901234567890.1200")
        pq.write_table(pa.table({"id": ["a"], "amount": pa.array([amount], pa.decimal128(30, 4))}), file)
        assert read(file, source(column("id"), column("amount"))) == [{"id": "a", "amount": str(amount)}]

    @pytest.mark.parametrize(
        ("word", "advice"),
        [
            pytest.param("Yes", 'means_true: ["Yes"], means_false: ["No"]', id="yes"),
            pytest.param("N", 'means_true: ["Y"], means_false: ["N"]', id="n"),
            pytest.param("0", 'means_true: ["1"], means_false: ["0"]', id="number"),
        ],
    )
    def test_words_for_true_and_false(self, read: Read, word: str, advice: str) -> None:
        """The message names the setting, fit to be copied."""
        with pytest.raises(errors.Rejected) as refusal:
            read(f"id,left\na,{word}\n", source(column("id"), column("left", "boolean")))
        assert advice in str(refusal.value)

    def test_words_that_the_contract_names(self, read: Read, tmp_path: Path) -> None:
        """Read in either case, in typed files too; any other word is unreadable."""
        wanted = source(column("id"), column("left", "boolean", means_true=["Yes"], means_false=["No", "never"]))
        content = "id,left\na,Yes\nb, no \nc,NEVER\n"
        assert [row["left"] for row in read(content, wanted)] == [True, False, False]
        file = tmp_path / "people.parquet"
        pq.write_table(pa.table({"id": ["a", "b"], "left": ["yes", "No"]}), file)
        assert [row["left"] for row in read(file, wanted)] == [True, False]
        with pytest.raises(errors.Rejected, match="it says 'true'; add the word to"):
            read("id,left\na,true\n", wanted)

    @pytest.mark.parametrize("text", ["2020-01-11", "2020-01-11 00:00:00", "2020-01-11T00:00:00", "2020-01-11T00:00"])
    def test_a_time_without_a_zone(self, read: Read, text: str) -> None:
        """The message names the setting; with it the time is that zone's."""
        with pytest.raises(errors.Rejected, match=r"names no zone.* set `timezone: UTC`"):
            read(f"id,seen\na,{text}\n", source(column("id"), column("seen", "timestamp")))
        berlin = source(column("id"), column("seen", "timestamp", timezone="Europe/Berlin"))
        assert read(f"id,seen\na,{text}\n", berlin)[0]["seen"] == datetime.datetime(2020, 1, 10, 23, tzinfo=UTC)

    def test_a_zone_that_is_written_counts(self, read: Read) -> None:
        """`timezone` is for the times that name none."""
        berlin = source(column("id"), column("seen", "timestamp", timezone="Europe/Berlin"))
        assert read("id,seen\na,2020-01-11T00:00:00Z\n", berlin)[0]["seen"] == datetime.datetime(
            2020, 1, 11, tzinfo=UTC
        )

    def test_clocks_set_back(self, read: Read) -> None:
        """Of an hour that comes twice the later is meant, as the setting's description says."""
        berlin = source(column("id"), column("seen", "timestamp", timezone="Europe/Berlin"))
        assert read("id,seen\na,2020-10-25T02:30:00\n", berlin)[0]["seen"].hour == 1

    def test_another_form(self, read: Read, tmp_path: Path) -> None:
        """The message says what to set; the contract's form is read, in typed files too."""
        content = "id,seen\na,11.01.2020 13:05\n"
        with pytest.raises(errors.Rejected, match="say how it is written with `format:"):
            read(content, source(column("id"), column("seen", "timestamp")))
        form = {"format": "%d.%m.%Y %H:%M", "timezone": "UTC"}
        wanted = source(column("id"), column("seen", "timestamp", **form))
        assert read(content, wanted)[0]["seen"] == datetime.datetime(2020, 1, 11, 13, 5, tzinfo=UTC)
        file = tmp_path / "people.parquet"
        pq.write_table(pa.table({"id": ["a"], "seen": ["11.01.2020 13:05"]}), file)
        assert read(file, wanted)[0]["seen"] == datetime.datetime(2020, 1, 11, 13, 5, tzinfo=UTC)
        with pytest.raises(errors.Rejected, match="the column's `format` is"):
            read("id,seen\na,2020-01-11\n", wanted)

    @pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us"), pa.date32()])
    def test_times_without_a_zone_in_parquet(self, read: Read, tmp_path: Path, kind: pa.DataType) -> None:
        """As pandas writes them: the same setting."""
        file = tmp_path / "people.parquet"
        pq.write_table(pa.table({"id": ["a"], "seen": pa.array([datetime.datetime(2020, 1, 11)]).cast(kind)}), file)  # noqa: DTZ001
        with pytest.raises(errors.Rejected, match="set `timezone: UTC`"):
            read(file, source(column("id"), column("seen", "timestamp")))
        berlin = source(column("id"), column("seen", "timestamp", timezone="Europe/Berlin"))
        assert read(file, berlin)[0]["seen"] == datetime.datetime(2020, 1, 10, 23, tzinfo=UTC)


class TestPlaces:
    """A place in a CSV file is a line as an editor counts it, whatever is wrong there."""

    @pytest.mark.parametrize(
        "last",
        [pytest.param("b,x,9", id="too-many"), pytest.param("b,x", id="unreadable"), pytest.param(",1", id="missing")],
    )
    @pytest.mark.parametrize(
        "between",
        [
            pytest.param("", id="nothing"),
            pytest.param("\n\n", id="blank-lines"),
            pytest.param('"q\nr\ns",1\n', id="quoted"),
        ],
    )
    def test_line(self, read: Read, last: str, between: str) -> None:
        """The line that the row begins in."""
        before = f"id,age\na,1\n{between}"
        with pytest.raises(errors.Rejected, match=rf"\bline {before.count(chr(10)) + 1}\b"):
            read(f"{before}{last}\n")

    def test_every_bad_column_is_named(self, read: Read) -> None:
        """At once, a line each."""
        wanted = source(column("id"), column("age", "integer"), column("tall", "number"), column("left", "boolean"))
        with pytest.raises(errors.Rejected) as refusal:
            read("id,age,tall,left\na,old,very,maybe\nb,,1,true\n", wanted)
        assert [f"column {name!r}" in str(refusal.value) for name in ("age", "tall", "left")] == [True] * 3

    def test_the_condition_can_be_copied(self, read: Read) -> None:
        """A rule as the message prints it keeps the row aside, whatever the column is called."""
        wanted = source(column("id"), column("the age", "integer"))
        with pytest.raises(errors.Rejected, match="is null', reason") as refusal:
            read("id,the age\na,1\nb,old\n", wanted)
        condition = str(refusal.value).partition("when: '")[2].partition("', reason")[0]
        kept = read("id,the age\na,1\nb,old\n", wanted, RejectRule(source="people", when=condition, reason="odd"))
        assert kept == [{"id": "a", "the age": 1}]

    @pytest.mark.parametrize("word", ["NA", "1,5", "2020-13-01", "Yes"])
    @pytest.mark.parametrize("kind", ["integer", "number", "boolean", "timestamp"])
    def test_advice_about_a_personal_column(self, read: Read, kind: ColumnType, word: str) -> None:
        """Says nothing of its values."""
        with pytest.raises(errors.Rejected, match="withheld") as refusal:
            read(f'id,x\na,"{word}"\n', source(column("id"), column("x", kind, personal=True)))
        assert f"{word}'" not in str(refusal.value).replace(" 'x' ", "")


@pytest.mark.parametrize(
    ("start", "told"),
    [
        pytest.param(b"PK\x03\x04\x14", "a spreadsheet or an archive", id="xlsx"),
        pytest.param(b"\x1f\x8b\x08", "compressed by gzip", id="gzip"),
        pytest.param(b"PAR1\x15", "Parquet", id="parquet"),
    ],
)
def test_a_file_of_another_kind(read: Read, tmp_path: Path, start: bytes, told: str) -> None:
    """Said to be one, whatever it is called."""
    (tmp_path / "people.csv").write_bytes(start + b"\xff\x00" * 20)
    with pytest.raises(errors.Rejected, match=f"is no CSV file: it is {told}"):
        read(tmp_path / "people.csv")


class TestTimeSettings:
    """A contract that does not say which moment is meant is refused with the settings."""

    @pytest.mark.parametrize(
        ("settings", "told"),
        [
            pytest.param({"format": "%d.%m.%Y"}, "has no zone .%z.: name the `timezone`", id="no-zone"),
            pytest.param({"format": "%d.%Q", "timezone": "UTC"}, "has '%Q', which stands for no part", id="no-part"),
            pytest.param({"format": "%d.%", "timezone": "UTC"}, "has '%', which stands for no part", id="cut-off"),
        ],
    )
    def test_format(self, settings: dict[str, str], told: str) -> None:
        """It is one that can be read, and a zone is named."""
        with pytest.raises(ValidationError, match=told):
            column("seen", "timestamp", **settings)

    @pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
    def test_a_zone_in_the_format_counts(self, read: Read, zone: str | None) -> None:
        """And not the contract's."""
        wanted = source(column("id"), column("seen", "timestamp", format="%d.%m.%Y %H:%M %z", timezone=zone))
        rows = read("id,seen\na,11.01.2020 13:05 +0200\n", wanted)
        assert rows[0]["seen"] == datetime.datetime(2020, 1, 11, 11, 5, tzinfo=UTC)

    def test_an_unknown_zone(self, read: Read) -> None:
        """Named with its column, also where there is no list of zones to look it up in."""
        wanted = source(column("id"), column("seen", "timestamp", timezone="Europe/Berln"))
        with pytest.raises(errors.Misconfigured, match=r"column 'seen' .* Unknown TimeZone 'Europe/Berln'"):
            read("id,seen\na,2020-01-11\n", wanted)


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        pytest.param(
            "integer", '"1,234"', "without signs between thousands, or, if the comma is its decimal", id="comma"
        ),
        pytest.param("number", '"1,234,567.5"', "without signs between thousands; or mend", id="commas"),
        pytest.param("integer", "1e+16", "write whole numbers out", id="exponent"),
        pytest.param("integer", "1.5", "declare `type: number`", id="fraction"),
        pytest.param("number", "12%", "write the number alone", id="percent"),
    ],
)
def test_advice_about_numbers(read: Read, kind: ColumnType, text: str, told: str) -> None:
    """What would make a number of it."""
    with pytest.raises(errors.Rejected, match=told):
        read(f"id,x\na,{text}\n", source(column("id"), column("x", kind)))


def test_nanoseconds(read: Read) -> None:
    """Cut to microseconds, as in a typed file."""
    wanted = source(column("id"), column("seen", "timestamp", timezone="UTC"))
    rows = read("id,seen\na,2020-01-11 00:00:00.123456789\n", wanted)
    assert rows[0]["seen"] == datetime.datetime(2020, 1, 11, 0, 0, 0, 123456, tzinfo=UTC)
