"""Say what `argosy run MODEL` would do: which steps run, which come from the cache, and why; the manifest's diff, the request, the time.

Asks no network and writes nothing. A step is `open` where it takes something of one that runs: it comes from the cache if that gives what
it gave before. Time and cost are medians of earlier runs on this machine.
"""

import argparse
import datetime
import difflib
import itertools
import json
import math
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import as_of_option, full_option, local_run, manifests, models, named_runs, parameters, provenance
from argosy.cli import run as runs_verb
from argosy.domain import environment_layout
from argosy.domain.bills import Prices, Used
from argosy.domain.run_plans import PlanRequest, PlanStep, RunPlan
from argosy.engine import api
from argosy.promotion.standing import Main
from argosy.report import formats, plain_text
from argosy.settings import Settings
from argosy.templates import folder

MOST_REASONS = 6
MOST_DIFF = 40
"""Lines of the manifest's diff that are shown without --diff."""
MOST_RUNS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model (workflows/NAME/pipeline.yaml), or its folder")
    parameters.add_arguments(parser)
    as_of_option.add(parser)
    full_option.add(parser)
    parser.add_argument("--diff", action="store_true", help="all lines of the manifest's diff")
    parser.add_argument("--price", metavar="PRICES", help="prices of an hour, as `argosy cost` takes them")
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    settings = Settings.from_environment()
    prices = Prices.from_text(arguments.price or settings.prices, "--price" if arguments.price else "ARGOSY_PRICES")
    found = plan(arguments, settings, prices)
    if arguments.json:
        print(json.dumps(found.model_dump(mode="json")))
    else:
        for line in _lines(found, every_line=arguments.diff):
            print(plain_text.line(line))
    return errors.DONE


def plan(arguments: argparse.Namespace, settings: Settings, prices: Prices) -> RunPlan:
    """The plan of the run that *arguments* describe."""
    model = models.folder_of(arguments.model)
    fresh = folder.is_fresh(model)
    committed = model / folder.MANIFEST
    text = committed.read_text(encoding="utf-8") if fresh else manifests.compiled(model)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / folder.MANIFEST
        file.write_text(text, encoding="utf-8")
        manifest = api.load([file])
        origin = provenance.of_content(committed, text.encode())
        values = runs_verb.values(arguments, manifest, settings.data_root, origin)
        options = local_run.options(arguments, make=False, parameters=values)
        prepared = api.prepare(manifest, options)
        pipeline = folder.workflow_name(model.name)
        earlier = list(itertools.islice(named_runs.newest(settings.home, model.name, pipeline), MOST_RUNS))
        foretold = api.forecast(prepared, options, earlier)
    hours = Used("", "", "", datetime.datetime.now(datetime.UTC), _together(foretold)).hours()
    return RunPlan(
        model=model.name,
        fresh=fresh,
        manifest_diff=_diff(committed, text),
        steps=[_step(each) for each in foretold],
        runs_looked_at=len(earlier),
        seconds=_seconds(foretold),
        hours=hours,
        price=prices.of(hours) if prices.by_kind else None,
        request=_request(settings, model.name, foretold),
    )


def _step(each: api.Foretold) -> PlanStep:
    return PlanStep(
        name=each.name,
        task=each.task,
        answer=each.answer,
        reasons=list(each.reasons),
        waits_for=list(each.waits_for),
        seconds=each.seconds,
    )


def _together(foretold: Sequence[api.Foretold]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in foretold:
        for name, amount in each.resources.items():
            found[name] = found.get(name, 0.0) + amount
    return found


def _seconds(foretold: Sequence[api.Foretold]) -> float | None:
    known = [each.seconds for each in foretold if each.seconds is not None]
    again = [each for each in foretold if each.answer != "cached"]
    return math.fsum(known) if known or not again else None


def _diff(committed: Path, text: str) -> str:
    """The manifest *text* against the one that git holds; against nothing where git holds none."""
    there = subprocess.run(
        ["git", "-C", str(committed.parent), "show", f"HEAD:./{committed.name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    before = there.stdout.splitlines() if there.returncode == 0 else []
    lines = difflib.unified_diff(before, text.splitlines(), "committed", "as it would run", lineterm="")
    return "\n".join(lines)


def _request(settings: Settings, model: str, foretold: Sequence[api.Foretold]) -> PlanRequest:
    path = environment_layout.version_path(model, environment_layout.STAGING)
    files = [path, f"{environment_layout.evidence_folder(model, environment_layout.STAGING)}/"]
    before, where = _served(settings, model)
    answers = {
        task: {each.answer for each in foretold if each.task == task} for task in ("evaluate", "register", "propose")
    }
    known = {name: value for each in foretold for name, value in each.outputs.items() if each.answer == "cached"}
    if answers["propose"] == {"cached"}:
        asked = known.get("request", "")
        return PlanRequest(
            files=[], before=before, note=f"no new request: what the last run asked for stands ({asked})"
        )
    if answers["register"] == {"cached"}:
        after = {"version": known.get("version", ""), "storageUri": known.get("storage-uri", "")}
        return PlanRequest(
            files=files, before=before, after=after, note=f"{where}; version {after['version']} would be asked for"
        )
    if answers["register"] == {"open"}:
        return PlanRequest(
            files=files,
            before=before,
            note=f"{where}; the same version is asked for again if the model and its evidence come out as before",
        )
    return PlanRequest(
        files=files, before=before, note=f"{where}; a new version is asked for if the gates hold, else nothing"
    )


def _served(settings: Settings, model: str) -> tuple[dict[str, str] | None, str]:
    """What staging serves, by its version file, and in words."""
    if not settings.forge_uri.startswith(wiring.LOCAL):
        return None, "what staging serves is on a server, which is not asked"
    if not Path(settings.forge_uri.removeprefix(wiring.LOCAL)).exists():
        return None, "there is no environment repo yet"
    version = Main.now(wiring.forge(settings)).version(model, environment_layout.STAGING)
    if version is None:
        return None, "staging serves nothing yet"
    told = {"version": str(version.version), "modelDigest": version.model_digest, "storageUri": version.storage_uri}
    return told, f"staging serves version {version.version}"


def _lines(found: RunPlan, *, every_line: bool) -> Iterator[str]:
    count = {answer: sum(step.answer == answer for step in found.steps) for answer in ("runs", "open", "cached")}
    yield f"{found.model}: {count['runs']} of {len(found.steps)} steps run, {count['open']} are open, {count['cached']} come from the cache"
    tasks = list(dict.fromkeys(step.task for step in found.steps))
    width = max(map(len, tasks), default=0)
    for task in tasks:
        steps = [step for step in found.steps if step.task == task]
        yield from _of_task(task, steps, width)
    yield f"manifest  {_manifest(found)}"
    lines = [] if _is_new(found) and not every_line else found.manifest_diff.splitlines()
    yield from (f"  {line}" for line in (lines if every_line else lines[:MOST_DIFF]))
    if len(lines) > MOST_DIFF and not every_line:
        yield f"  … {len(lines) - MOST_DIFF} lines more: --diff"
    yield f"request   {found.request.note}"
    yield from (f"  changes {path}" for path in found.request.files)
    yield f"time      {_time(found)}"
    if any(found.hours.values()):
        price = f", price {found.price:.2f}" if found.price is not None else ""
        hours = ", ".join(f"{amount:.3f} {kind} hours" for kind, amount in found.hours.items() if amount)
        yield f"cost      {hours}{price}"


def _of_task(task: str, steps: Sequence[PlanStep], width: int) -> Iterator[str]:
    answers = [step.answer for step in steps]
    answer = next(word for word in ("runs", "open", "cached") if word in answers)
    of = f"{answers.count(answer)} of {len(steps)}" if len(steps) > 1 else ""
    reasons = list(dict.fromkeys(reason for step in steps if step.answer == "runs" for reason in step.reasons))
    waits = list(dict.fromkeys(name for step in steps for name in step.waits_for if name != task))
    if answer == "open":
        reasons = [f"from the cache if {', '.join(waits) or 'what comes before'} comes out as before"]
    shown = reasons[:MOST_REASONS] + (
        [f"and {len(reasons) - MOST_REASONS} reasons more"] if len(reasons) > MOST_REASONS else []
    )
    yield f"  {answer:<6}  {task:<{width}}  {of:<9}{'; '.join(shown)}".rstrip()


def _is_new(found: RunPlan) -> bool:
    """True where no commit has a manifest that the one to be run could be held against."""
    return any(line.startswith("@@ -0,0 ") for line in found.manifest_diff.splitlines()[:3])


def _manifest(found: RunPlan) -> str:
    changed = [line for line in found.manifest_diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    state = "as its folder has it" if found.fresh else "to be compiled anew from its folder"
    if _is_new(found):
        return f"{state}; no commit has one yet ({len(changed)} lines: --diff)"
    return f"{state}; {f'{len(changed)} lines differ from' if changed else 'equal to'} the committed one"


def _time(found: RunPlan) -> str:
    if all(step.answer == "cached" for step in found.steps):
        return "nothing to do"
    if found.seconds is None:
        return "no earlier run tells"
    return f"at most about {formats.seconds(found.seconds)} of work, by the medians of {found.runs_looked_at} runs"
