"""The page ``/docs``: Swagger UI over the interface's description. Nothing of it comes from another host, and nothing else may.

Its files are those that the package ``fastapi-offline`` brings.
"""

from collections.abc import Callable
from importlib import resources
from typing import Any

import orjson
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from argosy.serving import exchange
from argosy.serving.exchange import ResponseBody

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: what a browser may load for the page."""
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Model server</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="docs/favicon.png">
</head>
<body>
<div id="interface">The page needs JavaScript; <a href="openapi.json">openapi.json</a> has the same.</div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#interface",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""
_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}


def routes(describe: Callable[[], dict[str, Any]]) -> list[Route]:
    """The page, its files, and the description that *describe* makes when it is first asked for."""
    made: list[bytes] = []

    def description() -> ResponseBody:
        if not made:
            made.append(orjson.dumps(describe()))
        return ResponseBody(made[0])

    def fixed(text: str, media: str) -> Callable[[], ResponseBody]:
        return lambda: ResponseBody(text.encode(), f"{media}; charset=utf-8".encode(), _HEADERS)

    pages = {
        "/openapi.json": description,
        "/docs": fixed(_PAGE, "text/html"),
        "/docs/start.js": fixed(_START, "text/javascript"),
        **{f"/docs/{name}": _file(name, media) for name, media in _FILES.items()},
    }
    return [Route(path, _Content(make), methods=["GET"]) for path, make in pages.items()]


def _file(name: str, media: str) -> Callable[[], ResponseBody]:
    def content() -> ResponseBody:
        found = resources.files("fastapi_offline").joinpath("static", name).read_bytes()
        return ResponseBody(found, media.encode(), [*_HEADERS, (b"cache-control", b"public, max-age=3600")])

    return content


class _Content:
    """An address whose content is made when it is asked for."""

    def __init__(self, make: Callable[[], ResponseBody]) -> None:
        self._make = make

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        await exchange.respond_content(send, 200, self._make())
