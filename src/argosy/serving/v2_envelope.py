"""What every request and answer of the V2 protocol has, whatever the model: JSON with binary tensors behind it, and which outputs are
wanted. Which tensors a model takes and gives is said in :mod:`argosy.serving.v2` and :mod:`argosy.serving.question_protocols`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from argosy.serving import reading, tensors
from argosy.serving.exchange import HEADER_LENGTH, OCTETS, ResponseBody
from argosy.serving.request_problems import RequestProblem
from argosy.serving.tensors import TEXT, Binary

EXTENSIONS = ["binary_tensor_data"]
_OTHER_ANSWERS = {"classification": "classes ranked by score", "shared_memory_region": "outputs in shared memory"}
"""Parameters of an output that ask for something that this server does not do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The request's options for its answer: its id, and which outputs are wanted, in JSON or binary."""

    identity: str | None
    outputs: Sequence[tuple[str, bool]]
    """Name, and whether as binary data."""


def payload(body: bytes, length: int | None, room: reading.JsonLimits) -> tuple[dict[str, Any], Binary]:
    """The JSON of a request, and its binary data. *length*: as ``exchange.json_length`` says. Raises RequestProblem."""
    if length is not None and length > len(body):
        message = f"{length} bytes of JSON are announced, {len(body)} came"
        raise RequestProblem(400, message, field="Inference-Header-Content-Length")
    text = body if length is None else body[:length]
    room.check(text)
    found = reading.loads(text)
    if type(found) is not dict:
        raise RequestProblem(400, "expected an object")
    return found, Binary(b"" if length is None else body[length:])


class OutputChoice:
    """The outputs of one model, and which of them a request may wish for."""

    def __init__(self, always: Sequence[str], explained: Sequence[str] = ()) -> None:
        """*always*: what is answered unless others are named; *explained*: what comes beside where the parameter ``explain`` asks."""
        self._always = always
        self._explained = explained
        self._known = [*always, *explained]

    def wanted(self, payload: Mapping[str, Any]) -> Wanted:
        """What *payload* says of its answer. Raises RequestProblem."""
        identity = payload.get("id")
        if identity is not None and type(identity) is not str:
            raise RequestProblem(400, "expected a string", field="id")
        parameters = tensors.parameters(payload, None)
        binary = _flag(parameters, "binary_data_output", "parameters", default=False)
        why = self._explained if _flag(parameters, "explain", "parameters", default=False) else ()
        outputs = payload.get("outputs")
        if outputs is None or outputs == []:
            return Wanted(identity, [(name, binary) for name in (*self._always, *why)])
        if type(outputs) is not list:
            raise RequestProblem(400, "expected a list", field="outputs")
        if len(outputs) > len(self._known):
            message = f"{len(outputs)} outputs are asked for; outputs: {', '.join(self._known)}"
            raise RequestProblem(422, message, field="outputs")
        chosen = [self._output(output, f"outputs[{place}]", binary=binary) for place, output in enumerate(outputs)]
        return Wanted(identity, list((dict.fromkeys(why, binary) | dict(chosen)).items()))

    def _output(self, given: Any, path: str, *, binary: bool) -> tuple[str, bool]:
        name = given.get("name") if type(given) is dict else None
        if type(name) is not str or name not in self._known:
            message = f"there is no such output; outputs: {', '.join(self._known)}"
            raise RequestProblem(422, message, field=f"{path}.name")
        found = tensors.parameters(given, path)
        if other := next((_OTHER_ANSWERS[name] for name in _OTHER_ANSWERS if name in found), None):
            raise RequestProblem(422, f"this server gives no {other}", field=f"{path}.parameters")
        return name, _flag(found, "binary_data", f"{path}.parameters", default=binary)


def content(head: Mapping[str, Any], outputs: Sequence[dict[str, Any]], wanted: Wanted) -> ResponseBody:
    """The body of an answer with the fields of *head* and *outputs*, each as it is *wanted*."""
    behind = []
    for output, (_, binary) in zip(outputs, wanted.outputs, strict=True):
        if binary:
            data = tensors.packed(output.pop("data"), output["datatype"])
            output["parameters"] = {"binary_data_size": len(data)}
            behind.append(data)
    text = orjson.dumps({**head, "outputs": outputs})
    if not behind:
        return ResponseBody(text)
    return ResponseBody(b"".join([text, *behind]), OCTETS, [(HEADER_LENGTH, b"%d" % len(text))])


def described(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    """An input or output, as the model's metadata has it."""
    return {"name": name, "datatype": datatype, "shape": shape}


def texts(name: str, data: list[str]) -> dict[str, Any]:
    """An output of texts, one a row."""
    return {"name": name, "shape": [len(data)], "datatype": TEXT, "data": data}


def check_rows(found: Iterable[tensors.Tensor]) -> None:
    """Raises RequestProblem where *found*, one at least, have different numbers of rows, or none."""
    counts = [tensor.rows for tensor in found]
    for place, count in enumerate(counts):
        if count != counts[0]:
            message = f"{count} rows, but inputs[0] has {counts[0]}"
            raise RequestProblem(422, message, field=f"inputs[{place}].shape")
    if counts[0] == 0:
        raise RequestProblem(422, "there are no rows", field="inputs[0].shape")


def _flag(parameters: Mapping[str, Any], name: str, path: str, *, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise RequestProblem(422, "expected true or false", field=f"{path}.{name}")
    return value
