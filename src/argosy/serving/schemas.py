"""What is sent to a server and what it answers, as types made of the model's signature: the interface's description is made of them.

Nothing is parsed by them: :mod:`argosy.serving.rows` is faster and says more of what is wrong. A test holds the two together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.serving import explanation
from argosy.serving.rows import FLOAT32_MAX, LONGEST_TEXT, Value
from argosy.serving.tensors import DATATYPES

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Key = Text | Annotated[int, Field(ge=-(2**63), lt=2**64)]
Number = Annotated[float, Field(ge=-FLOAT32_MAX, le=FLOAT32_MAX)]
CLOSED, OPEN = ConfigDict(extra="forbid"), ConfigDict(extra="allow")


def _one_of(words: Iterable[str]) -> Any:
    return Literal[tuple(words)]


def _several(kind: Any, least: int, most: int) -> Any:
    """The type of a list of *kind*, which mypy need not know."""
    return Annotated[list[kind], Field(min_length=least, max_length=most)]


@dataclass(frozen=True)
class InterfaceNotes:
    """What a reader of the description is told beside the signature."""

    example: Mapping[str, Value]
    """A row that the model answers."""
    seen: Mapping[str, str]
    """By feature: where its values lie, in words."""


def documentation(signature: Signature) -> InterfaceNotes:
    """What can be told of a model of which nothing but *signature* is known."""
    return InterfaceNotes({column.name: _some_value(column) for column in signature.features}, {})


def _some_value(column: FeatureColumn) -> Value:
    if column.type == "number":
        return 0.0
    return column.levels[0] if column.levels else None


class Failure(BaseModel):
    """A refusal over V1 and V2."""

    error: str
    field: str | None = None


class FieldProblem(BaseModel):
    """Which part of a request is wrong."""

    detail: str
    pointer: str


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldProblem] = []


class ExplanationBody(BaseModel):
    """Why a row got its prediction."""

    sentence: str
    scale: str
    base: float
    contributions: dict[str, float]
    rest: float


class Ready(BaseModel):
    """Whether requests should come."""

    ready: bool


class Live(BaseModel):
    """Whether the server is alive."""

    live: bool


class ModelReady(BaseModel):
    """Whether the model answers."""

    name: str
    ready: bool


class ModelNames(BaseModel):
    """The models that are served."""

    models: list[str]


class ServerMetadata(BaseModel):
    """Which server this is."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """One input or output of a model."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """What the model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class InputTensor(BaseModel):
    """A tensor: one feature or join key, ``[n]`` or ``[n, 1]``; or every feature in order, ``[n, features]``."""

    model_config = OPEN
    name: str
    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1, max_length=2)]
    datatype: _one_of(DATATYPES)  # type: ignore[valid-type]
    parameters: dict[str, Any] = {}
    data: list[Any]


class RequestedOutput(BaseModel):
    """An output that is asked for."""

    model_config = OPEN
    name: str
    parameters: dict[str, Any] = {}


class OutputTensor(BaseModel):
    """An output; binary data, where asked for, follows the JSON."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] = []


class InferAnswer(BaseModel):
    """The answer over V2."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[OutputTensor]


@dataclass(frozen=True)
class ModelBodies:
    """The bodies of one model."""

    plain: Mapping[str, Any]
    """``""``: to predict; `` why``: to explain, of which there are fewer rows."""
    v1: Mapping[str, Any]
    """The same."""
    v2: type[BaseModel]
    answers: Mapping[str, type[BaseModel]]
    """By protocol, where its routes give different ones: ``plain`` and ``v1``, and with `` why`` those that say why."""
    examples: Mapping[str, Any]
    """A body that is answered, by protocol; ``columns`` is another of ``plain``."""


def bodies(signature: Signature, told: InterfaceNotes, *, by_id: bool, rows: int) -> ModelBodies:
    """The bodies of the model of *signature*; *by_id*: whether it answers for join keys alone; *rows*: most of one request."""
    row = _row(signature, told, by_id=by_id) | _in_order(signature)
    asked = {"": rows, " why": explanation.MOST_ROWS}
    return ModelBodies(
        plain={why: _plain(row, signature, most, why, by_id=by_id) for why, most in asked.items()},
        v1={why: _instances(row, most, why) for why, most in asked.items()},
        v2=_tensors(signature),
        answers=_answers(signature, rows),
        examples=_examples(signature, told),
    )


def _plain(row: Any, signature: Signature, most: int, why: str, *, by_id: bool) -> Any:
    rows, columns = _several(row, 1, most), _columns(signature, most, why, by_id=by_id)
    return _closed(f"Rows{_suffix(why)}", "Rows of named values.", {"rows": (rows, None)}) | _closed(
        f"Columns{_suffix(why)}", "The same by column.", {"columns": (columns, None)}
    )


def _instances(row: Any, most: int, why: str) -> Any:
    return create_model(
        f"Instances{_suffix(why)}",
        __config__=OPEN,
        __doc__="Rows, as V1 has them.",
        instances=(_several(row, 1, most), ...),
    )


def _suffix(why: str) -> str:
    return "ToExplain" if why else ""


def _closed(name: str, said: str, fields: Mapping[str, Any]) -> Any:
    """A model that has these *fields*, name to what it holds, and no other. What a column is called may be no word of Pydantic's."""
    made: dict[str, Any] = {}
    for number, (field, (kind, description)) in enumerate(fields.items()):
        made[f"f{number}"] = (kind, Field(alias=field, description=description))
    return create_model(name, __config__=CLOSED, __doc__=said, **made)


def _tensors(signature: Signature) -> type[BaseModel]:
    most = len(signature.features) + len(signature.join_keys)
    return create_model(
        "InferRequest",
        __config__=OPEN,
        __doc__="Tensors, as the Open Inference Protocol has them.",
        id=(str | None, None),
        parameters=(dict[str, Any], {}),
        inputs=(_several(InputTensor, 1, most), ...),
        outputs=(list[RequestedOutput], []),
    )


def _answers(signature: Signature, rows: int) -> dict[str, type[BaseModel]]:
    answer = _answer(signature, rows)
    plain = answer | {"model": (str, ...), "version": (str, ...)}
    first = answer | {"model_version": (str, ...)}
    why: dict[str, Any] = {"explanations": (list[ExplanationBody], ...)}
    return {
        "plain": create_model("Predictions", __doc__="An answer for each row.", **plain),
        "plain why": create_model("ExplainedPredictions", __doc__="An answer for each row, and why.", **plain, **why),
        "v1": create_model("InstancePredictions", __doc__="The answer over V1.", **first),
        "v1 why": create_model("InstanceExplanations", __doc__="The answer over V1, and why.", **first, **why),
    }


def _examples(signature: Signature, told: InterfaceNotes) -> dict[str, Any]:
    row = dict(told.example)
    tensors = [
        {
            "name": column.name,
            "shape": [1],
            "datatype": "FP64" if column.type == "number" else "BYTES",
            "data": [row[column.name]],
        }
        for column in signature.features
    ]
    return {
        "plain": {"rows": [row]},
        "columns": {"columns": {name: [value] for name, value in row.items()}},
        "v1": {"instances": [row]},
        "v2": {"inputs": tensors},
    }


def _row(signature: Signature, told: InterfaceNotes, *, by_id: bool) -> Any:
    """Every feature by name, with the join keys or without; or the join keys alone."""
    features: dict[str, Any] = {
        column.name: (_value(signature, column), told.seen.get(column.name)) for column in signature.features
    }
    keys: dict[str, Any] = {name: (Key, None) for name in signature.join_keys if name not in features}
    kinds = [_closed("Row", "Every feature by name.", features)]
    if keys:
        kinds.append(_closed("KeyedRow", "Every feature, and the join keys.", features | keys))
    if keys and by_id:
        kinds.append(_closed("EntityRow", "An entity that the online store knows.", keys))
    return reduce(or_, kinds)


def _in_order(signature: Signature) -> Any:
    """A value of each feature, in the model's order."""
    kinds = tuple(_value(signature, column) for column in signature.features)
    return tuple[kinds]  # type: ignore[valid-type]


def _columns(signature: Signature, rows: int, why: str, *, by_id: bool) -> Any:
    values: dict[str, Any] = {
        column.name: (_several(_value(signature, column), 1, rows), None) for column in signature.features
    }
    keys: dict[str, Any] = {name: (_several(Key, 1, rows), None) for name in signature.join_keys if name not in values}
    end = f"Columns{_suffix(why)}"
    kinds = [_closed(f"Feature{end}", "As many values of each feature as rows.", values)]
    if keys:
        kinds.append(_closed(f"Keyed{end}", "The same with the join keys.", values | keys))
    if keys and by_id:
        kinds.append(_closed(f"Entity{end}", "Entities that the online store knows.", keys))
    return reduce(or_, kinds)


def _value(signature: Signature, column: FeatureColumn) -> Any:
    """What *column* may hold without being refused."""
    policy = signature.serving
    kind: Any = Number
    if column.type == "category":
        known = column.levels or []
        kind = _one_of(known) if policy.unknown_level == "refuse" and known else Text
    refused = policy.unexpected_null == "refuse" and not column.nullable
    return kind if refused else kind | None


def _answer(signature: Signature, rows: int) -> dict[str, Any]:
    kind: Any = list[list[float]] if signature.task == "multiclass" else list[float]
    made: dict[str, Any] = {"predictions": (kind, ...), "warnings": (list[str], []), "request_id": (str, ...)}
    made["versions"] = (list[str], [])
    if signature.task != "regression":
        made["decisions"] = (_several(_one_of(signature.classes), 1, rows), ...)
        made["confidences"] = (_several(Annotated[float, Field(ge=0, le=1)], 1, rows), ...)
    return made
