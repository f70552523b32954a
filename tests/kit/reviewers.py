"""People who review, on each server that has reviews."""

from collections.abc import Sequence

from kit import fake_github
from kit.fake_github import FakeGithub
from kit.gitea_server import PASSWORD, GiteaServer


class GithubReviewers:
    """At the stand-in for GitHub."""

    owner, stranger = "ada", "grace"

    def __init__(self, server: FakeGithub) -> None:
        self._store = server.store

    def require(self, *, approvals: int, statuses: Sequence[str] = ()) -> None:
        """See Reviewers."""
        self._store.approvals, self._store.required = approvals, tuple(statuses)

    def say(self, number: int, *, by: str, yes: bool) -> None:
        """See Reviewers."""
        fake_github.review(self._store, number, by, "APPROVED" if yes else "CHANGES_REQUESTED")


class GiteaReviewers:
    """At a real Gitea: two people of this repository, made for it."""

    def __init__(self, server: GiteaServer, repository: str) -> None:
        self._server, self._place = server, f"repos/{repository}"
        number = repository.rpartition("-")[2]
        self.owner, self.stranger = (self._person(f"{name}-{number}") for name in ("owner", "stranger"))

    def _person(self, name: str) -> str:
        person = {"username": name, "email": f"{name}@argosy.example", "password": PASSWORD}
        self._server.call("POST", "admin/users", {**person, "must_change_password": False})
        self._server.call("PUT", f"{self._place}/collaborators/{name}", {"permission": "write"})
        return name

    def require(self, *, approvals: int, statuses: Sequence[str] = ()) -> None:
        """See Reviewers."""
        rule = {
            "rule_name": "main",
            "required_approvals": approvals,
            "enable_status_check": bool(statuses),
            "status_check_contexts": list(statuses),
            "block_on_rejected_reviews": True,
        }
        self._server.call("POST", f"{self._place}/branch_protections", rule)

    def say(self, number: int, *, by: str, yes: bool) -> None:
        """See Reviewers."""
        said = {"event": "APPROVED" if yes else "REQUEST_CHANGES", "body": "as I see it"}
        self._server.call("POST", f"{self._place}/pulls/{number}/reviews", said, auth=(by, PASSWORD), headers={})
