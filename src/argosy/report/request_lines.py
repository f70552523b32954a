"""Promotion requests in a terminal: a line for a list, the facts about one, its checks, its files."""

from argosy.domain.diffs import FileDiff
from argosy.domain.merge_checks import Check, short
from argosy.domain.promotion_requests import Request, Subject


def row(request: Request) -> str:
    """One line of a list."""
    subject = request.subject
    to = {"retirement": "retired from", "renewal": "signed anew in"}.get(subject.kind, "->")
    if subject.tries:
        to = f"tried in ({_role(subject)})" if subject.tries != "nothing" else "alone in"
    place = f"{subject.model} version {subject.version} {to} {subject.environment}"
    return f"#{request.number:<4} {request.state:<10} {place:<44} {short(subject.model_digest)}  {request.opened_at}"


def facts(request: Request) -> dict[str, str]:
    """The facts about *request*, by name."""
    ended = f" by {request.ended_by}, {request.ended_at}" if request.ended_by else ""
    why = f": {request.reason}" if request.reason else ""
    return {
        "state": f"{request.state}{ended}{why}",
        "model": f"{request.subject.model} version {request.subject.version}, {request.subject.model_digest}",
        **_comparison(request.subject),
        "branch": request.branch,
        "opened": f"{request.opened_at} by {request.author}",
        "labels": ", ".join(request.labels),
    }


def _comparison(subject: Subject) -> dict[str, str]:
    if subject.retires:
        return {"retires": f"{subject.model} in {subject.environment}: nothing takes its place"}
    if subject.renews:
        return {"signs anew": f"what {subject.environment} serves; nothing else changes"}
    if subject.tries == "nothing":
        return {"ends": f"what {subject.environment} tries beside it"}
    if subject.tries:
        beside = f"{_role(subject)} in {subject.environment}, beside {short(subject.champion_digest)}"
        return {"tries": f"{beside}, until {subject.until}" if subject.until else beside}
    if subject.reverts:
        return {"takes out": short(subject.reverts)}
    return {"compared": f"with {short(subject.champion_digest)} in production"}


def _role(subject: Subject) -> str:
    return f"{subject.tries} {subject.percent} %"


def check(found: Check) -> str:
    """One check: its colour, its name, its reason."""
    return f"    {'ok ' if found.passed else 'RED'} {found.name:<11} {found.reason}"


def file(changed: FileDiff, *, whole: bool) -> str:
    """One file of a diff: line by line where it is asked for *whole* or is no evidence, else in one line."""
    if whole or "/evidence/" not in changed.header:
        return changed.text
    return f"{changed.path} | +{changed.added} -{changed.removed} (--all shows it)"
