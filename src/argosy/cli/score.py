"""Score a table with the model that is approved for an environment: the server's answers, for tables of any size.

A file (.parquet, .csv, .avro) or a folder of them comes in, of this machine or of a bucket (s3://…); results go to another, part by part,
each with the columns that are no features and `prediction`, `decision`, `model_version`. Begun again, it goes on where it was. Rows that
the server would refuse are kept aside, with the reason, in `_refused`. Answers are logged like any other, so that `argosy drift` and
labels see them.
"""

import argparse
import datetime
import functools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, scratch, wiring
from argosy.cli import approved_model, time_left
from argosy.domain import table_places
from argosy.promotion import approval
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.scoring.part_results import Summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--in",
        dest="tables",
        required=True,
        metavar="PATH",
        help="a table, or a folder of tables; also s3://<bucket>/…",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="FOLDER",
        help="results go below it, by the model's version; also s3://<bucket>/…, or sql://<name>/<table>, rows of a database",
    )
    parser.add_argument("--environment", "--env", default="production", help="whose version scores; default production")
    parser.add_argument("--with-features", action="store_true", help="keep the features in the results too")
    parser.add_argument("--no-log", action="store_true", help="log nothing: a try that drift and labels shall not see")
    parser.add_argument("--workers", type=_positive, metavar="N", help="processes; default one a core")
    parser.add_argument(
        "--share",
        type=_share,
        default=(1, 1),
        metavar="I/N",
        help="score every N-th part, beginning with the I-th: for N pods",
    )
    parser.add_argument(
        "--allow-rollback", action="store_true", help="score by a version older than the last one that was served here"
    )


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1024):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes from 1 on")
    return int(text)


def _share(text: str) -> tuple[int, int]:
    number, _, of_all = text.partition("/")
    if not (number.isdecimal() and of_all.isdecimal() and 1 <= int(number) <= int(of_all)):
        raise argparse.ArgumentTypeError(f"{text!r} is no share; expected I/N with I from 1 to N, such as 2/8")
    return int(number), int(of_all)


def run(arguments: argparse.Namespace) -> int:
    """Check what is approved, then score with it."""
    settings = Settings.from_environment()
    if table_places.is_within(arguments.out, arguments.tables):
        raise errors.UsageError(
            f"--out {arguments.out} lies in --in: results would be taken for tables the next time; pass another"
        )
    found = approval.find(wiring.forge(settings), arguments.model, arguments.environment)
    with scratch.folder("score") as place:
        _score(settings, found, arguments, place)
    return errors.DONE


def _score(settings: Settings, found: approval.Approval, arguments: argparse.Namespace, place: Path) -> None:
    from argosy.scoring import job, part_results, parts

    # What is quick to find wrong comes first.
    tables = wiring.table_files(arguments.tables, "--in")
    everything = parts.of(tables)
    model = approved_model.proven(
        settings, found, arguments.environment, place, allow_rollback=arguments.allow_rollback
    )
    results = wiring.table_files(arguments.out, "--out").below(f"version={found.version.version}")
    number, of_all = arguments.share
    began = part_results.begin(results, model.served, datetime.datetime.now(datetime.UTC))
    work = job.ScoringJob(
        bundle=model.folder,
        served=model.served,
        tables=tables,
        results=results,
        began=began,
        features=arguments.with_features,
        hash_key=wiring.hash_key(settings),
        log=None if arguments.no_log else functools.partial(wiring.batch_log, settings),
    )
    chosen, started = parts.share(everything, number, of_all), time.monotonic()
    tell = functools.partial(_tell, started=started)
    done = list(job.run(work, chosen, workers=arguments.workers or os.cpu_count() or 1, told=tell))
    summary = job.summary(work, done)
    name = part_results.SUMMARY if of_all == 1 else f"_summary-{number}-of-{of_all}.json"
    results.put(name, summary.canonical_json().encode())
    _print(summary, results.uri, time.monotonic() - started)


def _tell(done: int, of_all: int, *, started: float) -> None:
    if sys.stderr.isatty():
        left = time_left.by_share(done, of_all, time.monotonic() - started)
        # The line before may have been longer.
        said = f"{done} of {of_all} parts{left}"
        print(f"\r{said:<38}", end="\n" if done == of_all else "", file=sys.stderr, flush=True)


def _print(summary: "Summary", out: str, seconds: float) -> None:
    from argosy.scoring import part_results

    already = f", {summary.already} of them done before" if summary.already else ""
    print(f"{summary.scored:,} rows scored by {summary.model} version {summary.version}, in {seconds:.1f} s: {out}")
    print(f"parts: {summary.parts}{already}; logged: {'yes' if summary.logged else 'no (--no-log)'}")
    if summary.refused:
        print(f"refused: {summary.refused:,} rows, each with why in {out}/{part_results.REFUSED}")
    if summary.missing:
        worst = sorted(summary.missing.items(), key=lambda item: -item[1])[:5]
        print(f"scored as missing: {', '.join(f'{name} {count:,}' for name, count in worst)}")
