"""The failed steps of a run, from the text that Argo hands to exit handlers, whole or cut short."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.domain import run_failures
from argosy.domain.run_failures import FailedStep


def _node(name: str, message: str, template: str = "") -> dict[str, str]:
    return {"displayName": name, "message": message, "templateName": template or name, "phase": "Failed"}


def _quoted(*nodes: dict[str, str]) -> str:
    """As the controller and the local engine hand it over: JSON in a quoted string."""
    return json.dumps(json.dumps(nodes))


@pytest.mark.parametrize(
    ("nodes", "steps"),
    [
        pytest.param(
            [_node("train(0)", "Error (exit code 1)"), _node("train", "No more retries left"), _node("main", "")],
            [FailedStep("train", "Error (exit code 1)")],
            id="one-step-in-three-nodes",
        ),
        pytest.param(
            [_node("train(0)", "Error (exit code 75)"), _node("train(1)", "Error (exit code 1)")],
            [FailedStep("train", "Error (exit code 75)")],
            id="its-first-attempt-with-a-code",
        ),
        pytest.param(
            [_node("trial-0(3:b)", "OOMKilled (exit code 137)"), _node("trial-0(4:c)", "Error (exit code 1)")],
            [FailedStep("trial-0", "OOMKilled (exit code 137)")],
            id="a-loop-is-one-step",
        ),
        pytest.param([_node("main", "")], [FailedStep("main", "")], id="never-silent"),
        pytest.param([_node("fit", "child 'x' failed")], [FailedStep("fit", "child 'x' failed")], id="only-a-group"),
        pytest.param([], [], id="none"),
    ],
)
def test_what_failed(nodes: list[dict[str, str]], steps: list[FailedStep]) -> None:
    """A person's list: each step once, with the words that say most."""
    assert run_failures.parse(_quoted(*nodes)) == steps
    assert run_failures.parse(json.dumps(nodes)) == steps


def test_go_quotes_in_its_own_way() -> None:
    """Argo quotes with Go's escapes, some of which JSON does not know."""
    text = r'"[{\"displayName\":\"a\x7f\U000e0001b\",\"message\":\"no \\\"x\\\"\"}]"'
    assert run_failures.parse(text) == [FailedStep("a\x7f\U000e0001b", 'no "x"')]


def test_cut_short_it_says_what_is_left() -> None:
    """Whole entries before the cut are there, wherever it is; nothing is made up."""
    whole = _quoted(*(_node(f"step-{number}", f'Error: "é" (exit code {number})') for number in range(5)))
    for length in range(len(whole)):
        found = run_failures.parse(whole[:length])
        assert found == run_failures.parse(whole)[: len(found)]
    assert len(run_failures.parse(whole[: len(whole) - 2])) == 5


@given(st.text())
def test_any_text_is_an_answer(text: str) -> None:
    """It is data: nothing of it is run, and none of it is an error."""
    run_failures.parse(text)
    run_failures.parse(f'"{text}')


def test_nested_for_ever_is_an_answer() -> None:
    """As deep as the text may be long."""
    assert run_failures.parse("[" * run_failures.LONGEST) == []
    assert run_failures.parse('"' + "[" * run_failures.LONGEST) == []
