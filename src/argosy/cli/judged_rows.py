"""The evaluation of a language model's run: its questions, the answers and what the judge says of them, as it kept them."""

from pathlib import Path
from typing import Any, Protocol

from argosy.domain.answers import evaluation_items
from argosy.domain.answers.evaluation_items import QUESTIONS, EvaluationQuestion
from argosy.domain.answers.judged import JudgedAnswer


class KeptArtifacts(Protocol):
    """What a run kept of its steps; see :class:`argosy.cli.run_documents.RunDocuments`."""

    def artifact(self, template: str, name: str) -> Path:
        """The output *name* of the step *template*. Raises UsageError where it has none."""


def questions(run: KeptArtifacts) -> dict[str, EvaluationQuestion]:
    """What the model of *run* was asked, by id. Raises UsageError where the run came to no snapshot."""
    path = run.artifact("collect", "snapshot") / QUESTIONS
    return {each.id: each for each in evaluation_items.questions(path.read_text(encoding="utf-8"), str(path))}


def judged(run: KeptArtifacts) -> dict[str, JudgedAnswer]:
    """What it answered, by id, and how that was judged. Raises UsageError where the run came to no evaluation."""
    path = run.artifact("evaluate-answers", "judged")
    found = evaluation_items.read(path.read_text(encoding="utf-8"), str(path), JudgedAnswer)
    return {each.id: each for each in found}


def of_run(run: KeptArtifacts) -> list[dict[str, Any]]:
    """A row a question."""
    asked = questions(run)
    return [
        {
            "id": name,
            "topic": asked[name].topic,
            "question": asked[name].question,
            "reference": asked[name].reference,
            "answer": each.answer.text,
            "refused": each.answer.refused,
            "sections": each.answer.sections,
            "tokens": each.answer.input_tokens + each.answer.output_tokens,
            "milliseconds": each.answer.seconds * 1e3,
            "faithfulness": each.judgement.faithfulness,
            "relevancy": each.judgement.relevancy,
            "toxicity": each.judgement.toxicity,
            "accepted": each.judgement.acceptable,
            "why": each.judgement.why,
        }
        for name, each in judged(run).items()
    ]
