"""Train a model as of each of several moments: one run each, one table and one page at the end.

Nothing is run twice: a run that came to an answer (a verdict, or data that the model refuses) is taken as it is, one that was cut off
goes on where it stood, one that failed otherwise is tried again. So the same line typed again goes on after a kill. A run is found by the
model's files, its data, its parameters and its moment. No run of a backfill proposes anything, and none is compared with a model of later.

Dates are UTC: each is its midnight. On a cluster the same is a line each: `argosy submit MODEL --as-of DATE`.
"""

import argparse
import contextlib
import datetime
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import yaml

from argosy import errors
from argosy.cli import models, moments, parameters, report
from argosy.domain import as_of, asker, backfills
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder
from argosy.files import model_folder
from argosy.report.record import RunReport
from argosy.settings import Settings
from argosy.templates import folder as folders

if TYPE_CHECKING:
    from argosy.report import backfill_page

OVER = ("Succeeded", "Failed", "Error")
OWN = ("data", "provenance", asker.PARAMETER, as_of.PARAMETER)
"""Parameters that a run gets its own value of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model (workflows/NAME), or its folder")
    parser.add_argument(
        "--from", dest="first", type=moments.moment, required=True, metavar="DATE", help="the first moment"
    )
    parser.add_argument(
        "--to", dest="last", type=moments.moment, metavar="DATE", help="the last, if it falls on one; default: now"
    )
    parser.add_argument("--every", default="month", metavar="SPAN", help=f"{backfills.EVERY} (default: month)")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="runs side by side (default: 1)")
    parser.add_argument(
        "--parallelism", type=int, metavar="N", help="steps of one run side by side (default: this machine's cores)"
    )
    parameters.add_arguments(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say which runs there are and which would be made, and make none"
    )
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="where the page is written (default: below the state folder)"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Make the runs that are wanting; returns 0 where each moment came to an answer, else the code of the first that did not."""
    now = datetime.datetime.now(datetime.UTC)
    if arguments.at_once < 1:
        raise errors.UsageError(f"--at-once {arguments.at_once}: at least one run at a time")
    if arguments.last is not None and arguments.last > now:
        raise errors.UsageError(f"--to ({as_of.text(arguments.last)}) is still to come; it is {as_of.text(now)}")
    wanted = backfills.moments(arguments.first, arguments.last or now, arguments.every)
    backfill = _Backfill.of(arguments)
    if not arguments.dry_run:
        backfill.carry_out(wanted, arguments)
    lines = [backfill.line(moment) for moment in wanted]
    _say(arguments, backfill, lines)
    return backfill.code


@dataclass
class _Backfill:
    """The runs of one model as of several moments."""

    home: Path
    model: Path
    sources: str
    """Digest of the model's files."""
    given: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    """The pipeline's parameters that nobody typed, as each run of the backfill has them."""
    problems: dict[datetime.datetime, tuple[int, str]] = field(default_factory=dict)
    """Of moments whose run came to no answer: its exit code, and what it said."""

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> "_Backfill":
        """That of the command line. Raises UsageError where there is no such model, it is a language model, or a parameter is the
        backfill's own."""
        given = parameters.given(arguments)
        if as_of.PARAMETER in given:
            raise errors.UsageError(
                f"-p {as_of.PARAMETER}: a backfill gives each run its own; say --from, --to and --every"
            )
        model = models.folder_of(arguments.model)
        settings = model / folders.ARTIFACTS["settings"]
        if settings.is_file() and model_folder.is_of_answers(settings):
            raise errors.UsageError(
                f"{model.name} answers questions, and a backfill trains a model of tables as of earlier days; run `argosy run {model.name}`"
            )
        home, digest = Settings.from_environment().home, folders.sources_digest(model)
        return cls(home, model, digest, given, _defaults(model / folders.MANIFEST))

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def code(self) -> int:
        """The exit code of the first moment that came to no answer."""
        return next((self.problems[moment][0] for moment in sorted(self.problems)), errors.DONE)

    def carry_out(self, wanted: Sequence[datetime.datetime], arguments: argparse.Namespace) -> None:
        """Make or go on with each run that is wanting, some side by side."""
        waiting = [moment for moment in wanted if not self._is_answered(moment)]
        print(
            f"{len(wanted) - len(waiting)} of {len(wanted)} runs are there; {len(waiting)} to make",
            file=sys.stderr,
            flush=True,
        )
        under_way: list[_Child] = []
        with _children(under_way):
            while waiting or under_way:
                while waiting and len(under_way) < arguments.at_once:
                    moment = waiting.pop(0)
                    under_way.append(_Child.start(moment, self._words(moment, arguments)))
                ended = _next_ended(under_way)
                under_way.remove(ended)
                self._take(ended)

    def _take(self, ended: "_Child") -> None:
        code, said = ended.end()
        answered = self._is_answered(ended.moment)
        if not answered:
            said = said or self._failure(ended.moment)
            self.problems[ended.moment] = (code or errors.TryAgain.exit_code, said)
        about = "" if answered else f": no answer (exit code {code}). {said}"
        print(f"{as_of.text(ended.moment)}{about or ': done'}", file=sys.stderr, flush=True)

    def _failure(self, moment: datetime.datetime) -> str:
        """What stopped the run of *moment*, where its process had no error of its own: a step's is in the run."""
        found = self._run_of(moment)
        stopped = report.record_of(self.home, found).failure if found is not None else None
        return stopped.message if stopped is not None else "it said nothing"

    def _words(self, moment: datetime.datetime, arguments: argparse.Namespace) -> list[str]:
        """The verb that makes the run of *moment*, goes on with it, or waits for whoever is at it."""
        more = ["--json"] + ([f"--parallelism={arguments.parallelism}"] if arguments.parallelism else [])
        if (begun := self._run_of(moment)) is not None:
            if begun.is_locked():
                return ["watch", begun.run]
            return ["resume", begun.run, "--as-begun", *more]
        return ["run", str(self.model), "--as-of", as_of.text(moment), *_typed(self.given), *more]

    def line(self, moment: datetime.datetime) -> "backfill_page.BackfillLine":
        """What is to be said of *moment*."""
        from argosy.report import backfill_page

        found, said = self._run_of(moment), self.problems.get(moment, (0, ""))[1]
        return backfill_page.BackfillLine(moment, report.record_of(self.home, found) if found else None, said)

    def _is_answered(self, moment: datetime.datetime) -> bool:
        found = self._run_of(moment)
        return found is not None and _is_answer(found, report.record_of(self.home, found))

    def _run_of(self, moment: datetime.datetime) -> RunFolder | None:
        """The run as of *moment*: one with an answer before one that is over, and that before one that is not; the newest of several."""
        mine = [each for each in runs.newest_first(self.home) if self._is_of(each, moment)]
        over = [each for each in mine if each.meta().get("phase") in OVER]
        answered = (each for each in over if _is_answer(each, report.record_of(self.home, each)))
        return next(answered, next(iter(over or mine), None))

    def _is_of(self, run: RunFolder, moment: datetime.datetime) -> bool:
        annotations, values = _about(run.path)
        asked = {**self.defaults, **self.given, as_of.PARAMETER: as_of.text(moment)}
        if annotations.get(folders.SOURCES) != self.sources or any(
            values.get(name) != value for name, value in asked.items()
        ):
            return False
        return (
            "data" in self.given
            or "://" in values.get("data", "")
            or values.get("data") == f"data/{annotations[folders.MODEL]}"
        )


def _defaults(pipeline: Path) -> Mapping[str, str]:
    """The values of the parameters of *pipeline* that are the same in every run of it; none where it is not compiled yet."""
    if not pipeline.exists():
        return {}
    spec = yaml.safe_load(pipeline.read_text(encoding="utf-8"))["spec"]
    given = (spec.get("arguments") or {}).get("parameters") or []
    return {
        each["name"]: str(each["value"]) for each in given if each["name"] not in OWN and each.get("value") is not None
    }


@functools.cache
def _about(run: Path) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Annotations and parameters of the run in the folder *run*, which never change once they are there."""
    try:
        manifest: Mapping[str, Any] = RunFolder(run).manifest()
    except errors.Misconfigured:  # it never started
        return {}, {}
    given = ((manifest.get("arguments") or {}).get("parameters")) or []
    values = {each["name"]: str(each["value"]) for each in given if each.get("value") is not None}
    return manifest["metadata"].get("annotations") or {}, values


def _is_answer(run: RunFolder, found: RunReport) -> bool:
    """True where *run* is over and another would come to the same: there is evidence, or the model refuses the data."""
    if run.meta().get("phase") not in OVER:
        return False
    stopped = found.failure
    refused = (
        stopped is not None and re.search(rf"exit code:? {errors.Rejected.exit_code}\b", stopped.message) is not None
    )
    return refused or (found.evidence is not None and stopped is None)


def _typed(given: Mapping[str, str]) -> list[str]:
    return [word for name, value in given.items() for word in ("-p", f"{name}={value}")]


@dataclass(frozen=True)
class _Child:
    """A run that is carried out by a process of its own, which goes on should this one be killed: the next backfill waits for it."""

    moment: datetime.datetime
    process: "subprocess.Popen[bytes]"
    said: IO[bytes]

    @classmethod
    def start(cls, moment: datetime.datetime, words: Sequence[str]) -> "_Child":
        """Carry out the verb *words*."""
        said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "argosy.cli.main", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        return cls(moment, process, said)

    def end(self) -> tuple[int, str]:
        """Its exit code, and its last error in one line, empty where it said none; it has ended."""
        code = self.process.wait()
        with self.said:
            self.said.seek(0)
            lines = [line for line in self.said.read().decode("utf-8", "replace").splitlines() if line.strip()]
        own = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        # The last line of all is how a run was reported on, unless the process broke.
        broke = lines[-1:] if any(line.startswith("Traceback ") for line in lines) else []
        return code, (own or broke or [""])[-1]


def _next_ended(children: Sequence[_Child]) -> _Child:
    """The one of *children* that ends next."""
    while True:
        if (ended := next((child for child in children if child.process.poll() is not None), None)) is not None:
            return ended
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)


@contextlib.contextmanager
def _children(under_way: Sequence[_Child]) -> Iterator[None]:
    """Whatever ends the block ends the runs *under_way*, which can be gone on with."""
    try:
        yield
    finally:
        for child in under_way:
            child.process.send_signal(signal.SIGTERM)
        for child in under_way:
            child.end()


def _say(arguments: argparse.Namespace, backfill: _Backfill, lines: Sequence["backfill_page.BackfillLine"]) -> None:
    from argosy.report import backfill_page

    page = arguments.page or backfill.home / "backfills" / f"{backfill.name}.html"
    if not arguments.dry_run:
        backfill_page.write(backfill.name, lines, page)
    if arguments.json:
        table = backfill_page.table(backfill.name, lines)
        rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
        print(json.dumps({"model": backfill.name, "runs": rows, "page": None if arguments.dry_run else str(page)}))
        return
    print(backfill_page.text(backfill.name, lines))
    if not arguments.dry_run:
        print(f"page  {page}")
