"""Shows a request's Markdown in a terminal: tables in columns, long last cells named below their row; everything else as it is written.

Only what Argosy's own reports use is known here. What the text says is others' business.
"""

import html
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from argosy.report import autolinks
from argosy.report.markdown_text import ROOM

GAP, INDENT = "  ", "    "
NARROWEST = 40
"""No text is wrapped to fewer columns, however little room there is."""
ESCAPED = re.compile(r"\\([\\`*\[\]!#~_.)=+-])")
PICTURE = re.compile(r"^!\[(.*)\]\(([^()]*)\)$")
SUMMARY = re.compile(r"<details><summary>(.*)</summary>")


def readable(text: str, width: int) -> str:
    """*text* for a terminal of *width* columns."""
    groups = groupby(text.split("\n"), key=lambda line: line.startswith("|"))
    shown = [line for table, lines in groups for line in (_table(list(lines), width) if table else _prose(lines))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(shown))


def _prose(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line != "</details>":
            # A picture is what it says, and the file that it is in.
            yield _unescaped(PICTURE.sub(r"(\2: \1)", SUMMARY.sub(r"### \1", line)))


def _table(lines: Sequence[str], width: int) -> Iterator[str]:
    if len(lines) < 2 or set(lines[1]) - set("|- :"):
        yield from _prose(lines)  # somebody's line that begins like a table
        return
    header, _, *body = [[_unescaped(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]
    rows = [[*row, *[""] * len(header)][: len(header)] for row in ([header] if any(header) else []) + body]
    widths = [max(len(row[place]) for row in rows) for place in range(len(header))] if rows else []
    below = sum(widths) + len(GAP) * len(widths[1:]) > width
    for number, row in enumerate(rows):
        cells = row[:-1] if below else row
        yield GAP.join(cell.ljust(size) for cell, size in zip(cells, widths, strict=False)).rstrip()
        if below and row[-1] and (number or not any(header)):
            yield from _wrapped(f"{header[-1]}: {row[-1]}" if header[-1] else row[-1], width)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(NARROWEST, width),
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _unescaped(text: str) -> str:
    """*text* with its HTML entities and escapes resolved, as a page shows it."""
    return ESCAPED.sub(r"\1", html.unescape(text.replace(ROOM, ""))).replace(autolinks.BREAK, "")
