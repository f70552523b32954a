"""Routes of FastAPI whose description it makes of types, and whose requests it does not parse: they go to where all others do."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class DocumentedRoute(APIRoute):
    """A route that *app* answers, on bare ASGI."""

    def __init__(
        self,
        path: str,
        app: ASGIApp,
        *,
        takes: Any = None,
        gives: Any = None,
        examples: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """*takes*, *gives*: the types of the bodies; None: none. *examples*: of a body. *more*: as FastAPI's route takes it."""
        self._answers = app
        self.examples = examples
        super().__init__(path, _endpoint(takes), response_model=gives, **more)

    def get_route_handler(self) -> Callable[[Request], Any]:
        """See FastAPI."""

        async def handle(_: Request) -> Response:
            return _Passed(self._answers)

        return handle


class _Passed(Response):
    """The answer that an app gives."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _endpoint(takes: Any) -> Callable[..., None]:
    """A function that nobody calls, whose signature says what is sent."""

    def endpoint(**_: Any) -> None:
        raise AssertionError

    parameters = [] if takes is None else [Parameter("body", Parameter.KEYWORD_ONLY, annotation=takes)]
    endpoint.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return endpoint
