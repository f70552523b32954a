"""The model server as an ASGI app: routes and what surrounds each request. What the parts do is said in their own modules.

Building the app opens nothing; whoever builds it hands in a predictor that is loaded and verified, and closes what it opened.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import PredictionLog, Served
from argosy.serving import exchange, v1, v2
from argosy.serving.exchange import Limits
from argosy.serving.health import Lifecycle
from argosy.serving.metrics import CONTENT_TYPE, TWENTIETHS, Metrics
from argosy.serving.problems import RequestProblem, shown
from argosy.serving.records import Recorder
from argosy.serving.service import Predictor, Service
from argosy.serving.surroundings import Surroundings

_Infer = Callable[[Service, Limits, Any, str], Awaitable[dict[str, Any]]]


def build_app(
    *,
    predictor: Predictor,
    served: Served,
    online: OnlineFeatures | None = None,
    log: PredictionLog | None = None,
    hash_key: bytes = b"",
    limits: Limits | None = None,
    lifecycle: Lifecycle | None = None,
    score_edges: Sequence[float] | None = None,
) -> Starlette:
    """The server of one model.

    *online* answers requests that name join keys only; without it they are refused. *log* takes every prediction; *hash_key* is the
    secret under which join keys reach it. *lifecycle* is how the caller says that the server is about to stop. *score_edges*: bins in which
    scores are counted; by default twentieths for probabilities, and none for a regression, whose range nobody here knows.
    """
    limits, lifecycle = limits or Limits(), lifecycle or Lifecycle()
    if log is not None and not hash_key:
        raise ValueError("a prediction log needs the secret under which join keys are hashed")
    if score_edges is None:
        score_edges = () if predictor.signature.task == "regression" else TWENTIETHS
    metrics = Metrics(served, log, score_edges)
    recorder = None if log is None else Recorder(log, predictor.signature, hash_key)
    service = Service(predictor=predictor, served=served, metrics=metrics, online=online, recorder=recorder)
    app = Starlette(
        routes=[*_inference(service, limits), *_descriptions(service, lifecycle), *_operations(metrics, lifecycle)],
        middleware=[Middleware(Surroundings, metrics=metrics, served=served, limits=limits)],
        exception_handlers={HTTPException: _no_such_route},
    )
    app.router.redirect_slashes = False  # a client that posts would lose its body on the way
    return app


class _Endpoint:
    """One inference protocol: JSON in, JSON out."""

    def __init__(self, infer: _Infer, service: Service, limits: Limits) -> None:
        self._infer = infer
        self._service = service
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_other_model(scope["path_params"]["model"], self._service)
        payload = await exchange.read_json(scope, receive, self._limits)
        body = await self._infer(self._service, self._limits, payload, scope["state"]["request_id"])
        await exchange.respond(send, 200, body)


async def _infer_v1(service: Service, limits: Limits, payload: Any, request_id: str) -> dict[str, Any]:
    return v1.answer(await service.answer(v1.asked(payload, service.rows, limits), request_id))


async def _infer_v2(service: Service, limits: Limits, payload: Any, request_id: str) -> dict[str, Any]:
    given = await service.answer(v2.asked(payload, service.rows, limits), request_id)
    return v2.answer(given, payload, service.signature, _version(service.served))


def _inference(service: Service, limits: Limits) -> list[Route]:
    return [
        Route("/v1/models/{model}:predict", _Endpoint(_infer_v1, service, limits), methods=["POST"]),
        Route("/v2/models/{model}/infer", _Endpoint(_infer_v2, service, limits), methods=["POST"]),
        Route("/v1/models/{model}:{verb}", _OtherVerb(service)),  # else it reads as a model's name
    ]


class _OtherVerb:
    """What V1 writes behind a model's name and this server does not do."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, _: Receive, __: Send) -> None:
        model, verb = scope["path_params"]["model"], scope["path_params"]["verb"]
        _refuse_other_model(model, self._service)
        if verb == "predict":
            raise HTTPException(405, headers={"Allow": "POST"})
        raise RequestProblem(404, f"{model} cannot {shown(verb)}; POST rows to /v1/models/{model}:predict")


class _Page:
    """An address that is read: a status and a JSON body, made when asked for."""

    def __init__(self, make: Callable[[Scope], tuple[int, Any]]) -> None:
        self._make = make

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        status, body = self._make(scope)
        await exchange.respond(send, status, body)


def _descriptions(service: Service, lifecycle: Lifecycle) -> list[Route]:
    """Routes that say which model this is."""
    name, version = service.signature.model, _version(service.served)

    def of_model(describe: Callable[[], dict[str, Any]]) -> Callable[[Scope], tuple[int, Any]]:
        def make(scope: Scope) -> tuple[int, Any]:
            _refuse_other_model(scope["path_params"]["model"], service)
            return 200, describe()

        return make

    state = of_model(lambda: {"name": name, "ready": lifecycle.ready})
    return [
        _get("/v1/models", lambda _: (200, {"models": [name]})),
        _get("/v1/models/{model}", state),
        _get("/v2", lambda _: (200, {"name": "argosy", "version": version, "extensions": []})),
        _get("/v2/models/{model}", of_model(lambda: v2.metadata(service.signature, version))),
        _get("/v2/models/{model}/ready", state),
    ]


def _operations(metrics: Metrics, lifecycle: Lifecycle) -> list[Route]:
    """Routes for load balancers and Prometheus."""

    def live(_: Scope) -> tuple[int, Any]:
        return 200, {"live": True}

    def ready(_: Scope) -> tuple[int, Any]:
        return (200 if lifecycle.ready else 503), {"ready": lifecycle.ready}

    async def scrape(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)

    health = [
        _get("/healthz", live),
        _get("/v2/health/live", live),
        _get("/readyz", ready),
        _get("/v2/health/ready", ready),
    ]
    return [*health, Route("/metrics", scrape, methods=["GET"])]


def _get(path: str, make: Callable[[Scope], tuple[int, Any]]) -> Route:
    return Route(path, _Page(make), methods=["GET"])


def _version(served: Served) -> str:
    # The protocol wants a version; a bundle that was never registered is known by its digest.
    return served.digest if served.version is None else str(served.version)


def _refuse_other_model(name: str, service: Service) -> None:
    if name != service.signature.model:
        raise RequestProblem(404, f"there is no model {shown(name)} here, only {service.signature.model!r}")


async def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    texts = {
        404: "there is nothing at this address; try /v2 or /healthz",
        405: f"{request.method} is not answered at this address, only {(headers or {}).get('Allow')}",
    }
    return JSONResponse({"error": texts.get(status, str(error))}, status_code=status, headers=headers)
