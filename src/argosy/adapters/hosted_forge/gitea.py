"""Gitea as a host of pull requests, through its REST interface (``/api/v1``). Forgejo has the same one.

Gitea writes no git objects for others: a commit of several files is one call, which makes the branch too.
"""

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from argosy import errors
from argosy.adapters.hosted_forge import connection
from argosy.adapters.hosted_forge.host import MAIN, CheckState, Comment, HostCommit, Pull, Reviews
from argosy.domain.auto_merge import ReviewState
from argosy.domain.changes import TreeEntry
from argosy.ports.forge import Keys

PAGE = 50
"""Entries a page: as many as Gitea gives at most by default."""
LABEL_COLOR = "#2c6fbb"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_MERGEABLE, CONFLICT, UNPROCESSABLE, TOO_MANY = 401, 403, 404, 405, 409, 422, 429
LOOKS = 20
"""Looks at a pull request that Gitea is still busy with, before the merge is left to the next attempt."""
BUSY = "try again later"
"""Gitea's word in the refusal of a merge while it still finds out whether there is a conflict."""


class NoSuccess(Exception):
    """An answer that is no success: its status, and what Gitea says."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{said} [{status}]")
        self.status = status


class GiteaHost:
    """See :class:`argosy.adapters.hosted_forge.host.Host`."""

    name = "Gitea"
    raw = "raw/commit"
    keys: Keys = (("ARGOSY_FORGE_TOKEN",),)

    def __init__(self, server: str, repository: str, token: str, *, patience: float = 0.5) -> None:
        """*server*: its address. *repository*: ``<owner>/<name>``. *patience*: seconds between looks at what Gitea is busy with."""
        self._api = f"{server}/api/v1"
        self._repository = repository
        self._patience = patience
        self._session = requests.Session()
        self._session.auth = _Token(token)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=connection.LimitRetry.patient()))

    def main(self) -> str:
        return str(self._get(f"branches/{MAIN}")["commit"]["id"])

    def may_push(self) -> bool:
        return bool((self._get("").get("permissions") or {}).get("push"))

    def read(self, path: str, at: str) -> bytes | None:
        try:
            return self._call("GET", f"raw/{quote(path)}", query={"ref": at}).content
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND)
            # A repository that is hidden from the token by now, or a commit that is gone, answers the same.
            self.commit(at)
            return None

    def contents(self, paths: Sequence[str], at: str) -> dict[str, bytes]:
        wanted = {
            path: entry
            for path, entry in self.entries(at).items()
            if any(not place or path == place or path.startswith(f"{place}/") for place in paths)
        }
        return {path: self._blob(path, entry, at) for path, entry in wanted.items()}

    def history(self, path: str) -> list[str]:
        bare = {"stat": "false", "verification": "false", "files": "false"}
        return [commit["sha"] for commit in self._commits({"sha": MAIN, "path": path, **bare})]

    def entries(self, commit: str) -> dict[str, TreeEntry]:
        found: dict[str, TreeEntry] = {}
        page = 1
        while True:
            tree = self._get(f"git/trees/{quote(commit)}", {"recursive": "true", "page": str(page)})
            new = tree.get("tree") or []
            found |= {one["path"]: TreeEntry(one["mode"], one["sha"]) for one in new if one["type"] != "tree"}
            if not tree.get("truncated"):
                return found
            if not new:
                raise errors.Misconfigured(
                    f"Gitea lists the files of commit {commit[:12]} in part only: what a request changes cannot be known, so nothing is "
                    "merged. Divide the environment repo"
                )
            page += 1

    def merge_base(self, onto: str, head: str) -> str | None:
        """See the host. Gitea does not tell it of two commits: it is where the commits of *head* alone begin."""
        own = self._own(head, onto)
        if not own:
            return head
        left = {parent["sha"] for commit in own for parent in commit["parents"]} - {commit["sha"] for commit in own}
        newest = [one for one in left if not any(other != one and not self._own(one, other) for other in left)]
        if len(newest) > 1:
            raise errors.Rejected(
                f"commit {head[:12]} and main have several newest commits in common ({', '.join(one[:12] for one in sorted(newest))}): "
                "what a merge would change is not certain; close the request and run the pipeline again"
            )
        return newest[0] if newest else None

    def commit(self, commit: str) -> HostCommit:
        bare = {"stat": "false", "verification": "false", "files": "false"}
        found = self._get(f"git/commits/{commit}", bare)
        return HostCommit([parent["sha"] for parent in found["parents"]], found["commit"]["message"])

    def offer(self, branch: str, message: str, changes: Mapping[str, bytes | None]) -> None:
        if self._is_there(f"branches/{quote(branch)}"):
            if self.pulls(branch=branch):
                return
            self._ask("DELETE", f"branches/{quote(branch)}")
        main = self.main()
        there = self.entries(main)
        operations = [_operation(path, content, there.get(path)) for path, content in sorted(changes.items())]
        wanted = {"branch": MAIN, "new_branch": branch, "message": message, "files": operations}
        try:
            self._call("POST", "contents", wanted)
        except NoSuccess as refused:
            self._raise_unless(refused, CONFLICT, UNPROCESSABLE)
            if not self._is_there(f"branches/{quote(branch)}"):
                raise self._failure(refused) from refused
            raise errors.TryAgain(f"somebody else is making {branch} on Gitea; try again") from refused

    def pulls(self, *, open_only: bool = False, branch: str | None = None) -> list[Pull]:
        state = "open" if open_only else "all"
        found = self._all("pulls", {"state": state, "sort": "oldest", "base_branch": MAIN})
        ours = [pull for pull in found if branch is None or pull["head"]["label"] == branch]
        return [self._pull(pull) for pull in ours if pull["base"]["ref"] == MAIN]

    def pull(self, number: int) -> Pull | None:
        try:
            return self._pull(self._call("GET", f"pulls/{number}").json())
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND)
            self.main()  # a repository that is not there, or not in the token's sight, answers the same
            return None

    def diff(self, number: int) -> str:
        return self._ask("GET", f"pulls/{number}.diff").text

    def open(self, branch: str, title: str, body: str) -> Pull:
        wanted = {"base": MAIN, "head": branch, "title": title, "body": body}
        try:
            return self._pull(self._call("POST", "pulls", wanted).json())
        except NoSuccess as refused:
            # Somebody else opened it between our look and now: one branch has one open pull request.
            theirs = self.pulls(open_only=True, branch=branch) if refused.status == CONFLICT else []
            if not theirs:
                raise self._failure(refused) from refused
            return theirs[0]

    def edit(self, number: int, *, body: str, is_open: bool) -> None:
        self._ask("PATCH", f"pulls/{number}", {"body": body, "state": "open" if is_open else "closed"})

    def label(self, number: int, names: Sequence[str]) -> None:
        """See the host. Labels belong to the repository; one that it lacks is made."""
        known = {label["name"]: label["id"] for label in self._all("labels", {})}
        for name in names:
            if name not in known:
                known[name] = self._ask("POST", "labels", {"name": name, "color": LABEL_COLOR}).json()["id"]
        self._ask("POST", f"issues/{number}/labels", {"labels": [known[name] for name in names]})

    def comments(self, number: int) -> list[Comment]:
        return [Comment(one["id"], one["body"]) for one in self._get(f"issues/{number}/comments")]

    def comment(self, number: int, text: str, *, replaces: int | None = None) -> None:
        if replaces is None:
            self._ask("POST", f"issues/{number}/comments", {"body": text})
        else:
            self._ask("PATCH", f"issues/comments/{replaces}", {"body": text})

    def ask(self, number: int, owners: Sequence[str]) -> list[str]:
        return [owner for owner in owners if not self._asked(number, owner)]

    def mark(self, commit: str, name: str, state: CheckState, description: str, url: str) -> None:
        wanted = {"state": state, "context": name, "description": description, "target_url": url}
        self._ask("POST", f"statuses/{commit}", wanted)

    def merge(self, pull: Pull, *, head: str, title: str, message: str) -> str:
        wanted = {"Do": "merge", "MergeTitleField": title, "MergeMessageField": message, "head_commit_id": head}
        try:
            self._merging(pull, wanted)
        except NoSuccess as refused:
            raise self._not_merged(pull, refused) from refused
        return str(self._get(f"pulls/{pull.number}")["merge_commit_sha"])

    def reviews(self, pull: Pull, teams: Sequence[str]) -> Reviews:
        """See the host. Gitea tells who approved, and nobody in whose name: whether that is one of *teams* is asked."""
        wanted = int(self._get(f"branches/{MAIN}").get("required_approvals") or 0)
        newest = {one["user"]["login"]: one for one in self._all(f"pulls/{pull.number}/reviews", {}) if _counts(one)}
        if any(one["state"] == "REQUEST_CHANGES" for one in newest.values()):
            return Reviews("refused")
        people = [name for name, one in newest.items() if one["commit_id"] == pull.head and not one["stale"]]
        if not wanted:
            return Reviews("not asked", tuple(people))
        state: ReviewState = "given" if len(people) >= wanted else "missing"
        named = [team for team in teams if any(self._is_in(team, name) for name in people)]
        return Reviews(state, tuple(people), tuple(named))

    def merge_later(self, pull: Pull, *, head: str, title: str, message: str, guards: Sequence[str]) -> str | None:
        """See the host. Gitea holds what it is left with to no commit, whatever it was told: the rule on the status is what does."""
        branch = self._get(f"branches/{MAIN}")
        required = branch.get("status_check_contexts") or [] if branch.get("enable_status_check") else []
        if not set(required) & set(guards):
            return (
                f"main on Gitea requires none of the statuses {', '.join(guards)}, without which it is not left to it"
            )
        wanted = {"Do": "merge", "MergeTitleField": title, "MergeMessageField": message, "head_commit_id": head}
        try:
            self._merging(pull, {**wanted, "merge_when_checks_succeed": True})
        except NoSuccess as refused:
            if refused.status != CONFLICT:  # it has been left to it already
                raise self._not_merged(pull, refused) from refused
        return None

    def merge_no_later(self, pull: Pull) -> None:
        try:
            self._call("DELETE", f"pulls/{pull.number}/merge")
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND)

    # What it says

    def _pull(self, pull: Mapping[str, Any]) -> Pull:
        number, merged = pull["number"], bool(pull["merged"])
        # Of a branch that is still there Gitea tells where that is by now; a merged request keeps what was merged.
        head = self._merged_head(number) if merged else pull["head"]["sha"]
        ended = pull["merged_at"] or pull["closed_at"]
        return Pull(
            number=number,
            title=pull["title"],
            body=pull["body"],
            url=pull["html_url"],
            branch=pull["head"]["label"],
            label=pull["head"]["label"],
            is_foreign=pull["head"]["repo_id"] != pull["base"]["repo_id"],
            head=head,
            base=pull["merge_base"],
            is_open=pull["state"] == "open",
            is_merged=merged,
            merge=pull["merge_commit_sha"] if merged else None,
            merged_by=pull["merged_by"]["login"] if merged and pull["merged_by"] else None,
            opened_at=pull["created_at"],
            ended_at=ended,
            labels=tuple(label["name"] for label in pull["labels"] or ()),
        )

    def _merged_head(self, number: int) -> str:
        name = f"pull/{number}/head"
        found = {one["ref"]: one["object"]["sha"] for one in self._get(f"git/refs/{name}")}
        return str(found[f"refs/{name}"])

    def _own(self, head: str, onto: str) -> list[Any]:
        """The commits in the history of *head* that are not in that of *onto*."""
        bare = {"stat": "false", "verification": "false", "files": "false"}
        return self._commits({"sha": head, "not": onto, **bare})

    def _commits(self, query: Mapping[str, str]) -> list[Any]:
        """The commits that *query* asks for. Where there is none Gitea may answer as if it did not know where to begin: that is asked."""
        found = self._all("commits", query, absent=[])
        if not found:
            self.commit(query["sha"])
        return found

    def _blob(self, path: str, entry: TreeEntry, at: str) -> bytes:
        blob = self._get(f"git/blobs/{entry.blob}")
        if blob.get("content"):
            return base64.b64decode(blob["content"])
        # Empty, or larger than what Gitea puts into an answer.
        return b"" if not blob["size"] else self._ask("GET", f"raw/{quote(path)}", query={"ref": at}).content

    def _merging(self, pull: Pull, wanted: Mapping[str, Any]) -> None:
        """Ask for a merge until Gitea has found out whether there is a conflict."""
        for _ in range(LOOKS):
            try:
                self._call("POST", f"pulls/{pull.number}/merge", wanted)
            except NoSuccess as refused:
                if BUSY not in str(refused):
                    raise
                time.sleep(self._patience)
            else:
                return
        raise errors.TryAgain(f"Gitea is still looking for conflicts in request {pull.number}; try again in a minute")

    def _is_in(self, team: str, name: str) -> bool:
        """True where *name* is of *team*, as far as the token may see that."""
        organisation, _, called = team.partition("/")
        try:
            found = self._session_call("GET", f"orgs/{quote(organisation)}/teams/search", query={"q": called}).json()
            known = next((one["id"] for one in found.get("data") or () if one["name"].lower() == called.lower()), None)
            if known is None:
                return False
            self._session_call("GET", f"teams/{known}/members/{quote(name)}")
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND, FORBIDDEN)
            return False
        return True

    def _is_there(self, place: str) -> bool:
        try:
            self._call("GET", place)
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND)
            return False
        return True

    def _asked(self, number: int, owner: str) -> bool:
        """Ask *owner*; False where Gitea does not know them, they may not look, or they wrote the request themselves."""
        _, _, team = owner.partition("/")
        try:
            self._call(
                "POST",
                f"pulls/{number}/requested_reviewers",
                {"team_reviewers": [team]} if team else {"reviewers": [owner]},
            )
        except NoSuccess as refused:
            self._raise_unless(refused, NOT_FOUND, UNPROCESSABLE)
            return False
        return True

    def _not_merged(self, pull: Pull, refused: NoSuccess) -> errors.ArgosyError:
        if refused.status not in {NOT_MERGEABLE, CONFLICT, FORBIDDEN}:
            return self._failure(refused)
        if refused.status == CONFLICT:
            return errors.TryAgain(f"Gitea does not merge request {pull.number}: {refused}; try again")
        return errors.Rejected(
            f"Gitea does not merge request {pull.number}: {refused}. Where main's rules want a review or a check, see to it at {pull.url}; "
            "where it conflicts, run the pipeline again"
        )

    # Calls

    def _all(self, place: str, query: Mapping[str, str], absent: list[Any] | None = None) -> list[Any]:
        """Every entry of a list, page by page. *absent*: what to take for a list that is not there."""
        found: list[Any] = []
        page = 1
        while True:
            try:
                answer = self._call("GET", place, query={**query, "limit": str(PAGE), "page": str(page)})
            except NoSuccess as refused:
                if refused.status == NOT_FOUND and absent is not None:
                    return absent
                raise self._failure(refused) from refused
            new = answer.json() or []
            found += new
            total = answer.headers.get("X-Total-Count", "")
            if not new or (total.isdecimal() and len(found) >= int(total)):
                return found
            page += 1

    def _get(self, place: str, query: Mapping[str, str] | None = None) -> Any:
        return self._ask("GET", place, query=query).json()

    def _ask(
        self, method: str, place: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> requests.Response:
        try:
            return self._call(method, place, body, query)
        except NoSuccess as refused:
            raise self._failure(refused) from refused

    def _call(
        self, method: str, place: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> requests.Response:
        return self._session_call(method, f"repos/{self._repository}/{place}".rstrip("/"), body, query)

    def _session_call(
        self, method: str, place: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> requests.Response:
        address = f"{self._api}/{place}"
        try:
            answer = self._session.request(
                method,
                address,
                json=body,
                params=query,
                timeout=connection.TIMEOUT_SECONDS,
                allow_redirects=False,  # what is written must not become a question to somebody else
            )
        except OSError as error:  # all that requests raises, of files too
            raise connection.failure("Gitea", error) from error
        if answer.ok and not answer.is_redirect:
            return answer
        raise NoSuccess(answer.status_code, _said(answer))

    def _raise_unless(self, refused: NoSuccess, *expected: int) -> None:
        """Raise what *refused* means, unless its status is one of those *expected*."""
        if refused.status not in expected:
            raise self._failure(refused) from refused

    def _failure(self, refused: NoSuccess) -> errors.ArgosyError:
        status = refused.status
        if status == TOO_MANY:
            return errors.TryAgain(f"Gitea has had too many calls: {refused}; try again in a minute")
        if status >= 500:
            return errors.TryAgain(f"Gitea fails: {refused}; try again, what it may have done is found")
        if status == UNAUTHORIZED:
            return errors.Misconfigured(
                "Gitea refuses ARGOSY_FORGE_TOKEN: it is wrong, expired or deleted; make a new one (Settings, Applications) and set it"
            )
        if status == NOT_FOUND:
            return errors.Misconfigured(
                f"Gitea knows no {self._repository} with a branch {MAIN}, or hides it from the token: mend ARGOSY_FORGE_URI, or give its "
                "account access"
            )
        if 300 <= status < 400:
            return errors.Misconfigured(f"{refused}: write the address that it has now into ARGOSY_FORGE_URI")
        return errors.Misconfigured(
            f"Gitea refuses: {refused}. The token needs repository and issue, read and write, and its account the right to write to "
            f"{self._repository}"
        )


class _Token(requests.auth.AuthBase):
    """The token in each call; with it, no file of passwords is asked for one."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"token {self._token}"
        return request


def _operation(path: str, content: bytes | None, there: TreeEntry | None) -> dict[str, str]:
    at = {"sha": there.blob} if there else {}
    if content is None:
        return {"operation": "delete", "path": path, **at}
    written = base64.b64encode(content).decode()
    return {"operation": "update" if there else "create", "path": path, "content": written, **at}


def _counts(review: Mapping[str, Any]) -> bool:
    """True where *review* decides something: given by somebody who may, and not taken back."""
    return bool(review["official"]) and not review["dismissed"] and review["state"] in {"APPROVED", "REQUEST_CHANGES"}


def _said(answer: requests.Response) -> str:
    if answer.is_redirect:
        return f"Gitea says that it is at {answer.headers['Location']}"
    try:
        data = answer.json()
    except ValueError:
        data = {}
    message = data.get("message") if isinstance(data, dict) else None
    wait = answer.headers.get("Retry-After")
    return " ".join(str(message or answer.reason or "no reason given").split())[:300] + (
        f", for {wait} seconds" if wait else ""
    )
