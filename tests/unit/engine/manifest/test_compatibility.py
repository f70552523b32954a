"""The page of compatibility says what the engine does today."""

from pathlib import Path

from argosy.engine.manifest import compatibility

PAGE = Path(__file__).parents[4] / "docs" / "argo-compatibility.md"


def test_the_page_is_current() -> None:
    """`make fmt` writes it; a change of the tables without it is a wrong page."""
    assert PAGE.read_text(encoding="utf-8") == compatibility.page()


def test_every_field_is_there_once() -> None:
    """What a field does is said in one row, with advice where it is refused."""
    page = compatibility.page()
    section = page.split("## WorkflowSpec\n")[1].split("\n## ")[0]
    assert section.count("| `entrypoint` | string | runs |") == 1
    assert "| `ttlStrategy` | TTLStrategy | local no-op |" in section
    assert "| `executorPlugins` |  | refused |" in section
