"""The pages of a server of several models that are about no single one: which there are, health, metrics, and addresses without a model."""

from collections.abc import Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from argosy.serving import operations
from argosy.serving.access.access_middleware import AccessMiddleware
from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.middleware import RequestMiddleware
from argosy.serving.operations import Page, no_such_route
from argosy.serving.request_problems import RequestProblem
from argosy.serving.v2_envelope import EXTENSIONS

ANY = "/{rest:path}"


class ModelDirectory(Protocol):
    """What these pages say."""

    lifecycle: Lifecycle
    access: WatchedRules | None

    @property
    def names(self) -> Sequence[str]:
        """The models there are."""

    def version_of(self, name: str) -> str:
        """The version that answers for *name*. Raises RequestProblem (404) where there is no such model."""

    def text(self) -> bytes:
        """The metrics of all of them."""


def app_of(models: ModelDirectory) -> Starlette:
    """The app that answers these."""

    def state(model: str) -> dict[str, Any]:
        return {
            "name": model,
            "version": models.version_of(model),
            "state": "READY" if models.lifecycle.ready else "UNAVAILABLE",
        }

    pages = {
        "/": lambda _: (200, {"status": "alive"}),
        "/v1/models": lambda _: (200, {"models": list(models.names)}),
        "/v2": lambda _: (200, {"name": "argosy", "version": "", "extensions": EXTENSIONS}),
        "/v2/": lambda _: (200, {"name": "argosy", "version": "", "extensions": EXTENSIONS}),
    }
    missing = _NoModel(models)
    app = Starlette(
        routes=[
            *[Route(path, Page(make), methods=["GET"]) for path, make in pages.items()],
            Route("/v2/repository/index", Page(lambda _: (200, list(map(state, models.names)))), methods=["POST"]),
            *operations.routes(models, models.lifecycle),
            *[Route(f"{path}{ANY}", missing) for path in ("/v1/models", "/v2/models", "/models")],
            *[Route(path, missing) for path in ("/predict", "/explain", "/docs", "/openapi.json")],
        ],
        middleware=[
            Middleware(RequestMiddleware),
            *([] if models.access is None else [Middleware(AccessMiddleware, rules=models.access, model=None)]),
        ],
        exception_handlers={HTTPException: no_such_route},
    )
    app.router.redirect_slashes = False
    return app


class _NoModel:
    """Refuses an address that names no model of this server."""

    def __init__(self, models: ModelDirectory) -> None:
        self._models = models

    async def __call__(self, scope: Scope, _: Receive, __: Send) -> None:
        path = scope["path"]
        if "/models/" in path:
            self._models.version_of(path.partition("/models/")[2].partition("/")[0].partition(":")[0])
        names = ", ".join(f"/models/{name}{path}" for name in self._models.names)
        raise RequestProblem(404, f"several models are served here, and {path} names none of them; ask {names}")
