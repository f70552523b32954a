"""The interface's description (OpenAPI) of a language model: what is posted to it, and what it answers, as types.

Nothing is parsed by them; a test holds them to what is answered.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from argosy.domain.answers.answer_bundle import LONGEST_QUESTION
from argosy.serving import interface, schemas
from argosy.serving.asked_questions import MOST_QUESTIONS, QUESTION
from argosy.serving.documented_routes import DocumentedRoute
from argosy.serving.interface import DescribedModel, Posted
from argosy.serving.model_pages import Answering
from argosy.serving.tensors import TEXT


class QuestionInstance(BaseModel):
    """One question."""

    model_config = ConfigDict(extra="forbid")
    question: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION, pattern=r"\S")]


class Questions(BaseModel):
    """Questions, as V1 has them."""

    model_config = ConfigDict(extra="allow")
    instances: Annotated[list[QuestionInstance], Field(min_length=1, max_length=MOST_QUESTIONS)]


class AnswerSource(BaseModel):
    """A section that an answer was given from."""

    document: str
    section: str | None
    """The anchor of its heading; null for what stands above a document's first one."""


class QuestionAnswer(BaseModel):
    """The answer to one question."""

    text: str
    refused: bool
    """Whether the model says that it does not know."""
    sources: list[AnswerSource]


class QuestionAnswers(BaseModel):
    """The answer over V1."""

    predictions: list[QuestionAnswer]
    model_version: str
    request_id: str


class QuestionTensors(BaseModel):
    """One BYTES tensor ``question``, of the shape ``[n]`` or ``[n, 1]``, as the Open Inference Protocol has it."""

    model_config = ConfigDict(extra="allow")
    id: str | None = None
    parameters: dict[str, Any] = {}
    inputs: Annotated[list[schemas.InputTensor], Field(min_length=1, max_length=1)]
    outputs: list[schemas.RequestedOutput] = []


def posted(
    about: DescribedModel, first: Answering, second: Answering, examples: Sequence[str]
) -> list[DocumentedRoute]:
    """The routes that questions are posted to, over V1 to *first*, over V2 to *second*; *examples*: questions that are shown."""
    one = {text: {"value": {"instances": [{QUESTION: text}]}} for text in examples}
    two = {text: {"value": {"inputs": [tensor(text)]}} for text in examples}
    path, path_v2 = f"/v1/models/{about.model}:predict", f"/v2/models/{about.model}/infer"
    return [
        interface.post(about, Posted(path, "v1_predict", "V1", "Answer", first, Questions, QuestionAnswers, one)),
        interface.post(
            about, Posted(path_v2, "v2_infer", "V2", "Answer", second, QuestionTensors, schemas.InferAnswer, two)
        ),
    ]


def tensor(question: str) -> dict[str, Any]:
    """*question* as V2 takes it."""
    return {"name": QUESTION, "shape": [1], "datatype": TEXT, "data": [question]}
