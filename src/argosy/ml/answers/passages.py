"""Cuts Markdown into passages: a section each, cut at its paragraphs where it is longer than a length.

Sections are named as GitHub links to them, by document and anchor, so that a reader can look where an answer came from.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from argosy.domain.answers.answer_bundle import Passage

TABLE_CELL = " | "


@dataclass
class _Section:
    name: str
    titles: list[str]
    blocks: list[str] = field(default_factory=list)


def of_documents(documents: Mapping[str, str], words: int) -> list[Passage]:
    """The passages of *documents*, name to Markdown, in their order; none of them of more than *words* words, but for a single block."""
    return [passage for name, text in documents.items() for passage in _of_document(name, text, words)]


def _of_document(name: str, text: str, words: int) -> Iterator[Passage]:
    for section in _sections(name, text):
        for chunk in _chunks(section.blocks, words):
            yield Passage(section=section.name, title=" > ".join(section.titles), text=chunk)


def _chunks(blocks: list[str], words: int) -> Iterator[str]:
    kept: list[str] = []
    count = 0
    for block in blocks:
        size = len(block.split())
        if kept and count + size > words:
            yield "\n".join(kept)
            kept, count = [], 0
        kept.append(block)
        count += size
    if kept:
        yield "\n".join(kept)


def _sections(name: str, text: str) -> list[_Section]:
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found = [_Section(name, [])]
    titles: dict[int, str] = {}
    anchors: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            level, title = int(token.tag[1:]), _plain(tokens[index + 1])
            titles = {depth: each for depth, each in titles.items() if depth < level} | {level: title}
            found.append(_Section(f"{name}#{_anchor(title, anchors)}", [titles[depth] for depth in sorted(titles)]))
        elif token.type == "inline" and tokens[index - 1].type != "heading_open":
            _add(found[-1].blocks, tokens[index - 1].type, _plain(token))
        elif token.type in ("fence", "code_block"):
            found[-1].blocks.append(token.content.strip())
        elif token.type == "tr_open":
            found[-1].blocks.append("")
    return [section for section in found if any(section.blocks)]


def _add(blocks: list[str], within: str, text: str) -> None:
    """Text of a cell goes to its row, which is one block."""
    if within in ("td_open", "th_open"):
        blocks[-1] = TABLE_CELL.join(filter(None, (blocks[-1], text)))
    elif text:
        blocks.append(text)


def _plain(token: Token) -> str:
    parts = (
        " " if child.type in ("softbreak", "hardbreak") else child.content
        for child in token.children or []
        if child.type in ("text", "code_inline", "softbreak", "hardbreak")
    )
    return "".join(parts).strip()


def _anchor(title: str, taken: dict[str, int]) -> str:
    """As GitHub makes it: lower case, letters, digits, dashes and underscores kept, blanks to dashes; one that is taken gets a number."""
    anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    count = taken.get(anchor, 0)
    taken[anchor] = count + 1
    return f"{anchor}-{count}" if count else anchor
