"""The port to the environment repo: what main says, and the requests to change it.

The rules (which branch, when a request is adopted, superseded or refused) are ``argosy.promotion.proposals``'; an adapter applies them so
that they hold whoever else works on the repository at the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from argosy.domain.auto_merge import ReviewStanding
from argosy.domain.changes import ChangedFile
from argosy.domain.promotion_requests import Proposal, Request

Keys = tuple[tuple[str, ...], ...]
"""What the Secret of a forge must hold, as a forge's class says in ``keys``: sets of names, any of which is enough; none for no Secret."""


@dataclass(frozen=True)
class ForgePlace:
    """What a forge that a package brings is made from."""

    address: str
    """ARGOSY_FORGE_URI as it stands; it begins with the package's name for the forge, and a colon."""
    token: str | None = field(repr=False)
    """ARGOSY_FORGE_TOKEN, which only some steps are given; None where it is empty."""


class Forge(Protocol):
    """An environment repository. Every method raises TryAgain where the other side fails.

    A class of a package may say in ``keys`` (:data:`Keys`) what it finds in its environment; of one that does not, `argosy doctor` wants
    nothing.
    """

    def head(self) -> str:
        """The commit that main is at."""

    def may_propose(self) -> bool:
        """True where the account that is used may open requests."""

    def read(self, path: str, at: str | None = None) -> bytes | None:
        """The file *path* of main (of commit *at*), or None where there is none."""

    def contents(self, paths: Sequence[str], at: str) -> Mapping[str, bytes]:
        """Path to content of the files that *paths* (files or folders) hold at commit *at*."""

    def history(self, path: str) -> list[str]:
        """The commits of main that changed the file *path*, newest first."""

    def propose(self, proposal: Proposal) -> Request | None:
        """Open a request for *proposal*, or return the one that is this proposal already.

        At most one request is open per model and environment: others are closed as superseded, with a link. Where main serves the digest
        already, the answer is its request, in state MERGED, or None where it came there without one. Raises Rejected where a person closed
        the request for this digest.
        """

    def requests(self) -> list[Request]:
        """Every request, by number, without bodies, nor who merged it where a server does not list that.

        Their subjects are what their texts say; `changes` tells what they are about.
        """

    def request(self, number: int) -> Request:
        """The request *number*, with its body. Raises UsageError where there is none."""

    def changes(self, request: Request, at: str) -> Sequence[ChangedFile]:
        """The files that commit ``request.head`` changes, against where it left main (as of commit *at*). Of a merged request: changed.

        All of them, or an error: never a list that was cut off. Raises Rejected where that commit has no history in common with main.
        """

    def diff(self, number: int) -> str:
        """The change that merging the request makes in main (for a merged one: what it changed), as a unified diff.

        Of a request that is not about what its text says: all that its commit changes.
        """

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        """Merge commit *head* of the request in the name of *by*, if main is still at commit *at*; *note* joins the commit message.

        Main then has, in the place that the request is about, exactly the files of *head*. Merging what is merged is no error. Raises
        TryAgain where main or the request has moved, Rejected where the request is closed or would be mixed with what main has by now.
        """

    def approval(self, request: Request) -> ReviewStanding:
        """Whether those who have to review *request* approved its commit ``request.head``, as the forge and main's CODEOWNERS have it."""

    def merge_later(self, request: Request, *, by: str, note: str = "") -> str | None:
        """Have the forge itself merge commit ``request.head`` once its rules of main allow that; why it will not, where it will not.

        It is only left to a forge where main requires the status of our check: whatever is pushed meanwhile is checked, too.
        """

    def merge_no_later(self, request: Request) -> None:
        """Take back what :meth:`merge_later` left to the forge, where it did."""

    def report(self, request: Request, *, passed: bool, text: str) -> None:
        """Show people beside *request* whether its commit passed, and *text* (Markdown), in place of what was shown before.

        Where a forge has no place for it, nobody is shown anything.
        """

    def tell(self, request: Request, text: str, *, key: str) -> None:
        """Say *text* (Markdown) beside *request*, so that those who follow it hear of it; once for each *key*.

        Where a forge has no place for it, nobody hears anything.
        """

    def close(self, number: int, *, by: str, reason: str) -> Request:
        """Close the request unmerged. Closing what is closed is no error. Raises Rejected where it is merged."""

    def reopen(self, number: int, *, by: str) -> Request:
        """Open a closed request again; the one that is open for the same place is superseded. Raises Rejected where it is merged."""
