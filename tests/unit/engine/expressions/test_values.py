"""Values as Go writes them."""

import pytest

from argosy.engine.expressions import json_text, values


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param(3.0, "3", id="whole"),
        pytest.param(0.25, "0.25", id="fraction"),
        pytest.param(1e20, "100000000000000000000", id="long"),
        pytest.param(1e21, "1e+21", id="too-long"),
        pytest.param(0.00001, "1e-05", id="small"),
    ],
)
def test_floats(value: float, written: str) -> None:
    """Whole numbers have no point, very large and very small ones an exponent."""
    assert values.float_written(value, 21) == written


def test_maps_and_structs() -> None:
    """A map's keys are in order, a struct's fields in their own; neither has blanks, and what HTML minds is escaped."""
    value = {"b": "<", "a": ["&", 1]}
    assert values.to_json(value) == '{"a":["\\u0026",1],"b":"\\u003c"}'
    assert json_text.of_struct(value) == '{"b":"\\u003c","a":["\\u0026",1]}'
