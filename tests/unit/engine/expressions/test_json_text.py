"""What is wrong with JSON is said as Go says it: json_text.json holds texts with the errors of Go 1.26's encoding/json."""

import json
from pathlib import Path

import pytest

from argosy.engine.expressions import json_text

RECORDED = json.loads(Path(__file__).with_suffix(".json").with_name("json_text.json").read_text(encoding="utf-8"))


def test_there_is_something_recorded() -> None:
    """An empty list would pass the test below."""
    assert len(RECORDED) > 40


@pytest.mark.parametrize(("text", "error"), RECORDED, ids=[repr(text) for text, _ in RECORDED])
def test_errors(text: str, error: str) -> None:
    """Word for word."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        json_text.read(text)
    assert str(caught.value) == error


def test_what_is_json_is_read() -> None:
    """With the caller's own numbers."""
    assert json_text.read('{"a": [1.5, null]}', parse_float=str) == {"a": ["1.5", None]}


@pytest.mark.parametrize(
    ("value", "kind"), [({}, "object"), ([], "array"), ("", "string"), (True, "bool"), (1, "number"), (1.5, "number")]
)
def test_kinds(value: object, kind: str) -> None:
    """As Go names them."""
    assert json_text.kind(value) == kind


def test_too_deep() -> None:
    """An error as any other, not the end of the interpreter."""
    with pytest.raises(ValueError, match="exceeded max depth"):
        json_text.read("[" * 100_000)
