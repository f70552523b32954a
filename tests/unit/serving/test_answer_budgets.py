"""The time that a request of many questions may take, against an endpoint over HTTP that is slow."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from argosy import wiring
from argosy.domain import bundle
from argosy.domain.answers.answer_bundle import AnswerSignature
from argosy.domain.answers.answer_settings import AnswerServing
from argosy.domain.answers.judged import Completed
from argosy.ml.answers.assistant import Assistant
from argosy.ports.prediction_log import ServedRelease
from argosy.serving import answer_app, listeners
from argosy.serving.answer_app import AnswerParts
from argosy.serving.asked_questions import AskedQuestions
from argosy.serving.question_protocols import GivenAnswers
from argosy.serving.request_problems import RequestProblem
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.shared_parts import SharedParts
from argosy.settings import Settings
from kit import answers_kit
from kit.serving_kit import Client, MemoryLog

V1 = "/v1/models/help:predict"
RELEASE = ServedRelease("help", "production", 3, "d")


class SlowEndpoint:
    """Completes each prompt with its last line, after *seconds*; counts how many it is asked at the same time."""

    def __init__(self, seconds: float) -> None:
        self.most = self.done = 0
        self._inside = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer._inside += 1
                    outer.most = max(outer.most, outer._inside)
                time.sleep(seconds)
                with outer._lock:
                    outer._inside -= 1
                    outer.done += 1
                text = body["messages"][0]["content"].strip().splitlines()[-1]
                usage = {"prompt_tokens": 10, "completion_tokens": 1}
                content = json.dumps({"choices": [{"message": {"content": text}}], "usage": usage}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/v1"


@contextmanager
def answering(seconds: float) -> Iterator[SlowEndpoint]:
    endpoint = SlowEndpoint(seconds)
    thread = threading.Thread(target=endpoint.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.server.shutdown()
        thread.join()
        endpoint.server.server_close()


def served(place: Path, endpoint: SlowEndpoint, most_seconds: float | None = None, **serving: Any) -> AnswerParts:
    """The model that asks *endpoint*, wired as a server wires it."""
    chat = {"kind": "chat", "endpoint": endpoint.address, "model": "m"}
    folder = answers_kit.write_bundle(place, answers_kit.settings(answerer=chat, serving=serving))
    settings = Settings.from_environment({"ARGOSY_HOME": str(place)})

    def completing(signature: AnswerSignature) -> Callable[[str], Completed]:
        completion = wiring.serving_completion(settings, signature)
        assert completion is not None
        return completion.complete

    assistant = Assistant.load(folder, bundle.digest(folder), completing)
    return answer_app.answer_parts(assistant, RELEASE, SharedParts.made(), most_seconds=most_seconds)


def questions(count: int) -> list[str]:
    return [f"Is this number {number}?" for number in range(count)]


def asked(texts: Sequence[str]) -> dict[str, Any]:
    return {"instances": [{"question": text} for text in texts]}


@pytest.mark.parametrize(("abreast", "rounds"), [pytest.param(4, 2, id="four"), pytest.param(1, 8, id="one")])
def test_questions_of_a_request_are_asked_side_by_side(tmp_path: Path, abreast: int, rounds: int) -> None:
    """As many as the settings allow and no more; the answers are in the order of the questions."""
    with answering(0.1) as endpoint:
        parts = served(tmp_path, endpoint, questions_at_once=abreast)
        began = time.monotonic()
        reply = Client(answer_app.app_of(parts), MemoryLog()).post(V1, asked(questions(8)))
        took = time.monotonic() - began
    assert [each["text"] for each in reply.json()["predictions"]] == questions(8)
    assert endpoint.most == abreast
    assert took >= 0.1 * rounds


def test_a_request_has_one_budget_for_all_its_questions(tmp_path: Path) -> None:
    """Beyond it the caller learns how many had no answer and what to do; the endpoint is not held to be late, what it completed is paid,
    and counted, and what was never asked is not asked any more."""
    with answering(0.4) as endpoint:
        parts = served(tmp_path, endpoint, seconds=0.9, request_seconds=1.0, questions_at_once=2)
        asking = Client(answer_app.app_of(parts), MemoryLog())
        reply = asking.post(V1, asked(questions(8)))
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert reply.json()["error"] == (
            "4 of 8 questions have no answer within 1 s, the time of a whole request; send fewer in a request, or try again"
        )
        assert asking.post(V1, asked(questions(1))).status == 200
        deadline = time.monotonic() + 5
        while endpoint.done < 7 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        counted = asking.get("/metrics").body.decode()
    assert 'argosy_answer_endpoint_failures_total{why="request late"} 4.0' in counted
    assert 'argosy_answer_endpoint_failures_total{why="late"} 0.0' in counted
    assert 'argosy_answer_tokens_total{kind="input"} 70.0' in counted
    assert endpoint.done == 7


def test_a_server_may_allow_less_than_the_bundle(tmp_path: Path) -> None:
    """A pod ends some time after it is told so, whatever a bundle says."""
    with answering(0.2) as endpoint:
        parts = served(tmp_path, endpoint, most_seconds=0.5, questions_at_once=1)
        assert parts.service.request_seconds == 0.5
        with pytest.raises(RequestProblem, match=r"of 8 questions have no answer within 0\.5 s"):
            asyncio.run(parts.service.answer(AskedQuestions(questions(8)), "r"))


def test_waiting_for_other_requests_is_no_fault_of_the_endpoint(tmp_path: Path) -> None:
    """A question's time begins when it is asked; of all requests no more are asked than `at_once`."""

    async def crowd(parts: AnswerParts) -> list[GivenAnswers]:
        each = [parts.service.answer(AskedQuestions(questions(2)), str(number)) for number in range(4)]
        return await asyncio.gather(*each)

    with answering(0.15) as endpoint:
        parts = served(tmp_path, endpoint, seconds=0.4, at_once=2)
        given = asyncio.run(crowd(parts))
    assert [len(each.answers) for each in given] == [2, 2, 2, 2]
    assert endpoint.most == 2


def test_a_request_has_time_for_one_question() -> None:
    """A budget that no question could use up is refused where it is written; one that is not written is long enough."""
    assert AnswerServing().request_budget == 30.0
    assert AnswerServing(seconds=60.0).request_budget == 60.0
    with pytest.raises(ValidationError, match=r"`request_seconds` is 10, less than one question may take"):
        AnswerServing(request_seconds=10.0)


def test_a_server_that_ends_waits_for_what_a_request_may_take(tmp_path: Path) -> None:
    """Longer than the budget, so that the answer is out; as ever where no model has one."""
    with answering(0.0) as endpoint:
        models = ServedModels(
            [ServedModel.of_answers(served(tmp_path, endpoint, request_seconds=45.5))], SharedParts.made().metrics
        )
    assert models.request_seconds == 45.5
    assert listeners.patience(models.request_seconds) == 48
    assert listeners.patience(0.0) == listeners.PATIENCE_SECONDS
