"""Counts the answers of an evaluation as a server's are counted: what windows of a language model can be held against."""

from collections.abc import Sequence

import pyarrow as pa

from argosy.domain.answers import answer_columns
from argosy.domain.answers.answer_bundle import Passage
from argosy.domain.answers.answer_settings import SLICES
from argosy.domain.answers.judged import GivenAnswer
from argosy.domain.tallies import Layout
from argosy.domain.watch_reference import HOLDOUT, WatchReference
from argosy.ml import counting
from argosy.ml.answers import logged_answers


def reference(
    model: str, digest: str, passages: Sequence[Passage], questions: Sequence[str], answers: Sequence[GivenAnswer]
) -> WatchReference:
    """The *answers* of *model* to the *questions* of its evaluation set, counted; without their times, which are another machine's."""
    layout = Layout.of(answer_columns.bins(passages))
    tallies = counting.tallies(_as_logged(questions, answers), layout, SLICES)
    return WatchReference(model=model, model_digest=digest, answers=[], layout=layout.digest, counts={HOLDOUT: tallies})


def _as_logged(questions: Sequence[str], answers: Sequence[GivenAnswer]) -> pa.Table:
    """The *answers* as a log has them (see ``argosy.ports.prediction_log.Logged``)."""
    rows = [logged_answers.measures(*pair) for pair in zip(questions, answers, strict=True)]
    types = {"number": pa.float64(), "category": pa.string()}
    columns = {
        name: pa.array([row[name] for row in rows], types[kind])
        for name, kind in answer_columns.COLUMNS
        if name != answer_columns.MILLISECONDS
    }
    decisions = [answer_columns.decision(refused=each.refused) for each in answers]
    return pa.table(
        {
            "score": pa.array([[float(each.refused)] for each in answers], pa.list_(pa.float64())),
            "decision": pa.array(decisions, pa.string()),
            "features": pa.StructArray.from_arrays(list(columns.values()), names=list(columns)),
        }
    )
