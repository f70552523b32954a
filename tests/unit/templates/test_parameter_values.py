"""Which values of parameters a cluster is given, and which are refused as code."""

import pytest

from argosy.templates import parameter_values


@pytest.mark.parametrize(
    ("value", "told"),
    [
        *(
            pytest.param(f"a{sign}b", f"shell code ({sign!r})", id=ascii(sign))
            for sign in (*";|&`\n\r\0", "$(", "${", "<(", ">(")
        ),
        pytest.param("{{x", "it holds an expression ({{…}})", id="expression"),
        pytest.param("é" * 32_769, "longer than 65,536 bytes", id="bytes-are-counted"),
    ],
)
def test_what_is_code(value: str, told: str) -> None:
    """One problem each, by the parameter's name; the value, which may be a secret, is not repeated."""
    (problem,) = parameter_values.problems("data", value)
    assert problem.startswith("parameter data: ")
    assert told in problem
    assert value not in problem


@pytest.mark.parametrize(
    "value", ["$5 (net) <b> a > b", "x" * 65_536, "{}", "{ {a} }", "}}", 'it\'s "x" \\n', "s3://b/day=1/*"]
)
def test_what_is_a_value(value: str) -> None:
    """Money, brackets, quotes, patterns, JSON, and as long as a value may be."""
    assert list(parameter_values.problems("data", value)) == []
