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


def not_installed(what: str, name: str, known: Iterable[str], group: str) -> str:
    """That no installed package brings *name*, which is *what*, among those *known* of the entry points *group*; and what to do."""
    names = list(known)
    there = choices(name, names, "There are") if names else ""
    return (
        f"no package that is installed here brings {what} {name!r}{there}; install the one that does beside Argosy (entry point {group}), "
        "in a pod in an image of your own"
    )
