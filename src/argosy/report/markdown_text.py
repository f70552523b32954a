"""Text of others inside Markdown: it stays text, on GitHub too, whatever it holds."""

import re

from argosy.report import autolinks

LONGEST_CELL = 200
ENTITIES = {
    "<": "&lt;",
    ">": "&gt;",
    "&": "&amp;",
    "@": "&#64;",
    "|": "&#124;",
    "$": "&#36;",
    autolinks.BREAK: "&#8203;",
}
ROOM = "<wbr>"
"""Where a page may break a name that is too long for its column. Unlike a space without width it is not copied; forges let it stand."""
BACKSLASHED = set("\\`*[]!#~")
BEGINS_A_BLOCK = re.compile(r"^(?=[-+]( |$)|-{3,}|=+$)|(?<=^\d)(?=[.)]( |$))|(?<=^\d\d)(?=[.)]( |$))")
EMPHASIS = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Underscores that would be emphasis; those inside a name are none."""

INSIDE_A_NAME = re.compile(r"(?<=[^\W\d_]\.)(?=[^\W\d_])")
"""After a dot between two letters: in no figure, in no escape and in no entity."""


class Code(str):
    """A text to be shown as code: a digest or an address, which people copy."""

    __slots__ = ()


class Name(str):
    """A dotted name, such as a gate's: a narrow column breaks it after a dot, and what is copied of it is the name."""

    __slots__ = ()


def breakable(text: str) -> str:
    """*text*, escaped, whose dotted names leave the columns beside them room: else the longest one's length is its column's least width."""
    return INSIDE_A_NAME.sub(ROOM, escape(text))


def escape(text: str) -> str:
    """*text* without any meaning to Markdown, HTML or GitHub, on one line, of a length that can be read."""
    line = " ".join(text.split())
    line = line if len(line) <= 4 * LONGEST_CELL else f"{line[: 4 * LONGEST_CELL]}…"
    line = autolinks.defused("".join(character for character in line if character.isprintable()))
    harmless = EMPHASIS.sub(lambda found: r"\_" * len(found[0]), "".join(map(_harmless, line)))
    return BEGINS_A_BLOCK.sub(r"\\", harmless)


def code(text: str) -> str:
    """*text* as code, whatever it holds: no backtick, bar or line break of it reaches the Markdown."""
    return f"`{''.join(' ' if char in '`|' or not char.isprintable() else char for char in text)}`"


def _harmless(character: str) -> str:
    return f"\\{character}" if character in BACKSLASHED else ENTITIES.get(character, character)
