"""`argosy init NAME --from FILE`: what is guessed of a table, what stands in the files, and the one line for what can teach nothing."""

import csv
import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.cli import main
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder

Table = dict[str, list[object]]
ROWS = 300


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(**changes: list[object] | None) -> Table:
    """People who buy or do not, with noise; *changes*: columns more, others, or none."""
    lot = random.Random(5)
    age = [lot.randint(18, 80) for _ in range(ROWS)]
    columns: dict[str, list[object] | None] = {
        "customer_id": [f"C{number}" for number in range(ROWS)],
        "age": list(age),
        "plan": [lot.choice(["free", "pro", "team"]) for _ in range(ROWS)],
        "sex": [lot.choice(["f", "m"]) for _ in range(ROWS)],
        "spent_eur": [f"{lot.uniform(0, 90):.2f}" if lot.random() > 0.1 else "NA" for _ in range(ROWS)],
        "bought": ["yes" if lot.uniform(0, 80) < each else "no" for each in age],
    }
    return {name: values for name, values in {**columns, **changes}.items() if values is not None}


def written(folder: Path, content: Table, *, delimiter: str = ",") -> Path:
    """*content* as a CSV file."""
    file = folder / "people.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(content)
        writer.writerows(zip(*content.values(), strict=True))
    return file


def settings_of(project: Path, model: str = "people") -> ModelSettings:
    """The settings that were written."""
    return model_folder.load_settings(project / "workflows" / model / "model.yaml")


def test_everything_is_guessed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Task, label, key, units, missing values, people's data: each is in the files, and said with its reason; the manifest is compiled."""
    file = written(project, table())
    assert main.run(["init", "people", "--from", str(file), "--json"]) == errors.DONE
    said = json.loads(capsys.readouterr().out)
    found = settings_of(project)
    columns = {column.name: column for column in found.primary.columns}
    assert (found.task, found.entity, found.label.sql) == ("binary", ["customer_id"], "\"bought\" = 'yes'")
    assert found.label.classes == ["not bought", "bought"]
    assert (columns["spent_eur"].type, columns["spent_eur"].unit, columns["spent_eur"].nullable) == (
        "number",
        "EUR",
        True,
    )
    assert found.primary.missing == ["NA"]
    assert columns["customer_id"].personal
    assert found.evaluation.sensitive == ["sex"]
    assert all(guess["reason"] for guess in [*said["guesses"], *said["columns"]])
    assert (
        main.run(["compile", "--check", "workflows/people"]) == errors.Rejected.exit_code
    )  # retrain.yaml is not compiled yet
    assert "pipeline.yaml" not in capsys.readouterr().err
    assert (project / "data" / "people" / "people.csv").read_bytes() == file.read_bytes()
    policy = model_folder.load_policy(project / "gitops-env" / "policies" / "people.yaml")
    assert [waiver.dimension for waiver in policy.waivers] == ["fairness"]  # no holdout has thirty of each


@pytest.mark.parametrize(
    ("options", "content", "wanted"),
    [
        pytest.param(
            [], table(bought=[f"{n % 3}" for n in range(ROWS)]), ("multiclass", ["0", "1", "2"]), id="few-whole-numbers"
        ),
        pytest.param(
            ["--task", "regression"], table(bought=[n % 3 for n in range(ROWS)]), ("regression", []), id="as-amounts"
        ),
        pytest.param([], table(bought=[n * 0.5 for n in range(ROWS)]), ("regression", []), id="numbers"),
        pytest.param(["--positive", "no"], table(), ("binary", ["bought", "not bought"]), id="the-other-class"),
        pytest.param(["--target", "plan"], table(), ("multiclass", ["free", "pro", "team"]), id="another-label"),
    ],
)
def test_the_task(project: Path, options: list[str], content: Table, wanted: tuple[str, list[str]]) -> None:
    """It follows from the label's values, or from who says it."""
    file = written(project, content)
    assert main.run(["init", "people", "--from", str(file), *options]) == errors.DONE
    found = settings_of(project)
    classes = wanted[1] if options[:1] != ["--positive"] else found.label.classes
    assert (found.task, found.label.classes) == (wanted[0], classes)
    if options[:1] == ["--positive"]:
        assert found.label.sql == "\"bought\" = 'no'"


def test_rows_without_a_key(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are numbered, in the data as in the contract; a file with other signs is copied with them."""
    file = written(project, table(customer_id=None), delimiter=";")
    words = ["--drop", "plan", "--owner", "sales: team", "--personal", "none", "--sensitive", "none"]
    assert main.run(["init", "people", "--from", str(file), *words]) == errors.DONE
    found = settings_of(project)
    assert "  ask: " not in capsys.readouterr().out  # it was said
    assert found.evaluation.sensitive == []
    assert (found.entity, found.primary.delimiter, found.owner) == (["row_id"], ";", "sales: team")
    assert "plan" not in [column.name for column in found.primary.columns]
    lines = (project / "data" / "people" / "people.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition(";")[0] for line in lines[:3]] == ["row_id", "1", "2"]


@pytest.mark.parametrize("key", [pytest.param(True, id="with-a-key"), pytest.param(False, id="numbered")])
def test_a_hint_for_excel_is_no_header(project: Path, key: bool) -> None:
    """The first line `sep=;`, which some programs write: its sign is taken, and the model's data is read with it or without."""
    content = table() if key else table(customer_id=None)
    file = written(project, content, delimiter=";")
    file.write_text(f"sep=;\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    assert main.run(["init", "people", "--from", str(file)]) == errors.DONE
    found = settings_of(project)
    assert (found.entity, found.primary.delimiter) == ([next(iter(content)) if key else "row_id"], ";")
    data = project / "data" / "people" / "people.csv"
    assert data.read_text(encoding="utf-8").startswith("sep=;" if key else "row_id;")
    kept, rejected = project / "kept.parquet", project / "rejected.parquet"
    DuckDBTables().snapshot(found.primary, [], data, kept=kept, rejected=rejected)
    assert pq.read_metadata(kept).num_rows == ROWS


def test_the_index_of_a_data_frame(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pandas writes that of a filtered frame as a column with this name, in Parquet behind the others: it is neither label nor feature."""
    given = table(bought=None)
    given["left_by"] = [f"{age + 1}" for age in given["age"]]
    file = written(project, {**given, "__index_level_0__": [3 * number for number in range(ROWS)]})
    assert main.run(["init", "people", "--from", str(file)]) == errors.DONE
    assert settings_of(project).label.columns[0] != "__index_level_0__"
    features = (project / "workflows" / "people" / "features.py").read_text(encoding="utf-8")
    assert '"__index_level_0__"' not in features
    assert "left out: __index_level_0__" in capsys.readouterr().out


def test_names_that_people_give(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What R calls its row names and a second key are no features, the kind of a street tells nobody; years are printed as years."""
    lot = random.Random(3)
    rows = sorted(lot.sample(range(1, 2 * ROWS), ROWS))
    homes: Table = {
        "rownames": list(rows),
        "PID": [5_000_000 + 7 * each for each in rows],
        "ParcelNo": [90_000 - 3 * each for each in rows],
        "Street": [lot.choice(["paved", "gravel"]) for _ in rows],
        "Built": [lot.randint(1872, 2010) for _ in rows],
        "Geschlecht": [lot.choice(["m", "w"]) for _ in rows],
        "Price": [50_000 + 13 * each + lot.randint(0, 900) for each in rows],
        "Sold": [lot.choice(["spring", "fall"]) for _ in rows],
    }
    assert main.run(["init", "homes", "--from", str(written(project, homes)), "--personal", "none"]) == errors.DONE
    said = capsys.readouterr().out
    assert "label: Price: a column of this name" in said
    assert "key: PID: called like one" in said
    assert "left out: rownames (integer): it is the index" in said
    assert "left out: ParcelNo (integer): called like a key, and no value is there twice; --keep learns from it" in said
    assert "feature: Street (string): 2 values" in said
    assert "feature: Geschlecht (string) [sensitive]: 2 values" in said
    assert re.search(r"feature: Built \(integer\): 18\d\d to 20\d\d", said)
    assert re.search(r"mae at most \S+: A quick baseline had [\d,.]+ to [\d,.]+ on", said)


@pytest.mark.parametrize("line", [1, 3])
def test_a_file_of_another_encoding(project: Path, capsys: pytest.CaptureFixture[str], line: int) -> None:
    """Its first line of that kind, and the command that makes it UTF-8, whether names or values have the letters."""
    lines = ["größe,b" if line == 1 else "a,b", "1,x", "2,ö" if line == 3 else "2,y"] + [
        f"{each},z" for each in range(200)
    ]
    (project / "haus preise.csv").write_bytes("\n".join(lines).encode("cp1252"))
    assert main.run(["init", "homes", "--from", "haus preise.csv"]) == errors.Rejected.exit_code
    assert f"line {line} of haus preise.csv is not UTF-8" in (said := capsys.readouterr().err)
    assert "`iconv -f WINDOWS-1252 -t UTF-8 'haus preise.csv' > 'haus preise-utf8.csv'`" in said


def test_a_spreadsheet_of_another_country(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Decimal commas are numbers, a number of a customer is a key; what is read as text says so, and how to write it."""
    lot = random.Random(7)
    content = table(
        customer_id=None,
        spent_eur=[f"{lot.uniform(1000, 9000):.2f}".replace(".", ",") for _ in range(ROWS)],
        since=[f"{lot.randint(1, 28)}.{lot.randint(1, 12)}.{lot.randint(1990, 2024)}" for _ in range(ROWS)],
        size=[f"{lot.randint(1000, 9999):,}" for _ in range(ROWS)],
    )
    content = {"Kunden-Nr.": [f"K{number}" for number in range(ROWS)], **content}
    file = written(project, content, delimiter=";")
    assert main.run(["init", "people", "--from", str(file)]) == errors.DONE
    said = capsys.readouterr().out
    found = settings_of(project)
    columns = {column.name: column for column in found.primary.columns}
    assert (found.primary.decimal, columns["spent_eur"].type, found.entity) == (",", "number", ["Kunden-Nr."])
    assert "days in a form that is read as text: write them as 2025-12-31" in said
    assert "numbers with commas between thousands" in said


def test_a_later_release_updates_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the answers of before, of which none is typed again: edits stay, its changes come, and the day of the rows is the same."""
    file = written(project, table(customer_id=None))
    assert main.run(["init", "people", "--from", str(file), "--owner", "sales", "--drop", "plan"]) == errors.DONE
    made = Path("workflows/people/model.yaml")
    first, before = made.read_text(encoding="utf-8"), settings_of(project)
    record = Path(".argosy/table-people.json")
    earlier = json.loads(record.read_text(encoding="utf-8"))
    earlier["files"][made.as_posix()] = first.replace("seed: 7", "seed: 6")
    record.write_text(json.dumps(earlier), encoding="utf-8")
    made.write_text(first.replace("seed: 7", "seed: 6") + "# ours\n", encoding="utf-8")
    os.utime(file, (2e9, 2e9))
    capsys.readouterr()
    assert main.run(["init", "people", "--update"]) == errors.DONE
    assert capsys.readouterr().out.splitlines() == [f"merged: {made}", "try next: argosy compile workflows/people"]
    after = settings_of(project)
    assert after.primary.observed_at == before.primary.observed_at
    assert made.read_text(encoding="utf-8") == first + "# ours\n"


def test_what_is_known_with_the_label_only(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that tells the label by itself is no feature, unless somebody wants it; then the leak check is told."""
    given = table()
    file = written(project, {**given, "discount": [int(each == "yes") * 5 for each in given["bought"]]})
    assert main.run(["init", "people", "--from", str(file), "--target", "bought"]) == errors.DONE
    assert settings_of(project).label.columns == ["bought", "discount"]
    assert "left out: discount" in capsys.readouterr().out
    assert main.run(["init", "kept", "--from", str(file), "--target", "bought", "--keep", "discount"]) == errors.DONE
    assert settings_of(project, "kept").label.columns == ["bought"]
    kept = model_folder.load_expectations(project / "workflows" / "kept" / "expectations.json")
    assert kept.limits.leakage_auc == 1.0


def test_times(project: Path) -> None:
    """Rows of several times are split by time; an id may come again."""
    content = table(
        customer_id=[f"C{number % 60}" for number in range(ROWS)],
        seen=[f"2026-01-{1 + number // 60:02d} 08:00:00" for number in range(ROWS)],
    )
    file = written(project, content)
    assert (
        main.run(["init", "people", "--from", str(file), "--time", "seen", "--id", "customer_id", "--target", "bought"])
        == 0
    )
    found = settings_of(project)
    assert (found.primary.timestamp, found.split.by) == ("seen", "time")


def refused() -> Iterator[object]:
    """Tables and words that can make no model, each with the exit code and a part of its one line."""
    small = {name: values[:40] for name, values in table().items()}
    cases: Sequence[tuple[str, Table, list[str], int, str]] = [
        ("few-rows", small, [], 10, "40 rows are too few"),
        ("one-class", table(bought=["yes"] * ROWS), ["--target", "bought"], 10, "has one class"),
        ("id-for-a-label", table(), ["--target", "customer_id"], 10, "it is an id or free text"),
        (
            "rare-class",
            table(bought=["a"] * 150 + ["b"] * 147 + ["c"] * 3),
            [],
            10,
            "class 'c' of the label 'bought' has 3 rows",
        ),
        ("nothing-left", table(age=None, plan=None, sex=None, spent_eur=None), [], 10, "no column is left"),
        ("misspelt", table(), ["--target", "bougt"], 2, "did you mean 'bought'?"),
        ("key-twice", table(), ["--id", "plan"], 2, "297 rows repeat one"),
        ("wrong-task", table(), ["--task", "regression"], 2, "leave it out or say binary"),
        ("no-such-class", table(), ["--positive", "maybe"], 2, "the label has no such value"),
        ("no-time", table(), ["--time", "plan"], 2, "it is a string, no time"),
        ("label-is-key", table(), ["--target", "bought", "--id", "bought"], 2, "neither key nor time"),
    ]
    for name, content, options, code, words in cases:
        yield pytest.param(content, options, code, words, id=name)


@pytest.mark.parametrize(("content", "options", "code", "words"), list(refused()))
def test_refused_in_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], content: Table, options: list[str], code: int, words: str
) -> None:
    """Nothing is written, and one line says what is wrong."""
    file = written(project, content)
    assert main.run(["init", "people", "--from", str(file), *options]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert (said.out, len(said.err.splitlines())) == ("", 1)
    assert sorted(path.name for path in project.iterdir()) == ["people.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["People", "--from", "people.csv"], "did you mean 'people'?", id="capitals"),
        pytest.param(["class", "--from", "people.csv"], "a word of Python", id="keyword"),
        pytest.param(["--from", "people.csv"], "argosy init NAME --from people.csv", id="no-name"),
        pytest.param(["people", "--from", "peple.csv"], "did you mean 'people.csv'?", id="no-file"),
        pytest.param(["people", "--from", "."], "it has", id="folder-of-two"),
        pytest.param(["people", "--target", "age"], "--target says something of a table", id="no-table"),
        pytest.param(["people", "--from", "people.csv", "--model", "churn"], "leave one of them out", id="two-ways"),
        pytest.param(["people", "--from", "notes.txt"], "a table ends in", id="no-table-at-all"),
    ],
)
def test_typed_wrong(project: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """A slip is told what was meant; nothing is written."""
    written(project, table())
    (project / "more.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (project / "notes.txt").write_text("notes", encoding="utf-8")
    before = sorted(path.name for path in project.iterdir())
    assert main.run(["init", *words]) == errors.UsageError.exit_code
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in project.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"a,b\n", "has no rows", id="header-alone"),
        pytest.param(b"a,A\n1,2\n", "twice", id="a-name-twice"),
        pytest.param(b"a,b\n1,2\n1,2,3\n", "cannot be read as a table", id="ragged"),
        pytest.param(b"a,b\n\xff\xfe,2\n", "line 2 of", id="not-utf-8"),
    ],
)
def test_no_table(project: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str) -> None:
    """What is no table is refused in one line."""
    (project / "people.csv").write_bytes(content)
    assert main.run(["init", "people", "--from", "people.csv"]) == errors.Rejected.exit_code
    found = capsys.readouterr().err
    assert said in found
    assert len(found.splitlines()) == 1


def test_a_name_that_is_taken(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second model beside the first; the first again is refused, and stays as somebody left it."""
    file = written(project, table())
    assert main.run(["init", "people", "--from", str(file)]) == errors.DONE
    settings = project / "workflows" / "people" / "model.yaml"
    settings.write_text("mine", encoding="utf-8")
    assert main.run(["init", "people", "--from", str(file)]) == errors.UsageError.exit_code
    taken = ("workflows/people", "gitops-env/policies/people.yaml", "gitops-env/models/people")
    said = capsys.readouterr().err
    assert "is there already" in said
    assert said.rstrip().endswith(f"rm -r {' '.join(taken)}")  # all of it, so that the next try does not find the next
    assert settings.read_text(encoding="utf-8") == "mine"


WORDS = [
    "a: b",
    "# no",
    "it's",
    'say "x"',
    "[1]",
    "{x}",
    "no",
    "null",
    "1.5",
    "- dash",
    "a, b",
    "tab\there",
    "ümlaut",
    "*star",
    "&and",
    "%x",
]


def test_any_name_and_any_value(project: Path) -> None:
    """Names and values that mean something to YAML, JSON, SQL or Python come back as they were."""
    content: Table = {f"x {word}": list(range(index, index + ROWS)) for index, word in enumerate(WORDS)}
    lot = random.Random(7)
    values = {name: [lot.random() for _ in range(ROWS)] for name in content}
    label: list[object] = [WORDS[number % 2] for number in range(ROWS)]
    file = written(project, {**values, 'it\'s "what"': label})
    assert main.run(["init", "people", "--from", str(file), "--positive", WORDS[1]]) == errors.DONE
    found = settings_of(project)
    assert [column.name for column in found.primary.columns] == ["row_id", *values, 'it\'s "what"']
    assert found.label.classes == [WORDS[0], WORDS[1]]
