"""Hold the features that answers were given by against the sources. Ends 10 where they differ by more than the settings bear.

Rows that the version in an environment answered lately, and named their entity, are drawn from the log; so are entities of its online
store. Each is looked up in the sources as training would have: by the views the version was trained with, as of the moment of the answer.
Numbers may differ by a share (`monitor.skew.tolerance`), categories and missing values may not. The worst values are shown, and not kept.
"""

import argparse
import datetime
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import models, moments
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.monitor_settings import FEWEST_COMPARED, Monitor, SkewSettings
from argosy.files import model_folder
from argosy.report import skew_table
from argosy.settings import Settings
from argosy.templates import folder

if TYPE_CHECKING:
    from argosy.domain.model_settings import ModelSettings
    from argosy.monitoring.skew_comparison import SkewWindow
    from argosy.monitoring.watching import Watched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of workflows/, or its folder")
    parser.add_argument("--environment", "--env", default="production", help="whose answers; default production")
    parser.add_argument(
        "--since", type=moments.moment, metavar="WHEN", help="a time (2026-01-31T12:00Z) or an age (90m, 24h, 7d); "
        "default as long ago as the settings say (monitor.window)",
    )  # fmt: skip
    parser.add_argument("--until", type=moments.moment, metavar="WHEN", help="only what was logged before; default now")
    parser.add_argument(
        "--data", metavar="PLACE", help="where the sources lie, in place of the settings: a folder, a file or s3://…"
    )
    parser.add_argument(
        "--rows", type=_rows, metavar="N", help="rows and entities that are drawn; default as the settings say, or 1000"
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; the exit code says whether features are skewed."""
    moments.refuse_backwards(arguments.since, arguments.until)
    from argosy.monitoring import served  # not before: the libraries that count take a second to load
    from argosy.monitoring.skew_comparison import SkewWindow

    settings, now = Settings.from_environment(), datetime.datetime.now(datetime.UTC)
    model = model_folder.load_settings(models.folder_of(arguments.model) / folder.ARTIFACTS["settings"])
    monitor = model.monitor or Monitor()
    asked = monitor.skew or SkewSettings()
    asked = asked.model_copy(update={"rows": arguments.rows}) if arguments.rows else asked
    watched = served.find(
        model.model,
        arguments.environment,
        monitor,
        forge=wiring.forge(settings),
        artifacts=wiring.artifacts(settings),
        objects=wiring.objects(settings, settings.monitoring_uri),
    )
    until = arguments.until or now
    when = SkewWindow(arguments.since or until - monitor.length, until, now)
    moments.refuse_backwards(when.since, when.until)
    found = _found(settings, model, asked, watched, when, arguments.data)
    print(found.canonical_json() if arguments.json else skew_table.text(found))
    return errors.Rejected.exit_code if found.verdict == "skewed" else errors.DONE


def _found(
    settings: Settings,
    model: "ModelSettings",
    asked: SkewSettings,
    watched: "Watched",
    when: "SkewWindow",
    data: str | None,
) -> FeatureSkew:
    from argosy.monitoring import skew_comparison  # as above

    sources = skew_comparison.needed(watched, model)
    place = data or skew_comparison.place(model, sources, settings.data_root)
    with wiring.source_files(settings, place, sources) as files:
        return skew_comparison.measure(watched, model, asked, when, files, wiring.skew_tools(settings, watched.version))


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and FEWEST_COMPARED <= int(text) <= 100_000):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows from {FEWEST_COMPARED} to 100,000")
    return int(text)
