"""The V1 protocol (TensorFlow Serving's, as KServe speaks it): ``{"instances": [...]}`` in, ``{"predictions": [...]}`` out.

``decisions``, the class decided for in each row, is our addition; clients that do not know it read ``predictions`` as ever.
"""

from typing import Any

from argosy.serving.exchange import Limits
from argosy.serving.problems import RequestProblem, shown
from argosy.serving.rows import Asked, RowReader
from argosy.serving.service import Answer


def asked(payload: Any, reader: RowReader, limits: Limits) -> Asked:
    """The rows of a request. Raises RequestProblem."""
    instances = _instances(payload)
    if len(instances) > limits.rows:
        message = f"{len(instances)} rows came; at most {limits.rows} are answered at once"
        raise RequestProblem(413, message, field="instances")
    return reader.read_all(instances, _where)


def _where(place: int, name: str | None) -> str:
    return f"instances[{place}]" if name is None else f"instances[{place}].{name}"


def answer(given: Answer) -> dict[str, Any]:
    """The answer's body. It says nothing of the request, so that equal rows get equal bytes."""
    decided = {} if given.decisions is None else {"decisions": given.decisions}
    return {"predictions": given.predictions, **decided}


def _instances(payload: Any) -> list[Any]:
    if type(payload) is not dict:
        raise RequestProblem(400, 'expected an object with "instances"')
    for name in payload:
        if name != "instances":
            raise RequestProblem(400, f'expected "instances" and nothing else; {shown(name)} came')
    instances = payload.get("instances")
    if type(instances) is not list:
        raise RequestProblem(400, "expected a list of rows", field="instances")
    if not instances:
        raise RequestProblem(400, "the list of rows is empty", field="instances")
    return instances
