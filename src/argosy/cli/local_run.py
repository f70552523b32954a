"""The common part of `argosy run`, `argosy resume` and `argosy retry`: options of this machine, progress, and what is said at the end."""

import argparse
import contextlib
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from argosy import argo, errors, settings, telemetry
from argosy.argo import KILLED_FOR_MEMORY, MAIN
from argosy.cli import code_identity, models, peak_memory, state_folder
from argosy.cli import progress as drawing
from argosy.engine import api
from argosy.engine.nodes import Node
from argosy.engine.options import Place, RunOptions, RunResult
from argosy.engine.runner import Observer
from argosy.engine.state.runs import RunFolder
from argosy.engine.stored_logs import ADVICE
from argosy.report import plain_text
from argosy.templates import folder

LONGEST_LAST_WORDS = 4096
"""Bytes from the end of a log that are looked at, and of an output that are shown."""
MOST_EXPORTED = 20
"""Lines of an output that are shown."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what both verbs take."""
    parser.add_argument(
        "--parallelism", type=int, metavar="N", help="how many steps run at once (default: this machine's cores)"
    )
    parser.add_argument(
        "--local-image",
        action="append",
        default=[],
        metavar="PATTERN",
        help="run steps of matching images as processes of this environment",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PATH[:rw]",
        help="a file or folder of this machine that steps may read, with :rw also write; they see nothing else of yours",
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object on standard output")


PLACES: Mapping[str, Mapping[str, str]] = {
    "argosy-semaphores": {"pipelines": "1000"},
    "argosy-shared": {"slots": "1000"},
}
"""Of the semaphores that compiled pipelines name: on one machine runs share its cores, and wait for nobody."""


def add_as_begun(parser: argparse.ArgumentParser) -> None:
    """Declare what only those verbs take that go on with a run."""
    parser.add_argument(
        "--as-begun",
        action="store_true",
        help="go on with the files the run began with, though its model's folder has changed",
    )


def options(arguments: argparse.Namespace, *, make: bool = True, **given: Any) -> RunOptions:
    """The options of a run on this machine. Raises UsageError where a value makes no sense.

    *make*: the keys and folders that a run needs are made where they are missing, and what steps can see is said.
    """
    if arguments.parallelism is not None and arguments.parallelism < 1:
        raise errors.UsageError(f"--parallelism {arguments.parallelism}: at least one step must run at a time")
    found = settings.Settings.from_environment()
    if make:
        state_folder.ensure_keys(found)
        state_folder.ensure_places(found)
        say_open()
    return RunOptions(
        home=found.home,
        parallelism=arguments.parallelism or os.cpu_count() or 1,
        process_images=(*code_identity.OWN_IMAGES, *arguments.local_image),
        config_maps={"argosy-endpoints": found.endpoints(), **PLACES},
        secrets=found.secrets(),
        allowed=_allowed(arguments.allow),
        by_secret={
            name: tuple(Place(path, writable) for path, writable in places) for name, places in found.places().items()
        },
        working_folder=found.data_root,
        states=found.states(),
        code_identity=code_identity.digest(),
        imports_with=telemetry.OFF,
        **given,
    )


def _allowed(texts: Sequence[str]) -> tuple[Place, ...]:
    """The places of the command line, and those that ARGOSY_ALLOW names. Raises UsageError where one is not there."""
    named = re.split(r":(?!rw(?::|$))", os.environ.get("ARGOSY_ALLOW", ""))
    places = [*map(_place, texts), *map(_place, filter(None, named))]
    for place in places:
        if not place.path.exists():
            raise errors.UsageError(f"--allow {place.path}: there is no such file or folder")
        if place.path.resolve() == Path("/"):
            raise errors.UsageError("--allow /: name the folder that steps need, not the whole machine")
    return tuple(places)


def _place(text: str) -> Place:
    path = text.removesuffix(":rw")
    return Place(Path(path).expanduser().absolute(), writable=path != text)


def say_open() -> None:
    """Say, in one line, that steps can see what is the user's, where this machine cannot keep them from it."""
    if (reason := api.why_open()) is not None:
        print(
            f"note: steps of this run can read your files and the environment of your programs, keys included: {reason}. "
            "Run only what you trust here, or on a cluster",
            file=sys.stderr,
        )


def say_ignored(prepared: api.Prepared, arguments: argparse.Namespace) -> None:
    """List, in one line, the fields that change nothing on this machine. Not of a model's pipeline: nobody wrote those by hand."""
    if prepared.ignored and not arguments.json and not is_of_model(prepared.metadata):
        names = sorted({name.removeprefix("spec.") for name in prepared.ignored})
        print(f"changes nothing on one machine: {', '.join(names)}", file=sys.stderr)


def is_of_model(metadata: Mapping[str, Any]) -> bool:
    """True where the workflow with this *metadata* is a model's pipeline."""
    return folder.MODEL in (metadata.get("annotations") or {})


def refuse_other_files(run: RunFolder, arguments: argparse.Namespace) -> None:
    """Raise UsageError where a model's *run* failed and its folder has changed since: done again, it would fail as it did.

    A run that was only interrupted goes on with the files it began with; that they have changed is said.
    """
    annotations = run.manifest()["metadata"].get("annotations") or {}
    model = annotations.get(folder.MODEL)
    if not model or arguments.as_begun:
        return
    try:
        changed = folder.sources_digest(models.folder_of(model)) != annotations.get(folder.SOURCES)
    except errors.UsageError:  # a run of another project
        return
    if not changed:
        return
    said = f"the folder of {model} has changed since run {run.run} began, and a run keeps the files it began with"
    if run.meta().get("phase") in ("Failed", "Error"):
        raise errors.UsageError(
            f"{said}; `argosy run {model}` begins with those that are there now and takes what they do not change from the cache "
            "(--as-begun: go on with the old ones)"
        )
    print(f"note: {said}", file=sys.stderr)


def again(arguments: argparse.Namespace, run: RunFolder, chosen: Collection[str]) -> int:
    """Carry out what is left of *run*, and again the nodes *chosen* though they succeeded; returns its exit code."""
    here = options(arguments)
    refuse_other_files(run, arguments)
    manifest = run.manifest()
    return carry_out(
        arguments,
        here.home,
        manifest["workflow"],
        lambda observer: api.resume(here.home, run.run, here, observer, again=chosen),
        of_model=is_of_model(manifest["metadata"]),
    )


def carry_out(
    arguments: argparse.Namespace, home: Path, workflow: str, run: Callable[[Observer], RunResult], *, of_model: bool
) -> int:
    """Show a run as it goes, say how it ended, and return its exit code.

    A live tree on a terminal, a line an event elsewhere; all on standard error beside --json. *of_model*: the run of a model's pipeline,
    whose memory is watched and whose report is written.
    """
    stream = sys.stderr if arguments.json else sys.stdout
    result, code = follow(stream, home, workflow, run, of_model=of_model)
    if arguments.json:
        drawing.say(json.dumps(summary(result)), sys.stdout)
    return code


def follow(
    stream: TextIO, home: Path, workflow: str, run: Callable[[Observer], RunResult], *, of_model: bool
) -> tuple[RunResult, int]:
    """Show a run on *stream* as it goes and how it ended; returns what it came to, and its exit code."""
    with (
        peak_memory.Sampler() if of_model else contextlib.nullcontext() as sampler,
        drawing.shown(stream, workflow, home) as observer,
    ):
        result = run(observer)
    model = str(RunFolder(result.folder).manifest()["metadata"]["annotations"][folder.MODEL]) if of_model else None
    for line in _last_lines(result, model):
        drawing.say(line, stream)
    for warning in result.warnings:
        drawing.say(f"warning: {warning}", sys.stderr)
    code = result.exit_code
    if sampler:
        from argosy.cli import (
            kept_surroundings,
        )  # not before: it reads documents, which take a tenth of a second to load

        kept_surroundings.keep(result.folder)
        code = _report(home, result, sampler.peak_bytes, stream) or code
    return result, code


def _report(home: Path, result: RunResult, peak_bytes: int | None, stream: TextIO) -> int:
    """Write the report and say what is in it; an exit code where the run went well and that did not."""
    from argosy.cli import report  # not before: most runs are of no model

    try:
        drawing.say(report.after_run(home, result.run, peak_bytes), stream)
    except errors.ArgosyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code if result.exit_code == errors.DONE else errors.DONE
    return errors.DONE


def summary(result: RunResult) -> Mapping[str, object]:
    """The run as one JSON object."""
    exported = {
        key: result.outputs.parameters[name]
        for key, name in (("verdict", "verdict"), ("model_digest", "model-digest"))
        if name in result.outputs.parameters
    }
    return {
        "run": result.run,
        "phase": result.phase,
        "message": result.message,
        **exported,
        "nodes": {name: node.seen().as_status() for name, node in result.nodes.items()},
    }


def _last_lines(result: RunResult, model: str | None) -> Iterator[str]:
    """The end of the run, with each failed step's last message; of the run of a *model* only with advice: the summary says the rest."""
    if result.phase == api.INTERRUPTED:
        yield f"interrupted; `argosy resume {result.run}` goes on from here"
        return
    steps = [node for node in result.nodes.values() if node.type is argo.NodeType.POD]
    cached = sum(node.cached for node in steps)
    message = f": {result.message}" if result.message else ""
    yield f"{result.run} {result.phase}{message} ({len(steps)} steps, {cached} cached, {result.seconds:.1f} s)"
    if not model:  # of a model's pipeline the summary says it
        yield from (f"  {line}" for line in _exported(result))
    for node in steps if result.exit_code else []:
        if node.phase.unsuccessful:
            name = argo.local_name(node.name, result.workflow)
            yield f"  {name}: {node.message}; `argosy logs {result.run} {shlex.quote(name)}`"
            words = _last_words(result, node)
            if model:
                words = [*(line for line in words if line.startswith(ADVICE)), *_setting_of_memory(node, model)]
            yield from (f"    {line}" for line in words)


def _exported(result: RunResult) -> Iterator[str]:
    """What the workflow gives to whoever runs it, as far as a person reads on."""
    for name, value in result.outputs.parameters.items():
        lines = str(value)[:LONGEST_LAST_WORDS].splitlines()
        yield from (f"{name}: {plain_text.line(line)}" for line in lines[:MOST_EXPORTED])
        if len(lines) > MOST_EXPORTED:
            yield f"{name}: and {len(lines) - MOST_EXPORTED} lines more"


def _setting_of_memory(node: Node, model: str) -> Iterator[str]:
    """The setting of *model* that raises the limit on memory that the step of *node* ran into."""
    if KILLED_FOR_MEMORY in node.message:
        from argosy.files import model_folder  # not before: it reads documents, which take a tenth of a second to load

        container = node.message.partition(":")[0]
        setting = ("resources", node.template if container == MAIN else container, "memory")
        try:
            file = models.folder_of(model) / folder.ARTIFACTS["settings"]
            where = f"{file}:{model_folder.line_of(file, *setting)}"
        except errors.ArgosyError:  # the run of a project elsewhere
            where = folder.ARTIFACTS["settings"]
        yield f"{ADVICE}the setting is {'.'.join(setting)} in {where}; then `argosy run {model}` does what is left to do"


def _last_words(result: RunResult, node: Node) -> list[str]:
    """The last message of a step that failed: its own error where it names one, else its last line."""
    attempts = RunFolder(result.folder).attempt(result.workflow, node.name, 0).parent
    logs = sorted(attempts.glob("*/main.log"), key=lambda path: int(path.parent.name))
    if not logs:
        return []
    with logs[-1].open("rb") as log:
        log.seek(max(0, logs[-1].stat().st_size - LONGEST_LAST_WORDS))
        lines = [line for line in log.read().decode("utf-8", errors="replace").splitlines() if line.strip()]
    advice = [line for line in lines if line.startswith(ADVICE)]
    own = [line for line in lines if line.startswith("error: ")]
    return [*(own[-1:] or [line for line in lines if line not in advice][-1:]), *advice]
