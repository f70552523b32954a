"""Run a run again, and say whether it comes out as it did; where not, what differs first and what may be why.

WHAT is a run (its name, the beginning of it, MODEL/latest) or a version: MODEL/7, MODEL@production, MODEL/sha256:… The manifest that
the run was begun with holds every file of the model's folder. It is run again with the same settings, seed and parameters, up to the
evaluation: no step is taken from the cache, trials are made anew, nothing is registered, signed or proposed. A version that no run of
this machine made is run from the manifest of its commit. Data are read again where they are what the run read; else the snapshot that it
kept is taken, and that is said. Code, libraries and machine are today's, and held against what the run kept of them.

Ends 0 where the digests of data, features and model, the verdict and the measurements are equal (those of the clock left out), 10 where one
is not.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy import errors, scratch
from argosy.cli import local_run, progress, report, reproduction, state_folder
from argosy.cli.reproduction import Aspect, Original
from argosy.domain import reproductions, run_differences
from argosy.domain.reproductions import Reproduction
from argosy.engine import api
from argosy.engine.state.runs import RunFolder
from argosy.report import formats, plain_text
from argosy.report.record import RunReport
from argosy.settings import Settings

MOST_SHOWN = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="a run, MODEL/latest, MODEL/7, MODEL@production or MODEL/sha256:…")
    parser.add_argument(
        "--kept-data",
        action="store_true",
        help="take the snapshot that the run kept, and do not read the sources again",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what is otherwise than it was, and run nothing")
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run it again and say how it came out."""
    settings = Settings.from_environment()
    original = reproduction.original(arguments.what, settings)
    stream = sys.stderr if arguments.json else sys.stdout
    state_folder.ensure_environment_repo(settings)
    with scratch.folder("search") as trials:
        again = reproduction.again(arguments, original, settings, trials)
        for line in _standing(original, again.aspects):
            progress.say(plain_text.line(line), stream)
        if arguments.dry_run:
            if arguments.json:
                print(json.dumps({"of": original.title, "standing": _aspects(again.aspects)}))
            return errors.DONE
        result, code = local_run.follow(
            stream,
            settings.home,
            again.prepared.workflow,
            lambda observer: api.run(again.prepared, again.options, observer, again.given),
            of_model=local_run.is_of_model(again.prepared.metadata),
        )
    if code:
        return code
    now = report.record_of(settings.home, RunFolder(result.folder))
    found = reproductions.compare(original.came, reproduction.came(now))
    changes = {name: list(aspect.changes) for name, aspect in again.aspects.items()}
    changes["data"] += _of_data(original.record, now)
    why = reproductions.reasons(found, changes)
    if arguments.json:
        print(json.dumps(_as_json(original, result.run, found, why, again.aspects)))
    else:
        for line in _lines(original, result.run, found, why):
            progress.say(plain_text.line(line), stream)
    return errors.DONE if found.first_difference is None else errors.Rejected.exit_code


def _standing(original: Original, aspects: Mapping[str, Aspect]) -> Iterator[str]:
    yield f"{original.title}, again"
    for name, said in _aspects(aspects).items():
        yield f"  {name:<9}  {said}"


def _aspects(aspects: Mapping[str, Aspect]) -> dict[str, str]:
    return {name: aspect.said or "; ".join(_few(aspect.changes)) for name, aspect in aspects.items()}


def _few(said: Sequence[str]) -> list[str]:
    rest = [f"and {len(said) - MOST_SHOWN} more"] if len(said) > MOST_SHOWN else []
    return [*said[:MOST_SHOWN], *rest]


def _of_data(before: RunReport | None, after: RunReport) -> list[str]:
    """How the tables that were read again differ from those that the run read."""
    if before is None or before.snapshot is None or after.snapshot is None:
        return []
    then, now = (
        {table.source: {"rows": table.rows, "digest": formats.short(table.digest)} for table in each.tables}
        for each in (before.snapshot, after.snapshot)
    )
    return [f"data {each.name}: {each.before} -> {each.after}" for each in run_differences.of_values("data", then, now)]


def _lines(original: Original, run: str, found: Reproduction, why: Sequence[str]) -> Iterator[str]:
    stage = found.first_difference
    equal = sum(each.equal for each in found.stages)
    said = "reproduced" if stage is None else f"not reproduced, from the {stage} on"
    alike = found.measured - len(found.others)
    yield f"{said}: {equal} of {len(found.stages)} results are equal, and {alike} of {found.measured} measurements"
    for each in found.stages:
        end = "equal" if each.equal else f"-> {_shown(each.after) or 'none'}"
        yield f"  {each.stage:<9}  {_shown(each.before)}  {end}"
    for name, one, other in found.others[:MOST_SHOWN]:
        yield f"  {name}  {formats.number(one)} -> {formats.number(other)}"
    if len(found.others) > MOST_SHOWN:
        yield f"  and {len(found.others) - MOST_SHOWN} measurements more: `argosy diff {original.title} {run}`"
    if found.left_out:
        yield f"  {found.left_out} measurements of the clock are not held together"
    if stage is not None:
        yield f"why       {'; '.join(_few(why)) or _nothing_known(stage)}"


def _nothing_known(stage: str) -> str:
    return f"nothing that the run kept is otherwise: the {stage} depends on something that no run records"


def _shown(value: str) -> str:
    return formats.short(value) if value.startswith("sha256:") else value


def _as_json(
    original: Original, run: str, found: Reproduction, why: Sequence[str], aspects: Mapping[str, Aspect]
) -> dict[str, Any]:
    return {
        "of": original.title,
        "run": run,
        "reproduced": found.first_difference is None,
        "firstDifference": found.first_difference,
        "results": [{"stage": each.stage, "before": each.before, "after": each.after} for each in found.stages],
        "measurements": {"compared": found.measured, "leftOut": found.left_out},
        "otherMeasurements": [{"name": name, "before": one, "after": other} for name, one, other in found.others],
        "why": list(why),
        "standing": _aspects(aspects),
    }
