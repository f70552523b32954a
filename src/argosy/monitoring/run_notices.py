"""What people are told of a run that ended: one notice, however many of its steps failed."""

from dataclasses import dataclass

from argosy import errors
from argosy.domain import retraining_cause, run_failures
from argosy.domain.model_settings import CommonSettings
from argosy.domain.notices import Event, Notice
from argosy.domain.notify_settings import hearing
from argosy.domain.run_failures import FailedStep

SUCCEEDED = "Succeeded"
MOST_NAMED = 10
"""Steps that a text names; a fan-out may have hundreds."""
MEANINGS = {
    errors.Rejected.exit_code: "the answer is no",
    errors.LocalDisk.exit_code: "its disk takes no more",
    errors.TryAgain.exit_code: "something outside failed, also when it was tried again",
    errors.Misconfigured.exit_code: "a setting or a file is wrong",
    137: "it was killed, for its memory as a rule",
}


@dataclass(frozen=True)
class EndedRun:
    """A run, as an exit handler is told of it."""

    name: str
    status: str
    """Argo's word."""
    failures: str
    """``{{workflow.failures}}``, as it came."""
    cause: str
    """The parameter ``cause``; empty where nobody asked for a retraining."""


def of(run: EndedRun, settings: CommonSettings) -> list[Notice]:
    """The notices of *run* for the channels of *settings*.

    None of a run that succeeded, unless it was a retraining: then people wait for its end.
    """
    cause = retraining_cause.parse(run.cause)
    failed = [] if run.status == SUCCEEDED else run_failures.parse(run.failures)
    notices = [_failed(run, settings, failed)] if run.status != SUCCEEDED else []
    return [*notices, *([_retraining(run, settings, cause.kind)] if cause else [])]


def _failed(run: EndedRun, settings: CommonSettings, failed: list[FailedStep]) -> Notice:
    stopped = [step for step in failed if step.name == "validate" and step.exit_code == errors.Rejected.exit_code]
    names = ", ".join(step.name for step in failed[:3]) + (", …" if len(failed) > 3 else "")
    what = f"{names or 'the run'} failed"
    if stopped:
        what = "validation stopped the run: the data breaks its contract or an expectation"
    event: Event = "validation stopped" if stopped else "step failed"
    # Taken up again it may fail again: in the same place that is no news, in another one it is.
    return _notice(
        event, settings, what, _reasons(run, failed), key=" ".join([run.name, *(step.name for step in failed)])
    )


def _retraining(run: EndedRun, settings: CommonSettings, kind: str) -> Notice:
    ended = "succeeded" if run.status == SUCCEEDED else f"ended {run.status}"
    what = f"the retraining for {kind} {ended}"
    return _notice("retraining ended", settings, what, _look(run, ""), key=f"{run.name} {run.status}")


def _notice(event: Event, settings: CommonSettings, what: str, text: str, *, key: str) -> Notice:
    return Notice(
        event=event,
        model=settings.model,
        owner=settings.owner,
        title=f"{settings.model}: {what}",
        text=text,
        key=key,
        channels=hearing(settings.notify, event),
    )


def _reasons(run: EndedRun, failed: list[FailedStep]) -> str:
    lines = [f"{step.name}: {_reason(step)}" for step in failed[:MOST_NAMED]]
    if len(failed) > MOST_NAMED:
        lines.append(f"and {len(failed) - MOST_NAMED} more")
    return "\n".join([*lines, _look(run, f" {failed[0].name}" if failed else "")])


def _reason(step: FailedStep) -> str:
    meaning = MEANINGS.get(step.exit_code or 0)
    return f"{step.message or 'no reason given'}{f', {meaning}' if meaning else ''}"[:300]


def _look(run: EndedRun, step: str) -> str:
    verb = "logs" if step else "get"
    return f"run {run.name}; see it with: argosy {verb} {run.name}{step}"
