"""Rounds of a distributed search: the workflow parameters that its tasks hand to each other, and the choice at its end.

A fan-out's results arrive as one JSON list, an entry a task; an entry is a list, or the text of one, depending on who put them together.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from argosy import errors
from argosy.domain.documents import canonical_json
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Asked, Choice, SearchHistory, Trial
from argosy.ml import metrics

NO_POINTS = "none"
Item = TypeVar("Item", bound=BaseModel)


def empty(settings: ModelSettings) -> SearchHistory:
    """The history before the first round. Raises Misconfigured where the settings name no score of this task."""
    search = settings.search
    return SearchHistory(metric=search.metric, direction=metrics.direction(settings.task, search.metric), trials=[])


def merged(history: SearchHistory, finished: Sequence[Trial]) -> SearchHistory:
    """*history* with the trials of one more round, by number. Raises Misconfigured where a number comes twice or is left out."""
    trials = sorted([*history.trials, *finished], key=lambda trial: trial.number)
    if [trial.number for trial in trials] != list(range(len(trials))):
        numbers = ", ".join(str(trial.number) for trial in trials)
        raise errors.Misconfigured(
            f"the trials of a search are numbered 0, 1, 2, …; got {numbers}: a round was left out or read twice"
        )
    return history.model_copy(update={"trials": trials})


def choose(history: SearchHistory) -> Choice:
    """The best complete trial; of equally good ones the first. Raises Rejected where none is complete or scores a number."""
    if (best := _best(history)) is None:
        raise errors.Rejected(
            f"none of {len(history.trials)} trials came to a {history.metric}: look at the logs of the trial tasks"
        )
    return Choice(
        trial=best.number,
        score=best.score,
        metric=history.metric,
        parameters=best.parameters,
        boost_rounds=best.boost_rounds,
    )


def is_over(history: SearchHistory, settings: ModelSettings) -> bool:
    """True where the last ``search.stop_after_rounds`` rounds of *history* found nothing better than those before."""
    search = settings.search
    if search.stop_after_rounds is None or (best := _best(history)) is None:
        return False
    since = len(history.trials) // search.per_round - 1 - best.number // search.per_round
    return since >= search.stop_after_rounds


def batches(asked: Sequence[Asked], size: int) -> str:
    """*asked* as the text of a JSON list of batches of at most *size* points."""
    points = [point.model_dump(mode="json") for point in asked]
    return canonical_json([points[start : start + size] for start in range(0, len(points), size)])


def named(text: str) -> dict[str, list[dict[str, Any]]]:
    """The batches of :func:`batches` by name: the numbers of their first and last trial; one without points where there are none.

    A fan-out over nothing has no results, and the tasks after it could not name them.
    """
    found: list[list[dict[str, Any]]] = json.loads(text)
    return (
        {NO_POINTS: []} if not found else {f"{points[0]['number']}-{points[-1]['number']}": points for points in found}
    )


def points_of(name: str, asked: Path) -> str:
    """The points of the batch *name* in the file *asked*, as the text of a JSON list. Raises Misconfigured where there is none."""
    batches = json.loads(asked.read_text(encoding="utf-8"))
    if name not in batches:
        raise errors.Misconfigured(f"parameter batch: no batch {name!r} was asked for; there are {', '.join(batches)}")
    return json.dumps(batches[name])


def batch(text: str) -> list[Asked]:
    """One batch out of :func:`batches`. Raises Misconfigured where *text* is none."""
    return _items(Asked, _json(text, "batch"), "batch")


def finished(text: str) -> list[Trial]:
    """The trials that the tasks of a round handed over. Raises Misconfigured where *text* is no such list."""
    tasks = _json(text, "finished")
    if not isinstance(tasks, list):
        raise errors.Misconfigured(f"parameter finished: expected a JSON list, an entry a task; got {text[:80]!r}")
    entries = [_json(task, "finished") if isinstance(task, str) else task for task in tasks]
    return [trial for entry in entries for trial in _items(Trial, entry, "finished")]


def trials_text(trials: Sequence[Trial]) -> str:
    """*trials* as one task hands them over."""
    return canonical_json([trial.model_dump(mode="json") for trial in trials])


def _best(history: SearchHistory) -> Trial | None:
    sign = 1.0 if history.direction == "maximize" else -1.0
    complete = [trial for trial in history.trials if trial.state == "complete" and trial.score == trial.score]
    return max(complete, key=lambda trial: (sign * trial.score, -trial.number), default=None)


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise errors.Misconfigured(f"parameter {name}: not JSON: {error}") from None


def _items(kind: type[Item], value: Any, name: str) -> list[Item]:
    try:
        return TypeAdapter(list[kind]).validate_python(value)  # type: ignore[valid-type]
    except ValidationError as error:
        raise errors.Misconfigured(f"parameter {name}: {error}") from None
