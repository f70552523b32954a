"""What every request of the V1 protocol has, whatever the model: a list of instances."""

from typing import Any

from argosy.serving.request_problems import RequestProblem, suggestion


def instances(payload: Any) -> list[Any]:
    """The instances of a parsed request, one at least. Raises RequestProblem."""
    if type(payload) is not dict:
        raise RequestProblem(400, 'expected an object with "instances"')
    found = payload.get("instances")
    if "instances" not in payload:
        raise RequestProblem(400, f"expected a list of rows{_instead(payload)}", field="instances")
    if type(found) is not list:
        raise RequestProblem(400, "expected a list of rows", field="instances")
    if not found:
        raise RequestProblem(400, "the list of rows is empty", field="instances")
    return found


def _instead(payload: dict[str, Any]) -> str:
    if "inputs" in payload:
        return "; 'inputs' came, which belongs to V2"
    return next((found for name in list(payload)[:10] if (found := suggestion(name, ["instances"]))), "")
