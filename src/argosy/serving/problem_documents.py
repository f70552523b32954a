"""Errors as problem documents (RFC 9457), which the plain routes give; V1 and V2 have the ``{"error": …}`` of their protocols."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson

from argosy.serving.exchange import ResponseBody
from argosy.serving.request_problems import RequestProblem

TYPE = "application/problem+json"
PATHS = frozenset({"/predict", "/explain"})
"""The plain routes."""
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
"""As RFC 9110 has them; Python's are older."""
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def body(path: str, problem: RequestProblem, request_id: str) -> ResponseBody:
    """The answer at *path* to a request that cannot be answered for *problem*."""
    if path in PATHS:
        return ResponseBody(orjson.dumps(document(problem, request_id)), TYPE.encode())
    return ResponseBody(orjson.dumps(problem.body))


def document(problem: RequestProblem, request_id: str) -> dict[str, Any]:
    """*problem* as a document."""
    said = {
        "type": "about:blank",
        "title": TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": str(problem),
        "request_id": request_id,
    }
    if problem.field is None:
        return said
    return said | {"errors": [{"detail": str(problem), "pointer": f"#{quote(pointer(problem.field))}"}]}


def pointer(field: str) -> str:
    """*field* as a JSON pointer (RFC 6901): ``rows[0].tenure`` as ``/rows/0/tenure``; one that is a pointer stays."""
    if field.startswith("/"):
        return field
    return "".join(f"/{step(match[1] or match[2])}" for match in _STEP.finditer(field))


def step(name: str) -> str:
    """*name* as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
