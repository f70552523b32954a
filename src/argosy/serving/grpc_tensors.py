"""The V2 protocol as Protocol Buffers: requests and answers of the method ModelInfer.

A request is read as the JSON that it corresponds to, so that both are checked by the same code (:mod:`argosy.serving.v2`), are refused in
the same words and name a field alike. The protocol has two forms of data, typed contents in each tensor, or raw contents of all of them
beside the tensors; whoever sends one of them gets that one back, unless the parameter ``binary_data_output`` says otherwise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from google.protobuf.message import DecodeError

from argosy.ml.encoding import Column
from argosy.serving import grpc_messages, plain_tensors, tensors
from argosy.serving.exchange import RequestLimits, ResponseBody
from argosy.serving.model_pages import AnsweringModel
from argosy.serving.request_problems import RequestProblem
from argosy.serving.tensors import BOOL, TEXT, Binary
from argosy.serving.v2_envelope import Wanted

_REQUEST, _RESPONSE = grpc_messages.CLASSES["ModelInferRequest"], grpc_messages.CLASSES["ModelInferResponse"]
CONTENTS = {
    BOOL: "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    TEXT: "bytes_contents",
}
"""Where a tensor of each datatype has its typed contents. FP16 has none: it comes raw."""
_FIELDS = grpc_messages.CLASSES["InferTensorContents"].DESCRIPTOR.fields_by_name
CONTENT_NUMBERS = {datatype: _FIELDS[CONTENTS[datatype]].number for datatype in ("FP32", "FP64")}
"""The number of that field, of floating point numbers."""
HARMLESS_BYTES = 16 * 1024
"""A message this short takes little memory whatever it holds."""
MOST_PARAMETERS = 64
SPARE_FIELDS = 200
_RAW = "raw_input_contents"


@dataclass(frozen=True, slots=True)
class WantedMessage:
    """The request's options for its answer."""

    outputs: Wanted
    raw: bool
    """Whether as raw contents; for all outputs, since the protocol mixes no forms."""


class TensorProtocol(Protocol):
    """The V2 protocol of one model, once a request is parsed; what it makes of a request is the model's own business."""

    plain_tensors: frozenset[tuple[str, str]]
    """Name and datatype of tensors that are taken whole, by :meth:`at_once`."""

    @property
    def most_columns(self) -> int:
        """Tensors of one request at most."""

    def at_once(
        self, columns: Mapping[str, Column], count: int, identity: str | None, *, binary: bool
    ) -> tuple[Any, Wanted] | None:
        """As :meth:`asked`, of ``plain_tensors`` that wish nothing of their answer; None where :meth:`asked` has to look at each value."""

    def asked(self, payload: Mapping[str, Any], binary: Binary) -> tuple[Any, Wanted]:
        """What a parsed request asks, whose tensors have their binary data in *binary*. Raises RequestProblem."""

    def answered(self, given: Any, wanted: Wanted) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The answer's fields short of its outputs, and the outputs that are wanted, each with its data."""


class GrpcTensors:
    """The protocol for one model."""

    binary = False

    def __init__(self, protocol: TensorProtocol, service: AnsweringModel, limits: RequestLimits) -> None:
        self._protocol = protocol
        self._service = service
        self._most_rows = limits.rows
        self._most_values = limits.rows * protocol.most_columns
        self._most_fields = 2 * protocol.most_columns + SPARE_FIELDS

    def read(self, body: bytes, _: int | None) -> tuple[Any, WantedMessage]:
        """The rows of a request, and what it says of its answer. Raises RequestProblem."""
        message = self._parsed(body)
        self._service.refuse_others(message.model_name, message.model_version or None)
        found = self._at_once(message)
        if found is not None:
            return found
        payload = self._payload(message)
        asked, wanted = self._protocol.asked(payload, Binary(b"".join(message.raw_input_contents)))
        return asked, WantedMessage(wanted, any(binary for _, binary in wanted.outputs))

    def write(self, given: Any, wanted: WantedMessage) -> ResponseBody:
        """The answer's message."""
        head, outputs = self._protocol.answered(given, wanted.outputs)
        message = _RESPONSE(model_name=head["model_name"], model_version=head["model_version"], id=head.get("id"))
        for name, value in head.get("parameters", {}).items():
            message.parameters[name].string_param = value
        for output in outputs:
            data, datatype = output["data"], output["datatype"]
            tensor = message.outputs.add(name=output["name"], datatype=datatype, shape=output["shape"])
            if wanted.raw:
                message.raw_output_contents.append(tensors.packed(data, datatype))
            else:
                values = [text.encode() for text in data] if datatype == TEXT else data
                getattr(tensor.contents, CONTENTS[datatype]).extend(values)
        return ResponseBody(message.SerializeToString())

    def _at_once(self, message: Any) -> tuple[Any, WantedMessage] | None:
        """As :meth:`read`, of a message in which nothing is odd, column by column; None of any other."""
        inputs, raw = message.inputs, message.raw_input_contents
        if message.parameters or message.outputs or not inputs or (raw and len(raw) != len(inputs)):
            return None
        columns: dict[str, Column] = {}
        shape = list(islice(inputs[0].shape, 3))
        for place, tensor in enumerate(inputs):
            name, datatype = tensor.name, tensor.datatype
            if (name, datatype) not in self._protocol.plain_tensors or tensor.parameters or tensor.shape != shape:
                return None
            values = _raw_column(tensor, raw[place]) if raw else _typed_column(tensor)
            if values is None:
                return None
            columns[name] = values
        if len(columns) != len(inputs) or not self._fits(shape, columns):
            return None
        found = self._protocol.at_once(columns, shape[0], message.id or None, binary=bool(raw))
        return None if found is None else (found[0], WantedMessage(found[1], bool(raw)))

    def _fits(self, shape: list[int], columns: Mapping[str, Column]) -> bool:
        """True where *columns* have the *shape* [n] or [n, 1], and are not too long."""
        if not shape or len(shape) > 2 or shape[1:] not in ([], [1]) or not 0 < shape[0] <= self._most_rows:
            return False
        return all(len(values) == shape[0] for values in columns.values())

    def _parsed(self, body: bytes) -> Any:
        # A tensor that says nothing takes two bytes on the wire and ninety in memory, so tensors are counted before they are parsed.
        try:
            if len(body) > HARMLESS_BYTES and grpc_messages.fields(body, self._most_fields) > self._most_fields:
                raise RequestProblem(
                    413, f"the message has more than {self._most_fields} fields; no request needs them"
                )
            return _REQUEST.FromString(body)
        except DecodeError:
            raise RequestProblem(400, "the message is no ModelInferRequest") from None

    def _payload(self, message: Any) -> dict[str, Any]:
        """*message* as the JSON of V2 has it."""
        raw = message.raw_input_contents
        if raw and len(raw) != len(message.inputs):
            raise RequestProblem(400, f"{len(raw)} raw contents came for {len(message.inputs)} tensors", field=_RAW)
        parameters = {"binary_data_output": bool(raw)} | _parameters(message.parameters, "parameters")
        outputs = [
            {"name": output.name, "parameters": _parameters(output.parameters, f"outputs[{place}].parameters")}
            for place, output in enumerate(message.outputs)
        ]
        inputs = [
            _raw(tensor, len(raw[place]), f"inputs[{place}]") if raw else self._typed(tensor, f"inputs[{place}]")
            for place, tensor in enumerate(message.inputs)
        ]
        return {"id": message.id or None, "parameters": parameters, "inputs": inputs, "outputs": outputs}

    def _typed(self, tensor: Any, path: str) -> dict[str, Any]:
        found = _described(tensor, path)
        # Of the protocol over HTTP; there is nothing here that it could be the size of.
        found["parameters"].pop("binary_data_size", None)
        kind = CONTENTS.get(tensor.datatype)
        if kind is None:
            if tensor.datatype == "FP16":
                raise RequestProblem(422, f"FP16 has no typed contents; send {_RAW}", field=f"{path}.datatype")
            return found
        _refuse_others(tensor, kind, path)
        contents = getattr(tensor.contents, kind)
        if len(contents) > self._most_values:
            raise RequestProblem(413, f"{len(contents)} values came, more than any request needs", field=f"{path}.data")
        return found | {"data": _values(contents, tensor.datatype, path)}


def _typed_column(tensor: Any) -> Column | None:
    """The values of a tensor of FP32, FP64 or BYTES with typed contents; None where something is odd."""
    contents, datatype = tensor.contents, tensor.datatype
    if datatype == TEXT:
        return plain_tensors.texts(contents.bytes_contents) if len(contents.ListFields()) == 1 else None
    # On the wire floating point numbers lie one behind the other: to have them written again is a copy, to take one by one is not.
    data = contents.SerializeToString()
    begin = grpc_messages.alone(data, CONTENT_NUMBERS[datatype])
    return None if begin is None else plain_tensors.numbers(data[begin:], datatype)


def _raw_column(tensor: Any, data: bytes) -> Column | None:
    """The same with raw contents."""
    if tensor.HasField("contents"):
        return None
    if tensor.datatype == TEXT:
        return plain_tensors.texts(plain_tensors.split(data))
    return plain_tensors.numbers(data, tensor.datatype)


def _nulls(values: list[float]) -> list[Any]:
    """As in binary data: NaN stands for null, which Protocol Buffers have none of."""
    # Where one is NaN, so is the sum; where it is for other reasons, it does no harm to look.
    if math.isnan(sum(values)):
        return [None if math.isnan(value) else value for value in values]
    return values


def _parameters(given: Mapping[str, Any], path: str) -> dict[str, Any]:
    if not given:
        return {}
    if len(given) > MOST_PARAMETERS:
        raise RequestProblem(413, f"{len(given)} parameters came; at most {MOST_PARAMETERS} are read", field=path)
    chosen = {name: value.WhichOneof("parameter_choice") for name, value in given.items()}
    return {name: getattr(given[name], choice) for name, choice in chosen.items() if choice is not None}


def _raw(tensor: Any, size: int, path: str) -> dict[str, Any]:
    if tensor.HasField("contents"):
        raise RequestProblem(400, f"typed contents came beside {_RAW}; send one of them", field=f"{path}.contents")
    found = _described(tensor, path)
    found["parameters"]["binary_data_size"] = size
    return found


def _described(tensor: Any, path: str) -> dict[str, Any]:
    shape = list(islice(tensor.shape, 3))  # two are allowed
    parameters = _parameters(tensor.parameters, f"{path}.parameters")
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": shape, "parameters": parameters}


def _refuse_others(tensor: Any, kind: str, path: str) -> None:
    """Raises RequestProblem (422) where *tensor* has typed contents that are not of the *kind* for its datatype."""
    for field, _ in tensor.contents.ListFields():
        if field.name != kind:
            message = f"{tensor.datatype} is sent as {kind}, {field.name} came"
            raise RequestProblem(422, message, field=f"{path}.contents")


def _values(contents: Any, datatype: str, path: str) -> list[Any]:
    if datatype == TEXT:
        return [_text(content, f"{path}.data[{row}]") for row, content in enumerate(contents)]
    values = list(contents)
    return _nulls(values) if datatype.startswith("FP") else values


def _text(content: bytes, path: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise RequestProblem(422, "the text is not UTF-8", field=path) from None
