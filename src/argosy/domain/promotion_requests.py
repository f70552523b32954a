"""Promotion requests: what one proposes, and what to do about those that exist. Where its files lie is said in ``environment_layout``.

Pure functions. Whoever keeps the requests (a forge) asks :func:`decide` while nobody else can change them.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from argosy import errors
from argosy.domain import environment_layout
from argosy.domain.documents import Document

PREFIXES = ("promote/", "revert/", "retire/", "sign/", "try/")
"""Prefixes of the branches of requests."""
_PREFIX = {
    "promotion": "promote",
    "revert": "revert",
    "retirement": "retire",
    "renewal": "sign",
    "experiment": "try",
}


class State(StrEnum):
    """The state of a request."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed"
    SUPERSEDED = "superseded"
    """Closed, because a newer candidate took its place."""


class Subject(Document):
    """The subject of a request. Two proposals with equal subjects are one."""

    model: str
    environment: str
    model_digest: str
    version: int
    champion_digest: str | None = None
    """Of the champion that the evidence compares with."""
    policy_digest: str
    """Of the policy that the evidence was judged by."""
    reverts: str | None = None
    """Of the model to be taken out of service, where the request goes back to an earlier one."""
    retires: Literal[True] | None = None
    """True where the environment is to serve no model of that name any more; digest and version are those that it serves."""
    renews: Literal[True] | None = None
    """True where only the signatures of what the environment serves change: another key made them."""
    tries: Literal["shadow", "candidate", "nothing"] | None = None
    """The role that the version is to have beside the champion, the one that the environment serves; nothing: none is tried any more, and
    digest and version are those that it serves."""
    percent: int | None = None
    """Of requests (a shadow) or of entities (a candidate), where a version is tried."""
    until: datetime.date | None = None
    """The last day on which it is tried, where somebody said one."""

    @property
    def kind(self) -> Literal["promotion", "revert", "retirement", "renewal", "experiment"]:
        """What the request is called."""
        if self.retires:
            return "retirement"
        if self.tries:
            return "experiment"
        return "renewal" if self.renews else "revert" if self.reverts else "promotion"


class Request(Document):
    """A promotion request."""

    number: int
    subject: Subject
    branch: str
    title: str
    body: str = ""
    """Markdown; empty in listings."""
    head: str
    """The commit proposed."""
    state: State = State.OPEN
    url: str
    author: str
    opened_at: str
    ended_by: str | None = None
    ended_at: str | None = None
    reason: str | None = None
    superseded_by: int | None = None
    labels: list[str] = []


@dataclass(frozen=True)
class Proposal:
    """A promotion request before it is opened: *files* (path to content) replace all that the environment's folder has of this model."""

    subject: Subject
    title: str
    body: str
    files: Mapping[str, bytes] = field(repr=False)
    author: str = "argosy"


def branch(subject: Subject, taken: Sequence[str] = ()) -> str:
    """The branch of *subject*: a pure function of what that says; ``-2``, ``-3``, … where earlier ones are *taken*."""
    prefix = _PREFIX[subject.kind]
    digest = (subject.reverts or subject.model_digest).removeprefix("sha256:")[:12]
    name = "-".join(str(part) for part in (subject.tries, subject.percent, subject.until, digest) if part is not None)
    base = f"{prefix}/{subject.model}/{subject.environment}/{name}"
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(taken) + 2))]
    return next(name for name in candidates if name not in taken)


@dataclass(frozen=True)
class Decision:
    """The decision about a proposal: open it, adopt or supersede a request, or nothing."""

    action: Literal["adopt", "done", "stop", "open"]
    """adopt: *request* is this proposal; done: main serves this digest, and the evidence that it came
    with answers the same question, or leads to no other environment; stop: a person said no; open: on *branch*."""
    request: Request | None = None
    branch: str = ""
    supersede: tuple[Request, ...] = ()
    """Requests that the new one closes, in the same moment."""


def decide(
    subject: Subject, requests: Sequence[Request], served: str | None, adoptable: Callable[[Request], bool]
) -> Decision:
    """Decide, idempotently, about proposing *subject*, given every request there is and the digest that main names for the environment.

    Of an experiment *served* is the subject's own digest where main is as it wants it, and None where it is not.
    *adoptable*: whether an open request that asks the same may stand for the proposal. One whose commit is about something else than its
    text says may not, or a forged one would be in the way.
    """
    in_place = [request for request in requests if _place(request.subject) == _place(subject)]
    same_model = [request for request in in_place if _change(request.subject) == _change(subject)]
    merged = next((one for one in reversed(same_model) if one.state is State.MERGED), None)
    # Evidence that main has overtaken leads no further: the environment after this one would refuse it for good.
    renewed = (
        merged is not None
        and not (subject.retires or subject.tries)
        and environment_layout.following(subject.environment)
        and _question(merged.subject) != _question(subject)
    )
    if _is_so(subject, served) and not renewed:
        return Decision("done", merged)
    still_open = [request for request in in_place if request.state is State.OPEN]
    same_question = (request for request in reversed(still_open) if _question(request.subject) == _question(subject))
    if adopted := next(filter(adoptable, same_question), None):
        return Decision("adopt", adopted)
    if same_model and same_model[-1].state is State.CLOSED:
        return Decision("stop", same_model[-1])
    taken = [request.branch for request in same_model]
    return Decision("open", branch=branch(subject, taken), supersede=tuple(still_open))


def _is_so(subject: Subject, served: str | None) -> bool:
    """True where an environment that serves *served* is as *subject* wants it."""
    if subject.retires:
        return served is None
    return served == subject.model_digest and not subject.renews


def superseded(request: Request, by: Request, at: str) -> Request:
    """*request*, closed at time *at* because *by* took its place."""
    reason = f"superseded by request {by.number}"
    update = {
        "state": State.SUPERSEDED,
        "ended_by": by.author,
        "ended_at": at,
        "reason": reason,
        "superseded_by": by.number,
    }
    return request.model_copy(update=update)


def same_place(one: Request, other: Request) -> bool:
    """True where both are about one model in one environment; at most one such request is open."""
    return _place(one.subject) == _place(other.subject)


def _place(subject: Subject) -> tuple[str, str, str]:
    # A way back, or out, never closes a way forward: which of them is wanted is for people to say.
    return subject.model, subject.environment, subject.kind


def _change(subject: Subject) -> tuple[object, ...]:
    tried = (subject.tries, subject.percent, subject.until)
    return subject.model_digest, subject.reverts, subject.kind, *tried


def _question(subject: Subject) -> tuple[object, ...]:
    """The question that a reviewer is asked. The same model judged against another champion or policy is another question."""
    return *_change(subject), subject.champion_digest, subject.policy_digest


def places(subject: Subject) -> tuple[str, ...]:
    """The files and folders that a request about *subject* may change, and no others."""
    retired = environment_layout.retired_path(subject.model, subject.environment)
    second = environment_layout.second_path(subject.model, subject.environment)
    if subject.retires:
        return environment_layout.version_path(subject.model, subject.environment), second, retired
    if subject.tries:
        return (second,)
    served = (*environment_layout.served_paths(subject.model, subject.environment), retired)
    return (*served, environment_layout.rejected_path(subject.model, subject.reverts)) if subject.reverts else served


def refuse_moved(request: Request, head: str) -> None:
    """Refuse a merge of commit *head* where *request* is at another: what was checked is merged, and nothing else."""
    if request.head == head:
        return
    if request.state is State.MERGED:
        raise errors.Rejected(
            f"request {request.number} is merged at commit {request.head[:12]}, not at {head[:12]}, which was checked"
        )
    raise errors.TryAgain(f"the commit of request {request.number} has moved since it was checked; try again")


def mislabelled(number: int) -> errors.Rejected:
    """The answer to merging a request whose text names another place, or another model, than its commit changes."""
    return errors.Rejected(
        f"request {number} is not about what its commit changes; `argosy pr check {number}` says where they disagree"
    )


def refusal(request: Request) -> errors.Rejected:
    """The answer to proposing again what a person has closed."""
    return errors.Rejected(
        f"request {request.number} for this very model was closed by {request.ended_by or 'somebody'}"
        f" ({request.reason or 'no reason given'}). Talk to them; `argosy pr reopen {request.number}` takes it up again"
    )


def next_proposal(merged: Request, files: Mapping[str, bytes]) -> Proposal | None:
    """The request after *merged*, whose files are *files*: the same model for the next environment, or nothing, as after other kinds."""
    subject = merged.subject
    environment = environment_layout.following(subject.environment)
    if environment is None or subject.kind != "promotion":
        return None
    here, there = (
        environment_layout.folder(subject.model, subject.environment),
        environment_layout.folder(subject.model, environment),
    )
    return Proposal(
        subject=subject.model_copy(update={"environment": environment}),
        title=title(subject.model, subject.version, environment),
        body=merged.body,
        files={path.replace(here, there, 1): content for path, content in files.items()},
    )


def files(subject: Subject, version_yaml: str, evidence: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a request about *subject*: the version file, and *evidence* (name to content) beside it."""
    place = environment_layout.evidence_folder(subject.model, subject.environment)
    beside = {f"{place}/{name}": content for name, content in evidence.items()}
    return {environment_layout.version_path(subject.model, subject.environment): version_yaml.encode(), **beside}


def one_line(reason: str, longest: int) -> str:
    """The *reason* that a person gave as one line that a file of the environment repo may hold. Raises UsageError where it says nothing."""
    line = " ".join("".join(each if each.isprintable() else " " for each in reason).split())
    if not line:
        raise errors.UsageError("--reason says nothing; those who look for the model will read it")
    return line[:longest]


def title(model: str, version: int, environment: str) -> str:
    """The title of a request."""
    return f"Promote {model} version {version} to {environment}"


def labels(subject: Subject) -> list[str]:
    """The labels of a request."""
    return [
        subject.kind,
        f"model/{subject.model}",
        f"environment/{subject.environment}",
    ]
