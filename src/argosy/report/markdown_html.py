"""Our own Markdown as HTML: what ``evidence_markdown`` writes, folded tables and all. HTML that stands in the text is shown as text."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

from argosy.report.markdown_text import ROOM

FOLDED = re.compile(
    r"^<details><summary>(?P<title>[^\n]*)</summary>$\n(?P<inside>.*?)^</details>$", re.MULTILINE | re.DOTALL
)
"""A part that a reader opens, as ``evidence_markdown`` writes it; nothing that was escaped looks like one."""

EMPTY_HEADER = re.compile(r"<th(?: class=\"[^\"]*\")?></th>")
LONG, SHORT = 40, 12
"""Characters of a cell from which on it is told and given room, and up to which it stands in a line, such as ``>= 0.75``."""


def html(markdown: str) -> Markup:
    """*markdown* as HTML that may stand in a page of ours: no link leads anywhere but to the web, and no tag of the text is one.

    A picture is what it says and the file that it is in, as in a terminal: it lies in the environment repo, and a page loads nothing.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.inline.ruler.before("autolink", "room", _room_in_a_name)
    reader.add_render_rule("room", lambda *_: ROOM)
    reader.add_render_rule("image", _picture)
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    for kind in ("td_open", "th_open"):
        reader.add_render_rule(kind, _cell_open)
    parts, at = [], 0
    for folded in FOLDED.finditer(markdown):
        title, inside = reader.renderInline(folded["title"]), reader.render(folded["inside"])
        parts += [
            reader.render(markdown[at : folded.start()]),
            f"<details><summary>{title}</summary>{inside}</details>",
        ]
        at = folded.end()
    parts.append(reader.render(markdown[at:]))
    # A column without a title has no header: one without text is nothing that could be read out.
    told = EMPTY_HEADER.sub("<td></td>", "".join(parts))
    # The reader escapes all text and refuses addresses that could run something.
    return Markup(told)  # noqa: S704


def _room_in_a_name(state: StateInline, silent: bool) -> bool:
    """The one tag that a text of ours has inside a line; one of others is escaped."""
    if not state.src.startswith(ROOM, state.pos):
        return False
    if not silent:
        state.push("room", "wbr", 0)
    state.pos += len(ROOM)
    return True


def _table_open(*_: object) -> str:
    """A table that is wider than the page scrolls by itself, with the page's own mark of it."""
    return '<div class="scroll" tabindex="0"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _cell_open(_: RendererHTML, tokens: Sequence[Token], index: int, *_rest: object) -> str:
    """A cell of a table by a class of ours for how it is aligned: a page whose policy names its style sheet takes no style from a tag."""
    cell, text = tokens[index], tokens[index + 1].content.replace(ROOM, "")
    is_figure = "right" in str(cell.attrs.get("style", ""))
    kind = "n" if is_figure else _width(text) if cell.tag == "td" else ""
    told = " told" if is_figure and " " in text and len(text) > SHORT else ""
    return f'<{cell.tag} class="{kind}{told}">' if kind else f"<{cell.tag}>"


def _width(text: str) -> str:
    return "wide" if len(text) > LONG else "nobreak" if 0 < len(text) <= SHORT else ""


def _picture(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    said = renderer.renderInlineAsText(tokens[index].children or [], options, env)
    return str(escape(f"({tokens[index].attrs['src']}: {said})"))
