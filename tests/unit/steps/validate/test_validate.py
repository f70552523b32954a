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
from kit.examples import make_settings

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
    page = (ran.out("validation") / "report.html").read_text(encoding="utf-8")
    assert "Only adults sign up." in page
    assert '<table class="layer">' in page.partition("@media (max-width: 40rem)")[2], "a phone shows it beyond its edge"


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
    """Each is told in full, a line each."""
    rows = [[*row[:1], "999", "other", *row[3:]] for row in lines()]
    plans = ask("expect_column_values_to_be_in_set", column="plan", value_set=["basic", "full"])
    ran = validate(csv(rows), AGES, plans)
    assert ran.code == 10
    assert ran.said.count("does not hold") == 2
    assert "such as '999'" in ran.said
    assert "such as 'other'" in ran.said


def test_great_expectations_reads_what_was_found(validate: Validate) -> None:
    """A layer is a suite of its own, which Great Expectations loads, and its Data Docs show what was found; no personal data."""
    personal = ask("expect_column_values_to_match_regex", column="email", regex="@example[.]com$", critical=False)
    rows = lines()
    rows[7][1] = "999"
    ran = validate(csv(rows), AGES, personal)
    import great_expectations as gx
    from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    gx.get_context(mode="ephemeral")
    folder = ran.out("validation") / "great_expectations"
    [name] = {path.name for place in ("suites", "results") for path in (folder / place).iterdir()}
    assert name == "people.statistical.json"
    suite = gx.ExpectationSuite(**json.loads((folder / "suites" / name).read_text(encoding="utf-8")))
    assert [each.expectation_type for each in suite.expectations] == [AGES["type"], personal["type"]]
    found = expectationSuiteValidationResultSchema.load(
        json.loads((folder / "results" / name).read_text(encoding="utf-8"))
    )
    assert [each.success for each in found.results] == [False, False]
    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(found))
    assert "999" in page
    assert EMAIL not in page + repr(found)


@pytest.mark.parametrize("critical", [True, False], ids=["critical", "told"])
def test_personal_data_is_never_shown(validate: Validate, critical: bool) -> None:
    """Neither in the error nor in a document; that it failed, and how often, is."""
    asked = ask("expect_column_values_to_match_regex", column="email", regex="@example[.]com$", critical=critical)
    ran = validate(csv(lines()), asked)
    assert ran.code == (10 if critical else 0)
    assert results(ran)[asked["type"]].unexpected_count == 60
    written = "".join(path.read_text(encoding="utf-8") for path in ran.out("validation").rglob("*.*"))
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
        pytest.param({"type": "expect_x", "meta": {"critical": True}}, "meta.why' is missing", id="no-reason"),
    ],
)
def test_an_expectation_that_cannot_be_asked(validate: Validate, asked: dict[str, Any], told: str) -> None:
    """Somebody has to mend the file (78); nothing is checked by half."""
    ran = validate(csv(lines()), asked)
    assert ran.code == 78, ran.said
    assert "expectations" in ran.said
    assert told in ran.said
    assert not (ran.out("validation") / "validation.json").exists()


class TestLabels:
    """A label is a condition, the number of a class, or a class's name."""

    @pytest.fixture
    def labelled(self, run_step: Callable[..., Any], here: Settings, tmp_path: Path) -> Validate:
        """A file whose column ``kind`` is the label, by *sql*."""

        def attempt(kinds: list[str], sql: str, classes: list[str], kind: str, **more: Any) -> Any:
            columns = [
                {"name": "id", "type": "string", "meaning": "Which."},
                {"name": "x", "type": "number", "meaning": "How much."},
                {"name": "kind", "type": kind, "meaning": "Of what kind.", **more},
            ]
            task = "binary" if len(classes) == 2 else "multiclass"
            sources = [{**SOURCES[0], "columns": columns}]
            label = {"source": "people", "sql": sql, "classes": classes, "columns": ["kind"]}
            make_settings(task, classes, "accuracy", sources=sources, label=label).write(tmp_path / "model.yaml")
            rows = "".join(f"p{n:03d},{n * 7 % 11},{kinds[n % len(kinds)]}\n" for n in range(60))
            (here.data_root / "people.csv").write_text(f"id,x,kind\n{rows}", encoding="utf-8")
            (tmp_path / "expectations.json").write_text('{"suites": {}}', encoding="utf-8")
            read = run_step("ingest", {"settings": tmp_path / "model.yaml"}, data="people.csv")
            inputs = {"settings": tmp_path / "model.yaml", "expectations": tmp_path / "expectations.json"}
            return run_step("validate", inputs | {"snapshot": read.out("snapshot"), "lineage": read.out("lineage")})

        return attempt

    @pytest.mark.parametrize(
        ("kinds", "sql", "classes", "kind"),
        [
            pytest.param(["a", "b", "c"], "kind", ["a", "b", "c"], "string", id="names"),
            pytest.param(["no", "yes"], "kind", ["no", "yes"], "string", id="two-names"),
            pytest.param(["1", "2", "3"], "kind - 1", ["a", "b", "c"], "integer", id="numbers"),
            pytest.param(["1", "2"], "kind = 2", ["few", "many"], "integer", id="condition"),
        ],
    )
    def test_of_the_classes(
        self, labelled: Validate, kinds: list[str], sql: str, classes: list[str], kind: str
    ) -> None:
        """Each class has its share."""
        ran = labelled(kinds, sql, classes, kind)
        assert ran.code == 0, ran.said
        share = f"{1 / len(kinds):.2%}"
        assert results(ran)["label_classes"].observed == ", ".join(f"{name}: {share}" for name in classes)

    @pytest.mark.parametrize(
        ("kinds", "sql", "classes", "kind", "told"),
        [
            pytest.param(["1", "2", "3"], "kind", ["a", "b", "c"], "integer", "in 20 rows.*gives 3.*0 a, 1 b, 2 c", id="from-one"),
            pytest.param(["0", "1", "2"], "kind", ["a", "b"], "integer", "gives 2.*say task: multiclass", id="third-class"),
            pytest.param(["a", "b", "z"], "kind", ["a", "b"], "string", "gives 'z'", id="another-name"),
            pytest.param(["A", "b", "c"], "kind", ["a", "b", "c"], "string", "gives 'A'", id="another-case"),
        ],
    )  # fmt: skip
    def test_of_no_class(
        self, labelled: Validate, kinds: list[str], sql: str, classes: list[str], kind: str, told: str
    ) -> None:
        """Refused before anything is tuned, with what it says and the classes there are."""
        ran = labelled(kinds, sql, classes, kind)
        assert ran.code == 10
        assert re.search(f"label_is_a_class.*{told}", ran.said), ran.said

    def test_of_a_personal_column(self, labelled: Validate) -> None:
        """What it says is not told."""
        ran = labelled(["a", "b", EMAIL], "kind", ["a", "b"], "string", personal=True)
        assert ran.code == 10
        assert "label_is_a_class" in ran.said
        assert EMAIL not in ran.said


class TestOneMeaning:
    """Rows of a further source with one key and one time."""

    @pytest.fixture
    def joined(self, run_step: Callable[..., Any], here: Settings, tmp_path: Path) -> Validate:
        """People, and a second source about plans with *rows*; rules and settings of it."""

        def attempt(rows: list[str], reject: list[dict[str, Any]] | None = None, *, personal: bool = False) -> Any:
            columns = [
                {"name": "plan", "type": "string", "meaning": "Which.", "personal": personal},
                {"name": "price", "type": "number", "meaning": "How much."},
            ]
            plans = {"name": "plans", "file": "plans.csv", "entity": ["plan"], "columns": columns}
            plans["observed_at"] = "2020-01-01T00:00:00Z"
            more = {"sources": [*SOURCES, plans], "reject": reject or [], "label": LABEL}
            make_settings("binary", ["stays", "leaves"], "auc", **more).write(tmp_path / "model.yaml")
            (here.data_root / "data").mkdir(exist_ok=True)
            (here.data_root / "data" / "people.csv").write_text(csv(lines()), encoding="utf-8")
            (here.data_root / "data" / "plans.csv").write_text("plan,price\n" + "\n".join(rows), encoding="utf-8")
            document = {"suites": {}, "limits": {"rejected_share": 1}}
            (tmp_path / "expectations.json").write_text(json.dumps(document), encoding="utf-8")
            read = run_step("ingest", {"settings": tmp_path / "model.yaml"}, data="data")
            inputs = {"settings": tmp_path / "model.yaml", "expectations": tmp_path / "expectations.json"}
            return run_step("validate", inputs | {"snapshot": read.out("snapshot"), "lineage": read.out("lineage")})

        return attempt

    def test_that_differ_are_refused(self, joined: Validate) -> None:
        """By name, with the key: which of them is a feature's value would be chance."""
        ran = joined(["basic,1", "full,2", "full,3"])
        assert ran.code == 10
        assert "source 'plans': one_meaning_per_entity_and_time of column 'plan' does not hold in 1 row" in ran.said
        assert "full" in ran.said
        assert "1 of 2 have rows that differ" in ran.said

    def test_that_are_alike_are_one(self, joined: Validate) -> None:
        """Any of them says the same."""
        assert joined(["basic,1", "full,2", "full,2"]).code == 0

    def test_the_advice_can_be_followed(self, joined: Validate) -> None:
        """The rule that the message prints, with a column named, keeps all but one aside."""
        said = joined(["basic,1", "full,2", "full,3"]).said
        condition = said.partition("when: '")[2].partition("', reason")[0].replace("COLUMN", "price desc")
        rule = {"source": "plans", "when": condition, "reason": "an older price"}
        assert joined(["basic,1", "full,2", "full,3"], [rule]).code == 0

    def test_of_a_personal_key(self, joined: Validate) -> None:
        """The key is not told."""
        assert "full" not in joined(["basic,1", "full,2", "full,3"], personal=True).said
