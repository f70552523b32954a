"""People who review requests on a forge that has reviews, and rules of main that want theirs; for contract suites."""

from collections.abc import Sequence
from typing import Protocol


class Reviewers(Protocol):
    """Two people who may write to the repository."""

    owner: str
    """The account that CODEOWNERS is to name."""
    stranger: str
    """Another one."""

    def require(self, *, approvals: int, statuses: Sequence[str] = ()) -> None:
        """Have main want so many approvals, and these statuses."""

    def say(self, number: int, *, by: str, yes: bool) -> None:
        """Have *by* approve pull request *number* as it is now, or want changes."""
