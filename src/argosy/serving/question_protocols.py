"""V1 and V2 for questions: what is read of a request, and how answers are written.

V1 takes ``{"instances": [{"question": …}]}``, V2 one BYTES tensor ``question`` of the shape ``[n]`` or ``[n, 1]``. V1 gives an object an
answer; V2 the tensors ``answer``, ``refused`` and ``sources``, of which the last holds JSON, a list of documents and sections.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from argosy.domain.answers.judged import GivenAnswer
from argosy.ml.encoding import Column
from argosy.serving import asked_questions, reading, tensors, v1_envelope, v2_envelope
from argosy.serving.asked_questions import MOST_QUESTIONS, QUESTION, ROOM, AskedQuestions
from argosy.serving.exchange import ResponseBody
from argosy.serving.request_problems import RequestProblem, shown, suggestion
from argosy.serving.tensors import BOOL, TEXT, Binary
from argosy.serving.v2_envelope import Wanted

ANSWER, REFUSED, SOURCES = OUTPUTS = ("answer", "refused", "sources")
_ROOM = reading.JsonLimits(MOST_QUESTIONS, ROOM)


@dataclass(frozen=True, slots=True)
class GivenAnswers:
    """The answers to the questions of one request, in their order."""

    answers: Sequence[GivenAnswer]
    request_id: str
    version: str


def sources(answer: GivenAnswer) -> list[dict[str, str | None]]:
    """Document and section of the passages that *answer* was given from, each once, best first; none of a refusal."""
    found = [] if answer.refused else dict.fromkeys(answer.sections)
    parted = (section.partition("#") for section in found)
    return [{"document": document, "section": anchor or None} for document, _, anchor in parted]


class QuestionsV1:
    """The V1 protocol of one model."""

    binary = False

    def read(self, body: bytes, _: int | None) -> tuple[AskedQuestions, None]:
        """The questions of a request. Raises RequestProblem."""
        _ROOM.check(body)
        instances = v1_envelope.instances(reading.loads(body))
        texts = [_question(instance, f"instances[{place}]") for place, instance in enumerate(instances)]
        return asked_questions.checked(texts, lambda place: f"instances[{place}].{QUESTION}"), None

    def write(self, given: GivenAnswers, _: None) -> ResponseBody:
        """The answer's body."""
        return ResponseBody(
            orjson.dumps(
                {
                    "predictions": [
                        {"text": each.text, "refused": each.refused, "sources": sources(each)} for each in given.answers
                    ],
                    "model_version": given.version,
                    "request_id": given.request_id,
                }
            )
        )


def _question(instance: Any, path: str) -> Any:
    if type(instance) is not dict:
        raise RequestProblem(422, f'expected an object, {{"{QUESTION}": "…"}}', field=path)
    if other := next((name for name in instance if name != QUESTION), None):
        hint = suggestion(other, [QUESTION]) or f"; the model takes {QUESTION!r} alone"
        raise RequestProblem(422, f"there is no input {shown(other)}{hint}", field=path)
    return instance.get(QUESTION)


class QuestionsV2:
    """The V2 protocol of one model; over gRPC, too."""

    binary = True
    most_columns = 1
    plain_tensors: frozenset[tuple[str, str]] = frozenset()

    def __init__(self, model: str, version: str) -> None:
        self._model = model
        self._version = version
        self._choice = v2_envelope.OutputChoice(OUTPUTS)

    def read(self, body: bytes, length: int | None) -> tuple[AskedQuestions, Wanted]:
        """The questions of a request, and what it says of its answer. *length*: as ``exchange.json_length`` says. Raises RequestProblem."""
        return self.asked(*v2_envelope.payload(body, length, _ROOM))

    def asked(self, payload: Mapping[str, Any], binary: Binary) -> tuple[AskedQuestions, Wanted]:
        """As :meth:`read`, of a request that is parsed already, whose tensors have their binary data in *binary*. Raises RequestProblem."""
        wanted = self._choice.wanted(payload)
        inputs = payload.get("inputs")
        if type(inputs) is not list or len(inputs) != 1:
            raise RequestProblem(422, f"expected one tensor, {QUESTION!r} of {TEXT}", field="inputs")
        found = tensors.read(inputs[0], binary, "inputs[0]", most_rows=MOST_QUESTIONS, most_columns=1)
        binary.finish()
        if found.name != QUESTION:
            hint = suggestion(found.name, [QUESTION]) or f"; the model takes {QUESTION!r}"
            raise RequestProblem(422, f"there is no input {shown(found.name)}{hint}", field="inputs[0].name")
        if found.datatype != TEXT:
            raise RequestProblem(422, f"expected {TEXT}; questions are texts", field="inputs[0].datatype")
        v2_envelope.check_rows([found])
        return asked_questions.checked(found.values, lambda place: f"inputs[0].data[{place}]"), wanted

    def at_once(
        self, columns: Mapping[str, Column], count: int, identity: str | None, *, binary: bool
    ) -> tuple[AskedQuestions, Wanted] | None:
        """None: no tensors are taken whole, and questions are looked at one by one."""
        del columns, count, identity, binary
        return None

    def write(self, given: GivenAnswers, wanted: Wanted) -> ResponseBody:
        """The answer's body."""
        return v2_envelope.content(*self.answered(given, wanted), wanted)

    def answered(self, given: GivenAnswers, wanted: Wanted) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The answer's fields short of its outputs, and the outputs that are wanted, each with its data."""
        head = {
            "model_name": self._model,
            "model_version": given.version,
            "id": wanted.identity or given.request_id,
        }
        refused = [each.refused for each in given.answers]
        known = {
            ANSWER: v2_envelope.texts(ANSWER, [each.text for each in given.answers]),
            REFUSED: {"name": REFUSED, "shape": [len(refused)], "datatype": BOOL, "data": refused},
            SOURCES: v2_envelope.texts(SOURCES, [orjson.dumps(sources(each)).decode() for each in given.answers]),
        }
        return head, [known[name] for name, _ in wanted.outputs]

    def metadata(self) -> dict[str, Any]:
        """The model's metadata, as ``GET /v2/models/<model>`` answers it."""
        kinds = {ANSWER: TEXT, REFUSED: BOOL, SOURCES: TEXT}
        return {
            "name": self._model,
            "versions": [self._version],
            "platform": "argosy-answers",
            "inputs": [v2_envelope.described(QUESTION, TEXT, [-1])],
            "outputs": [v2_envelope.described(name, kinds[name], [-1]) for name in OUTPUTS],
        }
