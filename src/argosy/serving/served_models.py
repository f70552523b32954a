"""The models of one server, by name. Which bundle answers for a name may change while requests come: each is answered by one of them.

A server of one model has its addresses as if there were nothing else. Of several, V1, V2 and gRPC name the model that is asked; the plain
routes and the page lie below ``/models/<name>``. All models start or none does; from then on nothing that befalls one takes the others
away: a version that may not be served, or does not load, leaves the one before it where it is.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import PredictionLog
from argosy.serving import answer_app, exposition, front
from argosy.serving import app as table_app
from argosy.serving.answer_app import AnswerParts
from argosy.serving.answer_service import AnswerService
from argosy.serving.app import ServerParts
from argosy.serving.hot_path import PREFIX, HotPath, HotRequest, address
from argosy.serving.hot_queue import HotQueue
from argosy.serving.request_problems import RequestProblem, shown
from argosy.serving.server_metrics import ServerMetrics

DRAINED_SECONDS = 0.05
"""Between two looks at whether a bundle that was replaced still answers somebody."""


@dataclass
class ModelUsers:
    """The requests that one bundle answers at the moment. It is used round each of them, on the event loop."""

    inside: int = 0

    def __enter__(self) -> None:
        self.inside += 1

    def __exit__(self, *_: object) -> None:
        self.inside -= 1


@dataclass(frozen=True, eq=False)
class ServedModel:
    """One bundle that answers."""

    parts: ServerParts | AnswerParts
    app: ASGIApp
    """What it answers over HTTP."""
    hot: HotPath | None = None
    """Answers plain, small requests together; None of a language model."""
    online: OnlineFeatures | None = None
    """Its online store, closed with it."""
    log: PredictionLog | None = None
    """The log of its answers, closed with it."""
    discard: Callable[[], None] = lambda: None
    """Deletes what was fetched for it, once it is closed."""
    users: ModelUsers = field(default_factory=ModelUsers)

    @classmethod
    def of(cls, parts: ServerParts, **more: Any) -> "ServedModel":
        """The model of tables of *parts*; *more* as the fields have it."""
        app = table_app.app_of(parts)
        return cls(parts, app, app.state.hot_path, **more)

    @classmethod
    def of_answers(cls, parts: AnswerParts, **more: Any) -> "ServedModel":
        """The language model of *parts*; *more* as the fields have it."""
        return cls(parts, answer_app.app_of(parts), **more)

    @property
    def name(self) -> str:
        """The name that callers ask for."""
        return self.parts.service.signature.model


@dataclass(frozen=True)
class CountedModels:
    """Whatever counts, at one moment: a model is in one place of it."""

    answering: Mapping[str, ServedModel]
    retiring: tuple[ServedModel, ...] = ()
    past: exposition.Snapshot = field(default_factory=dict)
    """Of those that are gone. It is not changed any more."""


class ServedModels:
    """The app of a server."""

    def __init__(self, models: Sequence[ServedModel], server: ServerMetrics) -> None:
        """*models*: one at least, no two of one name, all of which count what is the server's in *server*."""
        first = models[0].parts
        self.server = server
        self.lifecycle = first.lifecycle
        self.access = first.access
        self.spans = first.spans
        self.limits = first.bodies.limits
        # Replaced as a whole: who looks after the server reads the counts in a thread of its own, between any two lines of the event loop.
        self._counted = CountedModels({model.name: model for model in models})
        self._front = front.app_of(self)
        self._hot: Mapping[str, HotPath] = {}
        self._find_hot()
        self._overload = first.gate.overload
        self.state = State()
        self.state.hot_queue = HotQueue(self, self._overload)

    @property
    def models(self) -> Mapping[str, ServedModel]:
        """The models, by name."""
        return self._counted.answering

    @property
    def request_seconds(self) -> float:
        """The longest that a request may be answered for by its own budget; 0.0 of models of tables alone, whose answers take none."""
        services = (model.parts.service for model in self.models.values())
        return max((service.request_seconds for service in services if isinstance(service, AnswerService)), default=0.0)

    @property
    def only(self) -> ServedModel | None:
        """The model where there is one; None of several."""
        models = self._counted.answering
        return next(iter(models.values())) if len(models) == 1 else None

    def named(self, name: str) -> ServedModel:
        """The model of that *name*. Raises RequestProblem (404)."""
        found = self.models.get(name)
        if found is None:
            raise RequestProblem(404, f"there is no model {shown(name)} here; models: {', '.join(self.models)}")
        return found

    @property
    def names(self) -> Sequence[str]:
        """The models' names."""
        return list(self.models)

    def version_of(self, name: str) -> str:
        """The version that answers for *name*. Raises RequestProblem (404) where there is no such model."""
        return self.named(name).parts.service.version

    def text(self) -> bytes:
        """The metrics of all of them, as Prometheus scrapes them."""
        return exposition.text(self.snapshot())

    def snapshot(self) -> exposition.Snapshot:
        """The metrics, each of a model with its name where there are several. Counters go on where another version took over."""
        found = exposition.taken(self.server.registry)
        counted = self._counted
        for model in (*counted.retiring, *counted.answering.values()):
            exposition.added(found, self._counts(model))
        exposition.added(found, counted.past)
        return found

    def _counts(self, model: ServedModel) -> exposition.Snapshot:
        return exposition.taken(model.parts.metrics.registry, None if self.only is not None else model.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request over HTTP."""
        model, path = self._asked(scope.get("path", ""))
        if model is None:
            await self._front(scope, receive, send)
            return
        with model.users:
            await model.app(scope if path == scope.get("path") else {**scope, "path": path}, receive, send)

    def _asked(self, path: str) -> tuple[ServedModel | None, str]:
        """The model that *path* is about, and the address as it has it; None for what is the server's."""
        if path.startswith(PREFIX):
            return self.models.get(path.removeprefix(PREFIX).partition("/")[0]), address(path)
        if (only := self.only) is not None:
            return only, path
        kind, _, rest = path.lstrip("/").partition("/models/")
        name = rest.partition("/")[0].partition(":")[0]
        return (self.models.get(name) if kind in {"v1", "v2"} else None), path

    def may_take(self, scope: Scope) -> bool:
        """See :class:`argosy.serving.hot_path.HotPath`."""
        return scope["method"] == "POST" and scope["path"] in self._hot

    def answer(self, requests: Sequence[HotRequest]) -> list[bytes | None]:
        """See :class:`argosy.serving.hot_path.HotPath`; those of one model are answered together."""
        paths = [self._hot[request.scope["path"]] for request in requests]
        if all(path is paths[0] for path in paths):
            return paths[0].answer(requests)
        answers: list[bytes | None] = [None] * len(requests)
        for path in dict.fromkeys(paths):
            places = [place for place, found in enumerate(paths) if found is path]
            for place, answer in zip(places, path.answer([requests[place] for place in places]), strict=True):
                answers[place] = answer
        return answers

    def refusal(self, request: HotRequest) -> bytes:
        """See :class:`argosy.serving.hot_path.HotPath`."""
        return self._hot[request.scope["path"]].refusal(request)

    def replace(self, model: ServedModel) -> ServedModel:
        """Have *model* answer for its name from now on; returns the one that did. Called on the event loop."""
        before = self.named(model.name)
        now = self._counted
        self._counted = CountedModels({**now.answering, model.name: model}, (*now.retiring, before), now.past)
        self._find_hot()
        return before

    async def retire(self, model: ServedModel) -> None:
        """Let go of *model*, which was replaced, once nobody is answered by it."""
        while True:
            await asyncio.sleep(DRAINED_SECONDS)  # also before the first look: a call may be on its way to it
            if not model.users.inside:
                break
        try:
            await close_online(model)
        finally:  # one that does not close keeps nothing else of the model, which nobody would let go of later
            try:
                await asyncio.to_thread(close_log, model)
            finally:
                with self._overload.aside():
                    self.forget(model)
                    model.discard()

    def forget(self, model: ServedModel) -> None:
        """Keep what *model*, which was replaced, has counted, and not the model."""
        past: exposition.Snapshot = {}
        exposition.added(past, self._counted.past)
        exposition.added(past, self._counts(model), growing_only=True)
        now = self._counted
        self._counted = CountedModels(now.answering, tuple(each for each in now.retiring if each is not model), past)

    def _find_hot(self) -> None:
        found: dict[str, HotPath] = {}
        for name, model in self.models.items():
            if (hot := model.hot) is None:
                continue
            for path in hot.paths:
                found[f"{PREFIX}{name}{path}"] = hot
                if path.startswith(("/v1/", "/v2/")) or len(self.models) == 1:
                    found[path] = hot
        self._hot = found


async def close_online(model: ServedModel) -> None:
    """Let go of the online store of *model*."""
    if model.online is not None:
        await model.online.close()


def close_log(model: ServedModel) -> None:
    """Write and ship what the log of *model* has, and that of a version beside it."""
    model.parts.service.close()
    if model.log is not None:
        model.log.close()
