"""``argosy data validate``: files held against a model's expectations before a run reads them, partition by partition."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.cli import main
from argosy.settings import Settings
from kit.examples import make_settings

SOURCE = {
    "name": "people",
    "folder": "people",
    "entity": ["id"],
    "observed_at": "2020-01-01T00:00:00Z",
    "columns": [
        {"name": "id", "type": "string", "meaning": "Who.", "personal": True, "owner": "crm"},
        {"name": "age", "type": "integer", "meaning": "Years.", "nullable": True, "owner": "crm"},
        {"name": "gone", "type": "boolean", "meaning": "Whether they left."},
    ],
}
LABEL = {"source": "people", "sql": "gone", "classes": ["stays", "leaves"], "columns": ["gone"]}
ADULT = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "age", "min_value": 18},
    "meta": {"critical": True, "why": "Only adults sign up."},
}
ONCE = {
    "type": "expect_column_values_to_be_unique",
    "kwargs": {"column": "id"},
    "meta": {"critical": True, "why": "One row a person."},
}


def project(rules: list[dict[str, str]]) -> None:
    """A project with one model, whose source is the folder ``data/people``, in the working folder."""
    folder = Path("workflows/leaving")
    folder.mkdir(parents=True)
    settings = make_settings("binary", ["stays", "leaves"], "auc", sources=[SOURCE], label=LABEL, reject=rules)
    settings.write(folder / "model.yaml")
    expect(ADULT, ONCE)
    partition("2024-01", ["a,20,true", "b,30,false"])
    partition("2024-02", ["c,40,true", "d,,false"])


def expect(*asked: dict[str, Any]) -> None:
    """The model has the expectations *asked* and no other."""
    document = {"suites": {"statistical": asked}}
    Path("workflows/leaving/expectations.json").write_text(json.dumps(document), encoding="utf-8")


def partition(name: str, rows: list[str]) -> None:
    """A partition with *rows*."""
    file = Path("data/people") / f"{name}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["id,age,gone", *rows, ""]), encoding="utf-8")


@pytest.fixture
def validated(
    here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Validated":
    """The verb, in a project of its own."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_MONITORING_URI", here.monitoring_uri)
    monkeypatch.chdir(tmp_path)
    return Validated(capsys)


class Validated:
    """Types the verb, and tells code, output and message."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        code = main.run(["data", "validate", *(words or ("data", "--model", "leaving"))])
        out, err = self._capsys.readouterr()
        return code, out, err


def test_a_new_partition_is_the_only_one_read(validated: Validated) -> None:
    """The others are known by their content. A key that has to be there once is asked of all rows, and the verb says so."""
    project([])
    expect(ADULT)
    assert validated("data/people", "--model", "leaving")[:2] == (0, "people: 2 partitions, 2 read, 1 expectations\n")
    partition("2024-03", ["e,17,true", "f,50,false"])
    code, out, err = validated()
    assert code == 10
    assert "3 partitions, 1 read" in out
    assert "in 1 row, such as 17" in err.replace("'", "")
    assert "crm answers for it" in err
    partition("2024-03", ["a,19,true"])
    expect(ADULT, ONCE)
    code, out, err = validated("data", "--model", "leaving", "--json")
    told = json.loads(out)
    assert (code, told["read"]) == (10, 3)
    assert [(each["passed"], each["in_parts"], each["unexpected_count"]) for each in told["results"]] == [
        (True, True, 0),
        (False, False, 2),
    ]


def test_a_rule_that_looks_at_several_rows_makes_one_part(validated: Validated) -> None:
    """It keeps aside what is there again in another partition, so partitions are not read apart."""
    project([{"source": "people", "when": "row_number() over (partition by id order by age) > 1", "reason": "again"}])
    partition("2024-03", ["a,19,true"])
    assert validated() == (0, "people: 1 partition, 1 read, 2 expectations\n", "")


def test_an_empty_partition_among_others(validated: Validated) -> None:
    """It has no rows and breaks nothing; a row that breaks the contract is named by the file it is in."""
    project([])
    partition("2024-03", [])
    code, out, _ = validated()
    assert code == 0
    assert (
        "1 follow from the partitions, of all rows at once were asked: expect_column_values_to_be_unique of id" in out
    )
    partition("2024-03", ["e,seventeen,true"])
    code, _, err = validated()
    assert code == 10
    assert "2024-03.csv is no integer in 1 row: in line 2 it says 'seventeen'" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["data"], "say with --model", id="no-model"),
        pytest.param(["nowhere", "--model", "leaving"], "there is no folder nowhere", id="no-folder"),
    ],
)
def test_what_cannot_be_validated(validated: Validated, words: list[str], told: str) -> None:
    """One line."""
    project([])
    code, _, err = validated(*words)
    assert code in (2, 78)
    assert told in err
    assert err.count("\n") == 1
