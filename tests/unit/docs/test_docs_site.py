"""The documentation as a site: each page has its place, and each link that leaves the pages leads to the file."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / ".ci/docs_site.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_each_page_has_one_place(site: ModuleType) -> None:
    """Also one that nobody has placed."""
    placed = [page for pages in site.navigation().values() for page in pages]
    assert sorted(placed) == sorted(path.stem for path in ROOT.glob("docs/*.md"))


def test_links_that_leave_the_pages(site: ModuleType) -> None:
    """From dist/docs they lead to the file of this checkout; those between pages stay, and a diagram is shown as its text."""
    page = "[`a<b`](../src/x.py), [form](schema/plan.schema.json), [other](runs.md#in-a-browser)\n```mermaid\nx\n```\n"
    assert site.prepared(page) == (
        '<a href="../../src/x.py"><code>a&lt;b</code></a>, <a href="../../docs/schema/plan.schema.json">form</a>, '
        "[other](runs.md#in-a-browser)\n```text\nx\n```\n"
    )


def test_what_scrolls_is_reached_by_the_keyboard(site: ModuleType) -> None:
    """And headings have a level, landmarks a name; a header without words is none."""
    found = site.accessible(
        '<aside class="toc-drawer"><p class="caption" role="heading">Begin</p></aside><pre>x</pre><th class="head"><p></p></th>'
    )
    assert found == (
        '<aside class="toc-drawer" aria-label="On this page"><p class="caption" role="heading" aria-level="2">Begin</p></aside>'
        '<pre tabindex="0">x</pre><td></td>'
    )
