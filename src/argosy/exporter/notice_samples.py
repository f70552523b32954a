"""Reads the notices that no channel is known to have."""

import datetime
from collections import Counter
from collections.abc import Callable

from argosy.domain.notices import PAUSE
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading
from argosy.monitoring import notices
from argosy.ports.objects import Objects


def read(objects: Objects, now: Callable[[], datetime.datetime]) -> Reading:
    """How many there are of each model and channel. Raises TryAgain where the store fails."""
    moment = now()
    problems: list[str] = []
    found: Counter[tuple[str, str, str]] = Counter()
    for telling in notices.untold(objects, problems):
        # What is waiting is being told at this moment, or its teller was cut off.
        under_way = telling.outcome == "waiting" and moment - telling.at < PAUSE
        if not under_way and not telling.is_old(moment):
            found[telling.notice.model, telling.channel, telling.outcome] += 1
    return Reading(
        [
            samples.of(series.NOTICES_NOT_TAKEN, count, model=model, channel=channel, outcome=outcome)
            for (model, channel, outcome), count in found.items()
        ],
        problems,
    )
