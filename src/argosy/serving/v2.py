"""The V2 protocol (Open Inference Protocol): one tensor a feature, or one a join key, in; ``prediction`` and ``decision`` tensors out.

A tensor holds one value a row: shape ``[n]`` or ``[n, 1]``, data flat or nested, null where unknown. Request parameters are the protocol's
own business and are accepted unread.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.domain.bundle import Signature
from argosy.serving.exchange import Limits
from argosy.serving.problems import RequestProblem, shown, suggestion
from argosy.serving.rows import Asked, RowReader
from argosy.serving.service import Answer

NUMBERS = {"FP16", "FP32", "FP64"} | {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
TEXT = "BYTES"
_DATATYPES = NUMBERS | {TEXT, "BOOL"}
_REQUEST = {"id", "parameters", "inputs", "outputs"}
_TENSOR = {"name", "shape", "datatype", "parameters", "data"}
PREDICTION, DECISION = "prediction", "decision"


def asked(payload: Any, reader: RowReader, limits: Limits) -> Asked:
    """The rows of a request. Raises RequestProblem."""
    tensors = _tensors(_checked(payload, _REQUEST, None, status=400))
    columns = _columns(tensors, _rows(tensors, limits))
    names = list(columns)
    return reader.read_all([dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)], _where)


def _where(place: int, name: str | None) -> str:
    return f"inputs: row {place}" if name is None else f"inputs: {name}[{place}]"


def answer(given: Answer, payload: Mapping[str, Any], signature: Signature, version: str) -> dict[str, Any]:
    """The answer's body: the outputs asked for, all where none are named. Raises RequestProblem for one that does not exist."""
    outputs = _outputs(given)
    named = {"model_name": signature.model, "model_version": version}
    echoed = {"id": payload["id"]} if "id" in payload else {}
    return {**named, **echoed, "outputs": [outputs[name] for name in _wanted(payload, list(outputs))]}


def metadata(signature: Signature, version: str) -> dict[str, Any]:
    """What ``GET /v2/models/<model>`` says."""
    numbers = {"number": "FP64", "category": TEXT}
    inputs = [_described(column.name, numbers[column.type], [-1]) for column in signature.features]
    shape = [-1, len(signature.classes)] if signature.task == "multiclass" else [-1]
    decided = [] if signature.task == "regression" else [_described(DECISION, TEXT, [-1])]
    return {
        "name": signature.model,
        "versions": [version],
        "platform": "argosy-xgboost",
        "inputs": inputs,
        "outputs": [_described(PREDICTION, "FP32", shape), *decided],
    }


def _described(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}


def _tensors(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if type(payload.get("id", "")) is not str:
        raise RequestProblem(400, "expected a string", field="id")
    inputs = payload.get("inputs")
    if type(inputs) is not list or not inputs:
        raise RequestProblem(400, "expected a list of tensors that is not empty", field="inputs")
    return [_tensor(tensor, f"inputs[{place}]") for place, tensor in enumerate(inputs)]


def _tensor(given: Any, path: str) -> Mapping[str, Any]:
    tensor = _checked(given, _TENSOR, path)
    if type(tensor.get("name")) is not str:
        raise RequestProblem(422, "expected a string", field=f"{path}.name")
    if type(tensor.get("datatype")) is not str or tensor["datatype"] not in _DATATYPES:
        raise RequestProblem(422, f"expected one of {', '.join(sorted(NUMBERS))}, {TEXT}", field=f"{path}.datatype")
    if tensor["datatype"] == "BOOL":
        raise RequestProblem(422, "the model has no BOOL feature; send 1 or 0 as a number", field=f"{path}.datatype")
    shape = tensor.get("shape")
    if type(shape) is not list or not all(type(size) is int and size >= 0 for size in shape):
        raise RequestProblem(422, "expected a list of whole numbers", field=f"{path}.shape")
    if not 1 <= len(shape) <= 2 or shape[1:] not in ([], [1]):
        raise RequestProblem(422, "a tensor holds one value a row: [n] or [n, 1]", field=f"{path}.shape")
    if type(tensor.get("data")) is not list:
        raise RequestProblem(422, "expected a list", field=f"{path}.data")
    return tensor


def _rows(tensors: Sequence[Mapping[str, Any]], limits: Limits) -> int:
    count: int = tensors[0]["shape"][0]
    for place, tensor in enumerate(tensors):
        if tensor["shape"][0] != count:
            raise RequestProblem(
                422, f"{tensor['shape'][0]} rows, but inputs[0] has {count}", field=f"inputs[{place}].shape"
            )
    if count == 0:
        raise RequestProblem(422, "there are no rows", field="inputs[0].shape")
    if count > limits.rows:
        raise RequestProblem(
            413, f"{count} rows came; at most {limits.rows} are answered at once", field="inputs[0].shape"
        )
    return count


def _columns(tensors: Sequence[Mapping[str, Any]], count: int) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for place, tensor in enumerate(tensors):
        path, name = f"inputs[{place}]", tensor["name"]
        if name in columns:
            raise RequestProblem(422, f"two tensors are called {shown(name)}", field=f"{path}.name")
        data = [value[0] if type(value) is list and len(value) == 1 else value for value in tensor["data"]]
        if len(data) != count:
            raise RequestProblem(422, f"{len(data)} values, but the shape says {count}", field=f"{path}.data")
        _check_type(data, tensor["datatype"], path)
        columns[name] = data
    return columns


def _check_type(data: Sequence[Any], datatype: str, path: str) -> None:
    expected = (str,) if datatype == TEXT else (int, float)
    for place, value in enumerate(data):
        if value is not None and type(value) not in expected:
            raise RequestProblem(422, f"the value is not {datatype}", field=f"{path}.data[{place}]")


def _checked(value: Any, allowed: set[str], path: str | None, *, status: int = 422) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RequestProblem(status, "expected an object", field=path)
    for name in value:
        if name not in allowed:
            raise RequestProblem(
                status, f"{shown(name)} is no field of the protocol{suggestion(name, allowed)}", field=path
            )
    return value


def _outputs(given: Answer) -> dict[str, dict[str, Any]]:
    first = given.predictions[0]
    count = len(given.predictions)
    width = [len(first)] if isinstance(first, list) else []
    flat = [value for row in given.predictions for value in row] if width else given.predictions
    outputs = {PREDICTION: {"name": PREDICTION, "shape": [count, *width], "datatype": "FP32", "data": flat}}
    if given.decisions is not None:
        outputs[DECISION] = {"name": DECISION, "shape": [count], "datatype": TEXT, "data": given.decisions}
    return outputs


def _wanted(payload: Mapping[str, Any], known: list[str]) -> list[str]:
    wanted = payload.get("outputs")
    if wanted is None:
        return known
    if type(wanted) is not list:
        raise RequestProblem(400, "expected a list", field="outputs")
    names = [output.get("name") if isinstance(output, dict) else None for output in wanted]
    for place, name in enumerate(names):
        if name not in known:
            message = f"there is no such output; outputs: {', '.join(known)}"
            raise RequestProblem(422, message, field=f"outputs[{place}].name")
    return [name for name in known if name in names] or known
