"""The word that was probably meant: for messages about a name that is not known."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?``, where one of *known* is like *word*; else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def choices(word: str, known: Iterable[str], title: str) -> str:
    """The nearest of *known*, and all of them, after *title*: the end of a sentence about *word*."""
    names = list(known)
    return f"{did_you_mean(word, names) or '.'} {title}: {', '.join(names)}"
