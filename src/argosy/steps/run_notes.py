"""Writes down the circumstances of a candidate: who asked for the run, where and when, how long it took, what monitoring said meanwhile.

Nothing of it is part of what is registered, and what cannot be had is said in a sentence: a monitoring store that is down keeps no
candidate from being asked for.
"""

import datetime
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import asker, circumstances, environment_layout, looks, step_times
from argosy.domain.asker import Asker
from argosy.domain.circumstances import Circumstances, Production, Read, RunPlace
from argosy.domain.data import Lineage
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.looks import Look
from argosy.domain.step_times import StepTime
from argosy.ports.objects import Objects
from argosy.steps import spec as specs

IN_A_POD = "KUBERNETES_SERVICE_HOST"
"""The variable that Kubernetes gives every container."""


@dataclass(frozen=True)
class RunNotes:
    """What is known of a run while it goes on."""

    asked_by: Asker
    place: RunPlace
    times: Sequence[StepTime]
    now: float
    """Seconds since 1970."""


def of_environment(environment: Mapping[str, str], times: Sequence[StepTime]) -> RunNotes | None:
    """The notes in *environment*, and the *times* of the steps before; None where a pipeline says nothing of its run."""
    workflow, created = (environment.get(name, "") for name in (specs.WORKFLOW, specs.CREATED))
    if not workflow or not created:
        return None
    in_a_pod = IN_A_POD in environment
    try:
        labels, began = json.loads(environment.get(specs.LABELS) or "null") or {}, float(created)
    except ValueError as error:
        raise errors.Misconfigured(
            f"{specs.LABELS} or {specs.CREATED} is not what Argo writes ({error}); compile the pipeline again"
        ) from None
    return RunNotes(
        asked_by=asker.of_workflow(labels, environment.get(specs.ASKED_BY, "")),
        place=RunPlace(
            kind="cluster" if in_a_pod else "machine",
            name="" if in_a_pod else platform.node(),
            namespace=environment.get(specs.NAMESPACE, "") if in_a_pod else "",
            workflow=workflow,
            began=circumstances.moment(began),
        ),
        times=times,
        now=time.time(),
    )


def write(noted: RunNotes, evidence: Evidence, lineage: Lineage, objects: Objects, out: Path) -> None:
    """Write the circumstances of the candidate of *evidence* into the folder *out*."""
    began = noted.place.began.timestamp()
    Circumstances(
        model=evidence.model,
        model_digest=evidence.model_digest,
        asked_by=noted.asked_by,
        place=noted.place,
        written=circumstances.moment(noted.now),
        read_at=datetime.datetime.fromisoformat(lineage.ingested_at),
        sources=[
            Read(source=each.source, location=each.location, rows=each.rows_kept, digest=each.location_digest)
            for each in lineage.sources
        ],
        ledger=step_times.ledger(noted.times, began, noted.now),
        production=_production(evidence.champion, objects),
    ).write(out / circumstances.FILE)


def _production(champion: ChampionRef, objects: Objects) -> Production:
    """What the newest look at production said of *champion*."""
    if champion.model_digest is None:
        return Production(reason="nothing is in production yet")
    try:
        content = objects.get(looks.latest_key(champion.model, environment_layout.PRODUCTION))
    except errors.ArgosyError as error:
        return Production(reason=f"the monitoring store could not be asked: {error}")
    if content is None:
        return Production(
            reason="monitoring has kept no look at production; argosy drift, or the model's schedule, makes one"
        )
    look = looks.parse(content)
    if look is None:
        return Production(reason="the newest look at production is of another Argosy, which this one does not read")
    if look.model_digest != champion.model_digest:
        until = f"{look.until:%Y-%m-%d %H:%M} UTC"
        return Production(
            reason=f"the newest look, at predictions until {until}, is of the version before the champion"
        )
    return _seen(look)


def _seen(look: Look) -> Production:
    named = [
        f"{finding.difference.column} ({part})" if part else finding.difference.column for part, finding in look.drifted
    ]
    performance = look.performance
    return Production(
        since=look.since,
        until=look.until,
        looked=look.looked,
        rows=look.rows,
        drift=look.verdict,
        explanation=look.explanation,
        moved=list(dict.fromkeys(named)),
        performance=performance.verdict if performance else None,
        performance_explanation=performance.explanation if performance else "",
    )
