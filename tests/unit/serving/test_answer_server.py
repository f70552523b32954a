"""A language model, served: what is asked and answered over each protocol, what is refused, counted and logged."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from argosy import errors
from argosy.adapters.word_judge import WordJudge
from argosy.domain import bundle
from argosy.domain.answers import answer_columns
from argosy.domain.answers.answer_settings import Judging, LexicalJudge
from argosy.domain.answers.judged import AnswerJudgement, Completed, GivenAnswer
from argosy.ml.answers.assistant import Assistant
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.prompt_completion import EndpointBusy
from argosy.serving import answer_app, answer_records
from argosy.serving.answer_app import AnswerParts
from argosy.serving.answer_service import AnswerService
from argosy.serving.asked_questions import AskedQuestions
from argosy.serving.prometheus import Metrics
from argosy.serving.sampled_judging import SampledJudging
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.shared_parts import SharedParts
from kit import answers_kit, grpc_calls
from kit.answers_kit import CHAT, KNOWN, REFUSAL, UNKNOWN
from kit.serving_kit import Client, MemoryLog

RELEASE = ServedRelease("help", "production", 3, "d")
V1, V2 = "/v1/models/help:predict", "/v2/models/help/infer"
SOURCE = {"document": "help.md", "section": "backup"}


@pytest.fixture(scope="module")
def extractive(tmp_path_factory: pytest.TempPathFactory) -> Assistant:
    """The model that asks no endpoint."""
    folder = answers_kit.write_bundle(tmp_path_factory.mktemp("extractive"), answers_kit.settings())
    return Assistant.load(folder, bundle.digest(folder))


def parts(assistant: Assistant, log: MemoryLog | None = None) -> AnswerParts:
    served = ServedRelease("help", "production", 3, assistant.digest)
    return answer_app.answer_parts(assistant, served, SharedParts.made(), log=log, examples=[KNOWN])


def client(assistant: Assistant, log: MemoryLog | None = None) -> Client:
    log = log or MemoryLog()
    return Client(answer_app.app_of(parts(assistant, log)), log)


def chat(place: Path, complete: Callable[[str], Completed], **serving: Any) -> Client:
    """The model whose prompts are completed by *complete*."""
    folder = answers_kit.write_bundle(place, answers_kit.settings(answerer=CHAT, serving=serving))
    return client(Assistant.load(folder, bundle.digest(folder), lambda _: complete))


def asked(*questions: Any) -> dict[str, Any]:
    return {"instances": [{"question": question} for question in questions]}


def test_v1_answers_with_text_sources_version_and_id(extractive: Assistant) -> None:
    """An answer says whether it is one, and where it comes from; a refusal comes from nowhere."""
    reply = client(extractive).post(V1, asked(KNOWN, UNKNOWN), x_request_id="r-1")
    known = {"text": "The remedy for backup trouble is command number one.", "refused": False, "sources": [SOURCE]}
    unknown = {"text": REFUSAL, "refused": True, "sources": []}
    assert reply.status == 200
    assert reply.json() == {"predictions": [known, unknown], "model_version": "3", "request_id": "r-1"}
    assert (reply.headers["argosy-model"], reply.headers["x-request-id"]) == ("help", "r-1")


def test_v2_takes_a_tensor_of_texts(extractive: Assistant) -> None:
    """Text, refusal and sources are tensors; whoever wants one of them names it, and binary data is possible."""
    question = {"name": "question", "shape": [2, 1], "datatype": "BYTES", "data": [KNOWN, UNKNOWN]}
    found = client(extractive).post(V2, {"id": "a", "inputs": [question]}).json()
    assert (found["model_name"], found["model_version"], found["id"]) == ("help", "3", "a")
    answer, refused, sources = (output["data"] for output in found["outputs"])
    assert answer[1] == REFUSAL
    assert refused == [False, True]
    assert sources == ['[{"document":"help.md","section":"backup"}]', "[]"]
    binary = {"name": "answer", "parameters": {"binary_data": True}}
    reply = client(extractive).post(V2, {"inputs": [question], "outputs": [binary]})
    assert reply.body.endswith(REFUSAL.encode())


def test_grpc_answers_the_same(extractive: Assistant) -> None:
    """The protocol over gRPC has the same tensors."""
    models = ServedModels([ServedModel.of_answers(parts(extractive))], SharedParts.made().metrics)

    async def call() -> Any:
        async with grpc_calls.listening_to(models) as (_, channel):
            inputs = [
                {
                    "name": "question",
                    "datatype": "BYTES",
                    "shape": [1],
                    "contents": {"bytes_contents": [b"%b" % KNOWN.encode()]},
                }
            ]
            return await grpc_calls.called(channel, "ModelInfer", model_name="help", inputs=inputs)

    found = asyncio.run(call())
    assert [output.name for output in found.outputs] == ["answer", "refused", "sources"]
    assert b"number one" in found.outputs[0].contents.bytes_contents[0]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param(asked(), 400, "empty", id="none"),
        pytest.param(asked(" "), 422, "expected a question", id="blank"),
        pytest.param(asked(7), 422, "expected a question", id="number"),
        pytest.param(asked("x" * 4001), 422, "4,001 characters; at most 4,000", id="too-long"),
        pytest.param(asked(*["x"] * 17), 413, "17 questions came; at most 16", id="too-many"),
        pytest.param({"instances": [{"qestion": "x"}]}, 422, "did you mean 'question'", id="misspelt"),
        pytest.param({"instances": ["x"]}, 422, "expected an object", id="bare"),
        pytest.param({"inputs": []}, 400, "belongs to V2", id="other-protocol"),
    ],
)
def test_what_is_no_question_is_refused(extractive: Assistant, body: Any, status: int, says: str) -> None:
    """The refusal names the field, and nothing is logged."""
    asking = client(extractive)
    reply = asking.post(V1, body)
    assert (reply.status, asking.log.records) == (status, [])
    assert says in reply.json()["error"]


@pytest.mark.parametrize(
    ("tensor", "says"),
    [
        pytest.param({"name": "text", "datatype": "BYTES", "data": ["x"]}, "there is no input 'text'", id="name"),
        pytest.param({"name": "question", "datatype": "FP32", "data": [1.0]}, "questions are texts", id="datatype"),
    ],
)
def test_another_tensor_is_refused(extractive: Assistant, tensor: dict[str, Any], says: str) -> None:
    """A tensor has the name and the datatype of the model's only input."""
    reply = client(extractive).post(V2, {"inputs": [{"shape": [1], **tensor}]})
    assert reply.status == 422
    assert says in reply.json()["error"]


def test_the_log_has_measures_and_no_text(extractive: Assistant) -> None:
    """What a person typed is not kept unless the settings say so."""
    asking = client(extractive)
    asking.post(V1, asked(KNOWN, UNKNOWN))
    known, unknown = asking.log.records
    assert (known.decision, known.score, known.features["document"]) == ("answered", [0.0], "help.md")
    assert (unknown.decision, unknown.score, unknown.features["cover"]) == ("refused", [1.0], 0.0)
    assert {"question", "answer"}.isdisjoint(known.features)


@pytest.mark.parametrize(("kept", "expected"), [("redacted", "[hidden]"), ("texts", "ann@example.com")])
def test_texts_are_logged_where_the_settings_say_so(tmp_path: Path, kept: str, expected: str) -> None:
    """Redacted, an address of a person is hidden."""
    folder = answers_kit.write_bundle(tmp_path, answers_kit.settings(serving={"log": kept}))
    assistant = Assistant.load(folder, bundle.digest(folder))
    asking = client(assistant)
    asking.post(V1, asked("Is ann@example.com allowed to do a backup?"))
    (record,) = asking.log.records
    assert expected in str(record.features["question"])
    assert list(record.features) == [name for name, _ in answer_records.columns(assistant.signature.serving)]


def busy(_: str) -> Completed:
    raise EndpointBusy("https://llm.example.com answers 429: slow down; it was asked once", 7.2)


def slow(_: str) -> Completed:
    time.sleep(0.2)
    raise LookupError("nobody waits for this")


def refuses(_: str) -> Completed:
    raise errors.Misconfigured("https://llm.example.com answers 401, and Argosy is refused the key")


@pytest.mark.parametrize(
    ("complete", "status", "later", "why"),
    [
        pytest.param(busy, 503, "8", "busy", id="busy"),
        pytest.param(slow, 503, "1", "late", id="late"),
    ],
)
def test_an_endpoint_that_does_not_answer(
    tmp_path: Path, complete: Callable[[str], Completed], status: int, later: str | None, why: str
) -> None:
    """The caller learns when to come back, and nothing of the endpoint; after some failures in a row it is left alone for a while."""
    asking = chat(tmp_path, complete, seconds=0.05 if why == "late" else 60.0)
    replies = [asking.post(V1, asked("Why?")) for _ in range(6)]
    assert (replies[0].status, replies[0].headers.get("retry-after")) == (status, later)
    assert "example" not in replies[0].json()["error"]
    assert replies[-1].status == 503
    counted = asking.get("/metrics").body.decode()
    assert f'argosy_answer_endpoint_failures_total{{why="{why}"}} 5.0' in counted
    assert 'argosy_answer_endpoint_failures_total{why="left alone"} 1.0' in counted


def test_each_question_of_a_request_has_its_own_budget(tmp_path: Path) -> None:
    """However many there are: a request that takes longer than one may is answered."""

    def steady(_: str) -> Completed:
        time.sleep(0.15)
        return Completed(text="Two.", input_tokens=40, output_tokens=3, seconds=0.15)

    reply = chat(tmp_path, steady, seconds=1.0).post(V1, asked(*["Why?"] * 8))
    assert (reply.status, len(reply.json().get("predictions", []))) == (200, 8)


def test_an_endpoint_is_judged_by_each_question(tmp_path: Path) -> None:
    """One that answers the first of each request and not the second is not left alone; what it answered is paid, and counted."""

    def moody(prompt: str) -> Completed:
        return (
            busy(prompt) if "bad" in prompt else Completed(text="Two.", input_tokens=40, output_tokens=3, seconds=0.0)
        )

    asking = chat(tmp_path, moody)
    assert {asking.post(V1, asked("A good one?", "A bad one?")).status for _ in range(6)} == {503}
    assert asking.post(V1, asked("A good one?")).status == 200
    counted = asking.get("/metrics").body.decode()
    assert 'argosy_answer_endpoint_failures_total{why="busy"} 6.0' in counted
    assert 'argosy_answer_tokens_total{kind="input"} 280.0' in counted


def test_what_an_endpoint_refuses_keeps_no_other_question_from_it(tmp_path: Path) -> None:
    """It may be one caller's text that it does not take: however often that comes, the next caller is answered."""

    def filtered(prompt: str) -> Completed:
        return (
            Completed(text="Two.", input_tokens=1, output_tokens=1, seconds=0.0)
            if "fair" in prompt
            else refuses(prompt)
        )

    asking = chat(tmp_path, filtered)
    replies = [asking.post(V1, asked("Why?")) for _ in range(6)]
    assert {reply.status for reply in replies} == {500}
    assert "example" not in replies[0].json()["error"]
    assert asking.post(V1, asked("A fair question?")).status == 200
    assert 'argosy_answer_endpoint_failures_total{why="refuses"} 6.0' in asking.get("/metrics").body.decode()


def test_tokens_and_outcomes_are_counted(tmp_path: Path) -> None:
    """As the endpoint counts them."""
    asking = chat(tmp_path, lambda _: Completed(text=REFUSAL, input_tokens=40, output_tokens=3, seconds=0.1))
    assert asking.post(V1, asked("Why?")).json()["predictions"][0]["refused"]
    counted = asking.get("/metrics").body.decode()
    for line in (
        'answers_total{outcome="refused"} 1.0',
        'tokens_total{kind="input"} 40.0',
        'code="200",route="v1"} 1.0',
    ):
        assert line in counted


def test_pages_say_what_it_is(extractive: Assistant) -> None:
    """Metadata, readiness and the description; what is posted by its examples is answered."""
    asking = client(extractive)
    assert asking.get("/v2/models/help").json()["inputs"] == [{"name": "question", "datatype": "BYTES", "shape": [-1]}]
    assert asking.get("/v1/models/other").status == 404
    assert asking.post("/v1/models/help:explain", asked("x")).status == 404
    paths = asking.get("/openapi.json").json()["paths"]
    assert {V1, V2, "/readyz"} <= paths.keys()
    for path in (V1, V2):
        (example,) = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"].values()
        assert asking.post(path, example["value"]).status == 200


class StrictJudge:
    """Takes no answer that names a command."""

    def judge_sample(self, _: str, answer: GivenAnswer) -> AnswerJudgement:
        """See the port."""
        return AnswerJudgement(faithfulness=0.25, relevancy=1.0, toxicity=0.0, acceptable="command" not in answer.text)


@pytest.mark.parametrize(
    ("share", "per_minute", "lines"),
    [
        pytest.param(
            1.0,
            30,
            [
                "judged_answers_total{} 2.0",
                "against_total{finding=not accepted} 2.0",
                "against_total{finding=toxic} 0.0",
            ],
            id="all",
        ),
        pytest.param(1.0, 1, ["judged_answers_total{} 1.0", "unjudged_answers_total{why=rate} 1.0"], id="rate"),
        pytest.param(0.0, 30, ["judged_answers_total{} 0.0", "judged_faithfulness_total{} 0.0"], id="none"),
    ],
)
def test_a_sample_of_the_answers_is_judged(
    extractive: Assistant, share: float, per_minute: int, lines: list[str]
) -> None:
    """Outside of the request, within share and rate; refusals are left out."""
    registry = CollectorRegistry()
    judging = SampledJudging(StrictJudge(), "j", Judging(share=share, per_minute=per_minute), registry)
    service = AnswerService(extractive, RELEASE, Metrics(RELEASE, None, ()), None, judging)
    asyncio.run(service.answer(AskedQuestions([KNOWN, UNKNOWN, KNOWN]), "r"))
    judging._thread.shutdown(wait=True)
    counted = generate_latest(registry).decode().replace(',judge="j"', "").replace('judge="j"', "").replace('"', "")
    assert [line for line in lines if line not in counted] == []


def test_what_is_judged_has_a_log_of_its_own(extractive: Assistant) -> None:
    """Numbers and the request's id, no text; it is written out when the server ends."""
    log, registry = MemoryLog(), CollectorRegistry()
    recorder = answer_records.JudgedRecorder(log)
    judging = SampledJudging(StrictJudge(), "j", Judging(share=1.0, per_minute=30), registry, recorder)
    service = AnswerService(extractive, RELEASE, Metrics(RELEASE, None, ()), None, judging)
    asyncio.run(service.answer(AskedQuestions([KNOWN, UNKNOWN]), "r-9"))
    judging._thread.shutdown(wait=True)
    service.close()
    (record,) = log.records
    assert (record.request_id, record.score, record.decision) == ("r-9", [0.0], "not accepted")
    assert set(record.features) == {name for name, _ in answer_columns.JUDGED_COLUMNS}
    assert log.closed


def test_a_judge_that_fails_is_counted(extractive: Assistant) -> None:
    """In whatever way: a canary without samples must not look as if nobody had asked."""

    class BrokenJudge:
        def judge_sample(self, *_: object) -> AnswerJudgement:
            raise KeyError("score")

    registry = CollectorRegistry()
    judging = SampledJudging(BrokenJudge(), "j", Judging(share=1.0, per_minute=30), registry)
    service = AnswerService(extractive, RELEASE, Metrics(RELEASE, None, ()), None, judging)
    asyncio.run(service.answer(AskedQuestions([KNOWN]), "r"))
    judging._thread.shutdown(wait=True)
    assert registry.get_sample_value("argosy_unjudged_answers_total", {"why": "judge"}) == 1.0


def test_a_judge_of_words_asks_for_the_questions_own_where_there_is_no_reference() -> None:
    """An answer about something else is not taken, nor one that its passages do not bear out."""
    judge = WordJudge(LexicalJudge(kind="lexical"))
    text = "A backup is made by the command argosy backup."
    given = GivenAnswer(
        text=text, sections=[], passages=[text], refused=False, input_tokens=0, output_tokens=0, seconds=0
    )
    assert judge.judge_sample("Is there a command for a backup?", given).acceptable
    assert not judge.judge_sample("How do I retire a model?", given).acceptable
    assert not judge.judge_sample(
        "Is there a command for a backup?", given.model_copy(update={"passages": []})
    ).acceptable
