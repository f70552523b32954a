"""Health and metrics: what load balancers and Prometheus ask for.

Callers' own port answers it, and so does a port that callers do not reach, from a thread of its own with connections of its own
(:mod:`argosy.serving.listeners`): whatever callers do, whoever looks after the server learns how it is.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from argosy.serving import exchange, problem_documents
from argosy.serving.exchange import ResponseBody
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.prometheus import CONTENT_TYPE
from argosy.serving.request_problems import RequestProblem
from argosy.serving.server_metrics import Scraped


class Page:
    """An address that is read: a status and a JSON body, made when asked for."""

    def __init__(self, make: Callable[[Scope], tuple[int, Any]]) -> None:
        self._make = make

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        status, body = self._make(scope)
        await exchange.respond(send, status, body)


def build_app(metrics: Scraped, lifecycle: Lifecycle) -> Starlette:
    """An app that has these routes and nothing else."""
    app = Starlette(routes=routes(metrics, lifecycle), exception_handlers={HTTPException: no_such_route})
    app.router.redirect_slashes = False
    return app


def pages(lifecycle: Lifecycle) -> dict[str, Page]:
    """The pages that say whether the server is alive and ready, by address."""

    def live(_: Scope) -> tuple[int, Any]:
        return (200 if lifecycle.live else 503), {"live": lifecycle.live}

    def ready(_: Scope) -> tuple[int, Any]:
        return (200 if lifecycle.ready else 503), {"ready": lifecycle.ready}

    made = {"/healthz": live, "/v2/health/live": live, "/readyz": ready, "/v2/health/ready": ready}
    return {path: Page(make) for path, make in made.items()}


def routes(metrics: Scraped, lifecycle: Lifecycle) -> list[Route]:
    """The routes."""
    health = [Route(path, page, methods=["GET"]) for path, page in pages(lifecycle).items()]
    return [*health, Route("/metrics", _Scrape(metrics), methods=["GET"])]


class _Scrape:
    """The route ``/metrics``, in Prometheus' text format."""

    def __init__(self, metrics: Scraped) -> None:
        self._metrics = metrics

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        # In a thread: of many models it takes tens of milliseconds, which would count as work before the requests of that turn.
        text = await asyncio.to_thread(self._metrics.text)
        await exchange.respond_content(send, 200, ResponseBody(text, CONTENT_TYPE.encode()))


async def no_such_route(request: Request, error: Exception) -> Response:
    """404 or 405 as JSON, with what there is."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    texts = {
        404: "there is nothing at this address; try /v2 or /healthz",
        405: f"{request.method} is not answered at this address, only {(headers or {}).get('Allow')}",
    }
    problem = RequestProblem(status, texts.get(status, str(error)))
    content = problem_documents.body(request.url.path, problem, getattr(request.state, "request_id", ""))
    return Response(content.body, status, headers, content.type.decode())
