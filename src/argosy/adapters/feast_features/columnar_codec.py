"""The bytes of :mod:`~argosy.adapters.feast_features.codec` for whole columns at once: Arrow and NumPy, no Python a row."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from argosy.adapters.feast_features import codec


def encode_keys(types: Sequence[tuple[str, str]], rows: pa.RecordBatch) -> pa.Array:
    """The key of the entity of each of *rows*; see :func:`codec.encode_key`."""
    parts: list[Any] = [struct.pack("<I", len(types))]
    for name, _ in types:
        encoded = name.encode()
        parts.append(struct.pack("<II", codec.STRING, len(encoded)) + encoded)
    for name, kind in types:
        number = codec.KEYS[kind][0]
        value = (
            _texts(rows.column(name)) if number == codec.STRING else _fixed(rows.column(name).to_numpy().astype("<i8"))
        )
        lengths = compute.binary_length(value).to_numpy(zero_copy_only=False).astype("<u4")
        parts += [struct.pack("<I", number), _fixed(lengths), value]
    # A value that no column has would be one, not one a row.
    return compute.binary_join_element_wise(*parts, b"")


def encode_values(column: pa.Array) -> pa.Array:
    """Each value of *column*, float64 or text, as a message; see :func:`codec.encode`."""
    if pa.types.is_float64(column.type):
        return _numbers(column)
    # What is text has few values as a rule, which come often.
    coded = column.dictionary_encode()
    messages = pa.array([codec.encode(value) for value in coded.dictionary.to_pylist()], pa.binary())
    return compute.fill_null(messages.take(coded.indices), b"")


def counted(column: pa.Array) -> pa.Array:
    """Each value of *column* after the number of its bytes and a colon."""
    lengths = compute.binary_length(column).cast(pa.string()).cast(pa.binary())
    return compute.binary_join_element_wise(lengths, b":", column, b"")


def bytes_of(column: pa.Array) -> memoryview:
    """All values of *column*, one after the other."""
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    return memoryview(data)[places[0] : places[-1]]


def _numbers(column: pa.Array) -> pa.Array:
    messages = np.empty((len(column), 9), dtype=np.uint8)
    messages[:, 0] = codec.NUMBER_TAG
    messages[:, 1:] = column.fill_null(0.0).to_numpy().astype("<f8").view(np.uint8).reshape(-1, 8)
    return compute.if_else(column.is_valid(), _fixed(messages), pa.scalar(b"", pa.binary()))


def _fixed(values: npt.NDArray[Any]) -> pa.Array:
    """The bytes of each of *values*."""
    width = values.nbytes // len(values)
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), [None, buffer]).cast(pa.binary())


def _texts(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()).cast(pa.binary())
