"""Answers a browser on this machine: models, runs, logs, reports, requests. GET and HEAD only; nothing is changed by looking.

A browser follows whatever page asks it to, so who asks is not trusted: names of other hosts are refused (a name that points here is how a
foreign page would read along), scripts but ours do not run, and no page of others may frame one of these.
"""

import asyncio
import contextlib
import itertools
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from argosy import errors
from argosy.domain import environment_layout, performance_report
from argosy.domain.promotion_requests import Request, State
from argosy.monitoring import retrainings, served_state
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.runs import KILLED, Line, Run, Runs
from argosy.promotion.desk import Desk
from argosy.promotion.standing import Main
from argosy.ui import live_pages, model_page
from argosy.ui.compared_runs import ComparedRuns
from argosy.ui.live_pages import BoardRow
from argosy.ui.model_page import EnvironmentPart, WatchedModel

PAGE = 50
"""Runs on a page."""
NEWEST = 10
"""Runs on the first page."""
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


@dataclass(frozen=True)
class PageSources:
    """What the pages are made of; each is asked anew for each page."""

    runs: Runs
    where: str
    """Whose runs they are, in words."""
    forge: Callable[[], Forge]
    desk: Callable[[], Desk]
    looks: Callable[[], Objects]
    report: Callable[[str], Path | None]
    """The report of a run; None where it has none yet."""
    compare: Callable[[str, str | None], ComparedRuns] | None = None
    """A run beside another of its model, by default the one before; None where documents of runs are not to be had."""


def application(sources: PageSources) -> web.Application:
    """The pages of *sources*."""
    found = web.Application(middlewares=[_guarded, _answered])
    pages = _Pages(sources)
    found.add_routes(
        [
            web.get("/", pages.board),
            web.get("/models/{model}", pages.model),
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
        yield f"http://{HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


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
        return _page(live_pages.message("Nothing is here", "No page has this address."), status=404)
    except errors.UsageError as error:
        return _page(live_pages.message("Nothing is here", str(error)), status=404)
    except errors.ArgosyError as error:
        return _page(live_pages.message("This could not be shown", str(error)), status=503)


def _page(text: str, *, status: int = 200, live: bool = False) -> web.Response:
    headers = {"Content-Security-Policy": live_pages.content_security_policy(live=live)}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


class _Pages:
    def __init__(self, sources: PageSources) -> None:
        self._sources = sources

    async def board(self, _: web.Request) -> web.StreamResponse:
        (rows, problem), newest = await asyncio.gather(
            asyncio.to_thread(self._board), asyncio.to_thread(self._newest, 0, NEWEST)
        )
        return _page(live_pages.board(rows, environment_layout.ENVIRONMENTS, newest, self._sources.where, problem))

    async def model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["model"]
        return _page(live_pages.model(name, *await asyncio.to_thread(self._model, name)))

    async def runs(self, request: web.Request) -> web.StreamResponse:
        before = _number(request.query.get("before", "0"))
        found = await asyncio.to_thread(self._newest, before, PAGE + 1)
        return _page(live_pages.runs(found[:PAGE], before, len(found) > PAGE, self._sources.where))

    async def run(self, request: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        has_report = await asyncio.to_thread(self._sources.report, found.name) is not None
        shown = await asyncio.to_thread(live_pages.picture, found)
        compares = has_report and self._sources.compare is not None  # only a model's run has a report
        page = live_pages.run(found, has_report=has_report, compares=compares, shown=shown)
        return _page(page, live=not _stands(found))

    async def compare(self, request: web.Request) -> web.StreamResponse:
        if self._sources.compare is None:
            raise errors.UsageError("runs of a cluster keep no documents here, so that two cannot be compared")
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        compared = await asyncio.to_thread(self._sources.compare, found.name, request.query.get("with"))
        return _page(live_pages.compare(compared))

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
            picture = await asyncio.to_thread(live_pages.picture, found)
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

    async def log(self, request: web.Request) -> web.StreamResponse:
        step = request.query.get("step")
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        shown, left = await asyncio.to_thread(self._last_lines, found.name, step)
        return _page(live_pages.log(found, step, shown, left))

    async def report(self, request: web.Request) -> web.StreamResponse:
        """The run's own page, under the policy that it brings along."""
        found = await asyncio.to_thread(self._run, request.match_info["run"])
        path = await asyncio.to_thread(self._sources.report, found.name)
        if path is None:
            raise errors.UsageError(f"run {found.name} has no report yet; `argosy report {found.name}` writes one")
        return web.Response(text=await asyncio.to_thread(path.read_text, "utf-8"), content_type="text/html")

    async def requests(self, _: web.Request) -> web.StreamResponse:
        found = await asyncio.to_thread(lambda: list(self._sources.forge().requests()))
        return _page(live_pages.requests(found))

    async def request(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        return _page(live_pages.request(await asyncio.to_thread(lambda: self._sources.desk().review(number))))

    def _last_lines(self, name: str, step: str | None) -> tuple[Sequence[Line], int]:
        """The last lines of a log, and how many stand before them."""
        shown, count = deque[Line](maxlen=MOST_LINES), 0
        for line in self._sources.runs.log(name, step, follow=False):
            shown.append(line)
            count += 1
        return list(shown), count - len(shown)

    def _board(self) -> tuple[list[BoardRow], str]:
        """The models; and why there are none, where the forge or what looks said cannot be asked: runs are shown all the same."""
        try:
            return self._rows(), ""
        except errors.ArgosyError as error:
            return [], str(error)

    def _rows(self) -> list[BoardRow]:
        forge, looks = self._sources.forge(), self._sources.looks()
        main, waiting = Main.now(forge), [each for each in forge.requests() if each.state is State.OPEN]
        models = sorted({*main.models(), *(each.subject.model for each in waiting)})
        return [
            BoardRow(
                model,
                {name: served_state.of(main, looks, model, name) for name in environment_layout.ENVIRONMENTS},
                [each for each in waiting if each.subject.model == model],
            )
            for model in models
        ]

    def _model(self, name: str) -> tuple[list[EnvironmentPart], list[Request]]:
        """What is shown of the model *name*, environment by environment, and its requests."""
        forge, store = self._sources.forge(), self._sources.looks()
        main, requests = Main.now(forge), [each for each in forge.requests() if each.subject.model == name]
        if not requests and name not in main.models():
            raise errors.UsageError(f"main of the environment repo names no model {name!r}, and no request is of one")
        return [
            model_page.part(_watched(main, store, name, each)) for each in environment_layout.ENVIRONMENTS
        ], requests

    def _newest(self, before: int, most: int) -> list[Run]:
        return list(itertools.islice(self._sources.runs.newest_first(), before, before + most))

    def _run(self, name: str) -> Run:
        return self._sources.runs.get(self._sources.runs.find(name))


def _watched(main: Main, store: Objects, model: str, environment: str) -> WatchedModel:
    content = store.get(performance_report.latest_key(model, environment))
    return WatchedModel(
        environment,
        served_state.of(main, store, model, environment),
        retrainings.recent_looks(store, model, environment),
        performance_report.parse(content) if content is not None else None,
    )


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
