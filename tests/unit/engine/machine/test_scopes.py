"""What variables mean: a node's outputs, a loop's collected outputs, the workflow's constants."""

import pytest

from argosy.argo import NodeType, Phase
from argosy.engine.machine import scopes
from argosy.engine.manifest.model import Arguments, Spec, Template
from argosy.engine.manifest.pod_model import ObjectMeta
from argosy.engine.nodes import Node, Outputs


def item(*, result: str | None = None, phase: Phase = Phase.SUCCEEDED, **parameters: str) -> Node:
    """One item of a loop."""
    return Node("wf.l(0:x)", NodeType.POD, phase, 0.0, outputs=Outputs(parameters, result=result))


def test_collected_outputs() -> None:
    """Parameters by item and by name; results as they were written; failed items are left out."""
    scope = scopes.of_loop(
        "tasks",
        "l",
        [item(result="1.0", a="x", b="1"), item(phase=Phase.FAILED, a="no"), item(result='{"k": 2}', a="<y>", b="2")],
    )
    assert scope["tasks.l.outputs.result"] == '[1.0,{"k":2}]'
    assert scope["tasks.l.outputs.parameters"] == '[{"a":"x","b":"1"},{"a":"\\u003cy\\u003e","b":"2"}]'
    assert scope["tasks.l.outputs.parameters.b"] == '["1","2"]'


@pytest.mark.parametrize(
    ("values", "collected"),
    [
        pytest.param(['{"a": 1}', "[2]"], '[{"a":1},[2]]', id="objects-and-lists"),
        pytest.param(['{"a": 1}', "2"], '["{\\"a\\": 1}","2"]', id="a-plain-value-among-them"),
        pytest.param(["x"], '["x"]', id="text"),
    ],
)
def test_collected_values(values: list[str], collected: str) -> None:
    """Values that are all objects or lists are collected as such, anything else as text."""
    scope = scopes.of_loop("steps", "l", [item(v=value) for value in values])
    assert scope["steps.l.outputs.parameters.v"] == collected


def test_a_result_that_is_no_json() -> None:
    """A loop's results must be JSON, as on a cluster."""
    with pytest.raises(ValueError, match="invalid character 'h' looking for beginning of value"):
        scopes.of_loop("tasks", "l", [item(result="hello")])


def test_absent_outputs() -> None:
    """A skipped task's outputs are their defaults, or known to be absent."""
    template = {
        "outputs": {
            "parameters": [
                {"name": "a", "valueFrom": {"path": "/a", "default": "1"}},
                {"name": "b", "valueFrom": {"path": "/b"}},
            ]
        }
    }
    assert scopes.of_absent("tasks.t", Template(template), artifacts=False) == {
        "tasks.t.outputs.parameters.a": "1",
        "tasks.t.outputs.parameters.b": None,
    }


def test_creation_time() -> None:
    """The creation time in the formats of the controller."""
    scope = scopes.workflow_constants("wf", "u", 1700000000.7, ObjectMeta({}), Spec({"entrypoint": "main"}))
    assert scope["workflow.creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert scope["workflow.creationTimestamp.s"] == "1700000000"
    assert scope["workflow.creationTimestamp.Y"] == "2023"
    assert scope["workflow.creationTimestamp.B"] == "November"


def test_parameters_together() -> None:
    """All parameters in one text stand in the order of Argo's own fields, whatever the manifest's."""
    declared = [{"value": "1", "enum": ["1", "2"], "name": "a", "description": "<d>"}]
    expected = r'[{"name":"a","value":"1","enum":["1","2"],"description":"\u003cd\u003e"}]'
    assert scopes.workflow_parameters(Arguments({"parameters": declared}))["workflow.parameters.json"] == expected
