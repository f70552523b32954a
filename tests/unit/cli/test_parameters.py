"""Values of a workflow's parameters."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import parameters
from argosy.engine import api
from argosy.engine.options import RunOptions

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: main
  arguments:
    parameters:
      - {name: colour, enum: [red, blue, 3], description: of the paint}
      - {name: size, valueFrom: {supplied: {}}}
      - {name: known, value: "1"}
  templates: [{name: main, container: {image: any, command: ["true"]}}]
"""


@pytest.fixture
def manifest(tmp_path: Path) -> api.Manifest:
    """A workflow that wants two values."""
    (tmp_path / "wf.yaml").write_text(MANIFEST, encoding="utf-8")
    return api.load([tmp_path / "wf.yaml"])


def _options(tmp_path: Path, **given: str) -> RunOptions:
    return RunOptions(home=tmp_path, process_images=("*",), parameters=given)


def _answering(asked: list[str], *answers: str) -> Callable[[str], str]:
    left: Iterator[str] = iter(answers)

    def ask(question: str) -> str:
        asked.append(question)
        return next(left)

    return ask


def test_what_is_wanting_is_asked_for(manifest: api.Manifest, tmp_path: Path) -> None:
    """With its choices, until it is one of them; what has a value is not asked for."""
    asked: list[str] = []
    prepared, options = parameters.prepare(manifest, _options(tmp_path), _answering(asked, "green", "3", "XL"))
    assert asked == ["colour (red, blue, 3) - of the paint: "] * 2 + ["size: "]
    assert options.parameters == {"colour": "3", "size": "XL"}
    assert [entry["value"] for entry in prepared.arguments["parameters"]] == ["3", "XL", "1"]


def test_nobody_is_asked_who_said_all(manifest: api.Manifest, tmp_path: Path) -> None:
    """Values of the command line are answers."""
    parameters.prepare(manifest, _options(tmp_path, colour="red", size="S"), _answering([]))


def test_without_a_terminal_all_are_listed(manifest: api.Manifest, tmp_path: Path) -> None:
    """A run that nobody watches ends before its first step, with everything that it lacks."""
    with pytest.raises(errors.Misconfigured, match=r"colour \(red, blue, 3\), size have no value; give each with -p"):
        parameters.prepare(manifest, _options(tmp_path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("a: 1\nb: text\nc: [1, {d: 2}]\n", {"a": "1", "b": "text", "c": '[1,{"d":2}]'}, id="yaml"),
        pytest.param("a: 0.00001\nb: 1e21\nc: yes\n", {"a": "0.00001", "b": "1e+21", "c": "true"}, id="numbers"),
        pytest.param('{"a": true, "b": "over"}', {"a": "true", "b": "over"}, id="json"),
    ],
)
def test_a_file_of_parameters(content: str, expected: dict[str, str], tmp_path: Path) -> None:
    """What is no text is its JSON; the command line is laid over it."""
    (tmp_path / "p").write_text(content, encoding="utf-8")
    arguments = argparse.Namespace(parameter_file=tmp_path / "p", parameter=["b=mine=1"])
    assert parameters.given(arguments) == expected | {"b": "mine=1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("- a\n", "does not hold an object", id="list"),
        pytest.param("a: [", "--parameter-file: .*: line 2", id="no-yaml"),
        pytest.param("a: \0", "--parameter-file: ", id="binary"),
    ],
)
def test_a_file_that_holds_none(content: str, message: str, tmp_path: Path) -> None:
    """One error, with the file."""
    (tmp_path / "p").write_text(content, encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=message):
        parameters.given(argparse.Namespace(parameter_file=tmp_path / "p", parameter=[]))


def test_an_answer_that_is_an_expression(manifest: api.Manifest, tmp_path: Path) -> None:
    """What is typed at the terminal is a value, too."""
    with pytest.raises(errors.Rejected, match="parameter size: it holds an expression"):
        parameters.prepare(manifest, _options(tmp_path, colour="red"), _answering([], "{{=1}}"))
