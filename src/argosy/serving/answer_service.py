"""From checked questions to answers: the bundle asked in threads of its own, within time budgets, counted and logged.

A request has one budget for all its questions, some of which are asked at the same time; each question has one from its turn on. A request
is answered whole or not at all: neither protocol has a place for an answer that failed among others.

An endpoint that does not answer is no fault of the caller's: 503, with the time that it asks for. Why is in the server's log alone.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from argosy import errors
from argosy.domain.answers.answer_bundle import AnswerSignature
from argosy.domain.answers.judged import GivenAnswer
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.prompt_completion import EndpointBusy
from argosy.serving import released
from argosy.serving.answer_metrics import AnswerMetrics
from argosy.serving.answer_records import AnswerRecorder
from argosy.serving.asked_questions import AskedQuestions
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.prometheus import Metrics
from argosy.serving.question_protocols import GivenAnswers
from argosy.serving.request_problems import RequestProblem, ShedRequest
from argosy.serving.sampled_judging import SampledJudging

WAITING = 4
"""Requests that wait for each that is answered at the moment; one more is refused at once."""
LONGEST_RETRY = 300.0
"""Seconds that a caller is told to wait at most, whatever the endpoint asks for."""
_log = logging.getLogger("argosy.serving")


class AnsweringAssistant(Protocol):
    """The part of :class:`argosy.ml.answers.assistant.Assistant` that a server calls."""

    signature: AnswerSignature

    def answer(self, question: str) -> GivenAnswer:
        """The answer to *question*. Safe in a thread. Raises EndpointBusy, or Misconfigured where the endpoint refuses."""


class AnswerService:
    """One served language model."""

    def __init__(
        self,
        assistant: AnsweringAssistant,
        served: ServedRelease,
        metrics: Metrics,
        recorder: AnswerRecorder | None,
        judging: SampledJudging | None = None,
        clock: Callable[[], float] = time.monotonic,
        most_seconds: float | None = None,
    ) -> None:
        """*recorder*: logs what is answered; *judging*: judges a sample of it. None: nobody does. *most_seconds*: that a request may take
        here, whatever the bundle says; None: as it says."""
        self.signature = assistant.signature
        settings = assistant.signature.serving
        self.request_seconds = min(most_seconds or math.inf, settings.request_budget)
        """That a request may take."""
        self.served = served
        self.version = served.digest if served.version is None else str(served.version)
        """As the protocols want one; a bundle that was never registered is known by its digest."""
        self._assistant = assistant
        self._metrics = metrics
        self._counts = AnswerMetrics(metrics.registry)
        self._recorder = recorder
        self._judging = judging
        self._breaker = CircuitBreaker(clock)
        self._inside = 0
        self._most = settings.at_once
        # Sentences of passages are picked by this process, which would be no faster at several.
        self._abreast = 1 if assistant.signature.answerer.kind == "extractive" else settings.questions_at_once
        self._turns = asyncio.Semaphore(self._most)
        self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="answers")

    @property
    def answering(self) -> list[ServedRelease]:
        """The releases that may have answered a question."""
        return [self.served]

    def refuse_others(self, model: str, version: str | None) -> None:
        """Raises RequestProblem (404) where a caller names another *model*, or another *version* of this one."""
        released.refuse_others(self.signature.model, self.version, asked=model, asked_version=version)

    def close(self) -> None:
        """End what goes on beside requests."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._judging is not None:
            self._judging.close()

    async def answer(self, asked: AskedQuestions, request_id: str) -> GivenAnswers:
        """The answers to the questions *asked*. Raises RequestProblem (500, 503)."""
        if self._inside >= self._most * (1 + WAITING):
            raise ShedRequest(f"{self._inside} requests wait for an answer already; try again")
        self._inside += 1
        try:
            answers = await self._within_budget(asked.texts)
        finally:
            self._inside -= 1
        self._metrics.predictions.inc(len(answers))
        if self._recorder is not None:
            self._recorder.record(request_id, asked.texts, answers)
        if self._judging is not None:
            for text, answer in zip(asked.texts, answers, strict=True):
                self._judging.offer(request_id, text, answer)
        return GivenAnswers(answers, request_id, self.version)

    async def _within_budget(self, texts: Sequence[str]) -> list[GivenAnswer]:
        """The answers to *texts*, within the budget of a request. Raises RequestProblem: of the first question that has no answer, after
        which no other is asked."""
        abreast = asyncio.Semaphore(self._abreast)
        tasks: list[asyncio.Task[GivenAnswer]] = []
        try:
            async with asyncio.timeout(self.request_seconds), asyncio.TaskGroup() as group:
                tasks += [group.create_task(self._in_turn(text, abreast)) for text in texts]
        except TimeoutError:
            raise self._request_late(sum(task.cancelled() for task in tasks), len(texts)) from None
        except BaseExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__
        return [task.result() for task in tasks]

    def _request_late(self, unanswered: int, questions: int) -> RequestProblem:
        late = f"{unanswered} of {questions} questions have no answer within {self.request_seconds:g} s, the time of a whole request"
        _log.warning("%s", late)
        self._counts.failed("request late", unanswered)
        return RequestProblem(503, f"{late}; send fewer in a request, or try again", retry_after=1)

    async def _in_turn(self, text: str, abreast: asyncio.Semaphore) -> GivenAnswer:
        """The answer to *text*, asked once there is a place for it: among those of its request (*abreast*) and among all. Raises
        RequestProblem."""
        async with abreast:
            await self._turns.acquire()
            if self._breaker.refuses():
                self._turns.release()
                self._counts.failed("left alone")
                raise _unavailable(None)
            asked = asyncio.get_running_loop().run_in_executor(self._threads, self._asked, text)
            asked.add_done_callback(self._came_back)
            return await self._answered(asked)

    def _asked(self, text: str) -> GivenAnswer:
        """The answer to *text*, in a thread that nothing stops: its tokens are paid, and counted, though nobody waits for it any more."""
        answer = self._assistant.answer(text)
        self._counts.paid(answer)
        return answer

    def _came_back(self, asked: "asyncio.Future[GivenAnswer]") -> None:
        """The place of a question is free once its thread is, however long ago it was given up."""
        self._turns.release()
        if not asked.cancelled():
            asked.exception()  # asyncio would call one that nobody waited for an error of the server

    async def _answered(self, asked: "asyncio.Future[GivenAnswer]") -> GivenAnswer:
        """What comes of *asked* within the budget of a question. Raises RequestProblem."""
        budget = self.signature.serving.seconds
        if not (await asyncio.wait({asked}, timeout=budget))[0]:
            self._failed("late", f"no answer within {budget:g} s")
            raise RequestProblem(503, f"there is no answer within {budget:g} s; try again", retry_after=1)
        try:
            answer = asked.result()
        except EndpointBusy as error:
            self._failed("busy", str(error))
            raise _unavailable(error.seconds) from error
        except errors.Misconfigured as error:
            # It answers, and what it refuses may be one caller's text, such as by a filter: others are not kept from it.
            self._not_answered("refuses", str(error))
            raise RequestProblem(500, "the endpoint refuses; the server's log says why") from error
        self._breaker.succeeded()
        self._counts.answered(answer)
        return answer

    def _failed(self, why: str, said: str) -> None:
        self._breaker.failed()
        self._not_answered(why, said)

    def _not_answered(self, why: str, said: str) -> None:
        _log.warning("a question is not answered: %s", said)
        self._counts.failed(why)


def _unavailable(seconds: float | None) -> RequestProblem:
    """The answer where the endpoint does not answer, and asks for so many *seconds*."""
    later = 1 if seconds is None else max(1, math.ceil(min(seconds, LONGEST_RETRY)))
    return RequestProblem(503, "the model's endpoint does not answer now; try again", retry_after=later)
