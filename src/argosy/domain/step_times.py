"""The time that steps took, as their own processes measured it, and the ledger that a run makes of it.

A step hands its time on as a short output beside its answer, so that a cluster and this machine tell alike, and a step whose answer was
there already tells the time of the run that it is from. Nothing of it is part of an answer, nor of a key of the cache.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import Field, ValidationError, model_validator

from argosy import errors
from argosy.domain.documents import Document, canonical_json

LONGEST = 1024 * 1024
"""Characters of what steps say of their time; some hundred bytes a step are usual."""
TOGETHER = 1.0
"""Seconds between two tasks of a step up to which they are told as one stretch of time: a fan-out of thousands stays short."""


class StepTime(Document):
    """The time of one step that ended well, as its own process measured it. Of a step that was tried again: of the attempt that counted."""

    step: str
    began: float
    """Seconds since 1970, by the clock of the machine that it ran on."""
    ended: float
    cpu: float = Field(ge=0.0)
    """Seconds of processors, user and system, with the processes that it started."""
    tasks: int = Field(default=1, ge=1)
    """How many of its tasks these are together."""

    @model_validator(mode="after")
    def _in_order(self) -> "StepTime":
        if self.ended < self.began:
            raise ValueError(f"{self.step} ended before it began")
        return self

    @property
    def seconds(self) -> float:
        """From begin to end."""
        return self.ended - self.began


def text(times: Iterable[StepTime]) -> str:
    """*times* as a step hands them on; those of one step that follow each other closely as one."""
    return canonical_json([time.model_dump(mode="json") for time in _together(times)]).rstrip("\n")


def _together(times: Iterable[StepTime]) -> Iterator[StepTime]:
    last: StepTime | None = None
    for time in sorted(times, key=lambda time: time.began):
        if last is not None and last.step == time.step and time.began - last.ended <= TOGETHER:
            last = StepTime(
                step=last.step,
                began=last.began,
                ended=max(last.ended, time.ended),
                cpu=last.cpu + time.cpu,
                tasks=last.tasks + time.tasks,
            )
        else:
            if last is not None:
                yield last
            last = time
    if last is not None:
        yield last


def parse(text: str) -> list[StepTime]:
    """The times in *text*: JSON lists, nested as pipelines nest them, of what steps wrote. Raises Misconfigured where it is none."""
    if not text.strip():
        return []
    if len(text) > LONGEST:
        raise errors.Misconfigured(f"parameter spent: {len(text):,} characters, {LONGEST:,} are allowed")
    try:
        return [StepTime.model_validate(one) for one in _flat(json.loads(text))]
    except (ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise errors.Misconfigured(f"parameter spent is no list of what steps say of their time: {reason}") from None


def _flat(found: Any) -> Iterator[Any]:
    if isinstance(found, list):
        for each in found:
            yield from _flat(each)
    else:
        yield found


class StepShare(Document):
    """The time of all tasks of one step in a run."""

    step: str
    tasks: int
    cached: int = 0
    """Tasks whose answer was there from an earlier run; their time is not in the figures."""
    seconds: float
    """From the first begin to the last end; tasks beside each other count once."""
    cpu: float
    share: float
    """Of the run's seconds."""


class TimeLedger(Document):
    """Where the time of a run went, until its candidate was registered."""

    seconds: float
    """From the workflow's creation."""
    cpu: float
    waiting: float
    """Seconds in which no step worked: for a place, an image, a pod to start, a person; and what the executor itself needs."""
    steps: list[StepShare]
    """In the order in which they first began; those of which everything was there already first."""


def ledger(times: Sequence[StepTime], began: float, now: float) -> TimeLedger | None:
    """The ledger of a run that *began*, by what its steps say of their *times*; None where none of them says anything.

    What ended before the run began was there from an earlier one. The controller's clock keeps whole seconds, and clocks of machines differ
    by a little: what began up to a second before is of this run where it ended in it.
    """
    if not times:
        return None
    seconds = max(0.0, now - began)
    here = [time for time in times if time.ended >= began]
    names = dict.fromkeys(time.step for time in sorted(times, key=lambda time: time.began))
    steps = [_share_of(name, [time for time in times if time.step == name], began, seconds) for name in names]
    return TimeLedger(
        seconds=round(seconds, 3),
        cpu=round(sum(time.cpu for time in here), 3),
        waiting=round(max(0.0, seconds - _covered(here, began, now)), 3),
        steps=sorted(steps, key=lambda each: each.cached < each.tasks),
    )


def _share_of(step: str, times: Sequence[StepTime], began: float, seconds: float) -> StepShare:
    here = [time for time in times if time.ended >= began]
    spent = _covered(here, began, float("inf"))
    return StepShare(
        step=step,
        tasks=_tasks(times),
        cached=_tasks(times) - _tasks(here),
        seconds=round(spent, 3),
        cpu=round(sum(time.cpu for time in here), 3),
        share=round(min(1.0, spent / seconds), 4) if seconds else 0.0,
    )


def _tasks(times: Sequence[StepTime]) -> int:
    return sum(time.tasks for time in times)


def _covered(times: Sequence[StepTime], began: float, now: float) -> float:
    """Seconds from *began* to *now* in which at least one of *times* was going on."""
    covered, reached = 0.0, began
    for time in sorted(times, key=lambda time: time.began):
        end = min(time.ended, now)
        covered += max(0.0, end - max(time.began, reached))
        reached = max(reached, end)
    return covered
