"""The JSON Schemas of what `--json` prints are generated, committed as generated, and there is one for each verb that has the option.

That real outputs keep them is held by a fixture of all tests (``kit.json_shapes``).
"""

import argparse
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import json_outputs, main

ROOT = Path(__file__).parents[2]
OUTPUTS = ROOT / "docs" / "outputs"


def committed(name: str) -> Path:
    """The file of the schema *name*."""
    return OUTPUTS / f"{name.replace(' ', '-')}.schema.json"


@pytest.mark.parametrize("name", json_outputs.SHAPES)
def test_schema_is_what_the_shape_says(name: str) -> None:
    """Whoever reads a verb's JSON by its schema sees in a diff what changes for them."""
    text = json.dumps(json_outputs.schema(name), indent=2, sort_keys=True) + "\n"
    if os.environ.get("ARGOSY_REGENERATE") == "1":
        assert "CI" not in os.environ, "CI never rewrites what it checks"
        OUTPUTS.mkdir(exist_ok=True)
        committed(name).write_text(text, encoding="utf-8")
    assert committed(name).read_text(encoding="utf-8") == text, "run the tests with ARGOSY_REGENERATE=1"


def _with_json(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    """*name*, and the names of its actions, of which *parser* takes --json."""
    if "--json" in parser._option_string_actions:
        yield name
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, child in action.choices.items():
                yield from _with_json(child, f"{name} {word}")


def test_every_json_has_a_schema_and_a_line_on_the_page() -> None:
    """And no schema is of a verb that prints none."""
    found = []
    for verb in main.VERBS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"argosy.cli.{verb}").add_arguments(parser)
        found += _with_json(parser, verb)
    assert sorted(found) == sorted(json_outputs.SHAPES)
    page = (ROOT / "docs" / "json-output.md").read_text(encoding="utf-8")
    assert [name for name in found if f"| [`argosy {name}`](outputs/{committed(name).name}) |" not in page] == []
    assert {path.name for path in OUTPUTS.iterdir()} == {committed(name).name for name in found}


def test_a_verb_prints_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever else it would want to be told, and an action's by its two words; one that has none says which do."""
    assert main.run(["pr", "list", "--json-schema"]) == errors.DONE
    assert json.loads(capsys.readouterr().out) == json_outputs.schema("pr list")
    assert main.run(["drift", "--json-schema"]) == errors.DONE
    assert json.loads(capsys.readouterr().out)["title"] == "argosy drift --json"
    assert main.run(["pr", "merge", "--json-schema"]) == errors.UsageError.exit_code
    assert "`argosy pr merge` has no --json" in capsys.readouterr().err
