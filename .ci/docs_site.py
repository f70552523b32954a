"""Make the documentation a site that opens from disk, with its search: `make docs`, then dist/docs/index.html.

The pages stay Markdown that reads well where it lies; what a site needs besides, the order by who reads and the way to files beside the
documentation, is put in here, into a copy. Sphinx, Furo and MyST lie in an environment of their own (requirements/docs.txt).
"""

import html
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS, SITE = ROOT / "docs", ROOT / "dist" / "docs"
NAVIGATION = {
    "Begin": ["from-a-table", "tutorial", "concepts", "glossary", "faq"],
    "Who builds models": ["runs", "data", "scoring", "errors", "exit-codes", "json-output"],
    "Who serves and watches them": ["serving", "monitoring", "fleet", "runbook"],
    "Who runs the platform": [
        "install",
        "cluster",
        "teams",
        "chart-platform",
        "chart-inference",
        "operations",
        "security",
    ],
    "Who extends or judges it": ["extending", "migration", "performance", "argo-compatibility", "argo-conformance"],
    "Who works on it": ["architecture", "releasing"],
}
"""The pages by who reads them, each once; one that has no place yet comes last."""
INTRODUCTION = """# Argosy

Pipelines in Python that compile to ordinary Argo workflows and run from the same file on a laptop; a model that passes every gate becomes a
request on a GitOps repository, and a merge brings it to production. Type `/` or use the field at the side to search all pages.
"""
CONFIGURATION = """
project = "Argosy"
author = "the maintainers of Argosy"
extensions = ["myst_parser"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Argosy"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
templates_path = []
# A diagram or a terminal that Pygments has no words for is shown as it is written.
suppress_warnings = ["misc.highlighting_failure"]
"""
OUTWARD = re.compile(r"\[([^\]]+)\]\((?:\.\./([^)\s]*)|(schema/[^)\s]*))\)")
CODE = re.compile(r"`([^`]+)`")


MENDS = (
    ('<p class="caption" role="heading">', '<p class="caption" role="heading" aria-level="2">'),
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="All pages">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="On this page">'),
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
    ('<th class="head"><p></p></th>', "<td></td>"),
    ('<div id="search-results">', '<h1>Search</h1>\n<div id="search-results">'),
)
"""What Furo and Docutils write, and what axe wants: headings of a level, landmarks by name, what scrolls reached by the keyboard, no header
without words, a page with a heading."""


def accessible(page: str) -> str:
    """*page* of the site, so that a keyboard and a screen reader get along with it."""
    for written, wanted in MENDS:
        page = page.replace(written, wanted)
    return page


def prepared(text: str) -> str:
    """A page as the site has it: links to files that are no page lead there from dist/docs/, diagrams are shown as their text."""

    def outward(found: re.Match[str]) -> str:
        words = CODE.sub(r"<code>\1</code>", html.escape(found[1], quote=False))
        path = found[2] or f"docs/{found[3]}"
        return f'<a href="../../{html.escape(path)}">{words}</a>'

    return OUTWARD.sub(outward, text).replace("```mermaid", "```text")


def navigation() -> dict[str, list[str]]:
    """The pages by who reads them, with those that nobody has placed."""
    placed = {page for pages in NAVIGATION.values() for page in pages}
    left = sorted(path.stem for path in DOCS.glob("*.md") if path.stem not in placed)
    return {**NAVIGATION, **({"More": left} if left else {})}


def index() -> str:
    """The first page, with every other by who reads it."""
    trees = [
        f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n\n{chr(10).join(pages)}\n```\n"
        for caption, pages in navigation().items()
    ]
    return "\n".join([INTRODUCTION, *trees])


def main(program: str) -> int:
    """Write the site with the Python *program*, which has Sphinx; returns its exit code. A link that leads nowhere is an error."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        for path in DOCS.glob("*.md"):
            (source / path.name).write_text(prepared(path.read_text(encoding="utf-8")), encoding="utf-8")
        for path in DOCS.glob("*.svg"):
            shutil.copy(path, source)
        (source / "index.md").write_text(index(), encoding="utf-8")
        (source / "conf.py").write_text(CONFIGURATION, encoding="utf-8")
        shutil.rmtree(SITE, ignore_errors=True)
        options = [
            "--builder",
            "html",
            "--fail-on-warning",
            "--keep-going",
            "--quiet",
            "--doctree-dir",
            str(source / ".kept"),
        ]
        done = subprocess.run([program, "-m", "sphinx", *options, place, str(SITE)], check=False)
    for path in SITE.glob("*.html"):
        path.write_text(accessible(path.read_text(encoding="utf-8")), encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
