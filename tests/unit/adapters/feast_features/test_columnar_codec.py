"""Columns at once have the bytes that one value after the other has."""

import math

import numpy as np
import pyarrow as pa
import pytest

from argosy.adapters.feast_features import codec, columnar_codec

TEXTS = ["a", "", "ä\x00", "x" * 127, "y" * 128, "z" * 70_000, "a"]
NUMBERS = [0, -1, 2**63 - 1, -(2**63), 2**53 + 1, 256, 7]


@pytest.mark.parametrize("names", [["number"], ["text"], ["number", "text"]], ids="+".join)
@pytest.mark.parametrize("sliced", [slice(None), slice(2, 5)], ids=["whole", "sliced"])
def test_keys(names: list[str], sliced: slice) -> None:
    """Of one key or of several, whichever part of a batch they are."""
    batch = pa.record_batch({"text": TEXTS, "number": pa.array(NUMBERS, pa.int64())})[sliced]
    types = [(name, {"number": "INT64", "text": "STRING"}[name]) for name in names]
    assert columnar_codec.encode_keys(types, batch).to_pylist() == [
        codec.encode_key(types, row) for row in batch.to_pylist()
    ]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.array([None, *TEXTS, None]), id="texts"),
        pytest.param(pa.array([0.0, -0.0, None, math.inf, -1.5, 5e-324]), id="numbers"),
        pytest.param(pa.array([None, None], pa.string()), id="no-text"),
        pytest.param(pa.array([None, None], pa.float64()), id="no-number"),
        pytest.param(pa.array([1.0, None, 2.0, 3.0])[1:3], id="sliced"),
    ],
)
def test_values(column: pa.Array) -> None:
    """Missing ones are the empty message."""
    assert columnar_codec.encode_values(column).to_pylist() == [codec.encode(value) for value in column.to_pylist()]


def test_what_is_not_a_number_is_kept_as_it_is() -> None:
    """It is no missing value here; whoever reads it takes it for one."""
    (found,) = columnar_codec.encode_values(pa.array(np.array([math.nan]))).to_pylist()
    assert found == codec.encode(math.nan)
    assert codec.decode(found) is None


def test_all_bytes_of_a_column() -> None:
    """Those of the slice, one after the other."""
    assert bytes(columnar_codec.bytes_of(pa.array([b"no", b"a", b"", b"bc", b"no"])[1:4])) == b"abc"
    assert columnar_codec.counted(pa.array([b"ab", b""])).to_pylist() == [b"2:ab", b"0:"]
