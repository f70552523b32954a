"""Answers a browser on this machine: models, runs, logs, reports, requests. GET and HEAD only; nothing is changed by looking.

A browser follows whatever page asks it to, so who asks is not trusted: names of other hosts are refused (a name that points here is how a
foreign page would read along), scripts but ours do not run, and no page of others may frame one of these.
"""

import asyncio
import contextlib
import datetime
import itertools
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp import web

from argosy import errors
from argosy.ports.runs import KILLED, Line, Run
from argosy.promotion.desk import Review
from argosy.report import delivery
from argosy.ui import answers, live_pages, time_page
from argosy.ui.model_handlers import ModelHandlers
from argosy.ui.page_sources import PageSources
from argosy.ui.time_page import TimeSpent

PAGE = 50
"""Runs on a page."""
MEASURED = 20
"""Runs whose time is looked at."""
MOST_WAITS = 20
"""Requests of which is told how long they waited."""
MOST_LINES = 2000
"""Lines of a log that a page shows: the last ones."""
HOST = "127.0.0.1"
HERE = frozenset({HOST, "localhost", "[::1]"})
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",  # also of a report, whose own policy stands in the page, where nothing is said of frames
    "X-Content-Type-Options": "nosniff",
}
LOOK_SECONDS = 1.0
"""Between two pictures of a run: its bars grow all the time, so each look gives a new one."""
HEARTBEAT_SECONDS = 15.0
"""Silence after which a listener is sent a comment, so that one who is gone is noticed."""


def application(sources: PageSources) -> web.Application:
    """The pages of *sources*."""
    found = web.Application(middlewares=[_guarded, _answered])
    pages, models = _Pages(sources), ModelHandlers(sources)
    found.add_routes(
        [
            web.get("/healthz", _healthy),
            web.get("/", models.board),
            web.get("/models/{model}", models.model),
            web.get("/models/{model}/versions", models.versions),
            web.get("/trace", models.trace),
            web.get("/time", pages.time),
            web.get("/cost", pages.cost),
            web.get("/runs", pages.runs),
            web.get("/runs/{run}", pages.run),
            web.get("/runs/{run}/events", pages.events),
            web.get("/runs/{run}/compare", pages.compare),
            web.get("/runs/{run}/log", pages.log),
            web.get("/runs/{run}/report", pages.report),
            web.get("/requests", pages.requests),
            web.get("/requests/{number:[0-9]{1,9}}", pages.request),
        ]
    )
    return found


@contextlib.asynccontextmanager
async def answering(sources: PageSources, port: int) -> AsyncIterator[str]:
    """Answer on *port* of this machine, 0 for a free one, while the block runs; yields the address.

    Raises Misconfigured where the port is taken.
    """
    runner = web.AppRunner(application(sources), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            said = f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}; name another port with --port"
            raise errors.Misconfigured(said) from error
        # Beside whatever is asked meanwhile; whoever stops the server at once need not wait for it.
        threading.Thread(target=sources.load, name="load", daemon=True).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _healthy(_request: web.Request) -> web.StreamResponse:
    """That it answers, for whoever keeps it running; nothing outside is asked for that."""
    return web.Response(text="ok\n")


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who means another host by this address, and put our headers on every answer."""
    named = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if named not in HERE:
        raise web.HTTPMisdirectedRequest(
            text="this page is for the machine it runs on: open it as 127.0.0.1\n", headers=HEADERS
        )
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say in a page of ours what there is not, or what could not be asked."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return answers.page(live_pages.message("Nothing is here", "No page has this address."), status=404)
    except errors.UsageError as error:
        return answers.page(live_pages.message("Nothing is here", str(error)), status=404)
    except errors.ArgosyError as error:
        return answers.page(live_pages.message("This could not be shown", str(error)), status=503)


class _Pages:
    def __init__(self, sources: PageSources) -> None:
        self._sources = sources
        self._ended: dict[str, Run] = {}

    async def runs(self, request: web.Request) -> web.StreamResponse:
        before = _number(request.query.get("before", "0"))
        found = await asyncio.to_thread(self._newest, before, PAGE + 1)
        return answers.page(live_pages.runs(found[:PAGE], before, len(found) > PAGE, self._sources.where))

    async def run(self, request: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        has_report = await asyncio.to_thread(self._sources.report, found.name) is not None
        shown = await asyncio.to_thread(self._picture, found)
        # Only a model's run has a report.
        compares = has_report and self._sources.compare is not None
        compares = compares and await asyncio.to_thread(self._sources.has_before, found.name)
        page = live_pages.run(found, has_report=has_report, compares=compares, shown=shown)
        return answers.page(page, live=not _stands(found))

    async def compare(self, request: web.Request) -> web.StreamResponse:
        if self._sources.compare is None:
            raise errors.UsageError("runs of a cluster keep no documents here, so that two cannot be compared")
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        compared = await asyncio.to_thread(self._sources.compare, found.name, request.query.get("with"))
        return answers.page(live_pages.compare(compared))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The pictures of a run as it goes, as server-sent events, and its end."""
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        # Nobody looks any more; or the run cannot be asked for, which is told to the browser when it asks for the rest.
        with contextlib.suppress(ConnectionResetError, errors.ArgosyError):
            await self._tell(response, found)
        return response

    async def _tell(self, response: web.StreamResponse, found: Run) -> None:
        told, silent = "", 0.0
        while True:
            picture = await asyncio.to_thread(self._picture, found)
            if picture != told:
                await response.write(_event("picture", picture))
                told, silent = picture, 0.0
            elif silent >= HEARTBEAT_SECONDS:
                await response.write(b":\n\n")
                silent = 0.0
            if _stands(found):
                await response.write(_event("over", found.phase))
                return
            between = max(LOOK_SECONDS, self._sources.runs.poll_seconds)
            await asyncio.sleep(between)
            silent += between
            found = await asyncio.to_thread(self._sources.runs.get, found.name)

    def _picture(self, found: Run) -> str:
        return live_pages.picture(found, self._sources.graph(found))

    async def log(self, request: web.Request) -> web.StreamResponse:
        step = request.query.get("step")
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        shown, left = await asyncio.to_thread(self._last_lines, found.name, step)
        return answers.page(live_pages.log(found, step, shown, left))

    async def report(self, request: web.Request) -> web.StreamResponse:
        """The run's own page, under the policy that it brings along."""
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        path = await asyncio.to_thread(self._sources.report, found.name)
        if path is None:
            raise errors.UsageError(f"run {found.name} has no report yet; `argosy report {found.name}` writes one")
        return web.Response(text=await asyncio.to_thread(path.read_text, "utf-8"), content_type="text/html")

    async def time(self, _: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(self._time)
        return answers.page(live_pages.time_spent(found, self._sources.where))

    async def cost(self, _: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(self._sources.bill)
        return answers.page(live_pages.cost(found, self._sources.where))

    async def requests(self, _: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(lambda: list(self._sources.forge().requests()))
        return answers.page(live_pages.requests(found))

    async def request(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        return answers.page(live_pages.request(*await asyncio.to_thread(self._review, number)))

    def _review(self, number: int) -> tuple[Review, list[str]]:
        """The request, and what the cluster did after its merge, where one is looked at."""
        review = self._sources.desk().review(number)
        if self._sources.canaries is None:
            return review, []
        try:
            rollouts = list(self._sources.canaries(review.request.subject.environment))
        except errors.ArgosyError as error:
            return review, [str(error)]
        return review, list(delivery.lines(review.request, rollouts))

    def _time(self) -> TimeSpent:
        """Where the time of the newest runs went, and what requests waited; runs are shown where the forge is down, too."""
        newest = [self._finished(run) for run in self._newest(0, MEASURED) if run.over]
        try:
            found, problem = list(self._sources.forge().requests()), ""
        except errors.ArgosyError as error:
            found, problem = [], str(error)
        return time_page.of(newest, found, datetime.datetime.now(datetime.UTC), MOST_WAITS, problem)

    def _finished(self, run: Run) -> Run:
        """*run* with its nodes, which never change once it is over; kept, since its journal is not read in a moment."""
        kept = self._ended.get(run.name)
        if kept is None or kept.finished != run.finished:
            kept = self._ended[run.name] = self._sources.runs.get(run.name)
        while len(self._ended) > 2 * MEASURED:
            self._ended.pop(next(iter(self._ended)))
        return kept

    def _last_lines(self, name: str, step: str | None) -> tuple[Sequence[Line], int]:
        """The last lines of a log, and how many stand before them."""
        shown, count = deque[Line](maxlen=MOST_LINES), 0
        for line in self._sources.runs.log(name, step, follow=False):
            shown.append(line)
            count += 1
        return list(shown), count - len(shown)

    def _newest(self, before: int, most: int) -> list[Run]:
        return list(itertools.islice(self._sources.runs.newest_first(before), most))

    def _run(self, name: str) -> Run:
        return self._sources.runs.get(self._sources.runs.find(name))


def _stands(found: Run) -> bool:
    """True where nothing changes in *found* until somebody takes it up again."""
    return found.over or found.phase == KILLED


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise errors.UsageError(f"before={text!r} is no number of runs")
    return int(text)


def _event(kind: str, text: str) -> bytes:
    """One server-sent event; a line of *text* is a line of it."""
    return "".join([f"event: {kind}\n", *(f"data: {line}\n" for line in text.splitlines()), "\n"]).encode()
