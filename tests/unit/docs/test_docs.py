"""What the documentation says is so: its commands exist, its links lead somewhere, its examples are accepted."""

import argparse
import importlib
import inspect
import re
import shlex
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import main
from argosy.domain.expectations import Expectations
from argosy.files import model_folder
from kit import quick_yaml

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
COMMAND = re.compile(r"(?:^\$ |`|^)argosy ([a-z][^`|\n]*)", re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\((?!https?:)([^)#]+)[^)]*\)")


def _of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _commands() -> list[tuple[str, str]]:
    found = {
        (_of(page), re.split(r"\s+#|\s{2,}", match[1])[0].strip())
        for page in PAGES
        for match in COMMAND.finditer(page.read_text(encoding="utf-8"))
    }
    return sorted(found)


def test_pages_and_commands_are_found() -> None:
    """The tests below look at something."""
    assert ROOT / "README.md" in PAGES
    assert len(_commands()) > 15


@pytest.mark.parametrize(("page", "command"), _commands(), ids=lambda value: value.replace(" ", "_"))
def test_each_command_in_the_documentation_exists(page: str, command: str) -> None:
    """Its verb is one, and the verb knows each option that is shown."""
    verb, *words = shlex.split(command)
    assert verb in main.VERBS, f"{page}: argosy {command}"
    parser = argparse.ArgumentParser()
    importlib.import_module(f"argosy.cli.{verb}").add_arguments(parser)
    main.show_json_schema(parser)
    usage = _help(parser)
    for option in (word.partition("=")[0] for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", usage), f"{page}: argosy {command}: {option}"


def _help(parser: argparse.ArgumentParser) -> str:
    """The help of *parser* and of each verb under it."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return "\n".join([parser.format_help(), *(_help(child) for action in below for child in action.choices.values())])


@pytest.mark.parametrize("page", PAGES, ids=_of)
def test_links_lead_somewhere(page: Path) -> None:
    """A link within the repository names a file or folder that is there."""
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


@pytest.fixture
def typed_off(tmp_path: Path) -> Path:
    """A project with every file that the tutorial shows."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"```\w+ (\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_who_types_off_the_tutorial_gets_a_model(typed_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, expectations and policy are accepted and about one model; the pipeline compiles, and nothing is wrong with it."""
    model = typed_off / "workflows" / "upsell"
    settings = model_folder.load_settings(model / "model.yaml")
    assert (settings.model, settings.feature_service) == ("upsell", "upsell")
    assert model_folder.load_policy(typed_off / "gitops-env" / "policies" / "upsell.yaml").model == "upsell"
    expected = Expectations.model_validate_json((model / "expectations.json").read_text(encoding="utf-8"))
    columns = {column.name for source in settings.sources for column in source.columns} | {"label"}
    assert {column for _, one in expected.suites.layers() for column in one.columns} <= columns
    monkeypatch.chdir(typed_off)
    assert main.run(["compile", "workflows/upsell"]) == errors.DONE
    assert main.run(["lint", "workflows/upsell/pipeline.yaml"]) == errors.DONE


@pytest.mark.slow
def test_the_tutorials_features_are_those_of_its_data(typed_off: Path, tmp_path: Path) -> None:
    """Feast takes the definitions, and every feature is a column of the contract with a type that fits."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from argosy.adapters.feast_features.repository import FeastFeatures

    model = typed_off / "workflows" / "upsell"
    settings = model_folder.load_settings(model / "model.yaml")
    (tmp_path / "snapshot").mkdir()
    rows = {"account_id": ["A1"], "plan": ["pro"], "seats": [3], "tickets": [0]}
    moment = pa.array([settings.sources[0].observed_at], pa.timestamp("us", tz="UTC"))
    table = pa.table({**{name: pa.array(values) for name, values in rows.items()}, "event_timestamp": moment})
    pq.write_table(table, tmp_path / "snapshot" / "subscriptions.parquet")
    found = FeastFeatures(model / "features.py", settings, tmp_path / "work").definitions()
    assert {feature.name for feature in found} == {"plan", "seats", "tickets"}


def test_every_exit_code_is_documented() -> None:
    """The table holds the code of each failure that Argosy reports on purpose, and no other."""
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ArgosyError)]
    assert documented == {errors.DONE, errors.INTERRUPTED, *(kind.exit_code for kind in kinds)}


def _shown_by() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    return re.findall(r"`((?:tests|src)/[\w/]+\.py)::(\w+)`", text)


@pytest.mark.parametrize(("file", "test"), _shown_by(), ids=lambda value: value)
def test_each_case_of_the_security_table_has_its_test(file: str, test: str) -> None:
    """A protection is claimed only where a test of that name exists."""
    assert re.search(rf"^\s*def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_security_table_is_found() -> None:
    """The test above looks at something."""
    assert len(_shown_by()) > 20


def test_a_case_without_a_test_says_so() -> None:
    """A row of the security tables names its tests, or says in bold that nothing here protects from it."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    survived = text.partition("## What must be survived")[2].partition("\n## ")[0]
    rows = [line for line in survived.splitlines() if line.startswith("| ") and "|---" not in line]
    cases = [row for row in rows if not row.startswith("| case ")]
    assert len(cases) > 50
    assert [row for row in cases if "::" not in row and "**" not in row] == []


def test_who_is_given_a_key_is_said() -> None:
    """The steps that the documentation names for the forge's and the signing key are those whose specs ask for them."""
    holders: dict[str, set[str]] = {}
    for path in sorted(ROOT.glob("src/argosy/steps/*/spec.py")):
        spec = importlib.import_module(f"argosy.steps.{path.parent.name}.spec").SPEC
        for key in spec.keys:
            holders.setdefault(key, set()).add(spec.name)
    assert (holders["forge"], holders["forge-reader"]) == (
        {"propose", "converge"},
        {"champion", "plan-scoring", "watch-drift"},
    )
    assert holders["signing"] == {"sign"}
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert "The key that writes to the forge is given to `propose` and to `converge`" in text
    assert "Only `sign` is given the signing key" in text


def test_the_steps_are_those_that_there_are() -> None:
    """The table of steps names every step of the pipeline, and none that does not exist."""
    text = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    table = text.partition("## The steps")[2].partition("\n## ")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`([a-z-]+)`", cell)}
    there = {path.parent.name.replace("_", "-") for path in ROOT.glob("src/argosy/steps/*/spec.py")}
    assert named == there - {"converge"}


@pytest.mark.parametrize("page", PAGES, ids=_of)
def test_targets_of_make_exist(page: Path) -> None:
    """A `make` command that is shown is a target."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    shown = re.findall(r"(?:^\$ |`|^    )make ([a-z0-9-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(shown) <= targets


def test_platforms_that_are_claimed_are_tested() -> None:
    """Where it says on which systems CI runs, it does; everything on Linux alone."""
    jobs = quick_yaml.load((ROOT / ".github" / "workflows" / "ci.yaml").read_text(encoding="utf-8"))["jobs"]
    narrow = {runner.partition("-")[0] for runner in jobs["narrow"]["strategy"]["matrix"]["runner"]}
    others = {job["runs-on"].partition("-")[0] for name, job in jobs.items() if name not in {"narrow", "wsl"}}
    assert (narrow, others) == ({"ubuntu", "macos"}, {"ubuntu"})
    assert jobs["wsl"]["runs-on"].startswith("windows-")
    assert "CI runs everything on Linux, and on macOS and in WSL what" in (ROOT / "README.md").read_text(
        encoding="utf-8"
    )


def test_each_verb_that_the_program_names_exists() -> None:
    """Messages, help texts and docstrings send nobody to a verb that is none."""
    named = {
        (str(path.relative_to(ROOT)), verb)
        for path in [*ROOT.glob("src/argosy/**/*.py"), *ROOT.glob("charts/**/*.txt"), *ROOT.glob("charts/**/*.tpl")]
        for verb in re.findall(r"(?:`|^ +)argosy ([a-z]+)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert [(path, verb) for path, verb in sorted(named) if verb not in main.VERBS] == []
