"""Show models, runs and requests in a browser of this machine: a page that only looks, until Ctrl-C.

Runs show themselves as they go, with their logs and reports; requests with every check and their evidence. It listens on 127.0.0.1 alone
and changes nothing.
"""

import argparse
import asyncio
import contextlib
import signal
import webbrowser
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import report, target
from argosy.engine.state import runs
from argosy.promotion.desk import Desk
from argosy.settings import Settings

PORT = 8100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=PORT, help=f"0 for a free one; default {PORT}")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    target.add_arguments(parser, "runs of a cluster instead of this machine's")


def run(arguments: argparse.Namespace) -> int:
    """Answer until told to stop."""
    if not 0 <= arguments.port <= 65535:
        raise errors.UsageError(f"--port {arguments.port}: a port is a number from 0 to 65535")
    asyncio.run(_serve(arguments))
    return errors.DONE


async def _serve(arguments: argparse.Namespace) -> None:
    from argosy.ui import local_pages

    here, at = Settings.from_environment(), target.runs(arguments)
    sources = local_pages.PageSources(
        runs=at,
        where="of the cluster's namespace" if target.is_cluster(arguments) else "of this machine",
        forge=lambda: wiring.forge(here),
        desk=lambda: Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here)),
        looks=lambda: wiring.objects(here, here.monitoring_uri),
        report=lambda name: _report(here.home, name) if at.keeps_reports else None,
    )
    async with local_pages.answering(sources, arguments.port) as address:
        print(f"{address} shows models, runs and requests until Ctrl-C", flush=True)
        if arguments.open:
            await asyncio.to_thread(webbrowser.open, address)
        await _told_to_stop()


async def _told_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _report(home: Path, name: str) -> Path | None:
    """The report of the run *name* of this machine, as it was written."""
    with contextlib.suppress(errors.UsageError):  # the run was deleted meanwhile
        path: Path = runs.find(home, name).path / report.PAGE
        return path if path.is_file() else None
    return None
