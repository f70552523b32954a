"""A language model's bundle that was verified, and what it is served with; see :class:`argosy.serving.launch.ServableBundle`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.domain.answers import answer_bundle
from argosy.ports.judge import SampleJudge
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.serving import answer_app
from argosy.serving.answer_service import AnsweringAssistant
from argosy.serving.asked_questions import QUESTION
from argosy.serving.rows import Value
from argosy.serving.served_models import ServedModel
from argosy.serving.shared_parts import SharedParts

SHOWN = 3
"""Questions that the interface's description has."""


@dataclass(frozen=True)
class ServedAnswers:
    """A bundle of a language model."""

    assistant: AnsweringAssistant
    served: ServedRelease
    folder: Path
    log: PredictionLog | None = None
    judge: SampleJudge | None = None
    """Judges a sample of what is answered; None: nobody does."""
    judged_log: PredictionLog | None = None
    """Takes what it says; None: nobody keeps it."""
    most_seconds: float | None = None
    """That a request may take on this server, whatever the bundle says; None: as it says."""
    discard: Callable[[], None] = lambda: None
    """Deletes what was fetched for it."""

    def model(self, shared: SharedParts) -> ServedModel:
        """The model as it answers."""
        parts = answer_app.answer_parts(
            self.assistant,
            self.served,
            shared,
            log=self.log,
            judge=self.judge,
            judged_log=self.judged_log,
            examples=self._questions()[:SHOWN],
            most_seconds=self.most_seconds,
        )
        return ServedModel.of_answers(parts, log=self.log, discard=self.discard)

    def example(self) -> dict[str, Value]:
        """A question that the model answers, as V1 has it."""
        return {QUESTION: self._questions()[0]}

    def beside(self) -> str:
        """Nothing answers beside it."""
        return ""

    def _questions(self) -> Sequence[str]:
        golden = answer_bundle.GoldenQuestions.read(self.folder / answer_bundle.GOLDEN)
        return [row.question for row in golden.rows]
