"""Tells people how a run ended; what is said of it is ``monitoring.run_notices``' word."""

from collections.abc import Callable

from argosy.domain.model_settings import CommonSettings
from argosy.monitoring import notices, run_notices
from argosy.monitoring.run_notices import EndedRun
from argosy.ports.notifier import Notifier
from argosy.ports.objects import Objects


def run(
    *,
    ended: EndedRun,
    settings: CommonSettings,
    notifier: Notifier,
    objects: Objects,
    report: Callable[[str], None],
) -> None:
    """Tell of *ended*; *report* has a line for each channel that was told, or could not be."""
    told = notices.announce(notifier, objects, *run_notices.of(ended, settings))
    for line in notices.lines(told) or [
        "nobody is told: no channel with an address here hears of this, or it was told before"
    ]:
        report(line)
    for line in notices.again(notifier, objects):
        report(line)
