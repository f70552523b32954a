"""Requests that somebody makes by hand, with any commit and any text: what a forge has to see through."""

from collections.abc import Mapping
from typing import Protocol

from argosy.domain.promotion_requests import Subject

Files = Mapping[str, bytes | None]
"""Path to content; None: the file goes. A submodule's content is the commit that it names."""
Modes = Mapping[str, str]
"""Path to git's mode, of files that are to be no plain ones."""


class Hand(Protocol):
    """Somebody with the right to push."""

    def push(self, files: Files) -> None:
        """Push a commit with the changes *files* to main."""

    def open(self, claimed: Subject, files: Files, modes: Modes | None = None) -> int:
        """Open a request whose text says *claimed* and whose commit makes the changes *files* to main; returns its number."""

    def amend(self, number: int, files: Files) -> None:
        """Push a commit with the changes *files* onto the request."""

    def relabel(self, number: int, claimed: Subject) -> None:
        """Edit the request's text so that it says *claimed*."""
