"""The reviewer's desk: what waits, what a request holds by its commit and its signatures, its checks, its merge or its end.

A request's text is anybody's who may edit it; here only commits, evidence and signatures count. Left to others: the words in a terminal
(``report``), what a merge leads to (``following``), and the rules of each check (``domain.merge_checks``).
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.domain import auto_merge, diffs, environment_layout, merge_checks, promotion_requests, version_file
from argosy.domain.diffs import FileDiff
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.files import model_folder
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.signer import Verifier
from argosy.promotion import retiring, subjects, trying
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.report import check_comment, request_body
from argosy.report.autolinks import defused

ATTEMPTS = 5
"""Looks at a request, and merges of what was seen, before it is left to the reviewer that others keep changing it or main."""


@dataclass(frozen=True)
class Review:
    """A request as a reviewer should see it, whatever its text says."""

    request: Request
    """With the subject that its commit has; with the one that its text claims, where the commit is no promotion. The body is its text."""
    checks: Sequence[Check]
    """Every check while it is open; empty afterwards."""
    markdown: str
    """The signed evidence for people; of a revert the request's own text; empty where the evidence cannot be shown."""
    evidence: str
    """In one line: whether bundle and evidence are signed with our key, or why the evidence cannot be shown."""
    text: str
    """In one line: whether the request's text says what the evidence says."""


@dataclass(frozen=True)
class Checked:
    """A request and what its checks found."""

    request: Request
    checks: Sequence[Check]
    """Empty where the request is merged: nothing is left to check."""

    @property
    def passed(self) -> bool:
        """True where no check is red."""
        return all(check.passed for check in self.checks)


@dataclass(frozen=True)
class Ended:
    """A request that ended, merged or closed."""

    request: Request
    already: bool
    """True where it had ended like this before anybody asked for it now."""


@dataclass(frozen=True)
class Desk:
    """The verbs of a reviewer, over a forge, a model store and our public key.

    Every method raises TryAgain where forge or model store fail, UsageError for a number that nobody has.
    """

    forge: Forge
    artifacts: Artifacts
    verifier: Verifier
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def requests(self, *, ended: bool = False) -> list[Request]:
        """The open requests by number, with those that *ended* where they are asked for; their subjects are what their texts say."""
        return [request for request in self.forge.requests() if ended or request.state is State.OPEN]

    def review(self, number: int) -> Review:
        """Request *number*, with all that a reviewer decides by."""
        request = self.forge.request(number)
        is_open = request.state is State.OPEN
        checks = self.checks(request, self.forge.head()) if is_open else [self._signatures(request)]
        signatures = next((check for check in checks if check.name == "signatures"), checks[0])
        committed, files = self._as_committed(request)
        return Review(committed, checks if is_open else (), *_shown(committed, files, signatures))

    def diff(self, number: int) -> list[FileDiff]:
        """The files that merging request *number* would change in main; of a merged one, those that it changed."""
        return list(diffs.files(self.forge.diff(number)))

    def check(self, number: int, *, head: str | None = None) -> Checked:
        """The checks of request *number*, which proposes commit *head* (None: whichever it proposes).

        Raises Rejected where it proposes another commit, before or after it was checked.
        """
        request = self.forge.request(number)
        _refuse_other(request, head)
        if request.state is State.MERGED:
            return Checked(request, ())
        checks = [*merge_checks.of_state(request), *self.checks(request, self.forge.head())]
        _refuse_other(self.forge.request(number), head)
        return Checked(request, checks)

    def report(self, checked: Checked) -> None:
        """Show *checked* to people where they look at the request; of a merged one there is nothing to show."""
        if checked.checks:
            text = check_comment.markdown(checked.checks, checked.request.head)
            self.forge.report(checked.request, passed=checked.passed, text=text)

    def merge(
        self, number: int, *, by: str, override: Iterable[str] = (), head: str | None = None, note: str = ""
    ) -> Ended:
        """Merge request *number* in the name of *by*; the checks named in *override* may be red. Merging what is merged is no error.

        *head*: the commit that it must propose (None: whichever it does). *note* joins the commit message.

        What is merged is the commit that was checked, onto the main that it was checked against; where either moves, it is checked again.
        Raises Rejected with every red check, UsageError where a check cannot be overruled.
        """
        overruled = set(override)
        for _ in range(ATTEMPTS):
            request, at = self.forge.request(number), self.forge.head()
            _refuse_other(request, head)
            if request.state is State.OPEN:
                _refuse_red(request, self.checks(request, at), overruled)
            try:
                merged = self.forge.merge(number, head=request.head, by=by, at=at, note=_note(by, overruled) + note)
                return Ended(merged, already=request.state is merged.state)
            except errors.TryAgain:
                if (self.forge.head(), self.forge.request(number).head) == (at, request.head):
                    raise
        raise errors.TryAgain(f"main of the environment repo, or request {number}, keeps moving; try again in a moment")

    def remind(self, after: datetime.timedelta) -> list[Request]:
        """Tell those who follow an open request that it has waited for *after* or longer, once a day each; those requests."""
        now = self.now()
        waiting = [one for one in self.requests() if now - datetime.datetime.fromisoformat(one.opened_at) >= after]
        for request in waiting:
            number, days = request.number, (now - datetime.datetime.fromisoformat(request.opened_at)).days
            text = (
                f"This request has waited for {days} {'day' if days == 1 else 'days'}. `argosy pr view {number}` shows its evidence and "
                f"its checks, `argosy pr merge {number}` merges it, `argosy pr close {number} --reason TEXT` says no."
            )
            self.forge.tell(request, text, key=f"waits {now:%Y-%m-%d}")
        return waiting

    def close(self, number: int, *, by: str, reason: str) -> Ended:
        """Close request *number* unmerged. Closing what is closed keeps the first reason. Raises Rejected where it is merged."""
        before = self.forge.request(number).state
        closed = self.forge.close(number, by=by, reason=reason)
        return Ended(closed, already=before is closed.state)

    def reopen(self, number: int, *, by: str) -> Request:
        """Take a closed request up again; the one that is open in its place is superseded. Raises Rejected where it is merged."""
        return self.forge.reopen(number, by=by)

    def checks(self, request: Request, at: str) -> list[Check]:
        """Every check of *request*, at the commit that it has now, against main at commit *at*."""
        try:
            subject = subjects.of(Main(self.forge, at), request)
        except errors.Rejected as error:
            return [merge_checks.without_subject(str(error))]
        files = self.forge.contents(promotion_requests.places(subject), request.head)
        kinds = {
            "promotion": self._of_promotion,
            "revert": self._of_revert,
            "retirement": self._of_retirement,
            "renewal": self._of_renewal,
            "experiment": self._of_experiment,
        }
        of_kind = kinds[subject.kind](subject, files, Main(self.forge, at))
        return [merge_checks.of_subject(request.subject, subject), *of_kind]

    def _of_promotion(self, subject: Subject, files: Mapping[str, bytes], main: Main) -> list[Check]:
        state = main.state(subject.model, subject.model_digest)
        before = environment_layout.preceding(subject.environment)
        dated = merge_checks.of_dated(subject, files, state, self.now().date())
        order = merge_checks.of_order(subject, main.version(subject.model, before) if before else None)
        return [
            *merge_checks.checks(subject, files, state),
            *dated,
            *self._freeze(subject.environment, main),
            *order,
            *self._seals.checks(subject, files),
        ]

    def _freeze(self, environment: str, main: Main) -> list[Check]:
        file = main.merging(environment)
        if file is None:
            return []
        try:
            rules = model_folder.merge_rules_of(file.content, f"main:{file.path}")
        except errors.Misconfigured as error:
            return [Check("freeze", passed=False, reason=f"whether merges are frozen cannot be read: {error}")]
        return auto_merge.of_people(rules, self.now())

    def _of_revert(self, subject: Subject, files: Mapping[str, bytes], main: Main) -> list[Check]:
        live = main.version(subject.model, subject.environment)
        earlier = main.served_before(live, subject.environment, subject.model_digest) if live else None
        sealed = self._seals.checks(subject, files)
        oldest = main.minimum_version(subject.model)
        allowed = merge_checks.of_minimum(subject.model, earlier.version.version, oldest) if earlier else []
        return [*merge_checks.of_revert(subject, files, live, earlier.files if earlier else {}), *sealed, *allowed]

    def _of_retirement(self, subject: Subject, files: Mapping[str, bytes], main: Main) -> list[Check]:
        path = environment_layout.retired_path(subject.model, subject.environment)
        needed_by = [one.number for one in retiring.hindrances(main, subject.model, subject.environment)]
        live = main.version(subject.model, subject.environment)
        return merge_checks.of_retirement(subject, version_file.parse(files[path], path), live, needed_by)

    def _of_renewal(self, subject: Subject, files: Mapping[str, bytes], main: Main) -> list[Check]:
        same = merge_checks.of_renewal(subject, files, main.files_of(subject.model, subject.environment))
        return [*same, *self._seals.checks(subject, files)]

    def _of_experiment(self, subject: Subject, files: Mapping[str, bytes], main: Main) -> list[Check]:
        if subject.tries == "nothing":
            return merge_checks.of_experiments_end(there=main.names_second(subject.model, subject.environment))
        second = trying.second_of(subject, files)
        return [*trying.checks(main, subject, second, self._seals), *self._freeze(subject.environment, main)]

    def _signatures(self, request: Request) -> Check:
        """The check of the signatures of bundle and evidence of *request*; red, too, where that cannot be found out now."""
        committed, files = self._as_committed(request)
        subject = committed.subject
        if subject.retires or subject.tries == "nothing":
            return Check("signatures", passed=True, reason="nothing new is served, so nothing is signed", final=True)
        try:
            if subject.tries and files:
                return self._seals.of_second(subject.model, trying.second_of(subject, files))[0]
            return self._seals.checks(committed.subject, files)[0]
        except errors.TryAgain as error:
            return Check("signatures", passed=False, reason=str(error), final=True)

    def _as_committed(self, request: Request) -> tuple[Request, Mapping[str, bytes]]:
        """*request* with the subject and the files of its commit; as it calls itself, without files, where that is no promotion."""
        try:
            committed = subjects.as_committed(self.forge, request)
        except errors.Rejected:
            return request, {}
        return committed, self.forge.contents(promotion_requests.places(committed.subject), request.head)

    @property
    def _seals(self) -> Seals:
        return Seals(self.artifacts, self.verifier, self.now)


def _shown(request: Request, files: Mapping[str, bytes], signatures: Check) -> tuple[str, str, str]:
    """Of *request*, which proposes *files*: Markdown, what stands behind it, and what the request's own text is worth."""
    if not files and request.subject.tries != "nothing":
        number = request.number
        said = f"CANNOT BE SHOWN: the commit is no promotion; `argosy pr check {number}` says why, `argosy pr diff {number}` what it is"
        return "", said, "the request's own, not shown beside nothing (--raw)"
    signed = ("signature verified: " if signatures.passed else "SIGNATURE NOT VERIFIED: ") + signatures.reason
    if request.subject.retires or request.subject.tries == "nothing":
        what = "a model is retired" if request.subject.retires else "an experiment ends"
        return request.body, "none is asked for: nothing new is served", f"the request's own: nobody signs why {what}"
    if request.subject.tries:
        return request.body, signed, "the request's own: nobody signs why a version is tried"
    if request.subject.reverts:
        return request.body, signed, "the request's own: nobody signs why a version is taken out"
    if request.subject.renews:
        return request.body, signed, "the request's own: what is served, and its evidence, stay as they are"
    try:
        rendered = request_body.of_files(request.subject, files)
        said = _worth(request, files)
    except errors.Misconfigured as error:
        return "", f"CANNOT BE SHOWN: {error}", "the request's own, not shown beside nothing (--raw)"
    return rendered, signed, said


def _worth(request: Request, files: Mapping[str, bytes]) -> str:
    """In words, whether the text of *request* says what its *files* do."""
    if request_body.is_of_files(request.body, request.subject, files):
        return "as the evidence has it"
    if request_body.differs_below_evidence(request.body, request.subject, files):
        return (
            "report and digests as the evidence has them; what stands below them is not this version's: another Argosy wrote it, as before "
            "an upgrade, or somebody did (--raw shows the text)"
        )
    return "DIFFERS from the evidence, which is shown instead (--raw shows the text)"


def _refuse_other(request: Request, head: str | None) -> None:
    # Whoever pushes while checks run must not have one commit checked and another one marked as checked.
    if head not in {None, request.head}:
        raise errors.Rejected(f"#{request.number} proposes {request.head} by now, not {head}; check that")


def _refuse_red(request: Request, checks: Sequence[Check], overruled: set[str]) -> None:
    names = {check.name for check in checks if not check.final}
    if unknown := sorted(overruled - names):
        raise errors.UsageError(
            f"check {unknown[0]!r} cannot be overruled; these can: {', '.join(sorted(names)) or 'none'}"
        )
    red = [check for check in checks if not check.passed and check.name not in overruled]
    if red:
        lines = "".join(f"\n  {check.name}: {check.reason}" for check in red)
        raise errors.Rejected(
            f"request {request.number} is not merged, {len(red)} of {len(checks)} checks are red:{lines}"
        )


def _note(by: str, overruled: set[str]) -> str:
    return "".join(f"Overruled-by: {defused(by)} ({name})\n" for name in sorted(overruled))
