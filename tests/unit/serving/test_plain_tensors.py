"""Tensors that are read whole: what comes of them is what looking at each of their values finds, and whatever is odd is left to that."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from argosy.serving.exchange import RequestLimits
from argosy.serving.plain_tensors import PlainTensors
from argosy.serving.reading import JsonLimits
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.tensors import FORMS
from argosy.serving.v2 import V2
from kit import serving_kit

SIGNATURE = serving_kit.signature()
ROWS = [
    {"tenure": 1, "charges": 0.1, "contract": "month", "birth_year": 1980},
    {"tenure": 0, "charges": None, "contract": "two-year", "birth_year": 2000},
]
NUMBERS = ("tenure", "charges", "birth_year")


@pytest.fixture
def v2() -> V2:
    """The protocol, for two features of each kind at most 5 rows."""
    reader, limits = ColumnReader(SIGNATURE), RequestLimits(rows=5)
    return V2(SIGNATURE, "1", reader, limits, JsonLimits(limits.rows, reader.most_columns))


@pytest.fixture
def careful(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has nothing read whole from then on."""
    return lambda: monkeypatch.setattr(PlainTensors, "read", lambda *_: None)


def in_json(datatype: str = "FP64", **more: Any) -> dict[str, Any]:
    """ROWS as tensors."""
    return {
        name: {
            "name": name,
            "shape": [2],
            "datatype": "BYTES" if name == "contract" else datatype,
            "data": [row[name] for row in ROWS],
        }
        | more
        for name in ROWS[0]
    }


def in_binary(datatype: str) -> tuple[dict[str, Any], bytes]:
    """The same, with their data behind the JSON."""
    tensors, parts = in_json(datatype), []
    for name, tensor in tensors.items():
        data = tensor.pop("data")
        if name == "contract":
            part = b"".join(struct.pack("<I", len(text)) + text.encode() for text in data)
        else:
            part = np.array([9 if value is None else value for value in data], FORMS[datatype]).tobytes()
        tensor["parameters"] = {"binary_data_size": len(part)}
        parts.append(part)
    return tensors, b"".join(parts)


def outcome(v2: V2, tensors: Any, data: bytes = b"") -> Any:
    """What is read, or what is said instead."""
    text = json.dumps({"inputs": tensors}).encode()
    try:
        asked, _ = v2.read(text + data, len(text) if data else None)
    except RequestProblem as problem:
        return problem.status, str(problem), problem.field
    rows = None if asked.matrix is None else asked.matrix.tobytes()
    return asked.rows(), rows, asked.entities, list(asked.by_id)


def is_plain(tensors: Any, data: bytes = b"") -> bool:
    """Whether *tensors* are read whole."""
    return PlainTensors(SIGNATURE, 5).read(tensors, data) is not None


def with_key(tensors: dict[str, Any]) -> list[Any]:
    """*tensors* and a join key."""
    return [*tensors.values(), {"name": "customer_id", "shape": [2], "datatype": "BYTES", "data": ["A", "B"]}]


MATRIX = {"name": "all", "shape": [2, 4], "datatype": "FP32"}
KEYS = {"name": "customer_id", "shape": [2], "datatype": "INT64", "data": [1, 2]}
PLAIN = {
    "doubles": (list(in_json().values()), b""),
    "floats": (list(in_json("FP32").values()), b""),
    "column-vectors": (list(in_json(shape=[2, 1]).values()), b""),
    "with-keys": (with_key(in_json()), b""),
    "keys-alone": ([KEYS], b""),
    **{
        name: (list(tensors.values()), data)
        for name in ("FP64", "FP32", "FP16", "INT16", "UINT64")
        for tensors, data in [in_binary(name)]
    },
}


@pytest.mark.parametrize("name", list(PLAIN))
def test_what_is_read_whole(v2: V2, careful: Callable[[], None], name: str) -> None:
    """It is the rows, the model's numbers and the keys that come of looking at each value."""
    given = PLAIN[name]
    assert is_plain(*given)
    whole = outcome(v2, *given)
    careful()
    assert whole == outcome(v2, *given)
    assert isinstance(whole[0], list)


ODD: dict[str, Any] = {
    "shape-of-doubles": list(in_json(shape=[2.0]).values()),
    "shape-of-truths": list(in_json(shape=[True]).values()),
    "one-shape-of-doubles": [*list(in_json().values())[1:], in_json()["tenure"] | {"shape": [2.0]}],
    "nested": list((in_json() | {"tenure": in_json()["tenure"] | {"shape": [2, 1], "data": [[1], [0]]}}).values()),
    "other-rows": list((in_json() | {"tenure": in_json()["tenure"] | {"shape": [1], "data": [1]}}).values()),
    "too-short": list((in_json() | {"tenure": in_json()["tenure"] | {"data": [1]}}).values()),
    "twice": [*in_json().values(), in_json()["tenure"]],
    "stranger": [*list(in_json().values())[1:], in_json()["tenure"] | {"name": "age"}],
    "other-field": list(in_json(more=1).values()),
    "no-tensor": [*list(in_json().values())[1:], 7],
    "no-name": [*list(in_json().values())[1:], {"shape": [2], "datatype": "FP64", "data": [1, 2]}],
    "listed-name": [*list(in_json().values())[1:], in_json()["tenure"] | {"name": []}],
    "listed-datatype": [*list(in_json().values())[1:], in_json()["tenure"] | {"datatype": []}],
    "unknown-datatype": list(in_json("FP8").values()),
    "texts-as-doubles": [tensor | {"datatype": "FP64"} for tensor in in_json().values()],
    "a-text-among-numbers": list((in_json() | {"tenure": in_json()["tenure"] | {"data": [1, "2"]}}).values()),
    "a-truth-among-numbers": list((in_json() | {"tenure": in_json()["tenure"] | {"data": [1, True]}}).values()),
    "doubles-as-whole": list(in_json("INT32").values()),
    "too-large-for-its-kind": list((in_json() | {"tenure": in_json()["tenure"] | {"datatype": "INT8", "data": [1, 300]}}).values()),
    "too-many-rows": list(in_json(shape=[6]).values()),
    "no-rows": list(in_json(shape=[0], data=[]).values()),
    "a-size-and-data": list(in_json(parameters={"binary_data_size": 16}).values()),
    "keys-of-doubles": [KEYS | {"datatype": "FP64", "data": [1.5, 2]}],
    "unknown-level": list((in_json() | {"contract": in_json()["contract"] | {"data": ["never", "month"]}}).values()),
    "nothing": [],
    "no-list": {"tenure": 1},
}  # fmt: skip


@pytest.mark.parametrize("name", list(ODD))
def test_what_is_odd(v2: V2, careful: Callable[[], None], name: str) -> None:
    """It is answered, or refused with the same words and the same field, as where nothing is ever read whole."""
    found = outcome(v2, ODD[name])
    careful()
    assert found == outcome(v2, ODD[name])


@pytest.mark.parametrize("cut", [-1, 1, -8, 8])
def test_binary_data_that_is_cut(v2: V2, careful: Callable[[], None], cut: int) -> None:
    """Bytes too few or too many are told as ever."""
    tensors, data = in_binary("FP64")
    given = list(tensors.values()), data[:cut] if cut < 0 else data + bytes(cut)
    assert not is_plain(*given)
    found = outcome(v2, *given)
    assert found[0] == 400
    careful()
    assert found == outcome(v2, *given)


@pytest.mark.parametrize("value", [np.inf, 1e39, np.nan])
def test_numbers_that_no_model_takes(v2: V2, careful: Callable[[], None], value: float) -> None:
    """Infinity in binary data is refused with its place; NaN is null."""
    tensors, data = in_binary("FP64")
    given = list(tensors.values()), struct.pack("<d", value) + data[8:]
    found = outcome(v2, *given)
    assert (found[0] == 422) is not np.isnan(value)
    careful()
    assert found == outcome(v2, *given)


def test_a_matrix_is_its_columns() -> None:
    """One tensor for all features of a model of numbers, in JSON as in binary; of one with texts it is refused as ever."""
    numeric = SIGNATURE.model_copy(update={"features": [f for f in SIGNATURE.features if f.type == "number"]})
    reader, limits = ColumnReader(numeric), RequestLimits(rows=5)
    protocol = V2(numeric, "1", reader, limits, JsonLimits(limits.rows, reader.most_columns))
    values = [1.0, 0.5, 1980.0, 0.0, 2.5, 2000.0]
    tensor = {"name": "all", "shape": [2, 3], "datatype": "FP32"}
    data = np.array(values, "<f4").tobytes()
    plain = PlainTensors(numeric, 5)
    assert plain.read([tensor | {"data": values}], b"") is not None
    behind = tensor | {"parameters": {"binary_data_size": len(data)}}
    assert plain.read([behind], data) is not None
    expected = [dict(zip(NUMBERS, values[place : place + 3], strict=True)) for place in (0, 3)]
    assert outcome(protocol, [tensor | {"data": values}])[0] == expected
    assert outcome(protocol, [behind], data)[0] == expected
    for odd in ({"name": "tenure"}, {"name": "customer_id"}, {"shape": [3, 2]}, {"datatype": "BOOL"}):
        assert plain.read([tensor | {"data": values} | odd], b"") is None


def test_a_matrix_of_a_model_with_texts(v2: V2) -> None:
    """Numbers are no levels."""
    assert outcome(v2, [MATRIX | {"data": [1.0] * 8}])[0] == 422


def test_values_of_arrays_are_listed_as_json_has_them(v2: V2) -> None:
    """Who asks for the values of binary tensors, to explain or to shadow, gets numbers and nulls."""
    tensors, data = in_binary("FP64")
    text = json.dumps({"inputs": list(tensors.values())}).encode()
    asked, _ = v2.read(text + struct.pack("<d", np.nan) + data[8:], len(text))
    assert isinstance(asked, RequestColumns)
    assert asked.row(0) == ROWS[0] | {"tenure": None, "charges": 0.1}
    assert asked.row(1) == ROWS[1] | {"charges": 9.0}
