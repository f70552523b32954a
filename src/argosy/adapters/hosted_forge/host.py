"""The few verbs that Argosy needs of a server with a repository and its pull requests, in plain values.

Every server has them under other addresses. Left to others: which pull request is one of ours, and what is done about it
(``promotion_pulls``).
Every method raises TryAgain where the server fails or cannot be reached, Misconfigured where it refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from argosy.domain.auto_merge import ReviewState
from argosy.domain.changes import TreeEntry

MAIN = "main"


@dataclass(frozen=True)
class Pull:
    """A pull request, whoever opened it."""

    number: int
    title: str
    body: str
    url: str
    branch: str
    label: str
    """The branch as people see it, with its owner where the server says one."""
    is_foreign: bool
    """True where the branch is of another repository, a fork."""
    head: str
    """The commit proposed; of a merged one, the commit that was merged."""
    base: str
    """A commit of main from before the merge."""
    is_open: bool
    is_merged: bool
    merge: str | None
    """The commit by which main has a merged one, as the server says."""
    merged_by: str | None
    """None, too, in lists of a server that does not say so there."""
    opened_at: str
    ended_at: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class HostCommit:
    """A commit, without its files."""

    parents: list[str]
    message: str


@dataclass(frozen=True)
class Comment:
    """A comment beside a pull request."""

    id: int
    text: str


@dataclass(frozen=True)
class Reviews:
    """The reviews of a pull request, at the commit that it has now."""

    state: ReviewState
    """By the rules of main; *not asked* where they want none."""
    people: tuple[str, ...] = ()
    """Who approved that very commit."""
    teams: tuple[str, ...] = ()
    """In whose name, as far as the server says: ``acme/reviewers``."""


CheckState = Literal["pending", "success", "failure"]


class Host(Protocol):
    """One repository on a server."""

    name: str
    """The name of the server's kind, for messages."""
    raw: str
    """What stands between the address of the repository's page and a commit in that of a file's content."""

    def main(self) -> str:
        """The commit that main is at."""

    def may_push(self) -> bool:
        """True where the account may write, as far as the server tells before somebody does."""

    def read(self, path: str, at: str) -> bytes | None:
        """The file *path* of commit *at*, or None where there is none."""

    def contents(self, paths: Sequence[str], at: str) -> dict[str, bytes]:
        """Path to content of the files that *paths* (files or folders) hold at commit *at*."""

    def history(self, path: str) -> list[str]:
        """The commits of main that changed the file *path*, newest first."""

    def entries(self, commit: str) -> dict[str, TreeEntry]:
        """Path to entry of every file of *commit*: all, or an error."""

    def merge_base(self, onto: str, head: str) -> str | None:
        """The newest commit in the history of both, or None."""

    def commit(self, commit: str) -> HostCommit:
        """What *commit* says of itself."""

    def offer(self, branch: str, message: str, changes: Mapping[str, bytes | None]) -> None:
        """Have *branch* at one commit on main that makes *changes* (path to content; None: the file goes).

        A branch of that name that no pull request ever had is left over from an attempt that was cut off, and is replaced; any other stays
        as it is.
        """

    def pulls(self, *, open_only: bool = False, branch: str | None = None) -> list[Pull]:
        """The pull requests onto main, from *branch* where one is given."""

    def pull(self, number: int) -> Pull | None:
        """The pull request *number*, or None where there is none."""

    def diff(self, number: int) -> str:
        """The change that the pull request makes, as a unified diff."""

    def open(self, branch: str, title: str, body: str) -> Pull:
        """Open a pull request for *branch*, or find the one that somebody was faster to open."""

    def edit(self, number: int, *, body: str, is_open: bool) -> None:
        """Set the text of a pull request, and whether it is open."""

    def label(self, number: int, names: Sequence[str]) -> None:
        """Add labels to a pull request."""

    def comments(self, number: int) -> list[Comment]:
        """The comments beside a pull request, the oldest first, but for those on its lines."""

    def comment(self, number: int, text: str, *, replaces: int | None = None) -> None:
        """Comment on a pull request, in place of the comment *replaces* where one is given."""

    def ask(self, number: int, owners: Sequence[str]) -> list[str]:
        """Ask *owners* (``ada``, ``acme/team``) to review a pull request; those that cannot be asked are returned."""

    def reviews(self, pull: Pull, teams: Sequence[str]) -> Reviews:
        """The reviews of *pull*; whoever approved may be of one of *teams* (``acme/team``)."""

    def merge_later(self, pull: Pull, *, head: str, title: str, message: str, guards: Sequence[str]) -> str | None:
        """Have the server merge *head* of *pull* by a merge commit once main's rules allow it; or why not, where it will not.

        It will not where main's rules require none of the statuses *guards*. Doing it again is no error.
        """

    def merge_no_later(self, pull: Pull) -> None:
        """Take back what :meth:`merge_later` did, where it did."""

    def mark(self, commit: str, name: str, state: CheckState, description: str, url: str) -> None:
        """Give *commit* the status *name*, which a rule of main may require.

        It is a right of its own on some servers; Misconfigured, with its name, where the token lacks it.
        """

    def merge(self, pull: Pull, *, head: str, title: str, message: str) -> str:
        """Merge commit *head* of *pull* by a merge commit, which is returned.

        Raises TryAgain where main or the branch moved, Rejected where a rule of main or a conflict forbids it.
        """
