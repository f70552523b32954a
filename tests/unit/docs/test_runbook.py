"""The runbook has a section for every alert and an alert for every section, and what it tells people to type exists."""

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.cli import main
from argosy.exporter import series
from kit import prometheus_stack

ROOT = Path(__file__).parents[3]
ALERTS = prometheus_stack.alerts()
TEXT = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
KUBECTL = {"get", "logs", "top", "describe"}
"""The verbs of kubectl that only look."""


def _shown(text: str) -> Iterator[str]:
    """The commands of a section: lines that are set apart, and words of code that begin with our program."""
    yield from re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    yield from re.findall(r"`(argosy [^`]+)`", text)


COMMANDS = sorted(
    {
        *((name, command) for name, text in SECTIONS.items() for command in _shown(text)),
        *((name, LABEL.sub("1", rule["annotations"]["command"])) for name, rule in ALERTS.items()),
    }
)


def test_a_section_each() -> None:
    """For every alert one, in the order of the rules, and none besides."""
    assert list(SECTIONS) == list(ALERTS)


@pytest.mark.parametrize("section", SECTIONS)
def test_what_to_look_at_and_what_to_do(section: str) -> None:
    """What it is, where to look, what to do; at least one command."""
    text = SECTIONS[section]
    assert [text.count(word) for word in ("**What.**", "**Look**", "**Do.**")] == [1, 1, 1]
    assert list(_shown(text))


@pytest.mark.parametrize(("section", "command"), COMMANDS, ids=lambda value: value.replace(" ", "_"))
def test_commands_are_understood(section: str, command: str) -> None:
    """By the parser of the program itself; those of other programs only look."""
    program, verb, *words = shlex.split(command)
    if program == "kubectl":
        assert verb in KUBECTL, f"{section}: {command}"
        return
    assert program == "argosy", f"{section}: {command}"
    assert verb in main.VERBS, f"{section}: {command}"
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module(f"argosy.cli.{verb}").add_arguments(parser)
    parser.parse_args(words)  # ends the test, by SystemExit or ArgumentError, where a word is none


def test_the_series_of_the_exporter_are_listed() -> None:
    """Each by name, labels and source, as it is shown."""
    page = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    for one in series.ALL:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        assert f"| `{one.name}` | {labels} | {one.source} | {one.help} |" in page
