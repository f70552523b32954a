"""Compare the version that an environment serves with a second one beside it: a shadow, or the candidate of a split. Ends 10 for `hold`.

A shadow is compared on the rows that both answered; in a split each version answered entities of its own. Scores come with intervals, by
the labels that the model's settings name, as far as they are there; the policy's comparison (metric, margin, rows at least) says `promote`,
`hold` or `inconclusive`, and what it would take.
"""

import argparse
import contextlib
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import models, moments
from argosy.files import model_folder
from argosy.promotion import approval
from argosy.report import version_comparison_table
from argosy.report.plain_text import line
from argosy.settings import Settings
from argosy.templates import folder

if TYPE_CHECKING:  # the libraries of machine learning, which no other verb is to wait for
    from argosy.domain.version_comparison import VersionComparison
    from argosy.monitoring import performance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model of workflows/, or its folder")
    parser.add_argument("--environment", "--env", default="production", help="whose versions; default production")
    parser.add_argument(
        "--with", dest="second", type=_version, metavar="VERSION", help="the second version's number; default the one "
        "with most rows",
    )  # fmt: skip
    moments.add_labelled_window(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with all of it to FILE, too")
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no version's number")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print the comparison; the exit code says whether the second version is worse."""
    moments.refuse_backwards(arguments.since, arguments.until)
    from argosy.monitoring import comparing, performance  # as above

    settings, now = Settings.from_environment(), datetime.datetime.now(datetime.UTC)
    model = model_folder.load_settings(models.folder_of(arguments.model) / folder.ARTIFACTS["settings"])
    forge = wiring.forge(settings)
    version = approval.find(forge, model.model, arguments.environment).version
    measured = performance.of_main(forge, model, version, arguments.environment)
    until = arguments.until or now
    when = performance.LabelWindow(arguments.since or comparing.window(measured, until, now).since, until, now)
    moments.refuse_backwards(when.since, when.until)
    found = _found(settings, measured, when, arguments)
    if arguments.html:
        from argosy.report import comparison_page  # the templates, which no other form needs

        arguments.html.write_text(comparison_page.render(found), encoding="utf-8")
    print(found.canonical_json() if arguments.json else version_comparison_table.text(found))
    if arguments.html and not arguments.json:
        print(line(f"written: {arguments.html}"))
    return errors.Rejected.exit_code if found.verdict == "hold" else errors.DONE


def _found(
    settings: Settings,
    measured: "performance.Measured",
    when: "performance.LabelWindow",
    arguments: argparse.Namespace,
) -> "VersionComparison":
    from argosy.monitoring import comparing  # as above

    with contextlib.ExitStack() as stack:
        place = None
        if measured.settings.labels is not None:
            data = arguments.data or measured.place(settings.data_root)
            place = stack.enter_context(wiring.labels(settings, data, measured.table))
        return comparing.compare(measured, when, place, wiring.performance_tools(settings), arguments.second)
