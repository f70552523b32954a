"""The model server as an ASGI app: routes and what surrounds each request. What the parts do is said in their own modules.

Building the app opens nothing; whoever builds it hands in a predictor that is loaded and verified, and closes what it opened.
"""

import functools
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from argosy.ports.features import OnlineFeatures
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.serving import docs_page, interface, model_pages, operations, schemas
from argosy.serving.access.access_middleware import AccessMiddleware, AdmissionAtOnce
from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.exchange import Bodies, RequestLimits
from argosy.serving.hot_path import HotPath
from argosy.serving.hot_queue import HotQueue
from argosy.serving.inference import ConcurrencyLimiter, Inference, InferenceProtocol, Shortcut
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.listeners import HOT_QUEUE
from argosy.serving.middleware import RequestMiddleware
from argosy.serving.operations import no_such_route
from argosy.serving.overload import Overload
from argosy.serving.plain import Plain
from argosy.serving.prometheus import Metrics
from argosy.serving.prometheus import of as metrics_of
from argosy.serving.reading import JsonLimits
from argosy.serving.records import Recorder
from argosy.serving.request_spans import RequestSpans
from argosy.serving.schemas import InterfaceNotes
from argosy.serving.second_version import SecondVersion
from argosy.serving.servable_predictor import ServablePredictor
from argosy.serving.service import Service
from argosy.serving.shared_parts import SharedParts
from argosy.serving.split import SplitService
from argosy.serving.v1 import V1, V1Explain
from argosy.serving.v2 import V2


@dataclass(frozen=True, eq=False)
class ServerParts:
    """The parts that every way to one model shares."""

    service: Service
    metrics: Metrics
    lifecycle: Lifecycle
    bodies: Bodies
    gate: ConcurrencyLimiter
    first: V1
    why: V1Explain
    second: V2
    access: WatchedRules | None
    spans: RequestSpans | None
    plain: Plain
    plain_why: Plain
    served: interface.Served
    """What the interface's description is about."""

    def inference(self, protocol: InferenceProtocol[Any]) -> Inference:
        """Answers requests of one *protocol*, under the limits of all."""
        return Inference(protocol, self.service, self.bodies, self.gate)


def server_parts(
    *,
    predictor: ServablePredictor,
    served: ServedRelease,
    online: OnlineFeatures | None = None,
    log: PredictionLog | None = None,
    hash_key: bytes = b"",
    limits: RequestLimits | None = None,
    lifecycle: Lifecycle | None = None,
    metrics: Metrics | None = None,
    access: WatchedRules | None = None,
    told: InterfaceNotes | None = None,
    second: SecondVersion | None = None,
    overload: Overload | None = None,
    shared: SharedParts | None = None,
) -> ServerParts:
    """The parts of the server of one model.

    *online* answers requests that name join keys only; without it they are refused. *log* takes every prediction; *hash_key* is the
    secret under which join keys reach it. *lifecycle* is how the caller says that the server is about to stop. *metrics*: what it counts
    in, where others look at that too. *access*: who may ask; None: whoever reaches the port. *told*: what the
    description of the interface says beside the signature. *second*: a version beside this one, as a shadow or for a share of the rows.
    *overload*: what says when there is no time for more. *shared*: where the server has other models; takes the place of *limits*,
    *lifecycle*, *access* and *overload*.
    """
    if shared is None:
        shared = SharedParts.made(limits, lifecycle, access, None if metrics is None else metrics.server, overload)
    limits = shared.bodies.limits
    if log is not None and not hash_key:
        raise ValueError("a prediction log needs the secret under which join keys are hashed")
    metrics = metrics or metrics_of(predictor.signature, served, log, server=shared.metrics)
    recorder = None if log is None else Recorder(log, predictor.signature, hash_key)
    service = _service(second, predictor=predictor, served=served, metrics=metrics, online=online, recorder=recorder)
    room, name, version = (
        JsonLimits(limits.rows, service.columns.most_columns),
        service.signature.model,
        service.version,
    )
    plain = functools.partial(Plain, service.columns, limits, room, model=name, version=version)
    return ServerParts(
        service=service,
        metrics=metrics,
        lifecycle=shared.lifecycle,
        bodies=shared.bodies,
        gate=shared.gate,
        first=V1(service.columns, limits, room, version=version),
        why=V1Explain(service.columns, limits, room, version=version),
        second=V2(service.signature, version, service.columns, limits, room),
        access=shared.access,
        spans=shared.spans,
        plain=plain(),
        plain_why=plain(explains=True),
        served=interface.Served(
            signature=service.signature,
            version=version,
            told=told or schemas.documentation(service.signature),
            limits=limits,
            by_id=online is not None,
            guarded=shared.access is not None,
        ),
    )


def _service(
    second: SecondVersion | None,
    *,
    predictor: ServablePredictor,
    served: ServedRelease,
    metrics: Metrics,
    online: OnlineFeatures | None,
    recorder: Recorder | None,
) -> Service:
    candidate = None if second is None else second.candidate(metrics)
    if candidate is not None:
        return SplitService(
            candidate, predictor=predictor, served=served, metrics=metrics, online=online, recorder=recorder
        )
    shadow = None if second is None else second.shadow(metrics)
    return Service(predictor=predictor, served=served, metrics=metrics, online=online, recorder=recorder, shadow=shadow)


def app_of(parts: ServerParts) -> FastAPI:
    """The app that answers over HTTP."""
    service, name, served = parts.service, parts.service.signature.model, parts.served
    doors = interface.Doors(
        plain=parts.inference(parts.plain),
        plain_why=parts.inference(parts.plain_why),
        first=parts.inference(parts.first),
        first_why=parts.inference(parts.why),
        second=parts.inference(parts.second),
    )
    health = operations.pages(parts.lifecycle)
    pages = model_pages.pages(service, parts.lifecycle, parts.second)
    read = {path.replace("{model}", name): page for path, page in pages.items()} | health
    hot = _hot(parts)
    documented = [*interface.posted(served, doors), *interface.read(served.about, read)]
    app = FastAPI(
        openapi_url=None,  # of one model, and only what answers: see docs_page
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a client that posts would lose its body on the way
        routes=[
            *documented,
            *docs_page.routes(lambda: interface.description(served.about, documented)),
            *_inference(doors.first, doors.second, doors.first_why, service),
            *[Route(path, page, methods=["GET"]) for path, page in pages.items()],
            *operations.routes(parts.metrics, parts.lifecycle),
        ],
        middleware=[
            Middleware(RequestMiddleware, metrics=parts.metrics, answering=service.answering, spans=parts.spans),
            *([] if parts.access is None else [Middleware(AccessMiddleware, rules=parts.access, model=name)]),
            Middleware(Shortcut, to={path: parts.inference(protocol) for path, protocol in hot.items()}),
        ],
        exception_handlers={HTTPException: no_such_route},
    )
    admits = AdmissionAtOnce(parts.access, name) if parts.access is not None else lambda _: True
    app.state.hot_path = HotPath(hot, service, parts.metrics, admits, parts.spans)
    setattr(app.state, HOT_QUEUE, HotQueue(app.state.hot_path, parts.gate.overload))
    return app


def _hot(parts: ServerParts) -> dict[str, InferenceProtocol[Any]]:
    """The addresses that nearly all requests go to."""
    name = parts.service.signature.model
    return {
        f"/v1/models/{name}:predict": parts.first,
        f"/v2/models/{name}/infer": parts.second,
        "/predict": parts.plain,
    }


def _inference(first: Inference, second: Inference, why: Inference, service: Service) -> list[Route]:
    """Routes that rows are posted to: V1 to *first*, its ``:explain`` to *why*, V2 to *second*."""
    return [
        model_pages.posted("/v1/models/{model}:explain", why, service),
        model_pages.posted("/v1/models/{model}/versions/{version}:explain", why, service),
        model_pages.posted("/v1/models/{model}:predict", first, service),
        model_pages.posted("/v1/models/{model}/versions/{version}:predict", first, service),
        model_pages.posted("/v2/models/{model}/infer", second, service),
        model_pages.posted("/v2/models/{model}/versions/{version}/infer", second, service),
        model_pages.other_verbs(service, "POST rows to", ("predict", "explain")),
    ]
