"""The environment repo on a server, whichever it is: the rules of requests over its pull requests.

No server has a transaction over several things, so the order of calls is what keeps a killed or raced attempt harmless: the commit is
whole before a branch shows it, a branch has one open pull request at most (the server sees to that), the newer request is open before the
older one is closed, and whoever comes next finishes what is unfinished. Which account merged or closed is the server's to say.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from argosy import errors
from argosy.adapters.hosted_forge.host import MAIN, Host, Pull
from argosy.domain import changes, code_owners, environment_layout, promotion_requests, request_marks
from argosy.domain.auto_merge import ReviewStanding
from argosy.domain.changes import ChangedFile
from argosy.domain.promotion_requests import Proposal, Request, State
from argosy.domain.request_marks import Marks, RequestEnding
from argosy.promotion import proposals
from argosy.promotion.standing import Main
from argosy.report import pictures
from argosy.report.autolinks import defused
from argosy.report.markdown_text import escape

STATUS = "argosy"
"""The name of the status that a rule of main may require."""
GUARDS = (STATUS, "checks")
"""Statuses by which a rule of main has each commit checked: ours, and that of the environment repo's workflow."""
CHECKED = "Checked-main: "
"""Begins the line of a merge's message that names the main that the request was checked against."""
CHECKED_MAIN = re.compile(rf"^{CHECKED}([0-9a-f]{{40,64}})$", re.MULTILINE)
SIGN = "<!-- argosy: what it has to say -->"
"""The end of the one comment that Argosy keeps to itself, and writes anew."""


class HostedForge:
    """Pull requests on a server; see :class:`argosy.ports.forge.Forge`."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def head(self) -> str:
        return self._host.main()

    def may_propose(self) -> bool:
        """See the port. What the account may do; a token may have been given less, which only a write shows."""
        return self._host.may_push()

    def read(self, path: str, at: str | None = None) -> bytes | None:
        return self._host.read(path, at or MAIN)

    def contents(self, paths: Sequence[str], at: str) -> Mapping[str, bytes]:
        return self._host.contents(paths, at)

    def history(self, path: str) -> list[str]:
        """See the port. Servers name the commit that a merge brought, not the merge; the file is the same in both."""
        return self._host.history(path)

    def propose(self, proposal: Proposal) -> Request | None:
        known = [*self._known(self._host.pulls(open_only=True)), *self._of_branches(proposal.subject)]
        decision = proposals.decide(Main.now(self), proposal, _by_number(known))
        if decision.action == "done":
            return decision.request
        opened = decision.request or self._opened(proposal, decision.branch)
        if pictures.LINK.search(opened.body):
            self._show_pictures(opened.number)
        self._complete(opened)
        self._close_rivals(opened)
        return self._now(opened.number)

    def requests(self) -> list[Request]:
        return _by_number([request.model_copy(update={"body": ""}) for request in self._known(self._host.pulls())])

    def request(self, number: int) -> Request:
        return self._request(self._pull(number))

    def changes(self, request: Request, at: str) -> list[ChangedFile]:
        """See the port. By the trees of both commits: the lists of changes that servers make have an end."""
        onto = at if request.state is not State.MERGED else self._pull(request.number).base
        return changes.difference(self._host.entries(self._merge_base(onto, request)), self._host.entries(request.head))

    def diff(self, number: int) -> str:
        return self._host.diff(self._pull(number).number)

    def merge(self, number: int, *, head: str, by: str, at: str, note: str = "") -> Request:
        """See the port. Between our look at main and the server's merge main may move: that is found afterwards, and said.

        Protect main with a required, up-to-date check, and it cannot happen.
        """
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
                raise errors.TryAgain("main of the environment repo has moved since the request was checked; try again")
            message = f"{_message(number, by, note).rstrip()}\n{CHECKED}{at}\n"
            merge = self._host.merge(pull, head=head, title=defused(pull.title), message=message)
            self._refuse_other_main(request, merge, at)
        else:
            self._refuse_lost(request, pull.merge)
        return self._now(number)

    def approval(self, request: Request) -> ReviewStanding:
        """See the port. An owner must have approved, also where the server lets anybody's approval do."""
        owners = self._owners(request.subject)
        reviews = self._host.reviews(self._pull(request.number), [one for one in owners if "/" in one])
        if reviews.state == "refused":
            return ReviewStanding("refused", "a reviewer wants changes")
        if reviews.state == "not asked":
            return ReviewStanding(
                "not asked", f"no rule of main on {self._host.name} wants a review; protect main, or waive reviews"
            )
        approved = {*reviews.people, *reviews.teams}
        if reviews.state == "missing" or (owners and not approved & set(owners)):
            whom = f" by one of {', '.join(owners)}" if owners else ""
            return ReviewStanding("missing", f"commit {request.head[:12]} waits for a review{whom}")
        return ReviewStanding("given", f"approved by {', '.join(sorted(approved)) or 'those whom main asks'}")

    def merge_later(self, request: Request, *, by: str, note: str = "") -> str | None:
        pull = self._pull(request.number)
        promotion_requests.refuse_moved(self._request(pull), request.head)
        return self._host.merge_later(
            pull,
            head=request.head,
            title=defused(pull.title),
            message=_message(request.number, by, note),
            guards=GUARDS,
        )

    def merge_no_later(self, request: Request) -> None:
        self._host.merge_no_later(self._pull(request.number))

    def report(self, request: Request, *, passed: bool, text: str) -> None:
        self._say(request.number, text)
        said = "all checks passed" if passed else "checks are red: see the comment"
        self._host.mark(request.head, STATUS, "success" if passed else "failure", said, request.url)

    def tell(self, request: Request, text: str, *, key: str) -> None:
        sign = f"<!-- argosy: told {key} -->"
        if not any(sign in one.text for one in self._host.comments(request.number)):
            self._host.comment(request.number, f"{text}\n\n{sign}")

    def close(self, number: int, *, by: str, reason: str) -> Request:
        pull = self._unmerged(number)
        if pull.is_open:
            self._end(pull, RequestEnding(state="closed", by=by, reason=reason))
        return self._now(number)

    def reopen(self, number: int, *, by: str) -> Request:
        pull = self._unmerged(number)
        if not pull.is_open:
            marks = _marks(pull).model_copy(update={"ending": None})
            self._host.edit(number, body=request_marks.attach(pull.body, marks), is_open=True)
            self._host.comment(number, f"Taken up again by {escape(by)}.")
        reopened = self._now(number)
        self._close_rivals(reopened, keep=number)
        return reopened

    # What is there

    def _of_branches(self, subject: promotion_requests.Subject) -> list[Request]:
        """The requests that this model's branches had: the first, and ``-2``, ``-3``, … for as long as there are any."""
        found: list[Request] = []
        taken: list[str] = []
        while True:
            branch = promotion_requests.branch(subject, taken)
            pulls = self._host.pulls(branch=branch)
            if not pulls:
                return found
            found += self._known(pulls)
            taken.append(branch)

    def _known(self, pulls: Iterable[Pull]) -> list[Request]:
        return [self._request(pull) for pull in pulls if _is_ours(pull) and request_marks.read(pull.body)]

    def _pull(self, number: int) -> Pull:
        pull = self._host.pull(number)
        if pull is None:
            raise errors.UsageError(f"there is no request {number}; `argosy pr list --all` shows those that are there")
        _marks(pull)
        if not _is_ours(pull):
            raise errors.UsageError(
                f"pull request {number} is no promotion request: its branch is {pull.label}, and ours begin with "
                f"{' or '.join(promotion_requests.PREFIXES)} and are in this repository"
            )
        return pull

    def _unmerged(self, number: int) -> Pull:
        pull = self._pull(number)
        if pull.is_merged:
            raise errors.Rejected(f"request {number} is merged; a revert of its commit undoes it")
        return pull

    def _now(self, number: int) -> Request:
        return self._request(self._pull(number))

    def _request(self, pull: Pull) -> Request:
        marks = _marks(pull)
        ending = marks.ending if not (pull.is_open or pull.is_merged) else None
        return Request(
            number=pull.number,
            subject=marks.subject,
            branch=pull.branch,
            title=pull.title,
            body=f"{self._text(pull)}\n",
            head=pull.head,
            state=_state(pull, ending),
            url=pull.url,
            author=marks.author,
            opened_at=pull.opened_at,
            ended_by=self._ended_by(pull, ending),
            ended_at=pull.ended_at,
            reason=ending.reason if ending else None,
            superseded_by=ending.superseded_by if ending else None,
            labels=list(pull.labels),
        )

    def _ended_by(self, pull: Pull, ending: RequestEnding | None) -> str | None:
        if pull.is_open or pull.is_merged:
            return pull.merged_by
        return ending.by if ending else f"somebody on {self._host.name}"

    # What is written

    def _opened(self, proposal: Proposal, branch: str) -> Request:
        self._host.offer(branch, f"{proposal.title}\n", self._replacing(proposal))
        marks = Marks(subject=proposal.subject, author=proposal.author)
        return self._request(self._host.open(branch, proposal.title, request_marks.attach(proposal.body, marks)))

    def _show_pictures(self, number: int) -> None:
        """Give pictures in the text the address that they have at the commit proposed, which nobody knows before the branch is there."""
        pull = self._pull(number)
        text = pull.body.replace("\r\n", "\n")
        shown = pictures.located(text, f"{self._commits(pull)}/{pull.head}/{_evidence_folder(pull)}")
        if pull.is_open and shown != text:
            self._host.edit(number, body=shown, is_open=True)

    def _text(self, pull: Pull) -> str:
        """The text of *pull* as it was given, without what only this server needs."""
        return pictures.unlocated(request_marks.strip(pull.body), self._commits(pull), _evidence_folder(pull))

    def _commits(self, pull: Pull) -> str:
        """The address below which the server has the files of each commit of the repository of *pull*."""
        return f"{pull.url.rsplit('/', 2)[0]}/{self._host.raw}"

    def _replacing(self, proposal: Proposal) -> dict[str, bytes | None]:
        """The files of the proposal, without what another candidate left in their place."""
        places = promotion_requests.places(proposal.subject)
        return {**dict.fromkeys(self._host.contents(places, MAIN)), **proposal.files}

    def _complete(self, opened: Request) -> None:
        """Ask the owners for their review, then label; a request without its labels is one that was cut off before."""
        wanted = promotion_requests.labels(opened.subject)
        if set(wanted) <= set(opened.labels):
            return
        if refused := self._host.ask(opened.number, self._owners(opened.subject)):
            self._say(
                opened.number,
                f"CODEOWNERS names {escape(', '.join(refused))} for this; {self._host.name} could not ask them for a review: they do not "
                "exist, may not read this repository, or the request is theirs. Ask somebody else, or mend CODEOWNERS.",
            )
        self._host.label(opened.number, wanted)

    def _owners(self, subject: promotion_requests.Subject) -> list[str]:
        """Who owns what a request about *subject* changes, by the file that main has."""
        return code_owners.of_request(subject, lambda place: self._host.read(place, MAIN))

    def _say(self, number: int, text: str) -> None:
        """Have one comment of ours beside the request say *text*, in place of what it said before."""
        ours = next((one.id for one in self._host.comments(number) if SIGN in one.text), None)
        self._host.comment(number, f"{text}\n\n{SIGN}", replaces=ours)

    def _close_rivals(self, opened: Request, keep: int | None = None) -> None:
        """Leave one request open in the place of *opened*: *keep*, or the newest; whoever else looks decides the same."""
        there = self._known(self._host.pulls(open_only=True))
        rivals = [one for one in there if promotion_requests.same_place(one, opened)]
        winner = keep or max((one.number for one in rivals), default=opened.number)
        for rival in rivals:
            if rival.number != winner:
                ending = RequestEnding(
                    state="superseded", by=opened.author, reason=f"superseded by request {winner}", superseded_by=winner
                )
                self._end(self._pull(rival.number), ending)

    def _end(self, pull: Pull, ending: RequestEnding) -> None:
        marks = _marks(pull).model_copy(update={"ending": ending})
        self._host.edit(pull.number, body=request_marks.attach(pull.body, marks), is_open=False)
        link = (
            f"Superseded by #{ending.superseded_by}."
            if ending.superseded_by
            else f"Closed by {escape(ending.by)}: {escape(ending.reason or 'no reason given')}"
        )
        self._host.comment(pull.number, link)

    # Merging

    def _merge_base(self, onto: str, request: Request) -> str:
        base = self._host.merge_base(onto, request.head)
        if base is None:
            raise errors.Rejected(f"the commit of request {request.number} has no history in common with main")
        return base

    def _refuse_mixture(self, request: Request, at: str) -> None:
        """Refuse what the server would merge line by line with what main has in the same place by now."""
        base = self._host.entries(self._merge_base(at, request))
        ours = changes.difference(base, self._host.entries(request.head))
        if theirs := changes.overlap(ours, changes.difference(base, self._host.entries(at))):
            raise errors.Rejected(
                f"main has changed {', '.join(theirs)} since request {request.number} left it, and {self._host.name} would mix the two; "
                "merge main into its branch, or close it and run the pipeline again"
            )

    def _refuse_lost(self, request: Request, merge: str | None) -> None:
        """Say where main does not have *merge*, by which it is said to have *request*; or has it on another main than was checked.

        Whoever merged it may have lost the server's answer: so its message says which main that was.
        """
        if merge is None or self._host.merge_base(self.head(), merge) != merge:
            raise errors.Rejected(
                f"{self._host.name} calls request {request.number} merged as {(merge or 'no commit')[:12]}, which main does not have: "
                "somebody moved main back since; close what is left of it and run the pipeline again"
            )
        if said := CHECKED_MAIN.findall(self._host.commit(merge).message):
            self._refuse_other_main(request, merge, said[-1])

    def _refuse_other_main(self, request: Request, merge: str, at: str) -> None:
        """Say where the server merged onto another main than the one that was checked."""
        if self._host.commit(merge).parents != [at, request.head]:
            raise errors.Rejected(
                f"request {request.number} is merged as {merge[:12]}, but main had moved on from {at[:12]}, which was checked: look at "
                f"`argosy pr view {request.number}` and main, and revert that commit if main said otherwise by then"
            )


def _is_ours(pull: Pull) -> bool:
    """True where its branch is one of this repository's, named as ours are; anybody may open one from a fork, whatever it says."""
    return not pull.is_foreign and pull.branch.startswith(promotion_requests.PREFIXES)


def _message(number: int, by: str, note: str) -> str:
    return f"Request: {number}\nMerged-by: {defused(by)}\n{note}"


def _marks(pull: Pull) -> Marks:
    marks = request_marks.read(pull.body)
    if marks is None:
        raise errors.UsageError(
            f"pull request {pull.number} is no promotion request, or the comment at the end of its body was deleted"
        )
    return marks


def _evidence_folder(pull: Pull) -> str:
    subject = _marks(pull).subject
    return environment_layout.evidence_folder(subject.model, subject.environment)


def _by_number(found: list[Request]) -> list[Request]:
    return [request for _, request in sorted({request.number: request for request in found}.items())]


def _state(pull: Pull, ending: RequestEnding | None) -> State:
    if pull.is_merged:
        return State.MERGED
    if pull.is_open:
        return State.OPEN
    return State(ending.state) if ending else State.CLOSED
