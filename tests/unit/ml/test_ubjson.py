"""The document of a model is read from UBJSON as from the JSON that XGBoost writes of the same model."""

import json
from typing import Any

import numpy as np
import pytest
import xgboost

from argosy.ml import ubjson


def booster() -> xgboost.Booster:
    """A model with numbers and a category."""
    random = np.random.default_rng(1)
    data = random.normal(size=(500, 3)).astype(np.float32)
    data[:, 2] = random.integers(0, 50, 500)
    label = data[:, 0] + data[:, 2] % 3 > 1
    matrix = xgboost.DMatrix(data, label=label, feature_types=["q", "q", "c"], enable_categorical=True)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5)


def assert_equal(found: Any, expected: Any) -> None:
    """Equal, but that arrays of single precision are told in as many digits as tell them."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert_equal(found[name], value)
    elif isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, np.array(expected, dtype=found.dtype))
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)
    else:
        assert found == expected


def test_the_document_of_a_model() -> None:
    """Every name and every value, and arrays without a Python object for each number."""
    model = booster()
    found = ubjson.loads(bytes(model.save_raw("ubj")))
    assert_equal(found, json.loads(bytes(model.save_raw("json"))))
    tree = found["learner"]["gradient_booster"]["model"]["trees"][0]
    assert isinstance(tree["split_conditions"], np.ndarray)
    assert len(tree["split_conditions"]) > 3


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"?", b"[$d#L", b"[$d#L" + b"\0" * 7 + b"\x09", b"SL" + b"\xff" * 8, b"[$dL", b"[$?#L" + b"\0" * 8],
)
def test_what_is_none(content: bytes) -> None:
    """Content that is cut, or something else, is refused with its place."""
    with pytest.raises(ubjson.Malformed):
        ubjson.loads(content)


def test_each_kind_of_value() -> None:
    """Constants, numbers, texts, and arrays with and without a count."""
    count = b"\0" * 7
    text = b"{L" + count + b"\x01a" + b"[TFZi\xfb" + b"SL" + count + b"\x02hi]" + b"L" + count + b"\x01b"
    text += b"[#L" + count + b"\x02" + b"U\xffl\x00\x00\x01\x00" + b"}"
    assert ubjson.loads(text) == {"a": [True, False, None, -5, "hi"], "b": [255, 256]}
