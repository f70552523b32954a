"""A language model that is asked by hand, a frame at a time: what :class:`argosy.scoring.loaded_model.LoadedModel` is of tables.

The answers are those of a server; nothing is logged, and no sample is judged.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from argosy import errors
from argosy.domain.answers.answer_bundle import question_problem
from argosy.domain.answers.judged import GivenAnswer
from argosy.domain.data import FeatureColumn
from argosy.ml.answers.assistant import Assistant
from argosy.scoring.scorer import REASON

if TYPE_CHECKING:
    import pandas as pd

QUESTION, ANSWER, REFUSED, SOURCES = "question", "answer", "refused", "sources"
COLUMNS = [FeatureColumn(name=QUESTION, type="category", view="")]
"""What it takes."""


@dataclass(frozen=True)
class LoadedAnswers:
    """A language model that can be asked."""

    name: str
    version: int | None
    """None of a run's model that was never registered."""
    approved: bool
    """Whether some environment serves or served it, or a request proposes it; otherwise it is what a run made."""
    assistant: Assistant

    @property
    def digest(self) -> str:
        """The digest of its bundle, which is the model's name."""
        return self.assistant.digest

    @property
    def features(self) -> list[str]:
        """The columns that it takes."""
        return [QUESTION]

    def predict(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """The answers to the column ``question`` of *frame*, with its index: ``answer``, ``refused``, and ``sources``, a JSON list.

        A row that the server would refuse is missing, and ``refused_because`` says why. Raises Misconfigured where there is no such column.
        """
        columns = {QUESTION: pa.array(frame[QUESTION], from_pandas=True)} if QUESTION in frame.columns else {}
        answers: pd.DataFrame = self.answers(pa.table(columns), "the frame").to_pandas()
        return answers.set_index(frame.index)

    def answers(self, table: pa.Table, where: str) -> pa.Table:
        """As :meth:`predict`, of an Arrow table, which *where* names."""
        if QUESTION not in table.column_names:
            raise errors.Misconfigured(
                f"{where} has no column {QUESTION!r}, which is all that a language model is asked"
            )
        asked = table.column(QUESTION).to_pylist()
        reasons = [question_problem(text) for text in asked]
        given = [None if reason else self.assistant.answer(text) for text, reason in zip(asked, reasons, strict=True)]
        columns = {
            ANSWER: pa.array([each.text if each else None for each in given], pa.string()),
            REFUSED: pa.array([each.refused if each else None for each in given], pa.bool_()),
            SOURCES: pa.array([_sources(each) if each else None for each in given], pa.string()),
        }
        if any(reasons):
            columns[REASON] = pa.array(reasons, pa.string())
        return pa.table(columns)

    def __repr__(self) -> str:
        said = f"version {self.version}" if self.version else "of a run"
        return f"<{self.name} {said}, {self.digest[:19]}{'' if self.approved else ', approved by nobody'}>"


def _sources(answer: GivenAnswer) -> str:
    """The sections of an answer, as JSON; of a refusal none, as a server has it."""
    return json.dumps([] if answer.refused else answer.sections)
