"""One tensor of the V2 protocol: its values out of JSON or binary data, checked against its shape and datatype; and the way back.

Binary data is little-endian and row-major. Of BOOL, an element is one byte; of BYTES, four bytes that say how many follow. Binary data has
no null: NaN in a tensor of floating point numbers stands for it, as it does in every client that makes one from a table.
"""

import struct
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from argosy.serving.request_problems import RequestProblem

TEXT, BOOL = "BYTES", "BOOL"
FORMS = {
    BOOL: "?",
    **{f"{sign}INT{bits}": f"<{kind}{bits // 8}" for sign, kind in (("", "i"), ("U", "u")) for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": f"<f{bits // 8}" for bits in (16, 32, 64)},
}
"""How NumPy calls each datatype of numbers and truth values."""
DATATYPES = dict.fromkeys([*sorted(FORMS), TEXT])
_BOUNDS: dict[str, tuple[float, float]] = {
    **{name: (int(np.iinfo(form).min), int(np.iinfo(form).max)) for name, form in FORMS.items() if "INT" in name},
    **{name: (float(np.finfo(form).min), float(np.finfo(form).max)) for name, form in FORMS.items() if "FP" in name},
}
_WHOLE, _ANY_NUMBER = frozenset({int}), frozenset({int, float})
_KINDS: dict[str, frozenset[type]] = {
    **{name: _WHOLE if "INT" in name else _ANY_NUMBER for name in _BOUNDS},
    BOOL: frozenset({bool}),
    TEXT: frozenset({str}),
}
_LENGTH = struct.Struct("<I")
_ELSEWHERE = "shared_memory_region"
"""Parameter that says that the data lies in memory that client and server share."""

Scalar = float | int | bool | str | None


@dataclass(slots=True)
class Tensor:
    """A tensor that has the values which its shape announces."""

    name: str
    datatype: str
    rows: int
    width: int | None
    """Values in a row; None where the shape says nothing of it."""
    values: list[Scalar]
    """Row by row."""
    unchecked: str | None = None
    """Path of the values, where nobody looked at them yet."""

    def check(self) -> None:
        """Raises RequestProblem where a value is not of the datatype."""
        if self.unchecked is not None:
            _of_json(self.values, self.datatype, self.unchecked)


class Binary:
    """The binary data behind a request's JSON, taken piece by piece in the order of the tensors."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._used = 0

    def take(self, size: int, path: str) -> memoryview:
        """The next *size* bytes. Raises RequestProblem (400) where there are fewer."""
        left = len(self._data) - self._used
        if size > left:
            raise RequestProblem(400, f"{size} bytes are announced, {left} are left of the body", field=path)
        self._used += size
        return memoryview(self._data)[self._used - size : self._used]

    @property
    def left(self) -> bytes:
        """The bytes that nobody took."""
        return self._data[self._used :]

    def finish(self) -> None:
        """Raises RequestProblem (400) where bytes are left that belong to no tensor."""
        if left := len(self._data) - self._used:
            raise RequestProblem(400, f"{left} bytes of the body belong to no tensor; see binary_data_size")


def read(
    given: Any,
    binary: Binary,
    path: str,
    *,
    most_rows: int,
    most_columns: int,
    later: Container[tuple[str, str]] = (),
) -> Tensor:
    """The tensor that *given*, at *path* of a request, describes. Raises RequestProblem.

    *later*: name and datatype of tensors whose values, in JSON, the caller has looked at elsewhere, or by :meth:`Tensor.check`.
    """
    if type(given) is not dict:
        raise RequestProblem(422, "expected an object", field=path)
    name, datatype = given.get("name"), given.get("datatype")
    if type(name) is not str:
        raise RequestProblem(422, "expected a string", field=f"{path}.name")
    if type(datatype) is not str or datatype not in DATATYPES:
        raise RequestProblem(422, f"expected one of {', '.join(DATATYPES)}", field=f"{path}.datatype")
    rows, width = _shape(given.get("shape"), path, most_rows, most_columns)
    count = rows * (width or 1)
    size = _binary_size(given, path)
    if size is None:
        values = _flat(given.get("data"), rows, width, path)
        if (name, datatype) in later:
            return Tensor(name, datatype, rows, width, values, unchecked=path)
        values = _of_json(values, datatype, path)
    elif datatype == TEXT:
        values = _texts(binary.take(size, f"{path}.parameters.binary_data_size"), count, path)
    else:
        values = _numbers(binary.take(size, f"{path}.parameters.binary_data_size"), datatype, count, path)
    return Tensor(name, datatype, rows, width, values)


def parameters(given: Mapping[str, Any], path: str | None) -> Mapping[str, Any]:
    """The parameters of a request, tensor or output. Raises RequestProblem (422) where they are no object."""
    found = given.get("parameters")
    if found is None:
        return {}
    if type(found) is not dict:
        raise RequestProblem(422, "expected an object", field="parameters" if path is None else f"{path}.parameters")
    return found


def packed(values: Sequence[Any], datatype: str) -> bytes:
    """*values* as binary data."""
    if datatype == TEXT:
        known = {value: _text(value) for value in set(values)}  # of decisions there are few
        return b"".join(map(known.__getitem__, values))
    return np.asarray(values, dtype=FORMS[datatype]).tobytes()


def _text(value: str) -> bytes:
    content = value.encode()
    return _LENGTH.pack(len(content)) + content


def _shape(shape: Any, path: str, most_rows: int, most_columns: int) -> tuple[int, int | None]:
    if type(shape) is not list or not 1 <= len(shape) <= 2:
        raise RequestProblem(422, "a tensor has the shape [n], [n, 1] or [n, features]", field=f"{path}.shape")
    if any(type(size) is not int or size < 0 for size in shape):
        raise RequestProblem(422, "expected a list of whole numbers", field=f"{path}.shape")
    if shape[0] > most_rows:
        raise RequestProblem(
            413, f"{shape[0]} rows came; at most {most_rows} are answered at once", field=f"{path}.shape"
        )
    width = shape[1] if len(shape) == 2 else None
    if width is not None and width > most_columns:
        raise RequestProblem(422, f"{width} columns came; the model takes {most_columns}", field=f"{path}.shape")
    return shape[0], width


def _binary_size(given: Mapping[str, Any], path: str) -> int | None:
    if "parameters" not in given:
        return None
    found = parameters(given, path)
    if _ELSEWHERE in found:
        raise RequestProblem(422, "this server shares no memory with clients; send the data", field=path)
    size = found.get("binary_data_size")
    if size is None:
        return None
    if type(size) is not int or size < 0:
        raise RequestProblem(422, "expected a whole number", field=f"{path}.parameters.binary_data_size")
    if given.get("data") is not None:
        raise RequestProblem(422, "the data came twice, as JSON and as binary_data_size says", field=f"{path}.data")
    return size


def _flat(data: Any, rows: int, width: int | None, path: str) -> list[Any]:
    """*data*, flat or nested, row by row."""
    if type(data) is not list:
        raise RequestProblem(422, "expected a list", field=f"{path}.data")
    wide = 1 if width is None else width
    if data and type(data[0]) is list and len(data) == rows:
        if not all(type(row) is list and len(row) == wide for row in data):
            raise RequestProblem(422, f"expected lists of {wide} values, as the shape says", field=f"{path}.data")
        return [value for row in data for value in row]
    if len(data) != rows * wide:
        raise RequestProblem(422, f"{len(data)} values, but the shape says {rows * wide}", field=f"{path}.data")
    return data


def are(data: list[Any], datatype: str) -> bool:
    """True where each of *data* is null or a value of *datatype*."""
    return datatype in _KINDS and _all_of(data, _KINDS[datatype], _BOUNDS.get(datatype))


def _of_json(data: list[Any], datatype: str, path: str) -> list[Scalar]:
    kinds, bounds = _KINDS[datatype], _BOUNDS.get(datatype)
    if are(data, datatype):
        return data
    for place, value in enumerate(data):
        if value is None:
            continue
        if type(value) not in kinds or (bounds is not None and not bounds[0] <= value <= bounds[1]):
            raise RequestProblem(422, f"the value is not {datatype}", field=f"{path}.data[{place}]")
    return data


def _all_of(data: list[Any], kinds: frozenset[type], bounds: tuple[float, float] | None) -> bool:
    """True where each value is null or of one of *kinds* and within *bounds*."""
    if not (kinds | {type(None)}).issuperset(map(type, data)):
        return False
    given = [value for value in data if value is not None] if None in data else data
    return bounds is None or not given or (bounds[0] <= min(given) and max(given) <= bounds[1])


def _numbers(data: memoryview, datatype: str, count: int, path: str) -> list[Scalar]:
    form = np.dtype(FORMS[datatype])
    if len(data) != count * form.itemsize:
        message = f"{len(data)} bytes, but {count} values of {datatype} are {count * form.itemsize}"
        raise RequestProblem(422, message, field=f"{path}.parameters.binary_data_size")
    if datatype == BOOL and (place := next((i for i, byte in enumerate(data) if byte > 1), None)) is not None:
        raise RequestProblem(422, f"the value is not {datatype}", field=f"{path}[{place}]")
    numbers = np.frombuffer(data, dtype=form)
    missing = np.isnan(numbers) if form.kind == "f" else np.zeros(0, dtype=bool)
    if not missing.any():
        return cast("list[Scalar]", numbers.tolist())
    values = numbers.astype(object)
    values[missing] = None
    return cast("list[Scalar]", values.tolist())


def _texts(data: memoryview, count: int, path: str) -> list[Scalar]:
    content = bytes(data)
    texts: list[Scalar] = []
    position, size = 0, len(content)
    try:
        while position < size and len(texts) < count:
            start = position + _LENGTH.size
            position = start + (_LENGTH.unpack_from(content, position)[0] if start <= size else size)
            if position > size:
                raise RequestProblem(422, "the text is longer than the data", field=f"{path}[{len(texts)}]")
            texts.append(content[start:position].decode())
    except UnicodeDecodeError:
        raise RequestProblem(422, "the text is not UTF-8", field=f"{path}[{len(texts)}]") from None
    if len(texts) != count or position != size:
        message = f"the data is not {count} texts, as the shape says"
        raise RequestProblem(422, message, field=f"{path}.parameters.binary_data_size")
    return texts
