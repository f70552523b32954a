"""What a notebook shows of an object of ours: a small table."""

import html
from collections.abc import Mapping


def table(rows: Mapping[str, str]) -> str:
    """*rows* as HTML, name and text of each."""
    lines = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>" for name, text in rows.items())
    return f"<table>{lines}</table>"
