"""ASGI middleware that lets a request through once the gatekeeper has."""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from argosy.serving.access.gatekeeper import Credentials
from argosy.serving.access.rules_file import WatchedRules

OPEN = frozenset({"/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Addresses that load balancers and kubelets ask, who have no key; they say whether the server is up and nothing else."""


class AccessMiddleware:
    """Holds every request but those to ``OPEN`` to the rules of one model."""

    def __init__(self, app: ASGIApp, *, rules: WatchedRules, model: str) -> None:
        self._app = app
        self._rules = rules
        self._model = model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or raise RequestProblem (401, 403, 429, 503)."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            await self._rules.gatekeeper.admit(_caller(scope), self._model)
        await self._app(scope, receive, send)


def _caller(scope: Scope) -> Credentials:
    client = scope.get("client")
    return Credentials(client[0] if client else "", _headers(scope))


def _headers(scope: Scope) -> Mapping[str, str]:
    # Of a header that comes twice the first counts, except where proxies append.
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        word, text = name.decode("latin-1"), value.decode("latin-1")
        if word not in found:
            found[word] = text
        elif word.startswith("x-forwarded-"):
            found[word] += f",{text}"
    return found
