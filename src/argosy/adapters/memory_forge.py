"""An environment repo in memory, for tests: the same promises, nothing kept."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from argosy import errors
from argosy.domain import changes, promotion_requests
from argosy.domain.auto_merge import ReviewStanding
from argosy.domain.changes import ChangedFile, TreeEntry
from argosy.domain.documents import sha256
from argosy.domain.promotion_requests import Proposal, Request, State, Subject
from argosy.promotion import proposals, subjects
from argosy.promotion.standing import Main

TIME = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Proposed:
    """A commit that was proposed: the commit of main it left, all its files, and the modes of those that are no plain ones."""

    base: str
    files: Mapping[str, bytes]
    modes: Mapping[str, str] = field(default_factory=dict)


class MemoryForge:
    """The fake forge of tests; see :class:`argosy.ports.forge.Forge`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """*files*: what main starts with."""
        self._commits: list[dict[str, bytes]] = [dict(files)]
        self._requests: dict[int, Request] = {}
        self._proposed: dict[str, Proposed] = {}
        self._merged_at: dict[int, int] = {}
        self.approvals: dict[str, ReviewStanding] = {}
        """Of commits that were reviewed."""
        self.rules: list[str] = []
        """What its rules of main wait for, before they let anything in."""
        self.later: set[int] = set()
        """The requests whose merge is left to it."""
        self.log: list[str] = []
        """Every effect, in order."""

    def push(self, changes: Mapping[str, bytes | None]) -> None:
        """Commit *changes* (None: remove) to main, as a person would."""
        files = {**self._commits[-1], **changes}
        self._commits.append({path: content for path, content in files.items() if content is not None})

    def head(self) -> str:
        return str(len(self._commits) - 1)

    def may_propose(self) -> bool:
        return True

    def offer(self, claimed: Request, proposed: Proposed) -> None:
        """Have a request that says *claimed* of itself and whose commit is *proposed*, as somebody makes it by hand."""
        self._requests[claimed.number] = claimed
        self._proposed[claimed.head] = proposed

    def proposed(self, head: str) -> Proposed:
        """The commit *head*, which was proposed."""
        return self._proposed[head]

    def read(self, path: str, at: str | None = None) -> bytes | None:
        return self._files(at or self.head()).get(path)

    def contents(self, paths: Sequence[str], at: str) -> Mapping[str, bytes]:
        return {path: content for path, content in self._files(at).items() if _within(path, paths)}

    def _files(self, at: str) -> Mapping[str, bytes]:
        return self._proposed[at].files if at in self._proposed else self._commits[int(at)]

    def history(self, path: str) -> list[str]:
        before: dict[str, bytes] = {}
        changed = []
        for number, files in enumerate(self._commits):
            if files.get(path) != before.get(path):
                changed.append(str(number))
            before = files
        return changed[::-1]

    def propose(self, proposal: Proposal) -> Request | None:
        decision = proposals.decide(Main.now(self), proposal, self.requests())
        if decision.action != "open":
            return decision.request
        number = len(self._requests) + 1
        opened = Request(
            number=number,
            subject=proposal.subject,
            branch=decision.branch,
            title=proposal.title,
            body=proposal.body,
            head=f"proposed-{number}",
            url=f"memory#{number}",
            author=proposal.author,
            opened_at=TIME,
            labels=promotion_requests.labels(proposal.subject),
        )
        main = self.head()
        self.offer(opened, Proposed(main, self._replaced(proposal.subject, proposal.files, self._files(main))))
        self._supersede(decision.supersede, opened)
        self.log.append(f"opened {number}")
        return opened

    def requests(self) -> list[Request]:
        return [request.model_copy(update={"body": ""}) for request in self._requests.values()]

    def request(self, number: int) -> Request:
        if number not in self._requests:
            raise errors.UsageError(f"there is no request {number}")
        return self._requests[number]

    def changes(self, request: Request, at: str) -> list[ChangedFile]:  # noqa: ARG002 - a commit knows where it left main
        proposed = self._proposed[request.head]
        return changes.difference(_entries(self._files(proposed.base), {}), _entries(proposed.files, proposed.modes))

    def diff(self, number: int) -> str:
        request = self.request(number)
        merged = self._merged_at.get(number)
        before: Mapping[str, bytes] = self._commits[-1] if merged is None else self._commits[merged - 1]
        after: Mapping[str, bytes] = self._applied(request, before) if merged is None else self._commits[merged]
        if merged is None and not subjects.is_genuine(Main.now(self), request):
            proposed = self._proposed[request.head]
            before, after = self._files(proposed.base), proposed.files
        modes = self._proposed[request.head].modes if merged is None else {}
        return "".join(
            _file_diff(path, before.get(path), after.get(path), modes.get(path)) for path in sorted({*before, *after})
        )

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        request = self.request(number)
        if request.state in {State.OPEN, State.MERGED}:
            promotion_requests.refuse_moved(request, head)
        if request.state is State.MERGED:
            return request
        if request.state is not State.OPEN:
            raise errors.Rejected(f"request {number} is {request.state}; it cannot be merged")
        if at != self.head():
            raise errors.TryAgain("main has moved")
        if self.rules:
            raise errors.Rejected(f"main's rules want {', '.join(self.rules)}")
        subjects.refuse_mislabelled(Main.now(self), request)
        self._commits.append(self._applied(request, self._commits[-1]))
        self._merged_at[number] = len(self._commits) - 1
        self.log.append(f"merged {number} by {by}\n{note}")
        return self._update(number, state=State.MERGED, ended_by=by, ended_at=TIME)

    def approval(self, request: Request) -> ReviewStanding:
        return self.approvals.get(request.head, ReviewStanding("missing", "no owner has approved it yet"))

    def merge_later(self, request: Request, *, by: str, note: str = "") -> str | None:
        self.later.add(request.number)
        self.log.append(f"later {request.number} by {by}\n{note}")
        return None

    def merge_no_later(self, request: Request) -> None:
        self.later.discard(request.number)

    def report(self, request: Request, *, passed: bool, text: str) -> None:
        self.log.append(f"report {request.number} {'green' if passed else 'red'}: {text}")

    def tell(self, request: Request, text: str, *, key: str) -> None:
        if (said := f"tell {request.number} {key}: {text}") not in self.log:
            self.log.append(said)

    def close(self, number: int, *, by: str, reason: str) -> Request:
        request = self._unmerged(number)
        if request.state is not State.OPEN:
            return request
        return self._update(number, state=State.CLOSED, ended_by=by, ended_at=TIME, reason=reason)

    def reopen(self, number: int, *, by: str) -> Request:
        request = self._unmerged(number)
        rivals = [
            one
            for one in self._requests.values()
            if one.state is State.OPEN and promotion_requests.same_place(one, request)
        ]
        if request in rivals:
            return request
        self._supersede(rivals, request)
        self.log.append(f"reopened {number} by {by}")
        return self._update(number, state=State.OPEN, ended_by=None, ended_at=None, reason=None, superseded_by=None)

    def _supersede(self, requests: list[Request] | tuple[Request, ...], by: Request) -> None:
        for request in requests:
            self._requests[request.number] = promotion_requests.superseded(self._requests[request.number], by, TIME)

    def _update(self, number: int, **changes: object) -> Request:
        self._requests[number] = self._requests[number].model_copy(update=changes)
        return self._requests[number]

    def _unmerged(self, number: int) -> Request:
        request = self.request(number)
        if request.state is State.MERGED:
            raise errors.Rejected(f"request {number} is merged")
        return request

    def _applied(self, request: Request, main: Mapping[str, bytes]) -> dict[str, bytes]:
        proposed = self.contents(promotion_requests.places(request.subject), request.head)
        return self._replaced(request.subject, proposed, main)

    def _replaced(self, subject: Subject, files: Mapping[str, bytes], main: Mapping[str, bytes]) -> dict[str, bytes]:
        places = promotion_requests.places(subject)
        return {**{path: content for path, content in main.items() if not _within(path, places)}, **files}


def _entries(files: Mapping[str, bytes], modes: Mapping[str, str]) -> dict[str, TreeEntry]:
    return {path: TreeEntry(modes.get(path, changes.PLAIN_FILE), sha256(content)) for path, content in files.items()}


def _within(path: str, places: Sequence[str]) -> bool:
    return any(place in {"", path} or path.startswith(f"{place}/") for place in places)


def _file_diff(path: str, before: bytes | None, after: bytes | None, mode: str | None) -> str:
    if before == after:
        return ""
    path = path if path.isprintable() else ascii(path)[1:-1]
    old, new = ((content or b"").decode(errors="replace").splitlines(keepends=True) for content in (before, after))
    said = f"new file mode {mode}\n" if mode and before is None else f"new mode {mode}\n" if mode else ""
    return f"diff --git a/{path} b/{path}\n{said}" + "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))
