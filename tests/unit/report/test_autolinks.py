"""Text of others refers to nothing, looked at as GitHub does: its renderer first, then every text outside code and links."""

import html
import re
from html.parser import HTMLParser

import cmarkgfm
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from argosy.report import autolinks
from argosy.report.markdown_text import code, escape

REFERENCES = {
    "mention": re.compile(r"(?<![\w`])@[a-z0-9][\w-]*(/[\w.-]+)?", re.IGNORECASE),
    "mail": re.compile(r"[\w.+-]+@[\w-]+\.\w+"),
    "issue": re.compile(r"(?<!&)#\d+"),
    "ticket": re.compile(r"\b(GH|TICKET|CVE)-\d+", re.IGNORECASE),
    "advisory": re.compile(r"\bGHSA-\w+", re.IGNORECASE),
    "address": re.compile(r"\w+://|\bwww\.", re.IGNORECASE),
    "page": re.compile(r"/(issues|pull|commit|discussions)/\w", re.IGNORECASE),
    "commit": re.compile(r"\b(?!\d+\b)[0-9a-f]{7,40}\b", re.IGNORECASE),
}
"""What GitHub's documentation calls autolinked references, and what its renderer makes links of."""
PAYLOADS = {
    "mention": ["@ada", "ask @org/team now", "(@ada)", "x,@ada"],
    "mail": ["mail ada@example.com", "mailto:ada@example.com", "xmpp:ada@example.com"],
    "issue": ["#12", "fixes #1", "Closes: org/repo#12", "resolved ada#7"],
    "ticket": ["GH-12", "fixes gh-12", "TICKET-7", "see CVE-2026-1"],
    "advisory": ["GHSA-h4vx-9w8r-3p2m"],
    "address": [
        "http://example.com",
        "HTTPS://example.com/a?b=c",
        "ftp://example.com",
        "www.example.com",
        "(www.example.com)",
    ],
    "page": ["closes github.com/org/repo/issues/3", "github.com/org/repo/pull/3", "x/commit/abc"],
    "commit": ["deadbeef1", "org/repo@da39a3ee5e6b", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
}


class _Page(HTMLParser):
    """The elements of a page, and its text outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self._code = 0

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.elements.append(tag)
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._code else data


def _page(markdown: str) -> _Page:
    page = _Page()
    page.feed(cmarkgfm.github_flavored_markdown_to_html(markdown))
    return page


def _found(text: str) -> list[str]:
    return [name for name, pattern in REFERENCES.items() if pattern.search(text)]


@pytest.mark.parametrize(("kind", "payload"), [(kind, one) for kind, all_ in PAYLOADS.items() for one in all_])
def test_text_of_others_refers_to_nothing(kind: str, payload: str) -> None:
    """In a request's body, in a cell of a table and in a commit message; as it is, GitHub would find it."""
    assert kind in _found(payload)
    assert "a" in _page(payload).elements or _found(_page(payload).text)
    for markdown in (escape(payload), f"| a | b |\n| --- | --- |\n| {escape(payload)} | x |", f"> {escape(payload)}"):
        page = _page(markdown)
        assert "a" not in page.elements
        assert _found(page.text) == []
    assert _found(autolinks.defused(payload)) == []


@pytest.mark.parametrize("payload", [one for all_ in PAYLOADS.values() for one in all_])
def test_it_reads_as_before(payload: str) -> None:
    """Nothing of it is lost, and what breaks a reference takes no room."""
    assert _page(escape(payload)).text.strip().replace(autolinks.BREAK, "") == payload
    assert autolinks.defused(autolinks.defused(payload)) == autolinks.defused(payload)


@pytest.mark.parametrize(
    "number", ["1234567", "1e-05", "-0.0123", "2027-01-31", "10,000,000", "0.1250", "senior_citizen"]
)
def test_what_people_copy_stays_whole(number: str) -> None:
    """Figures, dates and names of columns hold no invisible character."""
    assert escape(number) == number


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<!-- a comment",
        "</details>",
        "![x](//example.com/x.png)",
        "[x](javascript:alert)",
        "[x]: //example.com",
        "[^1]",
        "*a* **b** _c_ __d__ ~~e~~ `f`",
        "__init__",
        "a | b",
        "- item",
        "+ item",
        "1. item",
        "12) item",
        "# heading",
        "---",
        "===",
        "> quoted",
        "[ ] task",
        "&lt;b&gt; &#64;ada",
        "```sh",
        "\\@ada \\*",
        "line\nbreak",
    ],
)
def test_markup_is_text(text: str) -> None:
    """One paragraph that says what was written: no element, no image, no list, no heading."""
    page = _page(escape(text))
    assert page.elements == ["p"]
    assert page.text.strip().replace(autolinks.BREAK, "") == " ".join(text.split())


def test_math_is_text() -> None:
    """GitHub sets what stands between dollars; none of them is left in the source."""
    assert "$" not in escape(r"$\color{white}{reject}$ and $$x$$")


@example("1@.a")
@given(st.text(st.sampled_from("@#-/:.w_ad1GHhtps <>[]()*`|&;\\~!$=+\n\u200b")))
def test_whatever_the_text(text: str) -> None:
    """However the characters follow one another, a cell is one cell of text."""
    page = _page(f"| a | b |\n| --- | --- |\n| {escape(text)} | x |")
    assert page.elements == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert _found(page.text) == []
    assert " ".join(page.text.split()).startswith("a b")


@pytest.mark.parametrize("text", ["sha256:ab`c", "a|b", "a\nb", "@ada #1", "www.example.com"])
def test_code_is_one_span(text: str) -> None:
    """What is to be copied is shown as code, which GitHub leaves alone, and nothing gets out of it."""
    page = _page(f"x {code(text)} y")
    assert page.elements == ["p", "code"]
    assert html.unescape(page.text).strip() == "x  y"
