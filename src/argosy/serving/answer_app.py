"""The parts and the app of a language model's server: the routes and limits of every server, round an answering service.

It has V1, V2 and the pages; the plain routes and explanations are of rows. Nothing here is on the path of a model of tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from argosy.domain.answers.answer_bundle import AnswerSignature
from argosy.domain.documents import sha256
from argosy.ports.judge import SampleJudge
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.serving import answer_interface, docs_page, interface, model_pages, operations
from argosy.serving.access.access_middleware import AccessMiddleware
from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.answer_inference import AnswerInference, QuestionProtocol
from argosy.serving.answer_metrics import ANSWER_SECONDS
from argosy.serving.answer_records import AnswerRecorder, JudgedRecorder
from argosy.serving.answer_service import AnsweringAssistant, AnswerService
from argosy.serving.exchange import Bodies
from argosy.serving.inference import ConcurrencyLimiter, Shortcut
from argosy.serving.interface import DescribedModel
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.middleware import RequestMiddleware
from argosy.serving.operations import no_such_route
from argosy.serving.prometheus import Metrics
from argosy.serving.question_protocols import QuestionsV1, QuestionsV2
from argosy.serving.request_spans import RequestSpans
from argosy.serving.sampled_judging import SampledJudging
from argosy.serving.shared_parts import SharedParts


@dataclass(frozen=True, eq=False)
class AnswerParts:
    """The parts that every way to one language model shares."""

    service: AnswerService
    metrics: Metrics
    lifecycle: Lifecycle
    bodies: Bodies
    gate: ConcurrencyLimiter
    first: QuestionsV1
    second: QuestionsV2
    access: WatchedRules | None
    spans: RequestSpans | None
    examples: Sequence[str]
    """Questions that readers of the description are shown."""

    def inference(self, protocol: QuestionProtocol[Any]) -> AnswerInference:
        """Answers requests of one *protocol*, under the limits of all."""
        return AnswerInference(protocol, self.service, self.bodies, self.gate)


def answer_parts(
    assistant: AnsweringAssistant,
    served: ServedRelease,
    shared: SharedParts,
    *,
    log: PredictionLog | None = None,
    judge: SampleJudge | None = None,
    judged_log: PredictionLog | None = None,
    examples: Sequence[str] = (),
    most_seconds: float | None = None,
) -> AnswerParts:
    """The parts of the server of *assistant*, which is *served*; *log* takes every answer, *judge* judges a sample of them, which
    *judged_log* takes. *most_seconds*: see :class:`argosy.serving.answer_service.AnswerService`."""
    signature = assistant.signature
    metrics = Metrics(served, log, (), server=shared.metrics, seconds=ANSWER_SECONDS)
    recorder = None if log is None else AnswerRecorder(log, signature.serving)
    judging = _judging(judge, judged_log, signature, metrics)
    service = AnswerService(assistant, served, metrics, recorder, judging, most_seconds=most_seconds)
    return AnswerParts(
        service=service,
        metrics=metrics,
        lifecycle=shared.lifecycle,
        bodies=shared.bodies,
        gate=shared.gate,
        first=QuestionsV1(),
        second=QuestionsV2(signature.model, service.version),
        access=shared.access,
        spans=shared.spans,
        examples=examples,
    )


def _judging(
    judge: SampleJudge | None, log: PredictionLog | None, signature: AnswerSignature, metrics: Metrics
) -> SampledJudging | None:
    if judge is None or signature.judge is None:
        return None
    named = sha256(signature.judge.canonical_json().encode())[:19]
    recorder = None if log is None else JudgedRecorder(log)
    return SampledJudging(judge, named, signature.serving.judging, metrics.registry, recorder)


def app_of(parts: AnswerParts) -> FastAPI:
    """The app that answers over HTTP."""
    service, name = parts.service, parts.service.signature.model
    first, second = parts.inference(parts.first), parts.inference(parts.second)
    pages = model_pages.pages(service, parts.lifecycle, parts.second)
    read = {path.replace("{model}", name): page for path, page in pages.items()} | operations.pages(parts.lifecycle)
    about = DescribedModel(name, service.version, "language model", guarded=parts.access is not None)
    documented = [
        *answer_interface.posted(about, first, second, parts.examples),
        *interface.read(about, read),
    ]
    return FastAPI(
        openapi_url=None,  # of one model, and only what answers: see docs_page
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a client that posts would lose its body on the way
        routes=[
            *documented,
            *docs_page.routes(lambda: interface.description(about, documented)),
            model_pages.posted("/v1/models/{model}:predict", first, service),
            model_pages.posted("/v1/models/{model}/versions/{version}:predict", first, service),
            model_pages.posted("/v2/models/{model}/infer", second, service),
            model_pages.posted("/v2/models/{model}/versions/{version}/infer", second, service),
            model_pages.other_verbs(service, "POST questions to", ("predict",)),
            *[Route(path, page, methods=["GET"]) for path, page in pages.items()],
            *operations.routes(parts.metrics, parts.lifecycle),
        ],
        middleware=[
            Middleware(RequestMiddleware, metrics=parts.metrics, answering=service.answering, spans=parts.spans),
            *([] if parts.access is None else [Middleware(AccessMiddleware, rules=parts.access, model=name)]),
            Middleware(Shortcut, to={f"/v1/models/{name}:predict": first, f"/v2/models/{name}/infer": second}),
        ],
        exception_handlers={HTTPException: no_such_route},
    )
