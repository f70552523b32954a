"""No file holds what git writes where two changes meet: inside a docstring or a page no other check would see it."""

import re
from pathlib import Path

import pytest

from walls.test_bare_installs import texts

MARKER = re.compile(r"^[ \t#]*(?:<{7}|>{7}|\|{7})(?: |$)", re.MULTILINE)


def test_no_file_has_one(root: Path) -> None:
    """Of all that git holds here, or would."""
    found = texts(root)
    assert "README.md" in found
    assert [path for path, text in found.items() if MARKER.search(text)] == []


@pytest.mark.parametrize("mark", ["<", ">", "|"])
def test_they_are_found(mark: str) -> None:
    """However deep they stand."""
    assert MARKER.search(f"def one():\n    {7 * mark} HEAD\n")
    assert MARKER.search(f"{7 * mark} HEAD\n")
    assert not MARKER.search(f"a {7 * mark} b\n{6 * mark} b\n")
