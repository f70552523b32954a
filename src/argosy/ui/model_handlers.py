"""The pages about models: the board, one model, two of its versions, the way back from a prediction."""

import asyncio
import datetime
import itertools
from collections.abc import Sequence

from aiohttp import web

from argosy import errors
from argosy.domain import environment_layout, performance_report
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Rollout
from argosy.monitoring import performance_days, retrainings, served_state, waiting
from argosy.ports.forge import Forge
from argosy.ports.objects import Objects
from argosy.ports.runs import Run
from argosy.promotion.standing import Main
from argosy.promotion.tracing import Sighting
from argosy.report import trace_lines
from argosy.ui import answers, compared_versions, live_pages, model_page
from argosy.ui.compared_versions import ComparedVersions, KnownVersion
from argosy.ui.live_pages import Board, BoardRow
from argosy.ui.model_page import EnvironmentPart, WatchedModel
from argosy.ui.page_sources import PageSources

NEWEST = 10
"""Runs on the first page."""
MOST_VERSIONS = 50
"""Versions of a model that its page lists."""


class ModelHandlers:
    """Answers about models."""

    def __init__(self, sources: PageSources) -> None:
        self._sources = sources

    async def board(self, _: web.Request) -> web.StreamResponse:
        newest = await asyncio.to_thread(self._newest)
        return answers.page(live_pages.board(await asyncio.to_thread(self._board, newest)))

    async def model(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["model"]
        return answers.page(live_pages.model(name, *await asyncio.to_thread(self._model, name)))

    async def versions(self, request: web.Request) -> web.StreamResponse:
        asked = [request.query.get(name, "") for name in ("before", "after")]
        found = await asyncio.to_thread(self._compared, request.match_info["model"], *asked)
        return answers.page(live_pages.versions(found))

    async def trace(self, request: web.Request) -> web.StreamResponse:
        """The way back from what was asked for; the form alone where nothing was."""
        what = request.query.get("what", "").strip()
        if not what:
            return answers.page(live_pages.trace("", [], ""), asks=True)
        try:
            links = _joined(await asyncio.to_thread(lambda: list(trace_lines.links(*self._sources.trace(what)))))
        except errors.UsageError as error:
            return answers.page(live_pages.trace(what, [], str(error)), status=404, asks=True)
        return answers.page(live_pages.trace(what, links, ""), asks=True)

    def _newest(self) -> list[Run]:
        return list(itertools.islice(self._sources.runs.newest_first(), NEWEST))

    def _board(self, newest: list[Run]) -> Board:
        """The models and what waits; and why there are none, where the forge or what looks said cannot be asked: runs are shown all the
        same."""
        rollouts, unseen = self._rollouts()
        try:
            forge, looks = self._sources.forge(), self._sources.looks()
            rows, open_requests, main = _rows(forge, looks)
        except errors.ArgosyError as error:
            return Board([], [], newest, rollouts, self._sources.where, " ".join(filter(None, (str(error), unseen))))
        production = environment_layout.PRODUCTION
        champions = {row.model: row.served[production].model_digest for row in rows}
        waits = waiting.rows(open_requests, main.owners, champions, newest, rollouts, _now())
        return Board(rows, waits, newest, rollouts, self._sources.where, unseen)

    def _rollouts(self) -> tuple[list[Rollout], str]:
        """How canaries stand where a cluster is looked at, and why that is not known."""
        if self._sources.canaries is None:
            return [], ""
        try:
            return [one for name in environment_layout.ENVIRONMENTS for one in self._sources.canaries(name)], ""
        except errors.ArgosyError as error:
            return [], str(error)

    def _model(self, name: str) -> tuple[list[EnvironmentPart], list[Request], list[KnownVersion]]:
        """What is shown of the model *name*, environment by environment, its requests and its versions."""
        forge, store = self._sources.forge(), self._sources.looks()
        main, requests = Main.now(forge), [each for each in forge.requests() if each.subject.model == name]
        if not requests and name not in main.models():
            raise errors.UsageError(f"main of the environment repo names no model {name!r}, and no request is of one")
        newest = itertools.islice(self._sources.tracer().versions(name).values(), MOST_VERSIONS)
        versions = [_listed(one) for one in newest]
        parts = [model_page.part(_watched(main, store, name, each)) for each in environment_layout.ENVIRONMENTS]
        return parts, requests, versions

    def _compared(self, model: str, before: str, after: str) -> ComparedVersions:
        """Two versions of *model* by their numbers.

        Without any the newest two; without *before* the one before *after*, of the first version the one after it.
        """
        found = self._sources.tracer().versions(model)
        numbers = list(found)
        if len(numbers) < 2:
            raise errors.UsageError(f"{model} has fewer than two versions, so that no two can be held together")
        later = _number(after, numbers) if after else numbers[0]
        earlier = _number(before, numbers) if before else next((one for one in numbers if one < later), numbers[-2])
        return compared_versions.of(_known(found[earlier]), _known(found[later]), numbers)


def _joined(links: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """*links*, those without a name as the end of the one before."""
    found: list[tuple[str, str]] = []
    for name, text in links:
        if name or not found:
            found.append((name, text))
        else:
            before, said = found.pop()
            found.append((before, f"{said}; {text}"))
    return found


def _rows(forge: Forge, looks: Objects) -> tuple[list[BoardRow], list[Request], Main]:
    main, open_requests = Main.now(forge), [each for each in forge.requests() if each.state is State.OPEN]
    models = sorted({*main.models(), *(each.subject.model for each in open_requests)})
    main = main.knowing(models)
    rows = [
        BoardRow(
            model,
            {name: served_state.of(main, looks, model, name) for name in environment_layout.ENVIRONMENTS},
            [each for each in open_requests if each.subject.model == model],
        )
        for model in models
    ]
    return rows, open_requests, main


def _known(one: Sighting) -> KnownVersion:
    return KnownVersion(one.version, one.evidence(), one.environment, one.merged)


def _listed(one: Sighting) -> KnownVersion:
    """As :func:`_known`; evidence that cannot be read is a problem of its version alone: anybody may propose some."""
    try:
        return _known(one)
    except errors.Misconfigured as error:
        return KnownVersion(one.version, None, one.environment, one.merged, problem=str(error))


def _number(text: str, known: list[int]) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
    if number not in known:
        raise errors.UsageError(f"there is no version {text!r}; versions: {', '.join(map(str, known))}")
    return number


def _watched(main: Main, store: Objects, model: str, environment: str) -> WatchedModel:
    content = store.get(performance_report.latest_key(model, environment))
    state = served_state.of(main, store, model, environment)
    return WatchedModel(
        environment,
        state,
        retrainings.recent_looks(store, model, environment),
        performance_report.parse(content) if content is not None else None,
        performance_days.kept(store, model, environment, state.model_digest),
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
