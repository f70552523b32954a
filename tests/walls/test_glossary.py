"""``docs/glossary.md`` names each word once, in order, with an owner that is there; the pages that a reader begins at lead to it."""

import re
from pathlib import Path

import pytest

ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \| `(?P<owner>[^|`]+)` \| (?P<elsewhere>[^|]*)\|$")


def rows(root: Path) -> list[re.Match[str]]:
    """The rows of the table of words."""
    table = (root / "docs" / "glossary.md").read_text(encoding="utf-8").partition("|---|")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    found = [match for line in lines if (match := ROW.match(line))]
    assert len(found) == len(lines) > 50
    return found


def test_each_owner_is_there(root: Path) -> None:
    """A module that was renamed is renamed in the glossary."""
    owners = [row["owner"] for row in rows(root)]
    assert [owner for owner in owners if not (root / "src" / "argosy" / owner).exists()] == []


def test_words_are_in_order_and_there_once(root: Path) -> None:
    """A reader who looks a word up finds it by its first letters."""
    words = [row["word"].casefold() for row in rows(root)]
    assert words == sorted(set(words))


@pytest.mark.parametrize(
    ("page", "link"), [("docs/concepts.md", "glossary.md"), ("CONTRIBUTING.md", "docs/glossary.md")]
)
def test_pages_lead_to_it(root: Path, page: str, link: str) -> None:
    """Who reads the concepts or wants to contribute learns that there is a glossary."""
    assert f"]({link})" in (root / page).read_text(encoding="utf-8")
