"""Hold logged predictions against the model's holdout. Ends 10 where they drifted.

That is where they differ by as much as matters and by more than chance. Compares what the version that an environment serves now has
logged there, feature by feature and for the prediction itself, with counts in its bundle: of rows it never saw, and its own answers to
them. In a project's folder, `monitor` of the model's settings says what else it is held against, by which limits and slices. Too few rows
are no verdict. What a second version beside it answered, a shadow or the candidate of a split, is shown beside, and changes no verdict.
"""

import argparse
import dataclasses
import datetime
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import models, moments
from argosy.domain import drift, monitor_settings
from argosy.domain.looks import Look, SecondLook
from argosy.domain.monitor_settings import Monitor
from argosy.files import model_folder
from argosy.report import drift_table
from argosy.settings import Settings
from argosy.templates import folder

if TYPE_CHECKING:
    from argosy.monitoring.watching import Judged, Watched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--environment", "--env", default="production", help="whose predictions; default production")
    parser.add_argument(
        "--since", type=moments.moment, metavar="WHEN", help="a time (2026-01-31T12:00Z) or an age (90m, 24h, 7d)"
    )
    parser.add_argument("--until", type=moments.moment, metavar="WHEN", help="only what was logged before; default now")
    parser.add_argument(
        "--minimum",
        type=_rows,
        help=f"rows needed for a verdict; default: as the settings say, or {drift.Thresholds().minimum_rows}",
    )
    parser.add_argument(
        "--report",
        type=_file,
        metavar="FILE",
        help="write an HTML report of Evidently's, of a sample of the rows, to FILE",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; the exit code says whether there is drift."""
    moments.refuse_backwards(arguments.since, arguments.until)
    from argosy.monitoring import pages, served, watching  # not before: the libraries that count take a second to load

    settings = Settings.from_environment()
    objects = wiring.objects(settings, settings.monitoring_uri)
    watched = served.find(
        arguments.model,
        arguments.environment,
        _monitor(arguments.model),
        forge=wiring.forge(settings),
        artifacts=wiring.artifacts(settings),
        objects=objects,
    )
    if arguments.minimum:
        watched = watched.with_minimum(arguments.minimum)
    history, now = wiring.prediction_history(settings), datetime.datetime.now(datetime.UTC)
    judged = watching.judge(
        watched,
        history=history,
        objects=objects,
        since=arguments.since or watching.first(watched, history, now),
        until=arguments.until or now,
        now=now,
    )
    found = judged.look.model_copy(update={"second": _second(watched, settings, judged, now)})
    judged = dataclasses.replace(judged, look=found)
    if judged.unkept:
        print(f"note: the counts are not kept, and counted anew the next time: {judged.unkept}", file=sys.stderr)
    # As they were asked for.
    about = found.report.about.model_copy(update={"since": arguments.since, "until": arguments.until})
    report = found.report.model_copy(
        update={"about": about, "verdict": found.verdict, "explanation": found.explanation}
    )
    if arguments.report and not found.rows:  # the exit code is that of the verdict, which this does not change
        print(f"{arguments.report} is not written: there are no rows to draw", file=sys.stderr)
    elif arguments.report:
        pages.write(arguments.report, watched, judged, history=history, pages=wiring.drift_pages())
    print(_json(report, found) if arguments.json else drift_table.text(report, found.slices, found.second))
    return errors.Rejected.exit_code if found.verdict == "drift" else errors.DONE


def _monitor(model: str) -> Monitor | None:
    """How *model* is watched, by its settings where they are at hand and say so."""
    path = models.WORKFLOWS / model / folder.ARTIFACTS["settings"]
    return model_folder.load_any(path).monitor if path.is_file() else None


def _json(report: drift.DriftReport, found: Look) -> str:
    slices = [part.model_dump(mode="json", exclude_none=True) for part in found.slices]
    second = {"second": found.second.model_dump(mode="json", exclude_none=True)} if found.second else {}
    return json.dumps({**report.model_dump(mode="json", exclude_none=True), "slices": slices, **second}, sort_keys=True)


def _second(watched: "Watched", settings: Settings, judged: "Judged", now: datetime.datetime) -> SecondLook | None:
    """The look at what is tried beside *watched*, in the same time; None, and said why, where there can be none."""
    from argosy.monitoring.second_looks import SecondLooks

    history, objects = wiring.prediction_history(settings), wiring.objects(settings, settings.monitoring_uri)
    looks = SecondLooks(wiring.forge(settings), wiring.artifacts(settings), history, objects, now)
    try:
        return looks.beside(watched, judged.look.since, judged.look.until)
    except errors.ArgosyError as error:  # what is only tried keeps nobody from the verdict
        print(f"note: the second version is not looked at: {error}", file=sys.stderr)
        return None


def _file(text: str) -> Path:
    path = Path(text)
    if not path.name or path.is_dir():  # before anything is counted
        raise argparse.ArgumentTypeError(f"{text!r} is a folder, not a file to write")
    return path


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) >= monitor_settings.FEWEST_ROWS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows from {monitor_settings.FEWEST_ROWS} on")
    return int(text)
