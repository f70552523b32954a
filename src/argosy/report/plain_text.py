"""Text of others, shown on a terminal: without what a terminal obeys, and where a line is meant, as one line."""


def shown(text: str) -> str:
    """*text* without what a terminal would obey instead of show; its lines stay."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def line(text: str) -> str:
    """*text* as one line: what others wrote, a path too, must not look like a line of ours."""
    return shown(" ".join(text.splitlines()))
