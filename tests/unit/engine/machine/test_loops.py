"""Loops are expanded as the controller expands them."""

from typing import Any

import pytest

from argosy.engine.machine import loops
from argosy.engine.manifest.model import Task


def names(task: dict[str, Any]) -> list[str]:
    """The names of the expanded tasks."""
    return [one.name for one in loops.expand(Task({"name": "t", **task}), {})]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        pytest.param({"withItems": ["a", 1, True]}, ["t(0:a)", "t(1:1)", "t(2:true)"], id="scalars"),
        pytest.param({"withItems": [{"b": 1, "a": "(x)"}]}, ["t(0:a:x,b:1)"], id="map-sorted-without-parentheses"),
        pytest.param({"withParam": "[1.0, 1e3]"}, ["t(0:1.0)", "t(1:1e3)"], id="numbers-as-written"),
        pytest.param({"withParam": "null"}, [], id="null"),
        pytest.param({"withSequence": {"start": "3", "end": 1}}, ["t(0:3)", "t(1:2)", "t(2:1)"], id="downwards"),
        pytest.param({"withSequence": {"count": 1, "format": "n%02d"}}, ["t(0:n00)"], id="format"),
        pytest.param({"withParam": "not json", "when": "false"}, [], id="nonsense-that-does-not-run"),
    ],
)
def test_names(task: dict[str, Any], expected: list[str]) -> None:
    """The item stands in the name."""
    assert names(task) == expected


def test_values() -> None:
    """The item's fields are replaced wherever they stand."""
    task = Task(
        {
            "name": "t",
            "withItems": [{"a": 1, "b": [2]}],
            "arguments": {"parameters": [{"name": "x", "value": "{{item.a}} {{item.b}} {{item}}"}]},
        }
    )
    (one,) = loops.expand(task, {})
    assert one.arguments.parameters[0].value == '1 [2] {"a":1,"b":[2]}'
    assert not one.is_loop


@pytest.mark.parametrize(
    ("task", "message"),
    [
        pytest.param(
            {"withParam": "{}"},
            r"a JSON list: \{\}: json: cannot unmarshal object into Go value of type \[\]v1alpha1.Item",
            id="not-a-list",
        ),
        pytest.param(
            {"withParam": " hello "},
            "a JSON list: hello: invalid character 'h' looking for beginning of value",
            id="not-json",
        ),
        pytest.param({"withParam": ""}, "a JSON list: : unexpected end of JSON input", id="nothing-left-of-it"),
        pytest.param({"withParam": "x" * 9999}, "^.{2100,2200}$", id="long"),
        pytest.param({"withSequence": {"start": 1}}, "neither end nor count", id="no-end"),
        pytest.param({"withSequence": {"count": "many"}}, "not a whole number", id="not-a-number"),
        pytest.param({"withSequence": {"count": 10_000_000}}, "at most 100000", id="too-many"),
        pytest.param({"withSequence": {"count": 1, "format": "%q"}}, "withSequence.format", id="bad-format"),
        pytest.param(
            {"withItems": [{"a": 1}], "arguments": {"parameters": [{"name": "x", "value": "{{item.b}}"}]}},
            "no such field",
            id="unknown-field",
        ),
    ],
)
def test_refused(task: dict[str, Any], message: str) -> None:
    """What cannot be expanded is an error with its reason."""
    with pytest.raises(loops.LoopError, match=message):
        names(task)
