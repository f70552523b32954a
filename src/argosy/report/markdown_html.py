"""Our own Markdown as HTML: what ``evidence_markdown`` writes, folded tables and all. HTML that stands in the text is shown as text."""

import re

from markdown_it import MarkdownIt
from markupsafe import Markup

FOLDED = re.compile(
    r"^<details><summary>(?P<title>.*)</summary>$\n(?P<inside>.*?)^</details>$", re.MULTILINE | re.DOTALL
)
"""A part that a reader opens, as ``evidence_markdown`` writes it; nothing that was escaped looks like one."""


def html(markdown: str) -> Markup:
    """*markdown* as HTML that may stand in a page of ours: no link leads anywhere but to the web, and no tag of the text is one."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    parts, at = [], 0
    for folded in FOLDED.finditer(markdown):
        title, inside = reader.renderInline(folded["title"]), reader.render(folded["inside"])
        parts += [
            reader.render(markdown[at : folded.start()]),
            f"<details><summary>{title}</summary>{inside}</details>",
        ]
        at = folded.end()
    parts.append(reader.render(markdown[at:]))
    # The reader escapes all text and refuses addresses that could run something.
    return Markup("".join(parts))  # noqa: S704
