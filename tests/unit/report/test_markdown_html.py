"""Our own Markdown on a page."""

from argosy.report import markdown_html


def test_a_table_scrolls_by_itself() -> None:
    """As every table of a page does: it shows where it goes on, is reached by keyboard, and the text round it stays where it is."""
    shown = markdown_html.html("Text\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n")
    assert shown.index("<p>Text</p>") < shown.index('<div class="scroll" tabindex="0"><table>')
    assert shown.rstrip().endswith("</table></div>")
