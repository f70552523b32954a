"""All markup is written here: a name or a message of others passes one set of rules, whatever page or request shows it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import argosy

PACKAGE = Path(argosy.__file__).parent
MARKUP = re.compile(r"\|\s*-{3,}|(?<![/P])</?(table|tr|td|th|details|summary|p|div|html|svg)\b")
"""What a table in Markdown, or anything in HTML, cannot be written without. ``sql://<name>/<table>`` is the form of an address,
``(?P<table>`` that of a pattern."""


def _markup(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and MARKUP.search(node.value):
            yield f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}"


def test_markup_is_written_in_one_place() -> None:
    """No other part makes HTML or a table in Markdown; the engine, which knows nothing of reports, documents itself, and the image of the
    server, which has no templates, has the frame of one page."""
    everywhere = [place for path in sorted(PACKAGE.rglob("*.py")) for place in _markup(path)]
    assert any(place.startswith("report/evidence_markdown.py") for place in everywhere)
    others = [place for place in everywhere if place.split("/")[0] not in {"engine", "report", "testing"}]
    assert [place for place in others if not place.startswith("serving/docs_page.py")] == []
