"""Text of others, shown on a terminal: without what a terminal obeys, and where a line is meant, as one line."""

from collections.abc import Collection, Sequence


def shown(text: str) -> str:
    """*text* without what a terminal would obey instead of show; its lines stay."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def in_columns(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """*rows* in columns, the header first, those at the places *left* from the left and the others from the right; nothing where there is
    no row but the header."""
    if len(rows) < 2:
        return []
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            word.ljust(width) if place in left else word.rjust(width)
            for place, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def line(text: str) -> str:
    """*text* as one line: what others wrote, a path too, must not look like a line of ours."""
    return shown(" ".join(text.splitlines()))
