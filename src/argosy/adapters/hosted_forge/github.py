"""GitHub, or GitHub Enterprise, as a host of pull requests, through PyGithub."""

import base64
import contextlib
import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import github
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededException,
    UnknownObjectException,
)
from github.GitRef import GitRef
from github.PullRequest import PullRequest
from github.Repository import Repository

from argosy import errors
from argosy.adapters.hosted_forge import connection
from argosy.adapters.hosted_forge.github_app import InstallationToken
from argosy.adapters.hosted_forge.host import MAIN, CheckState, Comment, HostCommit, Pull, Reviews
from argosy.domain.auto_merge import ReviewState
from argosy.domain.changes import PLAIN_FILE, TreeEntry
from argosy.ports.forge import Keys

PUBLIC = "https://api.github.com"
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, NOT_MERGEABLE, CONFLICT, UNPROCESSABLE, TOO_MANY = 401, 403, 404, 405, 409, 422, 429
PAGE = 100
BAD_REQUEST = 400
FEW = 3
"""Paths that are asked for one by one."""
OURS = "Merged-by: "
"""In the message of a merge that was left to GitHub: it was us."""
MOVED = "modified"
"""GitHub's word in the reason of a merge that it refuses because branch or main moved; it has no code for it."""


REVIEWS = """
query Reviews($owner: String!, $name: String!, $number: Int!, $teams: Boolean!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewDecision
      latestOpinionatedReviews(first: 100, writersOnly: true) {
        nodes {
          state
          author { login }
          commit { oid }
          onBehalfOf(first: 20) @include(if: $teams) { nodes { slug organization { login } } }
        }
      }
    }
  }
}
"""
REQUIRED = """
query Required($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      statusCheckRollup {
        contexts(first: 100) {
          nodes {
            __typename
            ... on StatusContext { context isRequired(pullRequestNumber: $number) }
            ... on CheckRun { name isRequired(pullRequestNumber: $number) }
          }
        }
      }
    }
  }
}
"""
DECISIONS: dict[str | None, ReviewState] = {
    "APPROVED": "given",
    "REVIEW_REQUIRED": "missing",
    "CHANGES_REQUESTED": "refused",
    None: "not asked",
}
"""GitHub's word for what main's rules want of reviews; none where they want nothing."""


def of_token(repository: str, token: str, *, api: str = PUBLIC, patience: float = 1.0) -> "GithubHost":
    """The host of *repository* for who has a *token*."""
    return GithubHost(repository, github.Auth.Token(token), api=api, patience=patience)


def of_app(repository: str, app: str, key: str, *, api: str = PUBLIC, patience: float = 1.0) -> "GithubHost":
    """The host of *repository* for an *app* with a private *key* that is installed on it."""
    return GithubHost(repository, InstallationToken(repository, app, key, api=api), api=api, patience=patience)


class GithubHost:
    """See :class:`argosy.adapters.hosted_forge.host.Host`."""

    name = "GitHub"
    raw = "raw"
    keys: Keys = (("ARGOSY_FORGE_TOKEN",), ("ARGOSY_FORGE_APP_ID", "ARGOSY_FORGE_APP_KEY"))

    def __init__(self, repository: str, auth: github.Auth.Auth, *, api: str = PUBLIC, patience: float = 1.0) -> None:
        """*repository*: ``<owner>/<name>``. *patience*: seconds between writes, as GitHub asks for."""
        client = github.Github(
            auth=auth,
            base_url=api,
            timeout=connection.TIMEOUT_SECONDS,
            lazy=True,  # nothing is asked before somebody wants to know
            per_page=PAGE,
            seconds_between_requests=None,
            seconds_between_writes=patience,
            retry=connection.LimitRetry.patient(),
        )
        self._auth = auth
        self._owner, _, self._name = repository.partition("/")
        self._repository: Repository = client.get_repo(repository)

    def main(self) -> str:
        with self._reported():
            return self._repository.get_branch(MAIN).commit.sha

    def may_push(self) -> bool:
        with self._reported():
            permissions = self._repository.permissions
            return bool(permissions and permissions.push)

    def read(self, path: str, at: str) -> bytes | None:
        with self._reported():
            entry = self._entry(path, at)
            return None if entry is None or isinstance(entry, list) else self._blob(entry.sha)

    def contents(self, paths: Sequence[str], at: str) -> dict[str, bytes]:
        """See the host. Of many paths at once: by the tree, and their contents by the hundred."""
        if len(paths) > FEW:
            there = {path: entry.blob for path, entry in self.entries(at).items() if _is_at(path, paths)}
            with self._reported():
                contents = self._blobs(sorted(set(there.values())))
            return {path: contents[sha] for path, sha in there.items()}
        with self._reported():
            return {path: self._blob(sha) for path, sha in self._listing(paths, at).items()}

    def history(self, path: str) -> list[str]:
        with self._reported():
            return [commit.sha for commit in self._repository.get_commits(sha=MAIN, path=path)]

    def entries(self, commit: str) -> dict[str, TreeEntry]:
        with self._reported():
            tree = self._repository.get_git_tree(self._repository.get_git_commit(commit).tree.sha, recursive=True)
            if tree.truncated:
                raise errors.Misconfigured(
                    f"GitHub lists the files of commit {commit[:12]} in part only, as it does beyond 100,000 files or 7 MB: what a request "
                    "changes cannot be known, so nothing is merged. Divide the environment repo"
                )
            return {one.path: TreeEntry(one.mode, one.sha) for one in tree.tree if one.type != "tree"}

    def merge_base(self, onto: str, head: str) -> str | None:
        with self._reported():
            try:
                return self._repository.compare(onto, head).merge_base_commit.sha
            except GithubException as error:
                if error.status != NOT_FOUND:  # PyGithub has a class for it, but only where GitHub gives no reason
                    raise
                return None

    def commit(self, commit: str) -> HostCommit:
        with self._reported():
            found = self._repository.get_git_commit(commit)
            return HostCommit([parent.sha for parent in found.parents], found.message)

    def offer(self, branch: str, message: str, changes: Mapping[str, bytes | None]) -> None:
        with self._reported():
            self._show(branch, self._commit(message, changes))

    def pulls(self, *, open_only: bool = False, branch: str | None = None) -> list[Pull]:
        state = "open" if open_only else "all"
        asked = {"head": f"{self._owner}:{branch}"} if branch else {}
        with self._reported():
            found = self._repository.get_pulls(state=state, sort="created", direction="asc", base=MAIN, **asked)
            return [_pull(pull, listed=True) for pull in found]

    def pull(self, number: int) -> Pull | None:
        with self._reported():
            try:
                return _pull(self._repository.get_pull(number))
            except UnknownObjectException:
                # A repository that is not there, or not in the token's sight, answers the same.
                self._repository.get_branch(MAIN)
                return None

    def diff(self, number: int) -> str:
        """See the host. GitHub leaves the lines of large files out, and says nothing of modes: those are asked of the tree."""
        with self._reported():
            pull = self._repository.get_pull(number)
            files, head = list(pull.get_files()), pull.head.sha
        there = self.entries(head)
        return "".join(_file_diff(changed, there.get(changed.filename)) for changed in files)

    def open(self, branch: str, title: str, body: str) -> Pull:
        with self._reported():
            try:
                return _pull(self._repository.create_pull(base=MAIN, head=branch, title=title, body=body))
            except GithubException as error:
                # Somebody else opened it between our look and now: one branch has one open pull request.
                theirs = self.pulls(open_only=True, branch=branch) if error.status == UNPROCESSABLE else []
                if not theirs:
                    raise
                return theirs[0]

    def edit(self, number: int, *, body: str, is_open: bool) -> None:
        with self._reported():
            self._repository.get_pull(number).edit(state="open" if is_open else "closed", body=body)

    def label(self, number: int, names: Sequence[str]) -> None:
        with self._reported():
            self._repository.get_pull(number).add_to_labels(*names)

    def comments(self, number: int) -> list[Comment]:
        with self._reported():
            found = self._repository.get_pull(number).get_issue_comments()
            return [Comment(one.id, one.body or "") for one in found]

    def comment(self, number: int, text: str, *, replaces: int | None = None) -> None:
        with self._reported():
            pull = self._repository.get_pull(number)
            if replaces is None:
                pull.create_issue_comment(text)
            else:
                pull.get_issue_comment(replaces).edit(text)

    def ask(self, number: int, owners: Sequence[str]) -> list[str]:
        with self._reported():
            pull = self._repository.get_pull(number)
            return [owner for owner in owners if not _asked(pull, owner)]

    def reviews(self, pull: Pull, teams: Sequence[str]) -> Reviews:
        with self._reported():
            found = self._asked_of(pull.number, REVIEWS, teams=bool(teams))
        reviews = [one for one in found["latestOpinionatedReviews"]["nodes"] if one["author"] and one["commit"]]
        state = DECISIONS[found["reviewDecision"]]
        # Where no rule counts reviews, GitHub does not add them up; a no is one all the same.
        if state == "not asked" and any(one["state"] == "CHANGES_REQUESTED" for one in reviews):
            state = "refused"
        own = [one for one in reviews if one["state"] == "APPROVED" and one["commit"]["oid"] == pull.head]
        named = [team for one in own for team in (one.get("onBehalfOf") or {}).get("nodes") or ()]
        return Reviews(
            state,
            tuple(one["author"]["login"] for one in own),
            tuple(f"{team['organization']['login']}/{team['slug']}" for team in named),
        )

    def merge_later(self, pull: Pull, *, head: str, title: str, message: str, guards: Sequence[str]) -> str | None:
        """See the host. GitHub takes nothing that could be merged right now, nor in a repository that does not allow it."""
        with self._reported():
            if not self._required(pull.number) & set(guards):
                return f"main on GitHub requires none of the statuses {', '.join(guards)}, without which it is not left to it"
            there = self._repository.get_pull(pull.number)
            try:
                there.enable_automerge("MERGE", commit_headline=title, commit_body=message, expected_head_oid=head)
            except GithubException as error:
                if error.status != BAD_REQUEST:  # what PyGithub makes of a refusal in GraphQL, which comes with 200
                    raise
                return (
                    f"GitHub does not take it over: {_said(error)}; allow auto-merge in the settings of the repository"
                )
            return None

    def merge_no_later(self, pull: Pull) -> None:
        """See the host. What a person left to GitHub is theirs."""
        with self._reported():
            there = self._repository.get_pull(pull.number)
            queued = there.raw_data.get("auto_merge") or {}
            if OURS in (queued.get("commit_message") or ""):
                there.disable_automerge()

    def _required(self, number: int) -> set[str]:
        """The statuses of a pull request that main's rules require, of those that it has."""
        rollup = self._asked_of(number, REQUIRED)["statusCheckRollup"] or {"contexts": {"nodes": []}}
        nodes = rollup["contexts"]["nodes"]
        return {one.get("context") or one.get("name") for one in nodes if one["isRequired"]}

    def _asked_of(self, number: int, query: str, **variables: bool) -> dict[str, Any]:
        """What GitHub's GraphQL answers to *query* of a pull request."""
        given = {"owner": self._owner, "name": self._name, "number": number, **variables}
        data = self._repository.requester.graphql_query(query, given)[1]["data"]
        found: dict[str, Any] = data["repository"]["pullRequest"]
        return found

    def mark(self, commit: str, name: str, state: CheckState, description: str, url: str) -> None:
        with self._reported():
            try:
                self._repository.get_commit(commit).create_status(
                    state, target_url=url, description=description, context=name
                )
            except GithubException as error:
                if isinstance(error, RateLimitExceededException) or error.status not in {FORBIDDEN, NOT_FOUND}:
                    raise
                raise errors.Misconfigured(
                    f"GitHub lets this token set no status: {_said(error)}. Give it commit statuses, read and write, or have main require "
                    "the check of the workflow, which needs none"
                ) from error

    def merge(self, pull: Pull, *, head: str, title: str, message: str) -> str:
        with self._reported():
            there = self._repository.get_pull(pull.number)
            try:
                merged = there.merge(commit_title=title, commit_message=message, merge_method="merge", sha=head)
            except GithubException as error:
                if error.status not in {NOT_MERGEABLE, CONFLICT, UNPROCESSABLE}:
                    raise
                raise _not_merged(pull, error) from error
            return merged.sha

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn what GitHub and the network say into what Argosy says. Nothing of the token is in it."""
        try:
            yield
        except RateLimitExceededException as error:
            raise errors.TryAgain(
                f"GitHub's rate limit is reached: {_said(error)}; try again {_wait(error)}"
            ) from error
        except BadCredentialsException as error:
            raise self._unauthorized() from error
        except GithubException as error:
            if error.status == TOO_MANY:
                raise errors.TryAgain(
                    f"GitHub's rate limit is reached: {_said(error)}; try again {_wait(error)}"
                ) from error
            if error.status >= 500:
                raise errors.TryAgain(
                    f"GitHub fails: {_said(error)}; try again, what it may have done is found"
                ) from error
            raise errors.Misconfigured(
                f"GitHub refuses: {_said(error)}. The token needs contents and pull requests, read and write, on the environment repo"
            ) from error
        except AssertionError as error:
            # PyGithub follows the addresses in answers to no host but its own, and says so by the host's name alone.
            raise errors.Misconfigured(
                f"GitHub calls itself {error or 'by another address'} in its answers, and ARGOSY_FORGE_URI has another name for it; "
                "write that one there"
            ) from error
        except OSError as error:  # all that requests raises, of files too
            raise connection.failure("GitHub", error) from error

    def _unauthorized(self) -> errors.ArgosyError:
        if isinstance(self._auth, InstallationToken):
            self._auth.forget()
            return errors.TryAgain(
                "GitHub takes the app's token no more: it was revoked, or ended early; try again, with a new one"
            )
        return errors.Misconfigured(
            "GitHub refuses ARGOSY_FORGE_TOKEN: it is wrong, expired or revoked; make a new one and set it"
        )

    # Commits and branches

    def _commit(self, message: str, changes: Mapping[str, bytes | None]) -> str:
        main = self._repository.get_branch(MAIN).commit.sha
        elements = [self._element(path, content) for path, content in sorted(changes.items())]
        base = self._repository.get_git_commit(main)
        tree = self._repository.create_git_tree(elements, base_tree=base.tree)
        return self._repository.create_git_commit(message, tree, [base]).sha

    def _element(self, path: str, content: bytes | None) -> github.InputGitTreeElement:
        blob = None if content is None else self._repository.create_git_blob(_base64(content), "base64").sha
        return github.InputGitTreeElement(path, PLAIN_FILE, "blob", sha=blob)

    def _show(self, branch: str, commit: str) -> None:
        """Point *branch* at *commit*. It may be there without a pull request, from an attempt that was cut off: nobody reviewed it."""
        try:
            self._repository.create_git_ref(f"refs/heads/{branch}", commit)
        except GithubException as error:
            if error.status != UNPROCESSABLE:
                raise
            there = self._ref(branch)
            if there is None:  # so it was not refused for being there
                raise
            if there.object.sha != commit and not self.pulls(branch=branch):
                there.edit(commit, force=True)

    def _ref(self, branch: str) -> GitRef | None:
        try:
            ref = self._repository.get_git_ref(f"heads/{branch}")
            ref.object.sha  # asked for now: an unread ref is edited at an address that GitHub does not have  # noqa: B018
        except UnknownObjectException:
            return None
        return ref

    # Files

    def _entry(self, path: str, ref: str) -> Any:
        try:
            return self._repository.get_contents(path, ref=ref)
        except UnknownObjectException:
            # A repository that is hidden from the token by now, or a commit that is gone, answers the same.
            self._demand_commit(ref)
            return None

    def _demand_commit(self, ref: str) -> None:
        if ref == MAIN:
            self._repository.get_branch(MAIN)
        else:
            self._repository.get_git_commit(ref).sha  # asked for now: the client is lazy  # noqa: B018

    def _listing(self, paths: Sequence[str], ref: str) -> dict[str, str]:
        """Path to blob of the files that *paths* hold."""
        waiting = list(paths)
        found: dict[str, str] = {}
        while waiting:
            entry = self._entry(waiting.pop(), ref)
            for one in entry if isinstance(entry, list) else [entry] if entry else []:
                if one.type == "dir":
                    waiting.append(one.path)
                else:
                    found[one.path] = one.sha
        return found

    def _blobs(self, shas: Sequence[str]) -> dict[str, bytes]:
        """The content of each blob. GraphQL gives texts alone, long ones cut off: what does not have its name is asked for by itself."""
        found: dict[str, bytes] = {}
        for start in range(0, len(shas), PAGE):
            part = shas[start : start + PAGE]
            asked = "\n".join(
                f'    b{number}: object(oid: "{sha}") {{ ... on Blob {{ text }} }}' for number, sha in enumerate(part)
            )
            query = f"query Blobs($owner: String!, $name: String!) {{\n  repository(owner: $owner, name: $name) {{\n{asked}\n  }}\n}}"
            given = {"owner": self._owner, "name": self._name}
            answer = self._repository.requester.graphql_query(query, given)[1]["data"]["repository"]
            texts = ((sha, (answer[f"b{number}"] or {}).get("text")) for number, sha in enumerate(part))
            found |= {sha: text.encode() for sha, text in texts if text is not None and _name_of(text.encode()) == sha}
        return found | {sha: self._blob(sha) for sha in shas if sha not in found}

    def _blob(self, sha: str) -> bytes:
        # The blob, not the content: GitHub leaves the content of files over 1 MB out.
        return base64.b64decode(self._repository.get_git_blob(sha).content)


def _pull(pull: PullRequest, *, listed: bool = False) -> Pull:
    """*pull* in plain values. Who merged it is not in lists: PyGithub would ask for every merged one of them, each time."""
    ended_at = pull.merged_at or pull.closed_at
    return Pull(
        number=pull.number,
        title=pull.title,
        body=pull.body or "",
        url=pull.html_url,
        branch=pull.head.ref,
        label=pull.head.label,
        is_foreign=pull.head.repo is None or pull.head.repo.full_name != pull.base.repo.full_name,
        head=pull.head.sha,
        base=pull.base.sha,
        is_open=pull.state == "open",
        is_merged=pull.merged_at is not None,
        # Of an open one it is a commit that GitHub tries a merge with.
        merge=pull.merge_commit_sha if pull.merged_at else None,
        merged_by=pull.merged_by.login if not listed and pull.merged_at and pull.merged_by else None,
        opened_at=pull.created_at.isoformat(timespec="seconds"),
        ended_at=ended_at.isoformat(timespec="seconds") if ended_at else None,
        labels=tuple(label.name for label in pull.labels),
    )


def _is_at(path: str, places: Sequence[str]) -> bool:
    return any(not place or path == place or path.startswith(f"{place}/") for place in places)


def _name_of(content: bytes) -> str:
    """What git calls a blob of *content*."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()


def _asked(pull: PullRequest, owner: str) -> bool:
    """Ask *owner*; False where GitHub does not know them, they may not look, or they wrote the request themselves."""
    _, _, team = owner.partition("/")
    try:
        if team:
            pull.create_review_request(team_reviewers=[team])
        else:
            pull.create_review_request(reviewers=[owner])
    except GithubException as error:
        if error.status not in {NOT_FOUND, UNPROCESSABLE}:
            raise
        return False
    return True


def _not_merged(pull: Pull, error: GithubException) -> errors.ArgosyError:
    said = f"GitHub does not merge request {pull.number}: {_said(error)}"
    if MOVED in said or error.status == CONFLICT:
        return errors.TryAgain(f"{said}; try again")
    return errors.Rejected(
        f"{said}. Where main's rules want a review or a check, see to it at {pull.url}; where it conflicts, run the pipeline again"
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _file_diff(changed: Any, entry: TreeEntry | None) -> str:
    """The diff of one file, which is *entry* in the commit proposed; None where it goes."""
    before, after = _name(changed.previous_filename or changed.filename), _name(changed.filename)
    header = f"diff --git a/{before} b/{after}\n"
    names = f"--- a/{after}\n+++ b/{after}\n" if changed.patch else ""
    return f"{header}{_mode(changed, entry)}{names}{changed.patch or f'({changed.changes} lines changed; GitHub shows no more)'}\n"


def _mode(changed: Any, entry: TreeEntry | None) -> str:
    """A line in git's manner: that a file is new or gone, and what it is where it is no plain one, such as a link."""
    if changed.status == "removed":
        return "deleted file\n"
    mode = entry.mode if entry else PLAIN_FILE
    if changed.status == "added":
        return f"new file mode {mode}\n"
    return f"new mode {mode}\n" if mode != PLAIN_FILE else ""


def _name(path: str) -> str:
    """*path* in one line: one with line breaks would read as the diff of another file."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _said(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = "; ".join(_detail(entry) for entry in data.get("errors", []))
    text = f"{data.get('message', error)}{f' ({details})' if details else ''}"
    return f"{' '.join(text.split())} [{error.status}]"


def _detail(entry: Any) -> str:
    """One of the errors in a refusal; GitHub has a sentence for some, for others what of which field is wrong."""
    if not isinstance(entry, dict):
        return str(entry)
    return str(
        entry.get("message")
        or " ".join(str(entry[name]) for name in ("resource", "field", "code") if name in entry)
        or entry
    )


def _wait(error: GithubException) -> str:
    """How long GitHub wants to be left alone, in words; it tells in one header or the other, or not at all."""
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    if seconds := headers.get("retry-after"):
        return f"in {seconds} seconds"
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return f"after {datetime.datetime.fromtimestamp(int(reset), datetime.UTC):%H:%M} UTC"
    return "in a minute"
