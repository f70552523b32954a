"""Our own Markdown on a page."""

from argosy.report import markdown_html, markdown_text, terminal_markdown


def test_a_table_scrolls_by_itself() -> None:
    """As every table of a page does: it shows where it goes on, is reached by keyboard, and the text round it stays where it is."""
    shown = markdown_html.html("Text\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n")
    assert shown.index("<p>Text</p>") < shown.index('<div class="scroll" tabindex="0"><table>')
    assert shown.rstrip().endswith("</table></div>")


def test_a_name_breaks_where_its_column_is_narrow() -> None:
    """A gate's, after a dot; what others wrote stays text, and a terminal shows the name as it is typed."""
    name = "fairness.senior_citizen.equal_opportunity_difference"
    written = f"| Gate |\n| --- |\n| {markdown_text.breakable(name)} |\n| {markdown_text.breakable('a<wbr>b 0.5')} |\n"
    assert '<td class="wide">fairness.<wbr>senior_citizen.<wbr>equal_opportunity_difference</td>' in (
        shown := markdown_html.html(written)
    )
    assert "<td>a&lt;wbr&gt;b 0.5</td>" in shown
    assert terminal_markdown.readable(written, 80) == f"Gate\n{name}\na<wbr>b 0.5\n"
