"""From a file to the word that it may be learned from: each step as its image runs it, nothing replaced.

What a broken file of each kind is told is tried where files are read; here it is what a run ends with.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.domain.data import ExpectationResult, ValidationResult
from argosy.settings import Settings
from argosy.testing.examples import make_settings

# Great Expectations is imported by the first of these tests, and what it imports warns of its own future.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:great_expectations", "ignore:module 'sre_:DeprecationWarning"
)

HEADER = "id,age,plan,email,gone"
EMAIL = "someone@example.org"
SOURCES = [
    {
        "name": "people",
        "file": "people.csv",
        "entity": ["id"],
        "observed_at": "2020-01-01T00:00:00Z",
        "columns": [
            {"name": "id", "type": "string", "meaning": "Who."},
            {"name": "age", "type": "integer", "meaning": "Years.", "nullable": True},
            {"name": "plan", "type": "string", "meaning": "What they pay for."},
            {"name": "email", "type": "string", "meaning": "Where they read.", "personal": True},
            {"name": "gone", "type": "boolean", "meaning": "Whether they left."},
        ],
    }
]
LABEL = {"source": "people", "sql": "gone", "classes": ["stays", "leaves"], "columns": ["gone"]}


def lines(count: int = 60) -> list[list[str]]:
    """People of whom every third left, whatever their age."""
    return [
        [f"p{n:03d}", str(20 + n % 50), "basic" if n % 2 else "full", EMAIL, str(n % 3 == 0).lower()]
        for n in range(count)
    ]


def csv(rows: list[list[str]]) -> str:
    """*rows* as the file that ``ingest`` reads."""
    return "".join(f"{line}\n" for line in [HEADER, *(",".join(row) for row in rows)])


def ask(kind: str, *, critical: bool = True, why: str = "Because.", **arguments: Any) -> dict[str, Any]:
    """One expectation."""
    return {"type": kind, "kwargs": arguments, "meta": {"critical": critical, "why": why}}


AGES = ask("expect_column_values_to_be_between", column="age", min_value=18, max_value=120, why="Only adults sign up.")
Validate = Callable[..., Any]


@pytest.fixture
def validate(run_step: Callable[..., Any], here: Settings, tmp_path: Path) -> Validate:
    """Ingest a file, then hold it against expectations; the attempt of the step that ended it."""

    def attempt(content: str, *asked: dict[str, Any], layer: str = "statistical", **limits: float) -> Any:
        settings = make_settings("binary", ["stays", "leaves"], "auc", sources=SOURCES, label=LABEL)
        settings.write(tmp_path / "model.yaml")
        (here.data_root / "people.csv").write_text(content, encoding="utf-8")
        document = {"suites": {layer: list(asked)}, "limits": limits}
        (tmp_path / "expectations.json").write_text(json.dumps(document), encoding="utf-8")
        read = run_step("ingest", {"settings": tmp_path / "model.yaml"}, data="people.csv")
        if read.code:
            assert not read.out("snapshot").exists()
            return read
        inputs = {"settings": tmp_path / "model.yaml", "expectations": tmp_path / "expectations.json"}
        return run_step("validate", inputs | {"snapshot": read.out("snapshot"), "lineage": read.out("lineage")})

    return attempt


def results(ran: Any) -> dict[str, ExpectationResult]:
    """What was found, by the name of the expectation."""
    document = ValidationResult.read(ran.out("validation") / "validation.json")
    return {result.expectation: result for result in document.results}


def test_good_data_passes(validate: Validate) -> None:
    """Every check is in the document with what was seen, and the page beside it."""
    ran = validate(csv(lines()), AGES)
    assert (ran.code, ran.said) == (0, "")
    found = results(ran)
    assert found["label_classes"].observed == "stays: 66.67%, leaves: 33.33%"
    assert all(result.passed for result in found.values())
    assert found[AGES["type"]].layer == "statistical"
    assert "Only adults sign up." in (ran.out("validation") / "report.html").read_text(encoding="utf-8")


def test_a_critical_failure_names_expectation_column_and_example(validate: Validate) -> None:
    """10, with all that whoever has to act needs; the documents are written all the same."""
    rows = lines()
    rows[7][1] = "999"
    ran = validate(csv(rows), AGES)
    assert ran.code == 10
    assert "source 'people': expect_column_values_to_be_between of column 'age' does not hold in 1 row" in ran.said
    assert "such as '999'" in ran.said
    assert "Only adults sign up." in ran.said
    assert "Traceback" not in ran.said
    found = results(ran)[AGES["type"]]
    assert (found.passed, found.unexpected_count, found.examples) == (False, 1, ["999"])
    assert (ran.out("validation") / "report.html").exists()


def test_one_that_is_not_critical_is_told_and_stops_nothing(validate: Validate) -> None:
    """It is on the page; the run goes on."""
    rows = lines()
    rows[7][1] = "999"
    ran = validate(csv(rows), {**AGES, "meta": {**AGES["meta"], "critical": False}})
    assert ran.code == 0
    assert results(ran)[AGES["type"]].passed is False


def test_several_failures_are_one_error(validate: Validate) -> None:
    """The first is told in full, the others are counted."""
    rows = [[*row[:1], "999", "other", *row[3:]] for row in lines()]
    plans = ask("expect_column_values_to_be_in_set", column="plan", value_set=["basic", "full"])
    ran = validate(csv(rows), AGES, plans)
    assert ran.code == 10
    assert ran.said.count("does not hold") == 1
    assert "1 more critical failures are in report.html" in ran.said


@pytest.mark.parametrize("critical", [True, False], ids=["critical", "told"])
def test_personal_data_is_never_shown(validate: Validate, critical: bool) -> None:
    """Neither in the error nor in a document; that it failed, and how often, is."""
    asked = ask("expect_column_values_to_match_regex", column="email", regex="@example[.]com$", critical=critical)
    ran = validate(csv(lines()), asked)
    assert ran.code == (10 if critical else 0)
    assert results(ran)[asked["type"]].unexpected_count == 60
    written = "".join(path.read_text(encoding="utf-8") for path in ran.out("validation").iterdir())
    assert EMAIL not in ran.said + written


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("", "people.csv is empty: it has not even a header", id="empty-file"),
        pytest.param(f"{HEADER}\n", "has no rows", id="only-a-header"),
        pytest.param(csv(lines()).replace("age", "years", 1), "no column 'age'", id="missing-column"),
        pytest.param(
            csv([*lines(), ["p060", "old", "full", EMAIL, "true"]]),
            "column 'age' .* is no integer in 1 row: .*'old'",
            id="wrong-type",
        ),
        pytest.param(
            csv([[*row[:4], "true"] for row in lines()]), "only one class, 'leaves'.*look at the data", id="one-class"
        ),
        pytest.param(csv([*lines(), lines()[3]]), "one_row_per_entity of column 'id'.*p003", id="entity-twice"),
    ],
)
def test_data_that_nothing_can_be_learned_from(validate: Validate, content: str, told: str) -> None:
    """The answer is no (10), in one line that says what and where."""
    ran = validate(content)
    assert ran.code == 10, ran.said
    assert re.search(told, ran.said), ran.said
    assert len(ran.said.strip().splitlines()) == 1


def test_a_column_that_gives_the_label_away(validate: Validate) -> None:
    """It is named, with how well it tells the classes apart alone."""
    rows = [[row[0], "80" if row[4] == "true" else "30", *row[2:]] for row in lines()]
    ran = validate(csv(rows))
    assert ran.code == 10
    assert "no_column_gives_the_label_away of column 'age'" in ran.said
    assert "AUC 1.000" in ran.said


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param(
            ask("expect_column_values_to_be_betwixt", column="age"),
            "no expectation 'expect_column_values_to_be_betwixt'; did you mean 'expect_column_values_to_be_between'?",
            id="unknown-expectation",
        ),
        pytest.param(
            ask("expect_column_values_to_not_be_null", column="agee"),
            "names column 'agee', which source 'people' does not have; did you mean 'age'?",
            id="unknown-column",
        ),
        pytest.param(
            {**AGES, "meta": {**AGES["meta"], "source": "peple"}},
            "there is no source 'peple'; sources: people",
            id="unknown-source",
        ),
        pytest.param({"type": "expect_x", "meta": {"critical": True}}, "meta.why: Field required", id="no-reason"),
    ],
)
def test_an_expectation_that_cannot_be_asked(validate: Validate, asked: dict[str, Any], told: str) -> None:
    """Somebody has to mend the file (78); nothing is checked by half."""
    ran = validate(csv(lines()), asked)
    assert ran.code == 78, ran.said
    assert "expectations.json" in ran.said
    assert told in ran.said
    assert not (ran.out("validation") / "validation.json").exists()
