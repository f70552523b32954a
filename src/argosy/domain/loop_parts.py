"""The parts of the loop after a merge that a model has, and those that nobody set: what each that is missing costs.

Nothing of it is wrong: a model may be served and watched by nobody. But whoever believes that it is watched should hear of it before it
matters.
"""

import datetime
from collections.abc import Collection, Iterator, Sequence

from argosy.domain.channel_addresses import variable
from argosy.domain.diagnosis import CheckResult, CheckState
from argosy.domain.looks import Look
from argosy.domain.model_settings import CommonSettings, ModelSettings
from argosy.domain.monitor_settings import Monitor

WHERE = "docs/monitoring.md says how"
PARTS_OF_ANSWERS = "monitor and notify"
"""A language model has no labels that come later, and no newest rows."""
MISSED = 3
"""Looks in a row that may be missing before it is said."""


def unset(settings: CommonSettings) -> Iterator[tuple[str, str]]:
    """Each section of *settings* that the loop lacks, and what does not happen without it."""
    if settings.monitor is None:
        yield "monitor", "nobody looks at its predictions, so no drift is ever seen"
    if isinstance(settings, ModelSettings) and settings.labels is None:
        yield "labels", "nobody knows what its predictions were worth, and no alert speaks of its real performance"
    if isinstance(settings, ModelSettings) and _may_end_inconclusive(settings):
        yield (
            "evaluation.recent",
            "no retraining for drift or performance can show that it is better, so each ends inconclusive",
        )
    if not settings.notify:
        yield "notify", "nobody hears of what fails, is refused or waits"


def _may_end_inconclusive(settings: ModelSettings) -> bool:
    watched = settings.monitor is not None or settings.labels is not None
    return (
        watched and bool({"drift", "performance"} & set(settings.retraining.on)) and settings.evaluation.recent is None
    )


def settings_checks(settings: CommonSettings, addresses: Collection[str] | None) -> Iterator[CheckResult]:
    """The checks of what *settings* say. *addresses*: variables that name channels' addresses; None where they cannot be seen."""
    name = f"loop of {settings.model}"
    missing = list(unset(settings))
    for section, cost in missing:
        yield CheckResult(name, CheckState.UNSET, f"`{section}` is not in model.yaml: {cost}", WHERE)
    if addresses is not None and settings.notify and not any(variable(each) in addresses for each in settings.notify):
        wanted = ", ".join(variable(each) for each in sorted(settings.notify))
        yield CheckResult(
            name,
            CheckState.UNSET,
            "no channel of `notify` has an address, so nobody hears of anything",
            f"set {wanted}",
        )
    if not missing:
        parts = (
            "monitor, labels, evaluation.recent and notify" if isinstance(settings, ModelSettings) else PARTS_OF_ANSWERS
        )
        yield CheckResult(name, CheckState.OK, f"model.yaml has {parts}")


def served_check(
    model: str,
    environment: str,
    monitor: Monitor | None,
    look: Look | None,
    hours: Sequence[datetime.datetime],
    now: datetime.datetime,
) -> CheckResult:
    """Whether *model* is logged and looked at where *environment* has it. *hours*: those of the last day of which anything is logged."""
    name = f"loop of {model}"
    if not hours:
        said = f"{environment}: nothing was logged for a day: nobody asks, or the log is off"
        return CheckResult(
            name, CheckState.UNSET, said, "see that `predictionLog.enabled` of the model's values is true, and who asks"
        )
    if monitor is None:
        return CheckResult(name, CheckState.OK, f"{environment}: its predictions are logged")
    # A look at an hour that goes on has seen no more than what was there when it was made.
    seen_until = min(look.until, look.looked) if look else None
    if look is None or seen_until is None or seen_until < now - MISSED * monitor.due:
        seen = "no look is kept" if seen_until is None else f"the newest look ended at {seen_until:%Y-%m-%d %H:%M} UTC"
        said = f"{environment}: {seen}, and one is due every {monitor.every}"
        fix = f"install workflows/{model}/watch.yaml on the cluster; here: argosy run -f workflows/{model}/watch.yaml"
        return CheckResult(name, CheckState.UNSET, said, fix)
    return CheckResult(
        name,
        CheckState.OK,
        f"{environment}: logged, and looked at last at {seen_until:%Y-%m-%d %H:%M} UTC: {look.verdict}",
    )
