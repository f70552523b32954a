"""Tells who wants to know that a step begins, and what it read and made, or how it failed; see :mod:`argosy.domain.lineage_events`."""

import contextlib
import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy import errors
from argosy.domain import lineage_events
from argosy.domain.lineage_events import Kind, LineageDataset
from argosy.ports.lineage_receiver import LineageReceiver


@dataclass
class ToldRun:
    """What a run read and made, as far as it got."""

    inputs: list[LineageDataset] = field(default_factory=list)
    outputs: list[LineageDataset] = field(default_factory=list)


@contextlib.contextmanager
def told(receiver: LineageReceiver | None, model: str, step: str) -> Iterator[ToldRun]:
    """Tell *receiver* of the block, a run of *step* of *model*. A process that is killed has a beginning and no end."""
    run = ToldRun()
    if receiver is None:
        yield run
        return
    number, job = str(uuid.uuid4()), f"{model}.{step}"

    def tell(kind: Kind, error: BaseException | None = None) -> None:
        said = None if error is None else errors.first_line(error)
        at = datetime.datetime.now(datetime.UTC).isoformat()
        receiver.tell(
            lineage_events.event(kind, run=number, job=job, at=at, inputs=run.inputs, outputs=run.outputs, error=said)
        )

    tell("START")
    try:
        yield run
    except (KeyboardInterrupt, SystemExit) as stopped:
        tell("ABORT", stopped)
        raise
    except Exception as error:
        tell("FAIL", error)
        raise
    tell("COMPLETE")
