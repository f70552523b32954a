"""Items of ``withParam``. ``items.json`` holds what Argo 4.1.2's own type made of each list."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.engine.machine import items

LISTS = json.loads((Path(__file__).parent / "items.json").read_text(encoding="utf-8"))


def test_there_are_lists() -> None:
    """A file that went missing is not a pass."""
    assert len(LISTS) >= 15


@pytest.mark.parametrize(("text", "expected"), LISTS, ids=[text[:30] for text, _ in LISTS])
def test_items(text: str, expected: list[dict[str, Any]]) -> None:
    """What an object holds stays as it is written: its escapes, the digits of its numbers, the order of what is deeper."""
    found = items.of_list(text)
    assert [item.shown() for item in found] == [entry["item"] for entry in expected]
    assert [item.members() for item in found] == [entry.get("members", {}) for entry in expected]
    assert [item.name() for item in found if item.raw[0] in "[n"] == [
        entry["named"].replace("(", "").replace(")", "") for entry in expected if "named" in entry
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "cannot unmarshal object"), ("1", "cannot unmarshal number"), ("[1,", "unexpected end"), ("[NaN]", "N")],
)
def test_no_list(text: str, message: str) -> None:
    """Said in Go's words."""
    with pytest.raises(ValueError, match=message):
        items.of_list(text)
