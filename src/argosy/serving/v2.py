"""The V2 protocol (Open Inference Protocol, with Triton's binary tensor data): tensors in, ``prediction``, ``decision``
and ``confidence`` tensors out.

One tensor a feature, or one a join key: shape ``[n]`` or ``[n, 1]``, null where unknown. Or one tensor of any other name for all of the
features, in the model's order: shape ``[n, features]``. Fields and parameters that the protocol leaves to others are accepted unread; those
that ask for another kind of answer are refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from argosy.domain.bundle import Signature
from argosy.ml.encoding import Column
from argosy.serving import explanation, reading, tensors, v2_envelope
from argosy.serving.exchange import RequestLimits, ResponseBody
from argosy.serving.plain_tensors import PlainTensors
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem, shown
from argosy.serving.service import Answer
from argosy.serving.tensors import TEXT, Binary, Tensor
from argosy.serving.v2_envelope import Wanted

PREDICTION, DECISION, CONFIDENCE = "prediction", "decision", "confidence"
EXPLAINED = ("reasons", "explanation")
"""Outputs that say why, of whoever names them or sends the parameter ``explain``: a sentence a row, and the numbers behind it, as JSON."""


class V2:
    """The protocol for one model."""

    binary = True

    def __init__(
        self, signature: Signature, version: str, reader: ColumnReader, limits: RequestLimits, room: reading.JsonLimits
    ) -> None:
        self._signature = signature
        self._version = version
        self._reader = reader
        self._limits = limits
        self._room = room
        self._numbers = frozenset(column.name for column in signature.features if column.type == "number")
        # A column that the model's encoder takes whole holds what these datatypes hold.
        self.plain_tensors = frozenset(
            (column.name, datatype)
            for column in signature.features
            for datatype in (("FP32", "FP64") if column.type == "number" else (TEXT,))
        )
        """Name and datatype of tensors that are taken whole."""
        self._plain = PlainTensors(signature, limits.rows)
        self._outputs = [PREDICTION] if signature.task == "regression" else [PREDICTION, DECISION, CONFIDENCE]
        self._choice = v2_envelope.OutputChoice(self._outputs, EXPLAINED)

    @property
    def most_columns(self) -> int:
        """Tensors of one request at most."""
        return self._reader.most_columns

    def read(self, body: bytes, length: int | None) -> tuple[RequestColumns, Wanted]:
        """The rows of a request, and what it says of its answer. *length*: as ``exchange.json_length`` says. Raises RequestProblem."""
        return self.asked(*v2_envelope.payload(body, length, self._room))

    def asked(self, payload: Mapping[str, Any], binary: Binary) -> tuple[RequestColumns, Wanted]:
        """As :meth:`read`, of a request that is parsed already, whose tensors have their binary data in *binary*. Raises RequestProblem."""
        wanted = self._choice.wanted(payload)
        asked = self._at_once(payload.get("inputs"), binary.left) or self._looked_at(payload, binary)
        explained = any(name in EXPLAINED for name, _ in wanted.outputs)
        return (explanation.asked_why(asked, "inputs[0].shape") if explained else asked), wanted

    def _at_once(self, inputs: Any, data: bytes) -> RequestColumns | None:
        """The rows of *inputs*, read whole; None where :meth:`_looked_at` has to look at them."""
        found = self._plain.read(inputs, data)
        return None if found is None else self._reader.plain_columns(*found, _where)

    def _looked_at(self, payload: Mapping[str, Any], binary: Binary) -> RequestColumns:
        """The rows of *payload*, whatever they are like. Raises RequestProblem."""
        found = self._tensors(payload, binary)
        try:
            binary.finish()
            asked = self._columns(found)
        except RequestProblem:
            _check_values(found)
            raise
        if asked.matrix is None:
            _check_values(found)
        return asked

    def at_once(
        self, columns: Mapping[str, Column], count: int, identity: str | None, *, binary: bool
    ) -> tuple[RequestColumns, Wanted] | None:
        """As :meth:`asked`, of ``plain_tensors`` that wish nothing of their answer; None where :meth:`asked` has to look at each value."""
        found = self._reader.plain_columns(columns, count, _where)
        if found is None or found.matrix is None:
            return None
        return found, Wanted(identity, [(name, binary) for name in self._outputs])

    def write(self, given: Answer, wanted: Wanted) -> ResponseBody:
        """The answer's body."""
        return v2_envelope.content(*self.answered(given, wanted), wanted)

    def answered(self, given: Answer, wanted: Wanted) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The answer's fields short of its outputs, and the outputs that are wanted, each with its data."""
        head: dict[str, Any] = {"model_name": self._signature.model, "model_version": given.version(self._version)}
        if identity := wanted.identity or given.request_id:
            head["id"] = identity
        said = {"warnings": "; ".join(given.warnings)} if given.warnings else {}
        if given.versions is not None:
            said["versions"] = ",".join(given.versions)
        if said:
            head["parameters"] = said
        known = _outputs(given)
        return head, [known[name] for name, _ in wanted.outputs]

    def metadata(self) -> dict[str, Any]:
        """The model's metadata, as ``GET /v2/models/<model>`` answers it."""
        signature = self._signature
        shape = [-1, len(signature.classes)] if signature.task == "multiclass" else [-1]
        outputs = [
            v2_envelope.described(PREDICTION, "FP32", shape),
            v2_envelope.described(DECISION, TEXT, [-1]),
            v2_envelope.described(CONFIDENCE, "FP64", [-1]),
        ]
        return {
            "name": signature.model,
            "versions": [self._version],
            "platform": f"argosy-{signature.library.name if signature.library else 'xgboost'}",
            "inputs": [
                v2_envelope.described(column.name, "FP64" if column.type == "number" else TEXT, [-1])
                for column in signature.features
            ],
            "outputs": outputs[: len(self._outputs)],
        }

    def _tensors(self, payload: Mapping[str, Any], binary: Binary) -> list[Tensor]:
        inputs = payload.get("inputs")
        if type(inputs) is not list or not inputs:
            raise RequestProblem(400, "expected a list of tensors that is not empty", field="inputs")
        most = self.most_columns
        if len(inputs) > most:
            raise RequestProblem(422, f"{len(inputs)} tensors came; the model takes {most} at most", field="inputs")
        found = [
            tensors.read(
                given,
                binary,
                f"inputs[{place}]",
                most_rows=self._limits.rows,
                most_columns=most,
                later=self.plain_tensors,
            )
            for place, given in enumerate(inputs)
        ]
        v2_envelope.check_rows(found)
        return found

    def _columns(self, found: Sequence[Tensor]) -> RequestColumns:
        """*found* as columns."""
        first = found[0]
        if len(found) == 1 and first.name not in self._reader.names and first.width is not None:
            return self._matrix(first)
        columns: dict[str, list[Any]] = {}
        for place, tensor in enumerate(found):
            if tensor.name in columns:
                raise RequestProblem(422, f"two tensors are called {shown(tensor.name)}", field=f"inputs[{place}].name")
            if tensor.width not in {None, 1}:
                raise RequestProblem(
                    422, "a tensor holds one value a row: [n] or [n, 1]", field=f"inputs[{place}].shape"
                )
            columns[tensor.name] = self._values(tensor)
        return self._reader.columns(columns, first.rows, _where)

    def _matrix(self, tensor: Tensor) -> RequestColumns:
        features = len(self._signature.features)
        if tensor.width != features:
            message = f"{shown(tensor.name)} is no feature, and {tensor.width} columns are not the model's {features}"
            raise RequestProblem(422, message, field="inputs[0].shape")
        values = tensor.values
        if tensor.datatype == tensors.BOOL:
            values = [None if value is None else int(value) for value in values]
        return self._reader.in_order([values[place::features] for place in range(features)], tensor.rows, _where)

    def _values(self, tensor: Tensor) -> list[Any]:
        # A tensor that says it is BOOL means it, and features of that kind are 1 and 0 in training.
        if tensor.datatype == tensors.BOOL and tensor.name in self._numbers:
            return [None if value is None else int(value) for value in tensor.values]
        return tensor.values


def _where(place: int, name: str | None) -> str:
    return f"inputs: row {place}" if name is None else f"inputs: {name}[{place}]"


def _check_values(found: Sequence[Tensor]) -> None:
    """Raises RequestProblem for the first value that is not of its tensor's datatype."""
    for tensor in found:
        tensor.check()


def _outputs(given: Answer) -> dict[str, dict[str, Any]]:
    first = given.predictions[0]
    count = len(given.predictions)
    width = [len(first)] if isinstance(first, list) else []
    flat = [value for row in given.predictions for value in row] if width else given.predictions
    outputs = {PREDICTION: {"name": PREDICTION, "shape": [count, *width], "datatype": "FP32", "data": flat}}
    if given.decisions is not None:
        outputs[DECISION] = v2_envelope.texts(DECISION, given.decisions)
        outputs[CONFIDENCE] = {
            "name": CONFIDENCE,
            "shape": [count],
            "datatype": "FP64",
            "data": given.confidences or [],
        }
    if given.explanations is not None:
        sentences = [one.sentence for one in given.explanations]
        numbers = [orjson.dumps(explanation.as_json(one)).decode() for one in given.explanations]
        outputs |= {
            name: v2_envelope.texts(name, data) for name, data in zip(EXPLAINED, (sentences, numbers), strict=True)
        }
    return outputs
