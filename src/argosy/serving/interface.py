"""The interface's description (OpenAPI) for one model, and the routes that it describes: addresses, bodies by the signature, refusals.

FastAPI makes the description of the routes' types. Every route in it answers; addresses for other versions and twins of the protocols are
left out. The page that shows it is in :mod:`argosy.serving.docs_page`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.types import ASGIApp

from argosy.domain.bundle import Signature
from argosy.serving import problem_documents, schemas
from argosy.serving.access.access_middleware import OPEN
from argosy.serving.documented_routes import DocumentedRoute
from argosy.serving.exchange import RequestLimits
from argosy.serving.inference import Inference
from argosy.serving.model_pages import Answering
from argosy.serving.schemas import InterfaceNotes

PLAIN, HEALTH = "plain", "health"
HEADER = "Inference-Header-Content-Length"
REFUSALS = {
    400: "The body is not JSON, or not of this protocol.",
    404: "The online store does not know the entity.",
    408: "The body did not arrive in time.",
    413: "The body, or the number of its rows, is too large.",
    415: "The body is compressed, or no JSON.",
    422: "A field is wrong; the answer says which.",
    429: "Too many requests; see Retry-After.",
    500: "The server failed, or the model gave no number.",
    503: "Too busy, or the online store does not answer; see Retry-After.",
}
GUARDED = {401: "No key or token came, or none that is taken.", 403: "The caller may not ask this model."}
BOUNDS = ("minimum", "maximum")
BINARY = {"schema": {"type": "string", "format": "binary"}}
LENGTH = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Bytes of JSON in front of binary tensors; where absent, all of the body is JSON.",
    "schema": {"type": "integer", "minimum": 0},
}


@dataclass(frozen=True)
class Doors:
    """Who answers what is posted."""

    plain: Inference
    plain_why: Inference
    first: Inference
    first_why: Inference
    second: Inference


@dataclass(frozen=True)
class DescribedModel:
    """The model that a description is about, whatever it answers."""

    model: str
    version: str
    kind: str
    """In a word or two."""
    guarded: bool
    """Whether callers are asked who they are."""


@dataclass(frozen=True)
class Served:
    """What the description of a model of tables is about."""

    signature: Signature
    version: str
    told: InterfaceNotes
    limits: RequestLimits
    by_id: bool
    """Whether rows may be join keys alone."""
    guarded: bool
    """See :class:`DescribedModel`."""

    @property
    def about(self) -> DescribedModel:
        """The model."""
        return DescribedModel(self.signature.model, self.version, f"{self.signature.task} model", self.guarded)


@dataclass(frozen=True)
class Posted:
    """A route that is posted to."""

    path: str
    name: str
    tag: str
    summary: str
    door: Answering
    takes: Any
    gives: Any
    examples: Mapping[str, Any]


def posted(served: Served, doors: Doors) -> list[DocumentedRoute]:
    """The routes that rows are posted to."""
    kinds = schemas.bodies(served.signature, served.told, by_id=served.by_id, rows=served.limits.rows)
    plain = {"by row": {"value": kinds.examples["plain"]}, "by column": {"value": kinds.examples["columns"]}}
    one, two = {"a row": {"value": kinds.examples["v1"]}}, {"a row": {"value": kinds.examples["v2"]}}
    first, second = f"/v1/models/{served.signature.model}", f"/v2/models/{served.signature.model}/infer"
    why, gives = "Predict, and say why", kinds.answers
    return [
        post(served.about, Posted(*said))
        for said in (
            ("/predict", "predict", PLAIN, "Predict", doors.plain, kinds.plain[""], gives["plain"], plain),
            ("/explain", "explain", PLAIN, why, doors.plain_why, kinds.plain[" why"], gives["plain why"], plain),
            (f"{first}:predict", "v1_predict", "V1", "Predict", doors.first, kinds.v1[""], gives["v1"], one),
            (f"{first}:explain", "v1_explain", "V1", why, doors.first_why, kinds.v1[" why"], gives["v1 why"], one),
            (second, "v2_infer", "V2", "Predict", doors.second, kinds.v2, schemas.InferAnswer, two),
        )
    ]


def post(about: DescribedModel, what: Posted) -> DocumentedRoute:
    """The route of *what*, with its refusals."""
    failure = schemas.ProblemDocument if what.path in problem_documents.PATHS else schemas.Failure
    responses = _answers(REFUSALS | (GUARDED if about.guarded else {}), failure)
    extra: dict[str, Any] = {}
    if what.tag == "V2":
        responses[200] = {"content": {"application/octet-stream": BINARY}}
        extra = {"requestBody": {"content": {"application/octet-stream": BINARY}}, "parameters": [LENGTH]}
    return DocumentedRoute(
        what.path,
        what.door.answer,
        takes=what.takes,
        examples=what.examples,
        gives=what.gives,
        methods=["POST"],
        tags=[what.tag],
        summary=what.summary,
        operation_id=what.name,
        responses=responses,
        openapi_extra=extra,
    )


def read(about: DescribedModel, pages: Mapping[str, ASGIApp]) -> list[DocumentedRoute]:
    """The routes that are read, of *pages* by their paths."""
    first, second = f"/v1/models/{about.model}", f"/v2/models/{about.model}"
    said: dict[str, tuple[str, str, Any, str]] = {
        "/v1/models": ("v1_models", "V1", schemas.ModelNames, "The models"),
        first: ("v1_model", "V1", schemas.ModelReady, "Whether the model answers"),
        "/v2": ("v2_server", "V2", schemas.ServerMetadata, "The server"),
        second: ("v2_model", "V2", schemas.ModelMetadata, "What the model takes and gives"),
        f"{second}/ready": ("v2_model_ready", "V2", schemas.ModelReady, "Whether the model answers"),
        "/v2/health/live": ("v2_live", "V2", schemas.Live, "Whether the server is alive"),
        "/v2/health/ready": ("v2_ready", "V2", schemas.Ready, "Whether requests should come"),
        "/healthz": ("live", HEALTH, schemas.Live, "Whether the server is alive"),
        "/readyz": ("ready", HEALTH, schemas.Ready, "Whether requests should come"),
    }
    return [_get(about, path, pages[path], *words) for path, words in said.items()]


def _get(
    about: DescribedModel, path: str, page: ASGIApp, name: str, tag: str, gives: Any, summary: str
) -> DocumentedRoute:
    responses: dict[int | str, dict[str, Any]] = {}
    if about.guarded and path not in OPEN:
        codes = GUARDED | {code: REFUSALS[code] for code in (429, 503)}
        responses |= _answers(codes, schemas.Failure)
    if gives in {schemas.Ready, schemas.Live, schemas.ModelReady}:
        refused = responses.get(503, {}).get("model")
        responses[503] = {"description": "It is not.", "model": gives if refused is None else gives | refused}
    return DocumentedRoute(
        path, page, gives=gives, methods=["GET"], tags=[tag], summary=summary, operation_id=name, responses=responses
    )


def _answers(codes: Mapping[int, str], kind: Any) -> dict[int | str, dict[str, Any]]:
    return {code: {"description": said, "model": kind} for code, said in codes.items()}


def description(about: DescribedModel, routes: Sequence[DocumentedRoute]) -> dict[str, Any]:
    """The description of *routes*."""
    made = get_openapi(
        title=about.model,
        version=about.version,
        description=f"A {about.kind}, served by Argosy.",
        routes=routes,
    )
    for route in routes:
        if route.examples:  # FastAPI leaves null out of those it is given, as if every value had to be known
            body = made["paths"][route.path]["post"]["requestBody"]
            body["content"]["application/json"]["examples"] = route.examples
    for path in problem_documents.PATHS & made["paths"].keys():
        for code, answer in made["paths"][path]["post"]["responses"].items():
            if int(code) >= 400:
                answer["content"][problem_documents.TYPE] = answer["content"].pop("application/json")
    if about.guarded:
        _guard(made)
    _exact(made)
    return made


def _exact(part: Any) -> None:
    """Say the bounds of whole numbers exactly: FastAPI makes them floats, and 2^64 reads as 18446744073709552000 to many."""
    if isinstance(part, dict):
        if part.get("type") == "integer":
            if "exclusiveMaximum" in part:
                part["maximum"] = int(part.pop("exclusiveMaximum")) - 1
            part |= {name: int(part[name]) for name in BOUNDS if name in part}
        for value in part.values():
            _exact(value)
    elif isinstance(part, list):
        for value in part:
            _exact(value)


def _guard(made: dict[str, Any]) -> None:
    made["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A key or a token."},
        "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    }
    made["security"] = [{"token": []}, {"key": []}]
    for path in OPEN & made["paths"].keys():
        for operation in made["paths"][path].values():
            operation["security"] = []
