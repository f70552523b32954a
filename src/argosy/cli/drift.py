"""Hold logged predictions against the model's holdout. Ends 10 where they drifted.

That is where they differ by as much as matters and by more than chance. Compares what the version that an environment serves now has
logged there, feature by feature and for the prediction itself, with counts in its bundle: of rows it never saw, and its own answers to
them. Too few rows are no verdict.
"""

import argparse

from argosy import errors, scratch, wiring
from argosy.cli import moments
from argosy.domain import bundle, drift, monitor_settings, release, task_words
from argosy.promotion import approval
from argosy.report import drift_table
from argosy.settings import Settings


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
        default=drift.Thresholds().minimum_rows,
        help="rows needed for a verdict; default %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the report; the exit code says whether there is drift."""
    moments.refuse_backwards(arguments.since, arguments.until)
    settings = Settings.from_environment()
    version = approval.find(wiring.forge(settings), arguments.model, arguments.environment).version
    thresholds = drift.Thresholds(minimum_rows=arguments.minimum)
    signature, bins = _reference(settings, version)
    about = drift.About(
        model=version.model,
        environment=arguments.environment,
        model_digest=version.model_digest,
        version=version.version,
        score=task_words.score(signature.task, signature.classes),
        since=arguments.since,
        until=arguments.until,
    )
    report = _report(settings, about, bins, thresholds)
    print(report.canonical_json() if arguments.json else drift_table.text(report))
    return errors.Rejected.exit_code if report.verdict == "drift" else errors.DONE


def _reference(settings: Settings, version: release.Version) -> tuple[bundle.Signature, bundle.Bins]:
    with scratch.folder("drift") as place:
        folder = approval.fetch_proven_bundle(wiring.artifacts(settings), version, place / "bundle")
        return bundle.Signature.read(folder / bundle.SIGNATURE), bundle.read_bins(folder / bundle.BINS)


def _report(
    settings: Settings, about: drift.About, bins: bundle.Bins, thresholds: drift.Thresholds
) -> drift.DriftReport:
    from argosy.ml import drift as measures

    window, others, damaged = drift.empty(bins), 0, 0
    history = wiring.prediction_history(settings)
    for logged in history.read(about.model, about.environment, since=about.since, until=about.until):
        damaged += logged.damaged
        if logged.served.digest == about.model_digest:
            window = window.plus(measures.count(logged.table, bins))
        else:
            others += logged.table.num_rows
    differences = measures.differences(window, bins)
    return drift.report(
        about, window, differences, bins, thresholds=thresholds, rows_of_other_models=others, damaged=damaged
    )


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) >= monitor_settings.FEWEST_ROWS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows from {monitor_settings.FEWEST_ROWS} on")
    return int(text)
