"""The options of `argosy run` for part of a pipeline: up to a step, one step alone, a draft. What differs from the run that gives is said.

The part is Argo's own (``engine.partial_runs``); none opens a request, because none comes to the step that does.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import yaml

from argosy import errors
from argosy.cli import progress
from argosy.domain import run_differences
from argosy.engine.api import Manifest
from argosy.engine.options import Prepared
from argosy.engine.state import journal, runs
from argosy.engine.state.object_store import digest_of
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import FROM_RUN, UNTIL
from argosy.steps.evaluate.spec import SPEC as EVALUATE
from argosy.steps.evaluate_answers.spec import SPEC as EVALUATE_ANSWERS
from argosy.steps.propose.spec import SPEC as PROPOSE
from argosy.templates import folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--until", metavar="STEP", help="end after this step: nothing that it does not wait for is run")
    part.add_argument(
        "--only",
        metavar="STEP",
        help="run this step alone, with what a run (--from) gave to it and with today's code and settings",
    )
    part.add_argument(
        "--draft",
        action="store_true",
        help="end after the evaluation and show the gates: nothing is registered, signed or proposed",
    )
    parser.add_argument(
        "--from",
        dest="from_run",
        metavar="RUN",
        help="the run that gives to --only what comes before it (default: the model's newest)",
    )


def target(arguments: argparse.Namespace, manifest: Manifest) -> str | None:
    """The step that the run of *manifest* ends after; None for a whole run. Raises UsageError where the options make no sense."""
    if arguments.from_run and not arguments.only:
        raise errors.UsageError("--from names the run that gives to --only STEP what comes before it; name the step")
    if arguments.only == PROPOSE.name:
        raise errors.UsageError(
            f"--only {PROPOSE.name} would ask reviewers for a model that no whole run made; `argosy run` makes it, `argosy retry RUN` "
            "goes on with one that failed"
        )
    if arguments.draft:
        return evaluation(each for document in manifest.all() for each in _templates(document.body))
    found: str | None = arguments.until or arguments.only
    return found


def evaluation(templates: Iterable[Mapping[str, Any]]) -> str:
    """The step among *templates* that judges a candidate: which one depends on what the model answers with."""
    names = {each.get("name") for each in templates}
    return EVALUATE_ANSWERS.name if EVALUATE_ANSWERS.name in names else EVALUATE.name


def _templates(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return (body.get("spec") or {}).get("templates") or []


def giver(arguments: argparse.Namespace, prepared: Prepared, home: Path) -> runs.RunFolder:
    """The run that gives. Raises UsageError where there is none, or where it is of another model."""
    model = _model(prepared.metadata)
    if arguments.from_run and not arguments.from_run.endswith("/latest"):
        found = runs.find(home, arguments.from_run)
    else:
        named = arguments.from_run.removesuffix("/latest") if arguments.from_run else model
        found = next(filter(None, (_of(named, each) for each in runs.newest_first(home))), None)  # type: ignore[assignment]
        if found is None:
            raise errors.UsageError(
                f"--only {arguments.only} takes what comes before it from a run, and {named or 'this'} has none yet; "
                f"`argosy run {named or 'MODEL'} --until {arguments.only}` makes one"
            )
    other = _model(found.manifest()["metadata"])
    if other != model:
        raise errors.UsageError(f"run {found.run} is of {other or 'no model'}, not of {model or 'this manifest'}")
    return found


def say_since(stream: TextIO, prepared: Prepared, given: runs.RunFolder, working_folder: Path) -> None:
    """Say which run gives, and what has changed since."""
    started = given.meta().get("started")
    progress.say(f"{_of_part(prepared)} (begun {progress.clock(float(started)) if started else 'never'})", stream)
    for line in _since(prepared, given, working_folder):
        progress.say(f"  since then: {line}", stream)


def say_end(stream: TextIO, left_out: list[str]) -> None:
    """Say what did not run."""
    if left_out:
        progress.say(f"not run, as asked: {', '.join(left_out)}", stream)


def _of_part(prepared: Prepared) -> str:
    annotations = prepared.metadata["annotations"]
    return f"only {annotations[UNTIL]}; all that it takes is of run {annotations[FROM_RUN]}"


def _since(prepared: Prepared, given: runs.RunFolder, working_folder: Path) -> Iterator[str]:
    before = StoredRun.read(given)
    then, now = _parameters(before.arguments), _parameters(prepared.arguments)
    for each in run_differences.of_values("parameters", then, now):
        yield f"parameter {each.name}: {each.before} -> {each.after}"
    files, own = _files(before.arguments), _files(prepared.arguments)
    for name, file in {**folder.ARTIFACTS, **folder.ANSWER_ARTIFACTS}.items():
        if files.get(name) != own.get(name):
            yield from _changed(file, files.get(name, ""), own.get(name, ""))
    for place in changed_data(given, working_folder):
        yield f"the data in {place} are others; this step sees those of the run"


def changed_data(given: runs.RunFolder, working_folder: Path) -> list[str]:
    """What steps of the run *given* read below *working_folder* and is not there as it was."""
    read = journal.read_made_of(given.path / runs.JOURNAL)
    pairs = sorted({pair for parts in read.values() for pair in (parts.get("reads") or {}).items()})
    return [place for place, digest in pairs if _digest(working_folder / place) != digest]


def _changed(file: str, before: str, after: str) -> Iterator[str]:
    """What changed in *file*: setting by setting where it is YAML with settings."""
    if not file.endswith(".yaml"):
        yield f"{file} has changed"
        return
    one, other = yaml.safe_load(before) or {}, yaml.safe_load(after) or {}
    found = list(run_differences.of_values(file, one, other))
    yield from (f"{file}: {each.name}: {each.before} -> {each.after}" for each in found)
    if not found:
        yield f"{file}: its comments only"


def _digest(path: Path) -> str | None:
    try:
        return digest_of(path)
    except OSError:
        return None


def _parameters(arguments: Mapping[str, Any]) -> dict[str, str]:
    found = {entry["name"]: str(entry.get("value", "")) for entry in arguments.get("parameters") or []}
    return {name: value for name, value in found.items() if name not in run_differences.UNSAID}


def _files(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["raw"]["data"] for entry in arguments.get("artifacts") or [] if "raw" in entry}


def _model(metadata: Mapping[str, Any]) -> str | None:
    found: str | None = (metadata.get("annotations") or {}).get(folder.MODEL)
    return found


def _of(model: str | None, each: runs.RunFolder) -> runs.RunFolder | None:
    try:
        return each if model and _model(each.manifest()["metadata"]) == model else None
    except errors.Misconfigured:  # it never started
        return None
