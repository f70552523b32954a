"""Reads the tensors of a V2 request in which nothing is odd: one a feature or join key, or one for all features, without a look at a value.

Whatever is not as plain as that, or wrong, is left to :mod:`argosy.serving.tensors`, which alone says what it is.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from argosy.domain.bundle import Signature
from argosy.ml.encoding import Column
from argosy.serving import tensors
from argosy.serving.tensors import TEXT

Kind = Literal["number", "category", "key"]
_IN_JSON, _IN_BINARY = {"name", "shape", "datatype", "data"}, {"name", "shape", "datatype", "parameters"}
_UNSEEN: Mapping[Kind, frozenset[str]] = {
    "number": frozenset({"FP32", "FP64"}),
    "category": frozenset({TEXT}),
    "key": frozenset(),
}
"""Datatypes whose values in JSON nobody looks at here, by what they are for: that they are numbers, no larger than the largest of FP32,
or levels, the model's encoder demands anyway."""
_length = struct.Struct("<I").unpack_from
_NUMBERS = {datatype: np.dtype(form) for datatype, form in tensors.FORMS.items() if datatype != tensors.BOOL}


class PlainTensors:
    """Reads for one model."""

    def __init__(self, signature: Signature, most_rows: int) -> None:
        self._most_rows = most_rows
        self._features = [column.name for column in signature.features]
        self._kinds: dict[str, Kind] = {**dict.fromkeys(signature.join_keys, "key")}
        self._kinds |= {column.name: column.type for column in signature.features}

    def read(self, inputs: Any, data: bytes) -> tuple[dict[str, Column], int] | None:
        """The columns of *inputs* by name, and how many rows they have; *data*: the binary data behind the JSON.

        None where something is odd. Whether the model can be asked with the values is not known yet.
        """
        if type(inputs) is not list or not 0 < len(inputs) <= len(self._kinds) or type(inputs[0]) is not dict:
            return None
        shape = inputs[0].get("shape")
        if type(shape) is not list or not 1 <= len(shape) <= 2 or not _whole(shape):
            return None
        if not 0 < shape[0] <= self._most_rows:
            return None
        found = self._by_name(inputs, shape, data) if shape[1:] in ([], [1]) else self._matrix(inputs, shape, data)
        return None if found is None else (found, shape[0])

    def _by_name(self, inputs: Sequence[Any], shape: list[int], data: bytes) -> dict[str, Column] | None:
        columns: dict[str, Column] = {}
        place = 0
        for given in inputs:
            if type(given) is not dict:
                return None
            name, datatype, own = given.get("name"), given.get("datatype"), given.get("shape")
            if type(name) is not str or type(datatype) is not str or own != shape or not _whole(own):
                return None
            kind, column = self._kinds.get(name), None
            if kind is not None and given.keys() == _IN_JSON:
                column = _listed(given["data"], datatype, shape[0], kind)
            elif kind is not None and given.keys() == _IN_BINARY:
                begin, place = place, place + _size(given["parameters"])
                column = _packed(data[begin:place], datatype, shape[0], kind)
            if column is None:
                return None
            columns[name] = column
        return columns if len(columns) == len(inputs) and place == len(data) else None

    def _matrix(self, inputs: Sequence[Any], shape: list[int], data: bytes) -> dict[str, Column] | None:
        """The columns of one tensor for all features, row by row."""
        given, width = inputs[0], len(self._features)
        name, datatype = given.get("name"), given.get("datatype")
        if len(inputs) != 1 or shape[1] != width or type(name) is not str or name in self._kinds:
            return None
        if type(datatype) is not str or datatype not in _NUMBERS:
            return None
        if given.keys() == _IN_JSON and not data:
            values = _listed(given["data"], datatype, shape[0] * width, "number")
        elif given.keys() == _IN_BINARY and _size(given["parameters"]) == len(data):
            values = _packed(data, datatype, shape[0] * width, "number")
        else:
            return None
        return None if values is None else {name: values[place::width] for place, name in enumerate(self._features)}


def split(data: bytes) -> list[bytes]:
    """The texts that *data* is made of, each behind its length; where it is not, one that is no UTF-8 besides."""
    found, position, last = [], 0, len(data) - 4
    while position <= last:
        (length,) = _length(data, position)
        begin = position + 4
        position = begin + length
        found.append(data[begin:position])
    return found if position == len(data) else [*found, b"\xff"]


def texts(contents: Iterable[bytes]) -> list[str] | None:
    """*contents* as texts; None where one is not UTF-8."""
    try:
        return [content.decode() for content in contents]
    except UnicodeDecodeError:
        return None


def numbers(data: bytes, datatype: str) -> Column | None:
    """*data* as numbers of *datatype*; None where it is not made of those."""
    form = _NUMBERS.get(datatype)
    return None if form is None or len(data) % form.itemsize else np.frombuffer(data, form)


def _whole(shape: list[Any]) -> bool:
    return type(shape[0]) is int and type(shape[-1]) is int


def _size(parameters: Any) -> int:
    """The size of a tensor's binary data; 0, of which no tensor is made, where *parameters* do not say just that."""
    size = parameters.get("binary_data_size") if type(parameters) is dict and len(parameters) == 1 else None
    return size if type(size) is int and size > 0 else 0


def _listed(values: Any, datatype: str, count: int, kind: Kind) -> Column | None:
    if type(values) is not list or len(values) != count:
        return None
    return values if datatype in _UNSEEN[kind] or tensors.are(values, datatype) else None


def _packed(data: bytes, datatype: str, count: int, kind: Kind) -> Column | None:
    if datatype == TEXT:
        column: Column | None = None if kind == "number" else texts(split(data))
    elif kind == "category" or (kind == "key" and "INT" not in datatype):
        column = None
    else:
        column = numbers(data, datatype)
    return column if column is not None and len(column) == count else None
