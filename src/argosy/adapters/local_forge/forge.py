"""The environment repo on this machine: requests with the rules of promotion, no account, no server.

Anybody may also clone the repository, push to main, or merge a branch by hand: main is always right, the requests follow it.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from argosy import errors
from argosy.adapters.local_forge import ledger as ledgers
from argosy.domain import changes, environment_layout, promotion_requests
from argosy.domain.auto_merge import ReviewStanding
from argosy.domain.changes import ChangedFile
from argosy.domain.promotion_requests import Proposal, Request, State
from argosy.files.git_repository import NOTHING, Person, Repository
from argosy.ports.forge import Keys
from argosy.promotion import proposals, subjects
from argosy.promotion.standing import Main
from argosy.report.autolinks import defused

MAIN = "refs/heads/main"
ATTEMPTS = 20
"""Writers on this machine take turns; only a person's push can move a ref under us, and nobody pushes twenty times in a row."""


class LocalForge:
    """A bare git repository with its requests in a ref; see :class:`argosy.ports.forge.Forge`."""

    keys: Keys = ()

    def __init__(
        self, path: Path, template: Mapping[str, bytes], check: Callable[[Mapping[str, bytes]], None] = lambda _: None
    ) -> None:
        """The repository at *path*; made from *template* (path to content) where there is none.

        A model of the template that main has never heard of is added; about every other main alone decides. *check* raises where files
        that are about to be copied must not be.
        """
        self._repository = Repository(path)
        self._check = check
        if not self._repository.path.exists():
            check(template)
        self._repository.create(template, "Start the environment repo\n", Person("argosy"))
        self._add_models(template)

    def head(self) -> str:
        commit = self._repository.resolve(MAIN)
        if commit is None:
            raise errors.Misconfigured(f"the environment repo at {self._repository.path} has no branch main")
        return commit

    def may_propose(self) -> bool:
        return os.access(self._repository.path, os.W_OK)

    def read(self, path: str, at: str | None = None) -> bytes | None:
        return self._repository.files(at or self.head(), path).get(path)

    def contents(self, paths: Sequence[str], at: str) -> Mapping[str, bytes]:
        return self._repository.files(at, *paths)

    def history(self, path: str) -> list[str]:
        return self._repository.git("rev-list", "--first-parent", self.head(), "--", path).decode().split()

    def propose(self, proposal: Proposal) -> Request | None:
        by = Person(proposal.author)
        with self._repository.exclusive():
            for _ in range(ATTEMPTS):
                main = self.head()
                ledger = ledgers.read(self._repository, main)
                decision = proposals.decide(Main(self, main), proposal, ledger.requests)
                if decision.action != "open":
                    return self._existing(decision)
                opened = self._opened(proposal, decision, main, ledger.next_number)
                if ledger.record(
                    [*_superseded(decision.supersede, opened), opened], f"Open {opened.number}: {opened.title}\n", by
                ):
                    self._show_branch(opened)
                    return opened
        raise errors.TryAgain("the environment repo keeps changing under us; try again in a moment")

    def requests(self) -> list[Request]:
        return list(ledgers.read(self._repository, self.head()).requests)

    def request(self, number: int) -> Request:
        ledger, found = self._find(number)
        return found.model_copy(update={"body": ledger.body(number)})

    def changes(self, request: Request, at: str) -> list[ChangedFile]:
        onto = at if request.state is not State.MERGED else f"{self._merge_of(request)}^1"
        base = self._repository.merge_base(onto, request.head)
        if base is None:
            raise errors.Rejected(f"the commit of request {request.number} has no history in common with main")
        return changes.difference(self._repository.entries(base), self._repository.entries(request.head))

    def diff(self, number: int) -> str:
        found = self._find(number)[1]
        main = self.head()
        if found.state is State.MERGED:
            merge = self._merge_of(found)
            before, after = f"{merge}^1", merge
        elif subjects.is_genuine(Main(self, main), found):
            before, after = main, self._repository.tree(main, self._changes(found, main))
        else:  # no merge of ours takes it, and people should see all of it
            before, after = self._repository.merge_base(main, found.head) or main, found.head
        return self._repository.git("diff-tree", "-r", "-p", before, after).decode(errors="replace")

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        with self._repository.exclusive():
            found = self._find(number)[1]
            if found.state in {State.OPEN, State.MERGED}:
                promotion_requests.refuse_moved(found, head)
            if found.state is State.OPEN:
                subjects.refuse_mislabelled(Main(self, at), found)
                message = f"{found.title}\n\nRequest: {number}\nMerged-by: {defused(by)}\n{note}".rstrip() + "\n"
                commit = self._repository.commit(at, self._changes(found, at), message, Person(by), also=[found.head])
                if not self._repository.move(MAIN, commit, at):
                    raise errors.TryAgain(
                        "main of the environment repo has moved since the request was checked; try again"
                    )
            elif found.state is not State.MERGED:
                raise errors.Rejected(f"request {number} is {found.state}{_why(found)}; it cannot be merged")
            return self._settle(number, f"Merge {number}\n", Person(by))

    def approval(self, request: Request) -> ReviewStanding:  # noqa: ARG002 - nobody has an account here to review with
        return ReviewStanding(
            "not asked", "a repository on this machine has no reviews; merge it yourself, or waive them"
        )

    def merge_later(self, request: Request, *, by: str, note: str = "") -> str | None:  # noqa: ARG002
        return "a repository on this machine merges nothing by itself"

    def merge_no_later(self, request: Request) -> None:
        """See the port. Nothing is left to a repository."""

    def report(self, request: Request, *, passed: bool, text: str) -> None:
        """See the port. People of this machine ask `argosy pr view`, which checks anew."""

    def tell(self, request: Request, text: str, *, key: str) -> None:
        """See the port. Nobody follows a request of this machine."""

    def close(self, number: int, *, by: str, reason: str) -> Request:
        update = {"state": State.CLOSED, "ended_by": by, "ended_at": ledgers.now(), "reason": reason}
        return self._change(number, {State.OPEN}, update, Person(by))

    def reopen(self, number: int, *, by: str) -> Request:
        update = {"state": State.OPEN, "ended_by": None, "ended_at": None, "reason": None, "superseded_by": None}
        return self._change(number, {State.CLOSED, State.SUPERSEDED}, update, Person(by))

    def _change(self, number: int, expected: set[State], update: Mapping[str, object], by: Person) -> Request:
        with self._repository.exclusive():
            for _ in range(ATTEMPTS):
                ledger, found = self._find(number)
                if found.state is State.MERGED:
                    raise errors.Rejected(
                        f"request {number} is merged; a revert of its commit in the environment repo undoes it"
                    )
                if found.state not in expected:
                    return found
                changed = found.model_copy(update=update)
                others = _superseded(ledger.rivals(changed), changed) if changed.state is State.OPEN else []
                if ledger.record([*others, changed], f"{changed.state.capitalize()} {number}\n", by):
                    return changed
        raise errors.TryAgain("the environment repo keeps changing under us; try again in a moment")

    def _find(self, number: int) -> tuple[ledgers.Ledger, Request]:
        ledger = ledgers.read(self._repository, self.head())
        found = ledger.find(number)
        if found is None:
            known = ", ".join(str(request.number) for request in ledger.requests[-10:]) or "none yet"
            raise errors.UsageError(f"there is no request {number}; requests: {known}")
        return ledger, found

    def _add_models(self, template: Mapping[str, bytes]) -> None:
        main = self.head()
        files = _files_by_model(template)
        known = set(self._repository.listing(main, "policies/")) if files else set()
        unknown = [
            model
            for model in files
            if environment_layout.policy_path(model) not in known and not self._had(model, main)
        ]
        if not unknown:
            return
        added = {path: content for model in unknown for path, content in files[model].items()}
        self._check(added)
        commit = self._repository.commit(main, added, f"Add {', '.join(unknown)}\n", Person("argosy"))
        self._repository.move(MAIN, commit, main)  # where somebody was faster, the next start adds what is missing then

    def _had(self, model: str, main: str) -> bool:
        """True where main ever had a policy for *model*: what was retired stays retired."""
        return bool(
            self._repository.git("rev-list", "--max-count=1", main, "--", environment_layout.policy_path(model)).strip()
        )

    def _merge_of(self, request: Request) -> str:
        return ledgers.merge_of(self._repository, request, self.head())[0]

    def _existing(self, decision: promotion_requests.Decision) -> Request | None:
        if decision.action == "adopt" and decision.request:
            self._show_branch(decision.request)
        return decision.request

    def _opened(self, proposal: Proposal, decision: promotion_requests.Decision, main: str, number: int) -> Request:
        changes = self._replacing(proposal.subject, proposal.files, main)
        # The number makes every request's commit another: the same proposal twice in a second must not be one commit, merged once for both.
        message = f"{proposal.title}\n\nRequest: {number}\n"
        head = self._repository.commit(main, changes, message, Person(proposal.author))
        return Request(
            number=number,
            subject=proposal.subject,
            branch=decision.branch,
            title=proposal.title,
            body=proposal.body,
            head=head,
            url=f"{self._repository.path}#{number}",
            author=proposal.author,
            opened_at=ledgers.now(),
            labels=promotion_requests.labels(proposal.subject),
        )

    def _changes(self, request: Request, main: str) -> dict[str, bytes | None]:
        files = self._repository.files(request.head, *promotion_requests.places(request.subject))
        return self._replacing(request.subject, files, main)

    def _replacing(
        self, subject: promotion_requests.Subject, files: Mapping[str, bytes], main: str
    ) -> dict[str, bytes | None]:
        """*files*, and the removal of what main has in their place: a candidate never keeps another's evidence."""
        gone = dict.fromkeys(self._repository.listing(main, *promotion_requests.places(subject)))
        return {**gone, **files}

    def _show_branch(self, request: Request) -> None:
        """Let people see the proposed commit as a branch; made again where a process died before it."""
        ref = f"refs/heads/{request.branch}"
        if self._repository.resolve(ref) is None:
            self._repository.move(ref, request.head, NOTHING)

    def _settle(self, number: int, message: str, by: Person) -> Request:
        """Write down what main says about the request by now."""
        ledger, found = self._find(number)
        ledger.record([found], message, by)  # lost to a race or a kill, the next reader still sees it as main says
        return found


def _files_by_model(template: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Of each model that *template* has a policy for: the policy and its folder."""
    names = [path[len("policies/") : -len(".yaml")] for path in template if environment_layout.is_policy(path)]
    return {
        name: {
            path: content
            for path, content in template.items()
            if path in (environment_layout.policy_path(name), environment_layout.overrides_path(name))
            or path.startswith(f"models/{name}/")
        }
        for name in names
    }


def _superseded(requests: Iterable[Request], by: Request) -> list[Request]:
    at = ledgers.now()
    return [promotion_requests.superseded(request, by, at) for request in requests]


def _why(request: Request) -> str:
    return f" ({request.reason})" if request.reason else ""
