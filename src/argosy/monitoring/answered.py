"""One answered request, found again in the prediction log."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from argosy.domain.traces import AnsweredRow
from argosy.ports.prediction_log import PredictionHistory


def find(
    history: PredictionHistory,
    request_id: str,
    places: Sequence[tuple[str, str]],
    *,
    since: datetime.datetime,
    until: datetime.datetime | None = None,
) -> list[AnsweredRow]:
    """The rows of *request_id* that *places* (model, environment) answered from *since* on, in their order.

    Segments are read from the newest on, and no more of them than it takes: a request is answered by one place. Raises TryAgain where the
    store fails.
    """
    for model, environment in places:
        found = list(_of_place(history, request_id, model, environment, since, until))
        if found:
            return sorted(found, key=lambda answer: answer.row)
    return []


def _of_place(
    history: PredictionHistory,
    request_id: str,
    model: str,
    environment: str,
    since: datetime.datetime,
    until: datetime.datetime | None,
) -> Iterator[AnsweredRow]:
    import pyarrow.compute as pc  # noqa: PLC0415 - whoever traces a request of the forge needs none

    refs = sorted(
        history.segments(model, environment, since=since, until=until), key=lambda ref: ref.hour, reverse=True
    )
    hour = None
    for ref in refs:
        if hour not in {None, ref.hour}:
            return  # its rows were answered at once, so they are of one hour, whatever segments that has
        logged = history.read_segment(ref)
        rows: list[dict[str, Any]] = logged.table.filter(pc.equal(logged.table["request_id"], request_id)).to_pylist()
        for row in rows:
            hour = ref.hour
            yield AnsweredRow(
                model=model,
                environment=environment,
                model_digest=logged.served.digest,
                time=row["time"],
                row=row["row"],
                score=row["score"],
                decision=row["decision"],
            )
