"""A wrong setting is reported with its line, its name, and what was probably meant."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.files import model_folder

GOOD = """\
model: thing
task: binary
description: Does it happen?
owner: team
seed: 1
entity: [id]
feature_service: thing
sources:
  - name: rows
    file: rows.csv
    entity: [id]
    observed_at: 2020-01-01T00:00:00Z
    columns:
      - {name: id, type: string, meaning: what it is}
label: {source: rows, sql: "y = 'yes'", classes: [no, yes], columns: [y]}
split: {by: entity, holdout: 0.2}
search: {metric: f1}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "model.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_words_that_old_yaml_takes_for_booleans_stay_words(tmp_path: Path) -> None:
    """A class may be called `no`."""
    settings = model_folder.load_settings(_write(tmp_path, GOOD))
    assert settings.label.classes == ["no", "yes"]


def test_one_of_several_kinds_is_taken_for_what_it_resembles(tmp_path: Path) -> None:
    """A range with a slip in one bound is not also held against the other kind of range, which has neither."""
    text = GOOD.replace("{metric: f1}", "{metric: f1, space: {max_depth: {int_lo: 2, int_high: 8}}}")
    with pytest.raises(errors.Misconfigured, match="did you mean 'int_low'") as raised:
        model_folder.load_settings(_write(tmp_path, text))
    assert "int_high" not in str(raised.value)
    assert "max_depth.low" not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "search: {metric: f1}",
            "search:\n  metric: f1\n  trails: 3",
            r"model.yaml:19: unknown setting 'search.trails'; did you mean 'trials'\?",
            id="typo-in-a-section",
        ),
        pytest.param(
            "seed: 1", "sed: 1", r"model.yaml:5: unknown setting 'sed'; did you mean 'seed'\?", id="typo-at-the-top"
        ),
        pytest.param(
            "{by: entity, holdout: 0.2}",
            "{by: time, holdout: 0.2}",
            r"unknown setting 'split.holdout'; did you mean 'holdout_from'\?",
            id="setting-of-the-other-kind",
        ),
        pytest.param("seed: 1", "seed: 1\ntrials: 4", r"'trials'; 'trials' is a setting of 'search'", id="wrong-place"),
        pytest.param(
            "{by: entity, holdout: 0.2}",
            "{by: time, holdout_from: 2009-11-01}",
            r"split.holdout_from: a time needs its zone, such as 2026",
            id="no-zone",
        ),
        pytest.param("seed: 1\n", "", r"model.yaml:1: 'seed' is missing", id="missing"),
        pytest.param("seed: 1", "seed: many", r"model.yaml:5: seed: .*integer.*'many'", id="wrong-type"),
        pytest.param("seed: 1", "seed: 1\nseed: 2", r"model.yaml:6: 'seed' is given twice", id="given-twice"),
        pytest.param("holdout: 0.2", "holdout: 2", r"model.yaml:16: split.holdout: .*less than 0.9", id="out-of-range"),
        pytest.param(
            "type: string", "type: text", r"model.yaml:14: sources.0.columns.0.type: .*'string'", id="unknown-type"
        ),
        pytest.param("source: rows", "source: row", r"there is no source 'row'; sources: rows", id="unknown-source"),
        pytest.param("classes: [no, yes]", "classes: [no]", r"two label classes", id="one-class"),
        pytest.param("task: binary", "task: [", r"model.yaml:\d+: this is not YAML", id="not-yaml"),
    ],
)
def test_wrong_setting_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """One clear error: the file, the line, the setting, and what to write."""
    assert old in GOOD
    with pytest.raises(errors.Misconfigured, match=message):
        model_folder.load_settings(_write(tmp_path, GOOD.replace(old, new)))


BOMB = "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        pytest.param(f"x: {'[' * 100_000}", r"model\.yaml:18: nested deeper than any setting", id="deep"),
        pytest.param("x: &a [*a]", r"model\.yaml:18: an anchor holds itself", id="circle"),
        pytest.param("x: &a {b: *a}", r"model\.yaml:18: an anchor holds itself", id="circle-of-mappings"),
        pytest.param(f"a: &a [x]\n{BOMB}", "aliases unfold into more than 100,000 entries", id="bomb"),
        pytest.param("x: !!python/object:os.system {}", r"model\.yaml:18: this is not YAML: could not", id="tag"),
        pytest.param(f"x: {'9' * 10_000}", r"model\.yaml:18: '9+' is no int that can be read", id="long-number"),
        pytest.param("x: 2026-99-99", r"model\.yaml:18: '2026-99-99' is no timestamp", id="no-date"),
        pytest.param("x: !!bool maybe", r"model\.yaml:18: 'maybe' is no bool", id="no-boolean"),
        pytest.param("x: !!timestamp x", r"model\.yaml:18: 'x' is no timestamp", id="no-time"),
        pytest.param("<<: x", r"model\.yaml:\d+: this is not YAML: expected a mapping", id="merge-of-a-text"),
        pytest.param("[1]: 2", r"model\.yaml:18: a setting's name is a text", id="list-as-a-name"),
        pytest.param("x: \0", r"model\.yaml: this is not YAML: special characters", id="no-character"),
        pytest.param("seed: 2", r"model\.yaml:18: 'seed' is given twice", id="twice"),
    ],
)
def test_what_a_reader_would_end_on_is_said(tmp_path: Path, added: str, message: str) -> None:
    """A file of somebody else's, such as a request's policy, ends nothing with a traceback and keeps no check busy."""
    with pytest.raises(errors.Misconfigured, match=message):
        model_folder.load_settings(_write(tmp_path, f"{GOOD}{added}\n"))


def test_aliases_are_taken(tmp_path: Path) -> None:
    """What is written once and meant twice is as good as written twice."""
    text = GOOD.replace("entity: [id]\nfeature", "entity: &key [id]\nfeature").replace(
        "    entity: [id]", "    entity: *key"
    )
    assert model_folder.load_settings(_write(tmp_path, text)) == model_folder.load_settings(_write(tmp_path, GOOD))


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    """Two typos take one round, not two."""
    text = GOOD.replace("seed: 1", "sed: 1").replace("metric: f1", "metric: f1, fold: 3")
    with pytest.raises(errors.Misconfigured) as caught:
        model_folder.load_settings(_write(tmp_path, text))
    assert "'sed'" in str(caught.value)
    assert "'folds'" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(errors.Misconfigured, match=r"absent\.yaml cannot be read"):
        model_folder.load_settings(tmp_path / "absent.yaml")
