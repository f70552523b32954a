"""Show models, runs and requests in a browser of this machine: a page that only looks, until Ctrl-C.

Runs show themselves as they go, with their logs and reports; requests with every check and their evidence. It listens on 127.0.0.1 alone
and changes nothing.
"""

import argparse
import asyncio
import contextlib
import functools
import itertools
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import canary_places, cost, diff, graph, named_runs, report, run_documents, target, trace
from argosy.domain.bills import Prices, Used
from argosy.domain.traces import AnsweredRow, Trace
from argosy.engine.state import runs
from argosy.promotion.desk import Desk
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ui.bill import Bill
    from argosy.ui.compared_runs import ComparedRuns
    from argosy.ui.page_sources import PageSources

PORT = 8100
MOST_OTHERS = 9
"""Earlier runs that a comparison offers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=PORT, help=f"0 for a free one; default {PORT}")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    canary_places.add_argument(parser)
    target.add_arguments(parser, "runs of a cluster instead of this machine's")


def run(arguments: argparse.Namespace) -> int:
    """Answer until told to stop."""
    if not 0 <= arguments.port <= 65535:
        raise errors.UsageError(f"--port {arguments.port}: a port is a number from 0 to 65535")
    asyncio.run(_serve(arguments))
    return errors.DONE


def sources(arguments: argparse.Namespace, here: Settings) -> "PageSources":
    """What the pages are made of: the runs that *arguments* mean, and what *here* names."""
    at = target.runs(arguments)
    where = "of the cluster's namespace" if target.is_cluster(arguments) else "of this machine"
    from argosy.ui.page_sources import PageSources

    prices = Prices.from_text(here.prices, "ARGOSY_PRICES")
    known: dict[str, tuple[cost.RunVersion, Used]] = {}
    return PageSources(
        runs=at,
        where=where,
        forge=lambda: wiring.forge(here),
        desk=lambda: Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here)),
        looks=lambda: wiring.objects(here, here.monitoring_uri),
        report=lambda name: _report(here.home, name) if at.keeps_reports else None,
        tracer=lambda: trace.tracer_of(here),
        trace=functools.partial(_traced, here),
        bill=lambda: _bill(arguments, here, prices, known),
        graph=lambda run: graph.picture(arguments, here.home, run),
        compare=functools.partial(_compared, here.home) if at.keeps_reports else None,
        has_before=functools.partial(_has_before, here.home),
        canaries=canary_places.looked_at(arguments),
        load=lambda: _load(arguments, here, known),
    )


async def _serve(arguments: argparse.Namespace) -> None:
    from argosy.ui import local_pages

    found = sources(arguments, Settings.from_environment())
    async with local_pages.answering(found, arguments.port) as address:
        print(f"{address} shows models, runs and requests until Ctrl-C", flush=True)
        if arguments.open:
            await asyncio.to_thread(webbrowser.open, address)
        await _told_to_stop()


async def _told_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _bill(
    arguments: argparse.Namespace, here: Settings, prices: Prices, known: dict[str, tuple[cost.RunVersion, Used]]
) -> "Bill":
    """The bill of the newest runs. *known*: what is known of earlier ones."""
    from argosy.ui import bill

    used, left = cost.newest(arguments, here, cost.MOST_COUNTED, known)
    return bill.of(used, prices, left)


def _load(arguments: argparse.Namespace, here: Settings, known: dict[str, tuple[cost.RunVersion, Used]]) -> None:
    """Load the library that verifies, and read what runs of this machine used, so that whoever asks first does not wait for it."""
    wiring.load_verifier()
    if not target.is_cluster(arguments):
        with contextlib.suppress(errors.ArgosyError):  # whoever asks for the page is told
            cost.newest(arguments, here, cost.MOST_COUNTED, known)


def _traced(here: Settings, what: str) -> tuple[list[AnsweredRow], Trace]:
    """The way back from *what*. No server is asked: a foreign page could have this one ask any address."""
    if what.startswith(("http://", "https://")) and not trace.PAGE.fullmatch(what):
        raise errors.UsageError(f"the address of a server is traced at a terminal: argosy trace {what}")
    asked = argparse.Namespace(what=what, model=None, environment=None, days=trace.DAYS)
    return trace.of(asked, trace.tracer_of(here), here)


def _compared(home: Path, name: str, other: str | None) -> "ComparedRuns":
    """The run *name* beside *other*, or beside the one before it of its model. Raises UsageError where there is none."""
    from argosy.ui.compared_runs import ComparedRuns

    after = run_documents.find(home, "", name)
    model = after.record.facts.model
    earlier = list(itertools.islice(named_runs.before(home, model, name), MOST_OTHERS))
    if other is None and not earlier:
        raise errors.UsageError(f"{name} is the first run of {model} here, so that it stands beside none")
    before = run_documents.find(home, model, other or earlier[0])
    found = list(diff.differences(before, after, every=False))
    sections = [(title, [each for each in found if each.section == title]) for title in diff.SECTIONS]
    return ComparedRuns(
        model=model,
        before=before.name,
        after=name,
        said_before=before.outcome,
        said_after=after.outcome,
        sections=[(title, rows) for title, rows in sections if rows],
        others=[each for each in earlier if each != before.name],
    )


def _has_before(home: Path, name: str) -> bool:
    """True where a run of the same model began before the run *name*."""
    with contextlib.suppress(errors.UsageError):  # the run was deleted meanwhile
        model = named_runs.model_of(runs.find(home, name))
        return model is not None and next(named_runs.before(home, model, name), None) is not None
    return False


def _report(home: Path, name: str) -> Path | None:
    """The report of the run *name* of this machine, as it was written."""
    with contextlib.suppress(errors.UsageError):  # the run was deleted meanwhile
        path: Path = runs.find(home, name).path / report.PAGE
        return path if path.is_file() else None
    return None
