"""As of when a run looks at its data: what was known at one moment, and nothing that came later.

A row is known once it is true (its event time), written down (its created time) and, if it is an example, once its label has arrived. What
a table does not say of itself nobody can tell afterwards: a row that was changed in place counts as it stands. Moments are UTC: a date is
the midnight with which it begins in UTC, whatever the zone of whoever types it, and daylight saving moves nothing.
"""

import datetime
from dataclasses import dataclass

from argosy import errors
from argosy.domain import time_spans
from argosy.domain.model_settings import EntitySplit, ModelSettings, TimeSplit

PARAMETER = "as-of"
FORM = "2026-01-31, or 2026-01-31T12:00Z"
NEWEST_SHARE = 0.2
"""Of the time that the examples cover, the part at its end that a run as of an early moment is judged on."""


@dataclass(frozen=True)
class Knowledge:
    """What decides whether a row of a table was known at *moment*."""

    moment: datetime.datetime
    label: str | None = None
    """An SQL expression over the table: the moment at which the row's label arrived. None where its times say it all."""


def parse(text: str) -> datetime.datetime | None:
    """The moment that the parameter's value *text* names, in UTC; None where it is empty. Raises Misconfigured where it is none."""
    if not text.strip():
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
        # Near the ends of what a date can say there is no other zone.
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise errors.Misconfigured(
            f"parameter {PARAMETER}: {text[:60]!r} is no moment; write one like {FORM} (without a zone it is UTC), or nothing"
        ) from None


def text(moment: datetime.datetime) -> str:
    """*moment* as the parameter's value, and as people read it."""
    at = moment.astimezone(datetime.UTC)
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def knowledge(settings: ModelSettings, source: str, moment: datetime.datetime | None) -> Knowledge | None:
    """What decides which rows of *source* were known at *moment*; None where that is now."""
    if moment is None:
        return None
    labels = settings.labels
    is_labelled = labels is not None and labels.source == source == settings.label.source
    return Knowledge(moment, labels.known if labels is not None and is_labelled else None)


def split(
    own: EntitySplit | TimeSplit, moment: datetime.datetime, oldest: datetime.datetime, newest: datetime.datetime
) -> EntitySplit | TimeSplit:
    """The split of a run as of *moment* with examples from *oldest* to *newest*, of a model whose settings say *own*.

    By entity it stays what it is. A holdout by time stays where it had ended by then; otherwise it lay in the future, in whole or in part,
    and the newest examples take its place: ``as_of`` of the settings, or a fifth of the time that they cover.
    """
    if isinstance(own, EntitySplit) or (own.holdout_until is not None and own.holdout_until <= moment):
        return own
    held = time_spans.span(own.as_of) if own.as_of is not None else (newest - oldest) * NEWEST_SHARE
    return own.model_copy(update={"holdout_from": newest - held, "holdout_until": None})
