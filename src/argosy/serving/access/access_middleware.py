"""ASGI middleware that lets a request through once the gatekeeper has."""

from starlette.types import ASGIApp, Receive, Scope, Send

from argosy.serving import request_spans
from argosy.serving.access.gatekeeper import Credentials, by_name
from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.request_spans import TRACE

OPEN = frozenset({"/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Addresses that load balancers and kubelets ask, who have no key; they say whether the server is up and nothing else."""

_ADMITTED = "argosy.admitted"
"""Key of a request's state, which callers cannot reach: true where it was admitted at once."""


class AccessMiddleware:
    """Holds every request but those to ``OPEN`` to the rules of one model, or of a server as a whole."""

    def __init__(self, app: ASGIApp, *, rules: WatchedRules, model: str | None) -> None:
        """*model*: None where callers have to prove who they are, whichever models they may ask."""
        self._app = app
        self._rules = rules
        self._model = model

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or raise RequestProblem (401, 403, 429, 503)."""
        if scope["type"] == "http" and scope["path"] not in OPEN and not scope.get("state", {}).get(_ADMITTED):
            trace, began = scope.get("state", {}).get(TRACE), request_spans.now()
            try:
                await self._rules.gatekeeper.admit(_caller(scope), self._model)
            finally:
                if trace is not None:
                    trace.stage("access", began)
        await self._app(scope, receive, send)


class AdmissionAtOnce:
    """The same for requests that nothing may wait for; those that it admits are not asked again."""

    def __init__(self, rules: WatchedRules, model: str) -> None:
        self._rules = rules
        self._model = model

    def __call__(self, scope: Scope) -> bool:
        """True where the request is admitted, and is counted as such; False where that has to be found out, or it is refused."""
        admitted = self._rules.gatekeeper.admits_at_once(_caller(scope), self._model)
        scope["state"][_ADMITTED] = admitted
        return admitted


def _caller(scope: Scope) -> Credentials:
    client = scope.get("client")
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return Credentials(client[0] if client else "", by_name(pairs))
