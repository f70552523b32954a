"""`argosy init NAME --from` a folder or a table of a database: what is written, where rows stay, and the one line for a slip."""

import csv
import datetime
import random
import shlex
import sqlite3
from pathlib import Path

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.cli import main
from argosy.domain import baseline_limits
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder

ROWS = 240
Row = tuple[str, int, float | None, str, str]
COLUMNS = ("code", "age", "spent_eur", "plan", "bought")


def rows() -> list[Row]:
    """Customers who buy or do not."""
    lot = random.Random(3)
    ages = [lot.randint(18, 80) for _ in range(ROWS)]
    return [
        (
            f"C{number}",
            age,
            None if number % 17 == 0 else round(lot.uniform(0, 90), 2),
            lot.choice(["free", "pro"]),
            "yes" if lot.uniform(0, 80) < age else "no",
        )
        for number, age in enumerate(ages)
    ]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def settings_of(project: Path) -> ModelSettings:
    """The settings that were written."""
    return model_folder.load_settings(project / "workflows" / "people" / "model.yaml")


def in_sqlite(file: Path, *, key: str = "") -> Path:
    """The rows in a table of SQLite, and another table beside it; *key*: what the first column is."""
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE TABLE people (code TEXT {key}, age INTEGER, spent_eur REAL, plan TEXT, bought TEXT)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", rows())
        database.execute("CREATE TABLE photos (code TEXT, picture BLOB)")
    database.close()
    return file


def in_duckdb(file: Path) -> Path:
    """The rows in a table of DuckDB, with a list, which no contract knows, and no column that names a row."""
    with duckdb.connect(file) as database:
        database.execute(
            "CREATE TABLE people (age INTEGER, spent_eur DOUBLE, plan VARCHAR, bought BOOLEAN, seen TIMESTAMP, tags VARCHAR[])"
        )
        database.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ? = 'yes', '2026-01-01 08:00:00', ['a'])", [row[1:] for row in rows()]
        )
    return file


def test_a_folder_of_partitions(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files at any depth are one source; what folders are named is a column; rows are numbered through all of them."""
    for number, plan in enumerate(["free", "pro"]):
        folder = project / "exports" / f"plan={plan}"
        folder.mkdir(parents=True)
        with (folder / f"part-{number}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["age", "spent_eur", "bought"])
            writer.writerows(
                ("" if value is None else value for value in (age, spent, bought))
                for _, age, spent, own, bought in rows()
                if own == plan
            )
        (folder / "_SUCCESS").touch()
    assert main.run(["init", "people", "--from", "exports/"]) == errors.DONE
    found = settings_of(project)
    assert (found.primary.folder, found.primary.name, found.entity) == ("exports", "exports", ["row_id"])
    assert {column.name: column.type for column in found.primary.columns}["plan"] == "string"
    assert "feature: plan (string): 2 values" in capsys.readouterr().out
    copied = sorted((project / "data" / "people").rglob("*.csv"))
    assert [file.relative_to(project / "data" / "people").as_posix() for file in copied] == [
        "exports/plan=free/part-0.csv",
        "exports/plan=pro/part-1.csv",
    ]
    numbers = [int(line.partition(",")[0]) for file in copied for line in file.read_text("utf-8").splitlines()[1:]]
    assert numbers == list(range(1, ROWS + 1))


def test_partitions_of_parquet(project: Path) -> None:
    """A column that comes with a later partition is one that may be missing; numbered in Parquet too."""
    names = [name for name in COLUMNS if name != "code"]
    for number in range(2):
        part = [dict(zip(COLUMNS, row, strict=True)) for row in rows()[number::2]]
        table = pa.Table.from_pylist([{name: row[name] for name in names} for row in part])
        if number:
            table = table.append_column("visits", pa.array([index % 7 for index in range(len(table))]))
        Path("days").mkdir(exist_ok=True)
        pq.write_table(table, f"days/{number}.parquet")
    assert main.run(["init", "people", "--from", "days", "--target", "bought"]) == errors.DONE
    assert {each.name: each.nullable for each in settings_of(project).primary.columns}["visits"]
    second = pq.ParquetFile(project / "data" / "people" / "days" / "1.parquet").read()
    assert second.column("row_id").to_pylist()[:2] == [ROWS // 2 + 1, ROWS // 2 + 2]


def test_avro_of_which_no_column_names_a_row(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One file and partitions: numbered in Avro, compressed as before; what is no single value stays behind, and is said."""
    fields: list[dict[str, object]] = [
        {"name": "age", "type": "int"},
        {"name": "spent_eur", "type": ["null", "double"]},
        {"name": "plan", "type": {"type": "enum", "name": "Plan", "symbols": ["free", "pro"]}},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "bought", "type": "string"},
    ]
    schema = {"type": "record", "name": "Person", "namespace": "com.shop", "fields": fields}
    more: dict[str, object] = {"seen": datetime.datetime(2026, 1, 1, 8, tzinfo=datetime.UTC), "tags": ["a"]}
    records = [dict(zip(COLUMNS, row, strict=True)) | more for row in rows()]
    for file, part in {"one.avro": records, "days/0.avro": records[::2], "days/1.avro": records[1::2]}.items():
        Path(file).parent.mkdir(exist_ok=True)
        with Path(file).open("wb") as stream:
            fastavro.writer(
                stream,
                schema,
                [{name: row[name] for name in more | row if name != "code"} for row in part],
                codec="deflate",
            )
    for model, place in {"people": "days", "folk": "one.avro"}.items():
        assert main.run(["init", model, "--from", place, "--target", "bought"]) == errors.DONE
        assert "not read: tags: it is a list, which is no text" in capsys.readouterr().out
    columns = {column.name: column.type for column in settings_of(project).primary.columns}
    assert columns == {
        "row_id": "integer", "age": "integer", "spent_eur": "number", "plan": "string", "seen": "timestamp", "bought": "string",
    }  # fmt: skip
    with (project / "data" / "people" / "days" / "1.avro").open("rb") as stream:
        reader = fastavro.reader(stream)
        found = list(reader)
    assert reader.metadata["avro.codec"] == "deflate"
    assert found == [{"row_id": ROWS // 2 + 1 + place, **{name: row[name] for name in found[0] if name != "row_id"}}
                     for place, row in enumerate(records[1::2])]  # fmt: skip


@pytest.mark.parametrize("word", ["shop.db", "sqlite:///shop.db", "ARGOSY_SOURCE_SHOP"])
def test_a_table_of_sqlite(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """By file, address or name: rows stay where they are, the key is the table's own, and the address stands in no file."""
    file = in_sqlite(project / "shop.db", key="PRIMARY KEY")
    is_named = word.startswith("ARGOSY_")
    if is_named:
        monkeypatch.setenv(word, f"sqlite:///{file}")
    assert main.run(["init", "people", "--from", word, "--table", "people"]) == errors.DONE
    found, said = settings_of(project), capsys.readouterr().out
    assert found.primary.sql is not None
    assert (found.primary.sql.secret, found.primary.sql.table, found.entity) == ("shop", "people", ["code"])
    assert "key: code: the primary key of the table" in said
    command = (
        "try next: argosy run people"
        if is_named
        else f"export ARGOSY_SOURCE_SHOP=sqlite:///{file} && argosy run people"
    )
    assert said.rstrip().endswith(command)
    assert not (project / "data").exists()
    assert not any(str(file) in each.read_text("utf-8") for each in (project / "workflows").rglob("*.*"))


def test_what_has_to_be_typed_before_is_quoted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell is given the address as one word, whatever stands in it."""
    folder = project / "of & us"
    folder.mkdir()
    file = in_sqlite(folder / "shop.db")
    assert main.run(["init", "people", "--from", str(file), "--table", "people"]) == errors.DONE
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    words = shlex.split(last[last.index("export") :])
    assert words == ["export", f"ARGOSY_SOURCE_SHOP=sqlite:///{file}", "&&", "argosy", "run", "people"]


def test_a_table_of_duckdb_without_a_key(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows are numbered in the order of their values; a column that no contract can have is not read, and said."""
    in_duckdb(project / "shop.duckdb")
    assert main.run(["init", "people", "--from", "shop.duckdb"]) == errors.DONE
    found, said = settings_of(project), capsys.readouterr().out
    assert found.primary.sql is not None
    assert found.primary.sql.query is not None
    assert found.primary.sql.query.startswith('SELECT row_number() OVER (ORDER BY "age"')
    assert "not read: tags: its type VARCHAR[] is no text" in said
    assert {column.name: column.type for column in found.primary.columns} == {
        "row_id": "integer", "age": "integer", "spent_eur": "number", "plan": "string", "bought": "boolean", "seen": "timestamp",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--from", "shop.db"], "name its table with --table; it has people, photos", id="which-table"),
        pytest.param(["--from", "shop.db", "--table", "peple"], "did you mean 'people'?", id="no-table"),
        pytest.param(["--from", "sqlite:///shp.db", "--table", "people"], "there is no file", id="no-database"),
        pytest.param(
            ["--from", "postgresql://me:hunter2@db/shop", "--table", "people"],
            "stays in the shell's history",
            id="password",
        ),
        *[
            pytest.param(
                ["--from", f"postgresql://db/shop?sslmode=require&{option}=hunter2", "--table", "people"],
                "stays in the shell's history",
                id=option,
            )
            for option in ("password", "sslpassword", "PASSWD", "access_token")
        ],
        pytest.param(
            ["--from", "ARGOSY_SOURCE_CRN", "--table", "people"], "did you mean 'ARGOSY_SOURCE_CRM'?", id="name"
        ),
        pytest.param(["--from", "https://example.org/x.csv"], "name a file or folder of this machine", id="web"),
        pytest.param(["--from", "mixed"], "it has CSV and Parquet files", id="two-kinds"),
        pytest.param(["--from", "torn"], "b.csv without, which are of no one table", id="two-tables"),
        pytest.param(["--from", "empty"], "no file in it ends in", id="empty-folder"),
        pytest.param(["--from", "people.csv", "--table", "people"], "only a database has tables", id="table-of-a-file"),
        pytest.param(["--table", "people"], "--table says something of a table", id="nothing-named"),
    ],
)
def test_typed_wrong(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """One line that says what was meant, without a password; nothing is written."""
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", "sqlite:///nowhere.db")
    in_sqlite(project / "shop.db")
    for name, text in {
        "mixed/a.csv": "a\n1\n",
        "mixed/b.parquet": "",
        "torn/a.csv": "a,b\n1,2\n",
        "torn/b.csv": "a\n1\n",
    }.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    (project / "empty").mkdir()
    (project / "people.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    before = sorted(project.rglob("*"))
    assert main.run(["init", "people", *words]) == errors.UsageError.exit_code
    found = capsys.readouterr().err
    assert said in found
    assert len(found.splitlines()) == 1
    assert "hunter2" not in found
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"no database at all", "no file that this DuckDB reads", id="garbage"),
        pytest.param(None, "no such table", id="other-table"),
    ],
)
def test_a_duckdb_that_cannot_be_read(
    project: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    """One line, and no traceback."""
    in_duckdb(project / "shop.duckdb")
    if content is not None:
        (project / "shop.duckdb").write_bytes(content)
    assert main.run(["init", "people", "--from", "shop.duckdb", "--table", "folk"]) != errors.DONE
    found = capsys.readouterr().err
    assert said in found
    assert len(found.splitlines()) == 1


def test_a_model_may_go_by_fewer_columns_than_its_baseline() -> None:
    """The share of the strongest column is bounded half way to one: what a search comes to differs more than what is drawn."""
    values = [{"explainability.top_share": share} for share in (0.19, 0.24)]
    [limit] = [each for each in baseline_limits._others(values) if each.metric == "explainability.top_share"]
    assert limit.at_most == 0.62


def test_a_query_of_duckdb_reads_no_other_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does a view that somebody left in the file."""
    (project / "secret.csv").write_text("code,age\n1,2\n", encoding="utf-8")
    with duckdb.connect(project / "shop.duckdb") as database:
        database.execute(f"CREATE VIEW people AS SELECT * FROM read_csv('{project / 'secret.csv'}')")  # noqa: S608
    assert main.run(["init", "people", "--from", "shop.duckdb"]) == errors.Misconfigured.exit_code
    assert "Permission Error" in capsys.readouterr().err
