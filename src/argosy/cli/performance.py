"""Hold logged predictions against the labels that came later. Ends 10 where a metric is below its gate.

What the version that an environment serves now has logged there is joined with the labels that the model's settings name (`labels`), each
metric with its interval, by version, slice and day, beside what outcomes were worth. For predictions without a label yet the metrics are
estimated from the scores. Labels are read as they are now: one that comes late or is corrected counts the next time.
"""

import argparse
import datetime
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import models, moments
from argosy.domain.performance_report import Performance
from argosy.files import model_folder
from argosy.promotion import approval
from argosy.report import performance_table
from argosy.settings import Settings
from argosy.templates import folder

if TYPE_CHECKING:  # the libraries of machine learning, which no other verb is to wait for
    from argosy.monitoring import performance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of workflows/, or its folder")
    parser.add_argument("--environment", "--env", default="production", help="whose predictions; default production")
    moments.add_labelled_window(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; the exit code says whether a metric is below its gate."""
    moments.refuse_backwards(arguments.since, arguments.until)
    from argosy.monitoring import performance  # as above

    settings, now = Settings.from_environment(), datetime.datetime.now(datetime.UTC)
    model = model_folder.load_settings(models.folder_of(arguments.model) / folder.ARTIFACTS["settings"])
    forge = wiring.forge(settings)
    version = approval.find(forge, model.model, arguments.environment).version
    objects = wiring.objects(settings, settings.monitoring_uri)
    measured = performance.of_main(forge, model, version, arguments.environment, objects)
    until = arguments.until or now
    usual = performance.window(measured, until, now)
    when = performance.LabelWindow(arguments.since or usual.since, until, now)
    moments.refuse_backwards(when.since, when.until)
    report = _report(settings, measured, when, arguments.data)
    print(report.canonical_json() if arguments.json else performance_table.text(report))
    return errors.Rejected.exit_code if report.verdict == "below" else errors.DONE


def _report(
    settings: Settings, measured: "performance.Measured", when: "performance.LabelWindow", data: str | None
) -> Performance:
    from argosy.monitoring import performance  # as above

    place = data or measured.place(settings.data_root)
    with wiring.labels(settings, place, measured.table) as sources:
        return performance.measure(measured, when, sources, wiring.performance_tools(settings))
