"""What the documentation says is so: its commands exist, its links lead somewhere, its examples are accepted."""

import argparse
import importlib
import inspect
import re
import shlex
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters import model_folder
from argosy.cli import main

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")])
COMMAND = re.compile(r"(?:^\$ |`|^)argosy ([a-z][^`\n]*)", re.MULTILINE)
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


def test_the_tutorials_settings_are_accepted(tmp_path: Path) -> None:
    """Who types off the tutorial's model.yaml gets a model."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "model.yaml").write_text(example[1], encoding="utf-8")
    assert model_folder.load_settings(tmp_path / "model.yaml").model == "upsell"


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
