"""The addresses of one model, whatever it answers: pages that say which it is, and routes that requests are posted to."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from argosy.serving.lifecycle import Lifecycle
from argosy.serving.operations import Page
from argosy.serving.request_problems import RequestProblem, shown
from argosy.serving.v2_envelope import EXTENSIONS


class NamedSignature(Protocol):
    """Whatever has a model's name."""

    @property
    def model(self) -> str:
        """The name."""


class AnsweringModel(Protocol):
    """What these addresses know of a model."""

    @property
    def signature(self) -> NamedSignature:
        """Its signature, which names it."""

    @property
    def version(self) -> str:
        """The version that answers."""

    def refuse_others(self, model: str, version: str | None) -> None:
        """Raises RequestProblem (404) where a caller names another *model*, or another *version* of this one."""


class Describing(Protocol):
    """A protocol that can say what the model takes and gives."""

    def metadata(self) -> dict[str, Any]:
        """As ``GET /v2/models/<model>`` answers it."""


class Answering(Protocol):
    """What a route hands its requests to."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request. Raises RequestProblem."""


def posted(path: str, inference: Answering, service: AnsweringModel) -> Route:
    """The route at *path* of requests that *inference* answers; it may name model and version."""
    return Route(path, _Endpoint(inference, service), methods=["POST"])


class _Endpoint:
    """An address that is posted to."""

    def __init__(self, inference: Answering, service: AnsweringModel) -> None:
        self._inference = inference
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_others(scope, self._service)
        await self._inference.answer(scope, receive, send)


def other_verbs(service: AnsweringModel, how: str, verbs: Sequence[str]) -> Route:
    """The route of V1 verbs behind a model's name that are none of *verbs*; *how*: what is said in front of where to post."""
    return Route("/v1/models/{model}:{verb}", _OtherVerb(service, how, verbs))  # else it reads as a model's name


class _OtherVerb:
    """Refuses other V1 verbs behind a model's name (``:classify``) with 404, and those that there are by other methods with 405."""

    def __init__(self, service: AnsweringModel, how: str, verbs: Sequence[str]) -> None:
        self._service = service
        self._how = how
        self._verbs = verbs

    async def __call__(self, scope: Scope, _: Receive, __: Send) -> None:
        _refuse_others(scope, self._service)
        model, verb = self._service.signature.model, scope["path_params"]["verb"]
        if verb in self._verbs:
            raise HTTPException(405, headers={"Allow": "POST"})
        where = " or ".join([f"/v1/models/{model}:{self._verbs[0]}", *(f":{other}" for other in self._verbs[1:])])
        raise RequestProblem(404, f"{model} cannot {shown(verb)}; {self._how} {where}")


def pages(service: AnsweringModel, lifecycle: Lifecycle, protocol: Describing) -> dict[str, ASGIApp]:
    """Pages that say which model this is, by address. Each that names the model has a twin that names its version too."""
    name, version = service.signature.model, service.version

    def of_model(describe: Callable[[], tuple[int, Any]]) -> Callable[[Scope], tuple[int, Any]]:
        def make(scope: Scope) -> tuple[int, Any]:
            _refuse_others(scope, service)
            return describe()

        return make

    # The status says it to those who look at nothing else, a load balancer or KServe's own client.
    state = of_model(lambda: (200 if lifecycle.ready else 503, {"name": name, "ready": lifecycle.ready}))
    metadata = of_model(lambda: (200, protocol.metadata()))

    def server(_: Scope) -> tuple[int, Any]:
        return 200, {"name": "argosy", "version": version, "extensions": EXTENSIONS}

    made = {
        "/": lambda _: (200, {"status": "alive"}),
        "/v1/models": lambda _: (200, {"models": [name]}),
        "/v1/models/{model}": state,
        "/v1/models/{model}/versions/{version}": state,
        "/v2": server,
        "/v2/": server,
        "/v2/models/{model}": metadata,
        "/v2/models/{model}/versions/{version}": metadata,
        "/v2/models/{model}/ready": state,
        "/v2/models/{model}/versions/{version}/ready": state,
    }
    return {path: Page(make) for path, make in made.items()}


def _refuse_others(scope: Scope, service: AnsweringModel) -> None:
    """Raises RequestProblem (404) where the address names another model, or another version of this one."""
    named = scope["path_params"]
    service.refuse_others(named.get("model", service.signature.model), named.get("version"))
