"""Collect what has served its time: old runs, answers of the cache, artifacts that nothing names, released models long after their term.

Says what would go, and why; `--delete` does it. Never taken, whatever its age: what an environment serves, what an open request names, a
release within its term, what a hold in the environment repo names (models/MODEL/holds/all.txt or <hex>.txt, with the reason), a run that
is under way or may be resumed. While a pipeline runs here, its machine's artifacts stay. Evidence, registry and ledgers are not touched.
How long each class of data is kept says ARGOSY_RETENTION (runs=30d,snapshots=365d,predictions=400d,measures=90d,looks=365d,
performance=365d,results=90d); an option goes before it. Results of scoring are looked at where `--results` says.
"""

import argparse
import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from argosy import errors, wiring
from argosy.cli import target
from argosy.cli.predictions import days
from argosy.domain import looks, part_measures, performance_report, retention_periods, table_places
from argosy.engine.state import sweeping
from argosy.ports.objects import Objects
from argosy.promotion import retention
from argosy.promotion.standing import Main
from argosy.report.plain_text import line
from argosy.settings import Settings


@dataclass(frozen=True)
class Found:
    """One thing that is old enough to be looked at."""

    kind: str
    name: str
    goes: bool
    why: str
    size: int | None = None
    """Bytes, where that is known without asking a server for each."""

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {name: value for name, value in vars(self).items() if value is not None}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--delete", action="store_true", help="delete it; without this, only say what would go")
    does.add_argument("--dry-run", action="store_true", help="only say what would go, as without --delete")
    parser.add_argument(
        "--days",
        type=days,
        metavar="N",
        help=f"how long runs and cached answers are kept (default: ARGOSY_RETENTION's, else {retention_periods.DAYS_OF_RUNS})",
    )
    parser.add_argument(
        "--predictions-days",
        type=days,
        metavar="N",
        help="delete logged predictions older than that too (default: ARGOSY_RETENTION's, else none)",
    )
    parser.add_argument(
        "--snapshots-days",
        type=days,
        metavar="N",
        help="delete accepted snapshots of data older than that too, but for those that a model needs (default: "
        "ARGOSY_RETENTION's, else none)",
    )
    parser.add_argument(
        "--measures-days",
        type=days,
        metavar="N",
        help="delete what was measured of parts of tables before that too: it is measured again (default: ARGOSY_RETENTION's, else none)",
    )
    parser.add_argument(
        "--looks-days",
        type=days,
        metavar="N",
        help="delete looks at drift and their pages older than that too, but for the newest (default: ARGOSY_RETENTION's, else none)",
    )
    parser.add_argument(
        "--performance-days",
        type=days,
        metavar="N",
        help="delete what performance was on days before that too, but for the newest report (default: ARGOSY_RETENTION's, else none)",
    )
    parser.add_argument(
        "--results",
        action="append",
        default=[],
        metavar="PLACE",
        help="a folder or s3://… with results of scoring; of each day its folder goes once it is older than --results-days (repeatable)",
    )
    parser.add_argument(
        "--results-days",
        type=days,
        metavar="N",
        help="how long results are kept in the places of --results (default: ARGOSY_RETENTION's, else for good)",
    )
    parser.add_argument("--all", action="store_true", help="also list what stays, and why")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Find it, and delete it where that was asked for."""
    here = Settings.from_environment()
    _from_settings(arguments, here)
    now = datetime.datetime.now(datetime.UTC)
    before = now - datetime.timedelta(days=arguments.days)
    said = _Said(arguments)
    store = wiring.artifacts(here)
    # The store first: where main cannot be read, nothing goes anywhere.
    bundles = list(retention.judged(Main.now(wiring.forge(here)), store, now))
    for one in bundles:
        said.line(Found("stored", one.folder.name, one.goes, one.why))
        if one.goes and arguments.delete:
            store.remove(one.folder.name)
    if arguments.snapshots_days:
        kept_for = datetime.timedelta(days=arguments.snapshots_days)
        for one in list(retention.judged_snapshots(Main.now(wiring.forge(here)), store, now, kept_for, bundles)):
            said.line(Found("snapshot", one.folder.name, one.goes, one.why))
            if one.goes and arguments.delete:
                store.remove(one.folder.name)
    for found in _runs(arguments, here, before):
        said.line(found)
    _sweep(arguments, here, before, said)
    _outside(arguments, here, now, said)
    said.end()
    return errors.DONE


def _outside(arguments: argparse.Namespace, here: Settings, now: datetime.datetime, said: "_Said") -> None:
    """What lies in the monitoring store, the log, and where results are."""
    for name, days_kept, age in (
        (retention_periods.MEASURES, arguments.measures_days, _measured),
        (retention_periods.LOOKS, arguments.looks_days, _looked),
        (retention_periods.PERFORMANCE, arguments.performance_days, _performed),
    ):
        if days_kept:
            _of_monitoring(arguments, here, name, now - datetime.timedelta(days=days_kept), age, said)
    for place in arguments.results if arguments.results_days else ():
        _results(arguments, here, place, (now - datetime.timedelta(days=arguments.results_days)).date(), said)
    if arguments.predictions_days:
        _predictions(arguments, here, now, said)


def _from_settings(arguments: argparse.Namespace, here: Settings) -> None:
    """The periods that no option names."""
    periods = retention_periods.periods(here.retention, "ARGOSY_RETENTION")
    if database := next((place for place in arguments.results if place.startswith(table_places.DATABASE)), None):
        raise errors.UsageError(
            f"--results {database}: rows of a database are deleted there; name a folder or a bucket"
        )
    for option, name in (
        ("days", retention_periods.RUNS),
        ("snapshots_days", retention_periods.SNAPSHOTS),
        ("predictions_days", retention_periods.PREDICTIONS),
        ("measures_days", retention_periods.MEASURES),
        ("looks_days", retention_periods.LOOKS),
        ("performance_days", retention_periods.PERFORMANCE),
        ("results_days", retention_periods.RESULTS),
    ):
        if getattr(arguments, option) is None:
            setattr(arguments, option, periods.get(name))


class _Said:
    """What is printed, and what it comes to."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._going: dict[str, int] = {}
        self._bytes = 0

    def line(self, found: Found) -> None:
        """Print what was *found*, where it goes or all is asked for."""
        if found.goes:
            self._going[found.kind] = self._going.get(found.kind, 0) + 1
            self._bytes += found.size or 0
        if not (found.goes or self._arguments.all):
            return
        if self._arguments.json:
            print(json.dumps(found.as_json()))
        else:
            print(line(f"{'goes ' if found.goes else 'stays'} {found.kind:<8} {found.name}: {found.why}"))

    def note(self, text: str) -> None:
        """Print what is no thing."""
        if not self._arguments.json:
            print(text)

    def end(self) -> None:
        """Print the sum."""
        parts = ", ".join(f"{count} {kind}" for kind, count in self._going.items()) or "nothing"
        size = f", {self._bytes / 1e6:.1f} MB on this machine" if self._bytes else ""
        done = self._arguments.delete
        self.note(
            f"{'deleted' if done else 'would go'}: {parts}{size}{'' if done or not self._going else ' (--delete does it)'}"
        )


def _runs(arguments: argparse.Namespace, here: Settings, before: datetime.datetime) -> Iterator[Found]:
    """The runs of this machine; those that go are gone afterwards where that was asked for."""
    at = target.runs(argparse.Namespace(cluster=False, namespace=None, context=None))
    for each in list(at.newest_first()):
        old = each.started is not None and (each.finished or each.started) < before.timestamp()
        why = f"{each.phase}, older than {arguments.days} days"
        if each.under_way:
            why = f"{each.phase}: under way"
        elif not each.over:
            why = f"{each.phase}: may be resumed; `argosy delete {each.name}` deletes it"
        elif not old:
            why = f"less than {arguments.days} days old"
        goes = old and each.over and not each.under_way
        size = sweeping.size(here.home / "runs" / each.name) if goes else None
        if goes and arguments.delete:
            at.delete(each.name)
        yield Found("run", each.name, goes, why, size)


def _sweep(arguments: argparse.Namespace, here: Settings, before: datetime.datetime, said: _Said) -> None:
    """The engine's own store: cached answers, and artifacts that nothing refers to once those are gone."""
    answers = sweeping.old_answers(here.home, before.timestamp())
    unused = sweeping.unused_objects(here.home, frozenset(answers))
    for path in answers:
        said.line(
            Found(
                "answer",
                str(path.relative_to(here.home)),
                goes=True,
                why=f"written more than {arguments.days} days ago",
            )
        )
    for path in unused:
        said.line(
            Found(
                "artifact",
                path.name[:12],
                goes=True,
                why="no run and no cached answer refers to it",
                size=sweeping.size(path),
            )
        )
    if arguments.delete and (answers or unused) and sweeping.sweep(here.home, before.timestamp()) is None:
        raise errors.TryAgain(
            f"a run is under way at {here.home}, so cached answers and artifacts stay for now. Run this again after it"
        )


def _of_monitoring(
    arguments: argparse.Namespace,
    here: Settings,
    name: str,
    before: datetime.datetime,
    age: Callable[[Objects, str], datetime.datetime | None],
    said: _Said,
) -> None:
    """The objects of the class *name* in the monitoring store, whose folder is called like it; those of no *age* stay."""
    objects = wiring.objects(here, here.monitoring_uri)
    for key in list(objects.keys(f"{name}/")):
        at = age(objects, key)
        goes = at is not None and at < before
        said.line(Found(name, key, goes, "the newest" if at is None else f"of {at:%Y-%m-%d}"))
        if goes and arguments.delete:
            objects.delete(key)


def _measured(objects: Objects, key: str) -> datetime.datetime | None:
    content = objects.get(key)
    return part_measures.taken(content) if content is not None else None


def _looked(_objects: Objects, key: str) -> datetime.datetime | None:
    return looks.moment_in(key)


def _performed(_objects: Objects, key: str) -> datetime.datetime | None:
    return performance_report.day_in(key)


def _results(arguments: argparse.Namespace, here: Settings, place: str, oldest: datetime.date, said: _Said) -> None:
    """The results of scoring at *place*, by the day that their folder is called after; what names no day stays."""
    files = wiring.table_files(place, "--results", here.data_root)
    for name in files.names():
        day = retention_periods.day_in(name)
        goes = day is not None and day < oldest
        said.line(Found("results", f"{files.uri}/{name}", goes, "names no day" if day is None else f"of {day}"))
        if goes and arguments.delete:
            files.remove(name)


def _predictions(arguments: argparse.Namespace, here: Settings, now: datetime.datetime, said: _Said) -> None:
    before = now - datetime.timedelta(days=arguments.predictions_days)
    if not arguments.delete:
        said.note(f"would go: logged predictions of before {before:%Y-%m-%d %H:00} UTC, at {here.predictions_uri}")
        return
    said.note(
        f"deleted: {wiring.prediction_history(here).prune(before)} segments of before {before:%Y-%m-%d %H:00} UTC"
    )
