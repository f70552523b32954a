"""Carries out an ``http`` template, as the agent of Argo does: one request, its answer's body as the result."""

import asyncio
import base64
import os
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING

from argosy import network
from argosy.argo import Phase
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.secrets import Secrets, one
from argosy.engine.attempts.engine_tasks import EngineTask
from argosy.engine.effects import PodResult
from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.manifest.model import HTTPHeader, HTTPTemplate
from argosy.engine.nodes import Json, Outputs

if TYPE_CHECKING:
    import aiohttp

LONGEST_BODY = 1 << 20
"""Bytes. A cluster's object could not hold more either."""

REDIRECTS = 10
AUTOMATIC = ("Content-Type", "Accept", "User-Agent")
"""Headers that are sent only where the manifest names them."""


class HttpRequest(EngineTask):
    """One request under way."""

    def __init__(self, http: HTTPTemplate, secrets: Secrets) -> None:
        self._http = http
        self._secrets = secrets

    async def _result(self) -> PodResult:
        import aiohttp  # only runs that ask somebody load it

        method, url = self._http.method or "GET", self._http.url
        said = f'{method.title()} "{url}"'
        limit = self._http.timeout_seconds
        try:
            async with (
                asyncio.timeout(float(limit) if limit is not None else None),
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=None), middlewares=[_by_proxy], skip_auto_headers=AUTOMATIC
                ) as session,
            ):
                return await self._ask(session, method, url)
        except TimeoutError:
            return PodResult(Phase.FAILED, f"{said}: context deadline exceeded")
        except aiohttp.TooManyRedirects:
            return PodResult(Phase.FAILED, f"{said}: stopped after {REDIRECTS} redirects")
        except (aiohttp.ClientError, ValueError, ArtifactFailure, ExpressionError) as error:
            return PodResult(Phase.FAILED, f"{said}: {_reason(error)}")

    async def _ask(self, session: "aiohttp.ClientSession", method: str, url: str) -> PodResult:
        headers = _headers(self._http, self._secrets)
        sent = session.request(
            method,
            url,
            data=_body(self._http),
            headers=headers,
            ssl=not self._http.insecure_skip_verify,
            max_redirects=REDIRECTS,
        )
        async with sent as response:
            content = bytearray()
            async for chunk in response.content.iter_any():
                content += chunk
                if len(content) > LONGEST_BODY:
                    return PodResult(
                        Phase.FAILED, f"the answer has more than {LONGEST_BODY} bytes, which a cluster could not keep"
                    )
            received: dict[str, list[str]] = {}
            for name, value in response.headers.items():
                received.setdefault(_canonical(name), []).append(value)
            return self._verdict(response.status, content.decode(errors="replace"), received)

    def _verdict(self, status: int, body: str, headers: Mapping[str, list[str]]) -> PodResult:
        outputs = Outputs(result=body)
        condition = self._http.success_condition
        if not condition:
            if status // 100 == 2:
                return PodResult(Phase.SUCCEEDED, outputs=outputs)
            return PodResult(Phase.FAILED, f"received non-2xx response code: {status}", outputs)
        known: dict[str, object] = {
            "request": self._asked(),
            "response": {"statusCode": status, "body": body, "headers": dict(headers)},
        }
        try:
            holds = expr.evaluate(condition, known)
        except ExpressionError as error:
            return PodResult(Phase.FAILED, f"unable to evaluate expression '{condition}': {error}")
        if not isinstance(holds, bool):
            return PodResult(Phase.FAILED, f"unable to cast expression result '{holds}' to bool")
        if holds:
            return PodResult(Phase.SUCCEEDED, outputs=outputs)
        return PodResult(Phase.FAILED, f"successCondition '{condition}' evaluated false", outputs)

    def _asked(self) -> Json:
        """The request as a condition knows it. Values of Secrets are not in it."""
        headers = [header for header in self._http.headers if not (header.value_from and header.value_from.written)]
        return {
            "method": self._http.method,
            "url": self._http.url,
            "body": self._http.body,
            "headers": {header.name: [header.value] for header in headers},
        }


async def _by_proxy(request: "aiohttp.ClientRequest", handler: "aiohttp.ClientHandlerType") -> "aiohttp.ClientResponse":
    """Send *request*, which may be one redirected, by the proxy that the surroundings name for its address.

    The client's own way (``trust_env``) also sends what the user's ``~/.netrc`` has for the host, for whatever manifest asks.
    """
    host = request.url.host or ""
    proxy = "" if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(request.url.scheme, "")
    if proxy.startswith("http://"):  # the client takes no other
        request.update_proxy(type(request.url)(proxy), None, None)
    return await handler(request)


def _body(http: HTTPTemplate) -> bytes | None:
    if http.body_from is not None:
        return base64.b64decode(http.body_from.content, validate=True) if http.body_from.content else None
    return http.body.encode() if http.body else None


def _headers(http: HTTPTemplate, secrets: Secrets) -> list[tuple[str, str]]:
    return [(header.name, _value(header, secrets)) for header in http.headers]


def _value(header: HTTPHeader, secrets: Secrets) -> str:
    selector = header.value_from.secret if header.value_from else None
    return (one(selector, secrets) or "") if selector else header.value


def _canonical(name: str) -> str:
    """A header's name as Go's library has it."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _reason(error: Exception) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.strerror:
        return f"dial tcp {error.host}:{error.port}: connect: {_plain(error.os_error)}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError) and (fault := network.fault(error.host, error)):
        return str(fault)
    return str(error) or type(error).__name__


def _plain(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
