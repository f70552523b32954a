"""Turns answers into records of the prediction log: by default measures alone, as a question is the text of a person.

A record has what drift is counted from (``domain.answers.answer_columns``); the texts themselves where the bundle's settings say so. What a
judge says of the sample comes later than the answers, and has a log of its own.
"""

import time
from collections.abc import Sequence

from argosy.domain.answers import answer_columns
from argosy.domain.answers.answer_settings import AnswerServing
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer
from argosy.domain.redaction import redacted
from argosy.ml.answers import logged_answers
from argosy.ports.prediction_log import AnsweredRows, PredictionLog


class AnswerRecorder:
    """Writes to one log."""

    def __init__(self, log: PredictionLog, settings: AnswerServing) -> None:
        self._log = log
        self._kept = settings.log

    def record(self, request_id: str, questions: Sequence[str], answers: Sequence[GivenAnswer]) -> None:
        """Log *answers* to *questions*, in their order."""
        rows = [logged_answers.measures(*pair) for pair in zip(questions, answers, strict=True)]
        features = {name: [row[name] for row in rows] for name, _ in answer_columns.COLUMNS}
        if self._kept != "measures":
            features["question"] = list(map(self._text, questions))
            features["answer"] = [self._text(answer.text) for answer in answers]
        self._log.append(
            AnsweredRows(
                time.time(),
                request_id,
                entities=None,
                features=features,
                scores=[(float(answer.refused),) for answer in answers],
                decisions=[answer_columns.decision(refused=answer.refused) for answer in answers],
            )
        )

    def _text(self, text: str) -> str:
        return redacted(text) if self._kept == "redacted" else text


class JudgedRecorder:
    """Writes what a judge says of the sample to a log of its own."""

    def __init__(self, log: PredictionLog) -> None:
        self._log = log

    def record(self, request_id: str, judgement: AnswerJudgement) -> None:
        """Log *judgement* of an answer of the request *request_id*."""
        self._log.append(
            AnsweredRows(
                time.time(),
                request_id,
                entities=None,
                features={
                    "faithfulness": [judgement.faithfulness],
                    "relevancy": [judgement.relevancy],
                    "toxicity": [judgement.toxicity],
                },
                scores=[(float(judgement.acceptable),)],
                decisions=[answer_columns.ACCEPTED if judgement.acceptable else answer_columns.NOT_ACCEPTED],
            )
        )

    def close(self) -> None:
        """Have the log keep what it was given, and stop."""
        self._log.close()


def columns(settings: AnswerServing) -> list[tuple[str, str]]:
    """Name and type of each column that is logged."""
    texts = [] if settings.log == "measures" else [("question", "category"), ("answer", "category")]
    return [*answer_columns.COLUMNS, *texts]
