"""The environment repo on GitHub (or GitHub Enterprise): requests are pull requests.

GitHub has no transaction over several things, so the order of calls is what keeps a killed or raced attempt harmless: the commit is whole
before a branch shows it, a branch has one pull request at most (GitHub sees to that), the newer request is open before the older one is
closed, and whoever comes next finishes what is unfinished. Which account merged or closed is GitHub's to say.

Run against a stand-in for the REST endpoints used here, not yet against github.com.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import github
import requests
from github.GithubException import (
    BadCredentialsException,
    GithubException,
    RateLimitExceededException,
    UnknownObjectException,
)
from github.PullRequest import PullRequest
from github.Repository import Repository

from argosy import errors
from argosy.domain import changes, promotion_requests, request_marks
from argosy.domain.changes import ChangedFile, TreeEntry
from argosy.domain.promotion_requests import Proposal, Request, State
from argosy.domain.request_marks import Marks, RequestEnding
from argosy.promotion import proposals
from argosy.promotion.standing import Main
from argosy.report.autolinks import defused
from argosy.report.markdown_text import escape

MAIN = "main"
TIMEOUT_SECONDS = 20
NOT_FOUND, CONFLICT, NOT_MERGEABLE, UNPROCESSABLE = 404, 409, 405, 422


class GithubForge:
    """Pull requests on GitHub; see :class:`argosy.ports.forge.Forge`."""

    def __init__(
        self, repository: str, token: str, *, api: str = "https://api.github.com", patience: float = 1.0
    ) -> None:
        """*repository*: ``<owner>/<name>``. *patience*: seconds between writes, as GitHub asks for."""
        client = github.Github(
            auth=github.Auth.Token(token),
            base_url=api,
            timeout=TIMEOUT_SECONDS,
            lazy=True,  # nothing is asked before somebody wants to know
            seconds_between_requests=None,
            seconds_between_writes=patience,
            retry=None,  # the step is retried as a whole, with backoff, and finds what it did
        )
        self._owner = repository.partition("/")[0]
        self._repository: Repository = client.get_repo(repository)

    def head(self) -> str:
        with _reported():
            return self._repository.get_branch(MAIN).commit.sha

    def may_propose(self) -> bool:
        """See the port. What the account may do; a fine-grained token may have been given less, which only a write shows."""
        with _reported():
            permissions = self._repository.permissions
            return bool(permissions and permissions.push)

    def read(self, path: str, at: str | None = None) -> bytes | None:
        with _reported():
            return self._content(path, at or MAIN)

    def contents(self, paths: Sequence[str], at: str) -> Mapping[str, bytes]:
        with _reported():
            return self._contents(paths, at)

    def history(self, path: str) -> list[str]:
        """See the port. GitHub names the commit that a merge brought, not the merge; the file is the same in both."""
        with _reported():
            return [commit.sha for commit in self._repository.get_commits(sha=MAIN, path=path)]

    def propose(self, proposal: Proposal) -> Request | None:
        with _reported():
            known = [*self._open(), *self._of_branches(proposal.subject)]
            decision = proposals.decide(Main.now(self), proposal, _by_number(known))
            if decision.action == "done":
                return decision.request
            opened = decision.request or self._opened(proposal, decision.branch)
            self._label(opened)
            self._close_rivals(opened)
            return self._request(self._repository.get_pull(opened.number))

    def requests(self) -> list[Request]:
        with _reported():
            pulls = self._repository.get_pulls(state="all", sort="created", direction="asc", base=MAIN)
            return _by_number([request.model_copy(update={"body": ""}) for request in self._known(pulls)])

    def request(self, number: int) -> Request:
        with _reported():
            return self._request(self._pull(number))

    def changes(self, request: Request, at: str) -> list[ChangedFile]:
        """See the port. By the trees of both commits: the lists of changes that GitHub makes end at 300 files, or at 3,000."""
        with _reported():
            onto = at if request.state is not State.MERGED else self._repository.get_pull(request.number).base.sha
            return changes.difference(self._entries(self._merge_base(onto, request)), self._entries(request.head))

    def diff(self, number: int) -> str:
        """See the port. GitHub leaves the lines of large files out."""
        with _reported():
            return "".join(_file_diff(changed) for changed in self._pull(number).get_files())

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        """See the port. Between our look at main and GitHub's merge main may move: that is found afterwards, and said.

        Protect main with a required, up-to-date check, and it cannot happen.
        """
        with _reported():
            pull = self._pull(number)
            request = self._request(pull)
            if request.state not in {State.OPEN, State.MERGED}:
                raise errors.Rejected(
                    f"request {number} is {request.state} ({request.reason or 'no reason given'}); it cannot be merged"
                )
            promotion_requests.refuse_moved(request, head)
            if request.state is State.OPEN:
                self._refuse_mixture(request, at)
                if self.head() != at:
                    raise errors.TryAgain(
                        "main of the environment repo has moved since the request was checked; try again"
                    )
                merge = self._merge(pull, head, f"Request: {number}\nMerged-by: {defused(by)}\n{note}")
                self._refuse_other_main(request, merge, at)
            return self._request(self._repository.get_pull(number))

    def close(self, number: int, *, by: str, reason: str) -> Request:
        with _reported():
            pull = self._unmerged(number)
            if pull.state == "open":
                self._end(pull, RequestEnding(state="closed", by=by, reason=reason))
            return self._request(self._repository.get_pull(number))

    def reopen(self, number: int, *, by: str) -> Request:
        with _reported():
            pull = self._unmerged(number)
            marks = self._marks(pull).model_copy(update={"ending": None})
            if pull.state != "open":
                pull.edit(state="open", body=request_marks.attach(pull.body or "", marks))
                pull.create_issue_comment(f"Taken up again by {escape(by)}.")
            reopened = self._request(self._repository.get_pull(number))
            self._close_rivals(reopened, keep=number)
            return reopened

    # What is there

    def _open(self) -> list[Request]:
        return self._known(self._repository.get_pulls(state="open", base=MAIN))

    def _of_branches(self, subject: promotion_requests.Subject) -> list[Request]:
        """The requests that this model's branches had: the first, and ``-2``, ``-3``, … for as long as there are any."""
        found: list[Request] = []
        taken: list[str] = []
        while True:
            branch = promotion_requests.branch(subject, taken)
            pulls = list(self._repository.get_pulls(state="all", head=f"{self._owner}:{branch}", base=MAIN))
            if not pulls:
                return found
            found += self._known(pulls)
            taken.append(branch)

    def _known(self, pulls: Any) -> list[Request]:
        return [self._request(pull) for pull in pulls if self._is_ours(pull) and request_marks.read(pull.body)]

    def _is_ours(self, pull: PullRequest) -> bool:
        """True where its branch is one of this repository's, named as ours are; anybody may open one from a fork, whatever it says."""
        fork = pull.head.repo is None or pull.head.repo.full_name != pull.base.repo.full_name
        return not fork and pull.head.ref.startswith(promotion_requests.PREFIXES)

    def _pull(self, number: int) -> PullRequest:
        try:
            pull = self._repository.get_pull(number)
            self._marks(pull)
        except UnknownObjectException as error:
            raise errors.UsageError(f"there is no request {number} on {self._repository.full_name}") from error
        if not self._is_ours(pull):
            raise errors.UsageError(
                f"pull request {number} is no promotion request: its branch is {pull.head.label}, and ours begin with "
                f"{' or '.join(promotion_requests.PREFIXES)} and are in this repository"
            )
        return pull

    def _marks(self, pull: PullRequest) -> Marks:
        marks = request_marks.read(pull.body)
        if marks is None:
            raise errors.UsageError(
                f"pull request {pull.number} is no promotion request, or the comment at the end of its body was deleted"
            )
        return marks

    def _unmerged(self, number: int) -> PullRequest:
        pull = self._pull(number)
        if pull.merged_at:
            raise errors.Rejected(f"request {number} is merged; a revert of its commit undoes it")
        return pull

    def _request(self, pull: PullRequest) -> Request:
        marks = self._marks(pull)
        ending = marks.ending if pull.state == "closed" and not pull.merged_at else None
        ended_at = pull.merged_at or pull.closed_at
        return Request(
            number=pull.number,
            subject=marks.subject,
            branch=pull.head.ref,
            title=pull.title,
            body=f"{request_marks.strip(pull.body or '')}\n",
            head=pull.head.sha,
            state=_state(pull, ending),
            url=pull.html_url,
            author=marks.author,
            opened_at=pull.created_at.isoformat(timespec="seconds"),
            ended_by=self._ended_by(pull, ending),
            ended_at=ended_at.isoformat(timespec="seconds") if ended_at else None,
            reason=ending.reason if ending else None,
            superseded_by=ending.superseded_by if ending else None,
            labels=[label.name for label in pull.labels],
        )

    def _ended_by(self, pull: PullRequest, ending: RequestEnding | None) -> str | None:
        if pull.state == "open":
            return None
        account = pull.merged_by if pull.merged_at else None
        return account.login if account else ending.by if ending else "somebody on GitHub"

    # What is written

    def _opened(self, proposal: Proposal, branch: str) -> Request:
        self._show(branch, self._commit(proposal))
        marks = Marks(subject=proposal.subject, author=proposal.author)
        body = request_marks.attach(proposal.body, marks)
        try:
            pull = self._repository.create_pull(base=MAIN, head=branch, title=proposal.title, body=body)
        except GithubException as error:
            if error.status != UNPROCESSABLE:
                raise
            # Somebody else opened it between our look and now: one branch has one open pull request.
            theirs = next(
                iter(self._repository.get_pulls(state="open", head=f"{self._owner}:{branch}", base=MAIN)), None
            )
            if theirs is None:
                raise
            pull = theirs
        return self._request(pull)

    def _label(self, opened: Request) -> None:
        wanted = promotion_requests.labels(opened.subject)
        if not set(wanted) <= set(opened.labels):
            self._repository.get_pull(opened.number).add_to_labels(*wanted)

    def _commit(self, proposal: Proposal) -> str:
        """One commit on main with all files of the proposal, and without what another candidate left in their place."""
        main = self._repository.get_branch(MAIN).commit.sha
        gone = [
            path
            for path in self._listing(promotion_requests.places(proposal.subject), main)
            if path not in proposal.files
        ]
        elements = [github.InputGitTreeElement(path, "100644", "blob", sha=None) for path in gone]
        elements += [self._element(path, content) for path, content in sorted(proposal.files.items())]
        base = self._repository.get_git_commit(main)
        tree = self._repository.create_git_tree(elements, base_tree=base.tree)
        return self._repository.create_git_commit(f"{proposal.title}\n", tree, [base]).sha

    def _element(self, path: str, content: bytes) -> github.InputGitTreeElement:
        blob = self._repository.create_git_blob(_base64(content), "base64")
        return github.InputGitTreeElement(path, "100644", "blob", sha=blob.sha)

    def _show(self, branch: str, commit: str) -> None:
        """Point *branch* at *commit*. It may be there without a pull request, from an attempt that was cut off: nobody reviewed it."""
        try:
            self._repository.create_git_ref(f"refs/heads/{branch}", commit)
        except GithubException as error:
            if error.status != UNPROCESSABLE:
                raise
            if not list(self._repository.get_pulls(state="all", head=f"{self._owner}:{branch}", base=MAIN)):
                ref = self._repository.get_git_ref(f"heads/{branch}")
                if (
                    ref.object.sha != commit
                ):  # asked for, also because an unread ref is edited at an address that GitHub does not have
                    ref.edit(commit, force=True)

    def _close_rivals(self, opened: Request, keep: int | None = None) -> None:
        """Leave one request open in the place of *opened*: *keep*, or the newest; whoever else looks decides the same."""
        rivals = [one for one in self._open() if promotion_requests.same_place(one, opened)]
        winner = keep or max((one.number for one in rivals), default=opened.number)
        for rival in rivals:
            if rival.number != winner:
                ending = RequestEnding(
                    state="superseded", by=opened.author, reason=f"superseded by request {winner}", superseded_by=winner
                )
                self._end(self._repository.get_pull(rival.number), ending)

    def _end(self, pull: PullRequest, ending: RequestEnding) -> None:
        marks = self._marks(pull).model_copy(update={"ending": ending})
        pull.edit(state="closed", body=request_marks.attach(pull.body or "", marks))
        link = (
            f"Superseded by #{ending.superseded_by}."
            if ending.superseded_by
            else f"Closed by {escape(ending.by)}: {escape(ending.reason or 'no reason given')}"
        )
        pull.create_issue_comment(link)

    def _refuse_mixture(self, request: Request, at: str) -> None:
        """Refuse what GitHub would merge line by line with what main has in the same place by now."""
        base = self._entries(self._merge_base(at, request))
        ours = changes.difference(base, self._entries(request.head))
        if theirs := changes.overlap(ours, changes.difference(base, self._entries(at))):
            raise errors.Rejected(
                f"main has changed {', '.join(theirs)} since request {request.number} left it, and GitHub would mix the two; "
                "merge main into its branch, or close it and run the pipeline again"
            )

    def _merge(self, pull: PullRequest, head: str, message: str) -> str:
        try:
            title = defused(pull.title)
            return pull.merge(commit_title=title, commit_message=message, merge_method="merge", sha=head).sha
        except GithubException as error:
            if error.status not in {NOT_MERGEABLE, CONFLICT}:
                raise
            raise errors.TryAgain(
                f"GitHub does not merge request {pull.number}: {_said(error)}; where it conflicts, run the pipeline again"
            ) from error

    def _refuse_other_main(self, request: Request, merge: str, at: str) -> None:
        """Say where GitHub merged onto another main than the one that was checked."""
        parents = [parent.sha for parent in self._repository.get_git_commit(merge).parents]
        if parents != [at, request.head]:
            raise errors.Rejected(
                f"request {request.number} is merged as {merge[:12]}, but main had moved on from {at[:12]}, which was checked: look at "
                f"`argosy pr view {request.number}` and main, and revert that commit if main said otherwise by then"
            )

    # Files

    def _content(self, path: str, ref: str) -> bytes | None:
        entry = self._entry(path, ref)
        return None if entry is None or isinstance(entry, list) else self._blob(entry.sha)

    def _entry(self, path: str, ref: str) -> Any:
        try:
            return self._repository.get_contents(path, ref=ref)
        except UnknownObjectException:
            return None

    def _merge_base(self, onto: str, request: Request) -> str:
        try:
            return self._repository.compare(onto, request.head).merge_base_commit.sha
        except GithubException as error:
            if error.status != NOT_FOUND:  # PyGithub has a class for it, but only where GitHub gives no reason
                raise
            raise errors.Rejected(
                f"the commit of request {request.number} has no history in common with main: {_said(error)}"
            ) from error

    def _entries(self, commit: str) -> dict[str, TreeEntry]:
        """Path to entry of every file of *commit*."""
        tree = self._repository.get_git_tree(self._repository.get_git_commit(commit).tree.sha, recursive=True)
        if tree.truncated:
            raise errors.Misconfigured(
                f"GitHub lists the files of commit {commit[:12]} in part only, as it does beyond 100,000 files or 7 MB: what a request "
                "changes cannot be known, so nothing is merged. Divide the environment repo"
            )
        return {one.path: TreeEntry(one.mode, one.sha) for one in tree.tree if one.type != "tree"}

    def _contents(self, paths: Sequence[str], ref: str) -> dict[str, bytes]:
        return {path: self._blob(sha) for path, sha in self._listing(paths, ref).items()}

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

    def _blob(self, sha: str) -> bytes:
        # The blob, not the content: GitHub leaves the content of files over 1 MB out.
        return base64.b64decode(self._repository.get_git_blob(sha).content)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _by_number(found: list[Request]) -> list[Request]:
    return [request for _, request in sorted({request.number: request for request in found}.items())]


def _state(pull: PullRequest, ending: RequestEnding | None) -> State:
    if pull.merged_at:
        return State.MERGED
    if pull.state == "open":
        return State.OPEN
    return State(ending.state) if ending else State.CLOSED


def _file_diff(changed: Any) -> str:
    before, after = _name(changed.previous_filename or changed.filename), _name(changed.filename)
    header = f"diff --git a/{before} b/{after}\n"
    names = f"--- a/{after}\n+++ b/{after}\n" if changed.patch else ""
    return f"{header}{names}{changed.patch or f'({changed.changes} lines changed; GitHub shows no more)'}\n"


def _name(path: str) -> str:
    """*path* in one line: one with line breaks would read as the diff of another file."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _said(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = "; ".join(
        str(entry.get("message", entry)) if isinstance(entry, dict) else str(entry) for entry in data.get("errors", [])
    )
    return f"{data.get('message', error)}{f' ({details})' if details else ''} [{error.status}]"


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """Turn what GitHub and the network say into what Argosy says. Nothing of the token is in it."""
    try:
        yield
    except RateLimitExceededException as error:
        raise errors.TryAgain(f"GitHub's rate limit is reached: {_said(error)}") from error
    except BadCredentialsException as error:
        raise errors.Misconfigured("GitHub refuses ARGOSY_FORGE_TOKEN: it is wrong, expired or revoked") from error
    except GithubException as error:
        if error.status >= 500:
            raise errors.TryAgain(f"GitHub fails: {_said(error)}") from error
        raise errors.Misconfigured(
            f"GitHub refuses: {_said(error)}. The token needs contents and pull requests, read and write, on the environment repo"
        ) from error
    except requests.RequestException as error:
        raise errors.TryAgain(f"GitHub cannot be reached: {type(error).__name__}") from error
