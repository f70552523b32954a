"""What an update of a template does to each file: no edit is lost, and nothing is undone."""

import pytest

from argosy.domain import template_updates
from argosy.files import three_way

BASE = "one\ntwo\nthree\nfour\nfive\n"


def merge(mine: str, base: str, theirs: str) -> template_updates.Merged:
    """As an update merges."""
    return three_way.merged(mine, base, theirs, labels=("yours", "then", "now"))


@pytest.mark.parametrize(
    ("before", "after", "mine", "word", "text"),
    [
        pytest.param(BASE, BASE, "mine\n", None, None, id="the-template-is-as-it-was"),
        pytest.param(BASE, "new\n", BASE, "updated", "new\n", id="not-edited"),
        pytest.param(BASE, "new\n", "new\n", None, None, id="edited-to-the-same"),
        pytest.param(
            BASE,
            BASE.replace("five", "FIVE"),
            BASE.replace("one", "ONE"),
            "merged",
            "ONE\ntwo\nthree\nfour\nFIVE\n",
            id="edited-elsewhere",
        ),
        pytest.param(
            BASE,
            BASE.replace("two", "theirs"),
            BASE.replace("two", "mine"),
            "conflict",
            "one\n<<<<<<< yours\nmine\n=======\ntheirs\n>>>>>>> now\nthree\nfour\nfive\n",
            id="the-same-line",
        ),
        pytest.param(None, "new\n", None, "new", "new\n", id="a-new-file"),
        pytest.param(None, "new\n", "mine\n", "conflict", None, id="a-new-file-where-another-is"),
        pytest.param(BASE, "new\n", None, "kept", None, id="removed-by-its-owner"),
        pytest.param(BASE, None, BASE, "removed", None, id="no-more-in-the-template"),
        pytest.param(BASE, None, "mine\n", "kept", None, id="no-more-in-the-template-and-edited"),
        pytest.param(BASE, None, None, None, None, id="gone-on-both-sides"),
    ],
)
def test_one_file(before: str | None, after: str | None, mine: str | None, word: str | None, text: str | None) -> None:
    """By what its owner and the template did since."""
    given = [{"file": each} if each is not None else {} for each in (before, after, mine)]
    found = list(template_updates.updates(given[0], given[1], given[2], merge))
    assert [each.word for each in found] == ([word] if word else [])
    if text is not None:
        assert found[0].text == text


def test_conflicts_that_stand_are_seen() -> None:
    """In any file, by the mark alone: a line of equal signs is a title in Markdown."""
    held = {"a": "x\n<<<<<<< yours\n", "b": "Title\n=======\n", "c": "a <<<<<<< b\n"}
    assert template_updates.unresolved(held) == ["a"]
