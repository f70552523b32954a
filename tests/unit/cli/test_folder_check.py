"""What `compile` and `lint` can know is said by them, with its file and line, the valid words and the nearest one."""

import re
import shutil
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import folder_check, main

ROOT = Path(__file__).parents[3]
SETTINGS, FEATURES = "workflows/upsell/model.yaml", "workflows/upsell/features.py"
EXPECTED, POLICY = "workflows/upsell/expectations.json", "gitops-env/policies/upsell.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with every file that the tutorial shows, and the working directory in it."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"```\w+ (\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def change(project: Path, file: str, old: str, new: str) -> None:
    text = (project / file).read_text(encoding="utf-8")
    assert old in text
    (project / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_nothing_is_wrong_with_the_tutorial(project: Path) -> None:
    """Nor with the models of this repository."""
    assert folder_check.problems(project / "workflows" / "upsell") == []
    for model in ("churn", "flight_delay"):
        assert folder_check.problems(ROOT / "workflows" / model) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("compile", "upsell"), "there is no folder upsell; did you mean workflows/upsell", id="name-only"),
        pytest.param(("compile", "workflows/upsel"), "did you mean workflows/upsell", id="misspelt"),
        pytest.param(("compile", SETTINGS), f"{SETTINGS} is a file; name the folder of a model", id="file"),
        pytest.param(("lint", "workflows/upsell"), "`argosy compile workflows/upsell` writes it", id="not-compiled"),
        pytest.param(("lint", "upsel"), "there is no upsel; did you mean workflows/upsell", id="linted"),
    ],
)
def test_a_folder_that_is_none(
    words: tuple[str, ...], message: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with what was meant, not one for each file that such a folder lacks."""
    assert main.run(words) == 78
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        pytest.param(
            SETTINGS,
            "metric: f1",
            "metric: acuracy",
            "has no score 'acuracy'; did you mean 'accuracy'[?] It has: acc",
            id="score",
        ),
        pytest.param(
            SETTINGS,
            "max_depth:",
            "max_dept:",
            "search.space.max_dept: no parameter .* mean 'max_depth'[?] Known: c",
            id="parameter",
        ),
        pytest.param(
            SETTINGS,
            "{int_low: 2, int_high: 8}",
            "{low: 2, high: 8}",
            "write `int_low` and `int_high`",
            id="fractional-depth",
        ),
        pytest.param(
            SETTINGS,
            "low: 0.01, high: 0.3",
            "low: 0.3, high: 0.01",
            "from 0.3 to 0.01 is no logarithmic range",
            id="range",
        ),
        pytest.param(
            SETTINGS,
            "slices: [plan]",
            "sensitive: [gender]",
            "'gender' is no column of any source.* Columns: account_id",
            id="sensitive",
        ),
        pytest.param(
            SETTINGS,
            "slices: [plan]",
            "slices: [pln]",
            "'pln' is no column of any source; did you mean 'plan'",
            id="slice",
        ),
        *(
            pytest.param(
                SETTINGS,
                "split:",
                f"monitor: {{slices: [{column}]}}\nsplit:",
                f"monitor.slices.0: '{column}' {told}",
                id=column,
            )
            for column, told in (
                ("pln", "is no feature; did you mean 'plan'[?] Features: "),
                ("seats", "is a number .*; slices are by categories"),
                ("account_id", "is personal data, which is not logged"),
            )
        ),
        pytest.param(
            SETTINGS,
            "split:",
            "monitor: {every: 1d}\nretraining: {enter: {looks: 3, of: 3, hours: 48}}\nsplit:",
            "monitor.every: it is looked at every 1d, and 3 looks within 48 hours .* they never could",
            id="confirmed-by-nobody",
        ),
        pytest.param(
            SETTINGS,
            "slices: [plan]",
            "business: {true_postive: 5}",
            "did you mean 'true_positive'",
            id="outcome",
        ),
        pytest.param(SETTINGS, "seats < 1", "seat < 1", "reject.0.when: `seat < 1` cannot be asked.*seats", id="rule"),
        pytest.param(SETTINGS, "seats < 1", "seats + 1", "gives BIGINT, not a condition", id="no-condition"),
        pytest.param(
            SETTINGS,
            "upgraded = 'Yes'",
            "upgrade = 'Yes'",
            "label.sql: `upgrade = 'Yes'` cannot be asked.*upgraded",
            id="label",
        ),
        pytest.param(
            SETTINGS,
            "columns: [upgraded]",
            "columns: [upgrade]",
            "label.columns.0: 'upgrade' is no column.*'upgraded'",
            id="label-column",
        ),
        pytest.param(
            SETTINGS,
            "[stays, upgrades]",
            "[stays, upgrades, leaves]",
            "label.classes: a binary task .* the task is multiclass",
            id="classes",
        ),
        pytest.param(
            SETTINGS,
            "[stays, upgrades]",
            "[stays, stays]",
            "label.classes.1: 'stays' is there twice",
            id="class-twice",
        ),
        pytest.param(
            SETTINGS,
            "    entity: [account_id]",
            "    entity: [acount_id]",
            "sources.0.entity.0: 'acount_id' is no column",
            id="key",
        ),
        pytest.param(
            SETTINGS,
            "entity: [account_id]",
            "entity: [acount_id]",
            "entity.0: 'acount_id' is no column of source",
            id="entity",
        ),
        pytest.param(
            SETTINGS,
            "by: entity, holdout: 0.2",
            "by: time, holdout_from: 2026-01-01T00:00:00Z",
            "split by entity",
            id="split",
        ),
        pytest.param(
            SETTINGS,
            "{name: plan, type: string,",
            "{name: plan, type: timestamp, timezone: Europe/Berln,",
            "timezone: 'Europe/Berln' is no zone .* did you mean 'Europe/Berlin'",
            id="zone",
        ),
        pytest.param(SETTINGS, "name: seats", "name: rn", "'rn' is the name of a column that the join", id="reserved"),
        pytest.param(
            SETTINGS,
            "name: tickets",
            "name: Seats",
            "'Seats' is there twice, which is 'seats' to a database",
            id="case",
        ),
        pytest.param(
            SETTINGS,
            "source: subscriptions, when",
            "source: subs, when",
            "reject.0.source: there is no source",
            id="source",
        ),
        pytest.param(
            FEATURES,
            'name="seats"',
            'name="seat"',
            "feature 'seat' is no column of source 'subscriptions'; did you mean 'seats'",
            id="feature",
        ),
        pytest.param(FEATURES, 'name="seats"', 'name="upgraded"', "known only with the label", id="leak"),
        pytest.param(
            FEATURES,
            '"plan", dtype=String',
            '"plan", dtype=Int64',
            "'plan' is Int64, the contract says string",
            id="type",
        ),
        pytest.param(
            FEATURES,
            'path="subscriptions.parquet"',
            'path="subs.parquet"',
            "reads 'subs.parquet'; there is no source 'subs'",
            id="file",
        ),
        pytest.param(
            FEATURES,
            'timestamp_field="event_timestamp"',
            'timestamp_field="when"',
            "the time of source 'subscriptions' is 'event_timestamp'; write timestamp_field='event_timestamp'",
            id="time",
        ),
        pytest.param(
            FEATURES,
            'timestamp_field="event_timestamp"',
            'timestamp_field="event_timestamp", created_timestamp_column="known"',
            "the `created` of source 'subscriptions' is none",
            id="created",
        ),
        pytest.param(
            FEATURES,
            'Service(name="upsell"',
            'Service(name="upsel"',
            "no FeatureService 'upsell'.* Services: upsel",
            id="service",
        ),
        pytest.param(FEATURES, "from feast import", "from feast imprt", "this is not Python", id="no-python"),
        pytest.param(
            EXPECTED,
            '"column": "plan"',
            '"column": "pln"',
            "'pln' is no column.*did you mean 'plan'",
            id="expectation-column",
        ),
        pytest.param(
            EXPECTED,
            "to_be_in_set",
            "to_be_in_sets",
            "no expectation 'expect_column_values_to_be_in_sets'; did you",
            id="expectation",
        ),
        pytest.param(
            EXPECTED,
            '"min_value": 1,',
            '"min_valu": 1,',
            "no expectation takes 'min_valu'; did you mean 'min_value'",
            id="argument",
        ),
        pytest.param(
            EXPECTED,
            '"derived": {}',
            '"derived": {"subs": {}}',
            "derived.subs: there is no source 'subs'",
            id="derived-source",
        ),
        pytest.param(
            EXPECTED,
            '"derived": {}',
            '"derived": {"subscriptions": {"x": "seat"}}',
            "`seat` cannot be asked",
            id="derived",
        ),
        pytest.param(EXPECTED, '"critical": true', '"crtical": true', "unknown setting .*'critical'", id="field"),
        pytest.param(EXPECTED, '"suites": {', '"suites": {{', "this is not JSON", id="no-json"),
        pytest.param(
            POLICY,
            "performance.auc",
            "performance.mape",
            "nothing is measured under 'performance.mape'.* There is: performance.acc",
            id="gate",
        ),
        pytest.param(POLICY, "latency.p95_ms", "latency.p95", "did you mean 'latency.p95_ms'", id="gate-nearly"),
        pytest.param(
            POLICY,
            "limits:",
            "limits:\n  - {metric: fairness.plan.calibration_gap, at_most: 1, why: x}",
            "`evaluation.sensitive` in model.yaml names no",
            id="no-attribute",
        ),
        pytest.param(
            POLICY,
            "{metric: auc,",
            "{metric: ac,",
            "comparison.metric: a binary task has no score 'ac'; did",
            id="comparison",
        ),
        pytest.param(
            POLICY,
            "at_most: 100",
            "at_mst: 100",
            "unknown setting 'limits.4.at_mst'; did you mean 'at_most'",
            id="gate-field",
        ),
        pytest.param(
            POLICY,
            "model: upsell",
            "model: upsel",
            "the policy is for 'upsel', the model is 'upsell'",
            id="another-model",
        ),
    ],
)
def test_a_wrong_word(
    project: Path, file: str, old: str, new: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both verbs say the file, the line, what is wrong and what there is; nothing is written."""
    change(project, file, old, new)
    position = (project / file).read_text(encoding="utf-8").index(new.split("\n", maxsplit=1)[0])
    line = (project / file).read_text(encoding="utf-8").count("\n", 0, position) + 1
    assert main.run(["compile", "workflows/upsell"]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert re.search(rf"{re.escape(Path(file).name)}:\d+: .*{told}", said), said
    where = {int(number) for number in re.findall(rf"{re.escape(Path(file).name)}:(\d+):", said)}
    # A view's file is said at its features.
    assert min(abs(number - line) for number in where) <= (12 if "path=" in new else 1), (where, line)
    assert not (project / "workflows" / "upsell" / "pipeline.yaml").exists()


def test_everything_is_said_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of all files, a line each."""
    change(project, SETTINGS, "metric: f1", "metric: acuracy")
    change(project, SETTINGS, "max_depth:", "max_dept:")
    change(project, FEATURES, 'name="seats"', 'name="seat"')
    change(project, EXPECTED, '"column": "plan"', '"column": "pln"')
    change(project, POLICY, "performance.auc", "performance.mape")
    assert main.run(["compile", "workflows/upsell"]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert all(word in said for word in ("'acuracy'", "max_dept", "'seat'", "'pln'", "performance.mape"))


def test_lint_says_it_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the manifest was compiled before the slip."""
    assert main.run(["compile", "workflows/upsell"]) == errors.DONE
    change(project, POLICY, "performance.auc", "performance.mape")
    assert main.run(["lint", "workflows/upsell"]) == errors.Rejected.exit_code
    assert "performance.mape" in capsys.readouterr().out


def test_a_time_that_is_no_column(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Named as absent, or as of another type."""
    moment = "observed_at: 2026-06-01T00:00:00Z    # one snapshot; a table with times names `timestamp` instead"
    change(project, SETTINGS, moment, "timestamp: when")
    main.run(["compile", "workflows/upsell"])
    assert "sources.0.timestamp: 'when' is no column of source 'subscriptions'" in capsys.readouterr().err
    change(project, SETTINGS, "timestamp: when", "timestamp: seats")
    main.run(["compile", "workflows/upsell"])
    assert "column 'seats' is of type integer; a time is of type timestamp" in capsys.readouterr().err


def test_what_is_not_written_out_is_left_to_feast(project: Path) -> None:
    """Definitions that are calculated are not guessed at."""
    change(project, FEATURES, "    schema=[", "    schema=[Field(name=n, dtype=Int64) for n in ('seats',)] or [")
    change(project, FEATURES, "features=[subscription]", "features=[subscription[['seats']]]")
    assert folder_check.problems(project / "workflows" / "upsell") == []


def test_a_view_that_no_service_takes(project: Path) -> None:
    """Is nobody's: its names are not held against the contract."""
    change(
        project,
        FEATURES,
        "upsell = Feature",
        'other = FeatureView(name="o", schema=[Field(name="gone", dtype=Int64)])\nupsell = Feature',
    )
    assert folder_check.problems(project / "workflows" / "upsell") == []


def test_json_that_is_set_in_by_tabs(project: Path) -> None:
    """Is JSON, and its lines are right; so is a number that YAML takes for a word."""
    text = (project / EXPECTED).read_text(encoding="utf-8").replace("  ", "\t").replace("10000", "1e4")
    (project / EXPECTED).write_text(text, encoding="utf-8")
    assert folder_check.problems(project / "workflows" / "upsell") == []


def test_every_absent_file_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At once, not one a try."""
    for name in ("features.py", "expectations.json", "pipeline.py"):
        (project / "workflows" / "upsell" / name).unlink()
    assert main.run(["compile", "workflows/upsell"]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert all(name in said for name in ("features.py", "expectations.json", "pipeline.py"))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("arrival_delay)::BIGINT", "arival_delay)::BIGINT", "labels.known: .*arival_delay", id="known"),
        pytest.param(
            "minutes_late: arrival_delay", "minutes_late: delay", "labels.outcomes.minutes_late: .*delay", id="outcome"
        ),
        pytest.param(
            "slices: [origin, carrier]\n  outcomes", "slices: [orign]\n  outcomes", "did you mean 'origin'", id="slice"
        ),
        pytest.param(
            "source: flights\n  by",
            "source: planes\n  by",
            "has no column 'flight_id', by which its labels join",
            id="key",
        ),
        pytest.param("source: flights\n  by", "source: flight\n  by", "there is no source 'flight'", id="source"),
        pytest.param("by: entity\n  #", "by: request\n  #", "needs `request_id`", id="request"),
        pytest.param(
            "by: entity\n  #", "by: entity\n  every: 30d\n  #", "it never could; set `hours` higher", id="every"
        ),
    ],
)
def test_what_is_wrong_with_labels(old: str, new: str, told: str, tmp_path: Path) -> None:
    """They come weeks after the pipeline was compiled; a slip is said before."""
    folder = tmp_path / "workflows" / "flight_delay"
    shutil.copytree(ROOT / "workflows" / "flight_delay", folder)
    change(tmp_path, "workflows/flight_delay/model.yaml", old, new)
    found = folder_check.problems(folder)
    assert len(found) == 1
    assert re.search(rf"model\.yaml:\d+: .*{told}", found[0])
