"""Say why a run ended as it did: the first cause, the last lines of the step that it was, and the command that helps.

A rejection names the gates that failed with what would pass; a run that waits, goes on or went well is told so. RUN is a run's name, the
beginning of it, or - for the newest.
"""

import argparse
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from argosy import errors
from argosy.argo import KILLED_FOR_MEMORY
from argosy.cli import hints, run_ends, target
from argosy.cli.run_ends import RunEnd
from argosy.engine.state import runs as run_folders
from argosy.engine.stored_logs import ADVICE
from argosy.ports.runs import CUT_OFF, SUSPENDED, Run, Runs
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.domain.evidence import Evidence, GateResult

LAST_LINES = 8
"""Lines of a log that are shown."""


@dataclass(frozen=True)
class RunCause:
    """The cause of how a run stands, as it is shown."""

    run: str
    outcome: str
    cause: str
    step: str | None = None
    exit_code: int | None = None
    last_lines: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    """Each gate that failed, with what would pass."""
    next: list[str] = field(default_factory=list)
    """Commands, the one that most likely helps first."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", default="-", help="the run, or the beginning of its name; default: the newest"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    target.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the cause."""
    at = target.runs(arguments)
    answer = why(at, at.get(at.find(arguments.run)))
    print(json.dumps(asdict(answer)) if arguments.json else "\n".join(_lines(answer)))
    return errors.DONE


def why(at: Runs, found: Run) -> RunCause:
    """Why *found*, a run of *at*, stands as it does."""
    end = run_ends.of(found)
    if end.stopped_by is None or end.word in run_ends.VERDICTS.values():
        return _of_no_crash(at, found, end)
    step = found.local(end.stopped_by)
    lines = _last_lines(at, found, step)
    own = [line for line in lines if line.startswith("error: ")]
    cause = own[-1].removeprefix("error: ") if own else end.stopped_by.message
    return RunCause(
        found.name,
        end.word,
        cause,
        step=run_ends.step_of(end.stopped_by),
        exit_code=end.exit_code,
        last_lines=lines,
        next=list(_commands(at, found, end, step)),
    )


def _of_no_crash(at: Runs, found: Run, end: RunEnd) -> RunCause:
    """Of a run that no step stopped."""
    outcome = end.word or found.phase
    gates = _failed_gates(at, found, end)
    if end.stopped_by is not None:
        report = [f"argosy report {found.name} --open"] if at.keeps_reports else []
        steps = [*report, hints.command(at, "logs", found.name, found.local(end.stopped_by)).strip("`")]
        cause = (
            f"{len(gates)} gates failed" if len(gates) > 1 else "a gate failed" if gates else _explanation(at, found)
        )
        return RunCause(
            found.name,
            outcome,
            cause,
            step=run_ends.step_of(end.stopped_by),
            exit_code=end.exit_code,
            gates=gates,
            next=steps,
        )
    if found.phase in CUT_OFF:
        said = found.message or "whoever carried it out is gone"
        return RunCause(found.name, outcome, said, next=[hints.command(at, "resume", found.name).strip("`")])
    if waits := [found.local(node) for node in found.waiting]:
        said = f"it waits for an approval of {', '.join(waits)}"
        return RunCause(found.name, outcome, said, next=[hints.command(at, "approve", found.name, waits[0]).strip("`")])
    if found.phase == SUSPENDED:
        return RunCause(
            found.name, outcome, "somebody suspended it", next=[hints.command(at, "resume", found.name).strip("`")]
        )
    if not found.over:
        return RunCause(found.name, outcome, "it goes on", next=[hints.command(at, "watch", found.name).strip("`")])
    return RunCause(found.name, outcome, found.message or _explanation(at, found) or "nothing went wrong", gates=gates)


def _failed_gates(at: Runs, found: Run, end: RunEnd) -> list[str]:
    """The gates that failed, where the run was rejected and its evidence is here."""
    if end.verdict != "reject" or not at.keeps_reports:
        return []
    evidence = _evidence(found)
    return [_failed(gate) for gate in evidence.failed] if evidence else []


def _failed(gate: "GateResult") -> str:
    measured = "undefined" if gate.measured is None else f"{gate.measured:.4g}"
    return f"{gate.gate}: {measured}, limit {gate.limit}; would pass: {gate.would_pass or gate.reason}"


def _explanation(at: Runs, found: Run) -> str:
    evidence = _evidence(found) if at.keeps_reports else None
    return evidence.explanation if evidence else ""


def _evidence(found: Run) -> "Evidence | None":
    from argosy.cli import report  # not before: documents take a tenth of a second to load

    home = Settings.from_environment().home
    return report.record_of(home, run_folders.find(home, found.name)).evidence


def _last_lines(at: Runs, found: Run, step: str) -> list[str]:
    """The last lines that *step* wrote, without what the engine advises."""
    try:
        written = deque(
            (line.text for line in at.log(found.name, step, follow=False) if line.text.strip()), maxlen=LAST_LINES
        )
    except (
        errors.ArgosyError
    ):  # a pod that never began, or whose log is kept nowhere: the node's own message is the cause
        return []
    return [line for line in written if not line.startswith(ADVICE)]


def _commands(at: Runs, found: Run, end: RunEnd, step: str) -> Iterator[str]:
    retry, logs = (
        hints.command(at, verb, found.name, *words).strip("`") for verb, words in (("retry", ()), ("logs", (step,)))
    )
    message = end.stopped_by.message if end.stopped_by else ""
    if KILLED_FOR_MEMORY in message:
        yield f"raise resources.{run_ends.step_of(end.stopped_by)}.memory in model.yaml" if end.stopped_by else retry
    elif end.exit_code == errors.TryAgain.exit_code:
        yield f"{retry}   # the outside world failed: the same again may work"
    elif end.exit_code == errors.LocalDisk.exit_code:
        yield f"{retry}   # after some room was made"
    elif end.exit_code == errors.Misconfigured.exit_code:
        yield f"{retry}   # after what the message names is mended"
    yield logs


def _lines(answer: RunCause) -> Iterator[str]:
    yield f"{answer.run}: {answer.outcome}"
    where = (
        f" (step {answer.step}{f', exit code {answer.exit_code}' if answer.exit_code is not None else ''})"
        if answer.step
        else ""
    )
    yield f"cause: {answer.cause}{where}"
    yield from (f"  gate {gate}" for gate in answer.gates)
    if answer.last_lines:
        yield "last lines:"
        yield from (f"  {line}" for line in answer.last_lines)
    yield from (f"try next: {command}" for command in answer.next)
