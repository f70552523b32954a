"""Formats of values in every view: digits, units, short digests. One place, so that a page and a terminal agree."""

import datetime
import re

from argosy.domain import figures
from argosy.domain.figures import DASH

MINUS = "\N{MINUS SIGN}"
LARGE_WHOLE = re.compile(r"(?<![\d.])\d{4,15}(?![\d.])")
INITIALS = re.compile(r"\b(auc|pr(?= auc)|f1|ece|mce|rmse|mae)\b")


def number(value: float | int | None) -> str:
    """As everywhere, with a minus sign as printers set it."""
    return figures.number(value).replace("-", MINUS)


def value(found: float) -> str:
    """A value of a column, with a minus sign as printers set it."""
    return figures.value(found).replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share of one as percent."""
    return DASH if share is None else f"{100 * share:.3g} %"


def seconds(value: float | None) -> str:
    """A duration, in the unit that a person would use."""
    if value is None:
        return DASH
    if value < 0.9995:
        return f"{1000 * value:.0f} ms"
    if value < 99.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def size(value: int | None) -> str:
    """A number of bytes in decimal units."""
    if value is None:
        return DASH
    amount = float(value)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def short(digest: str | None) -> str:
    """The first twelve hex digits, as branches and logs show them."""
    return digest.rpartition(":")[2][:12] if digest else DASH


def moment(epoch: float | None) -> str:
    """A moment in UTC, to the second."""
    if epoch is None:
        return DASH
    return datetime.datetime.fromtimestamp(epoch, tz=datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def words(name: str) -> str:
    """A name that Argosy or a library gave, as words: ``learning_rate`` reads ``learning rate``, and ``pr_auc`` ``PR AUC``."""
    return spelled(name.replace("_", " "))


def measurement(name: str) -> str:
    """The name of a measurement: ``age_band.score_ratio`` reads ``age_band: score ratio``.

    Only the last part is a name of Argosy's; what stands before it may be a column's or a value's, and is left as its owner writes it.
    """
    before, _, last = name.rpartition(".")
    return f"{before}: {words(last)}" if before else words(last)


def spelled(text: str) -> str:
    """*text* with the scores that are known by their initials spelled as people do."""
    return INITIALS.sub(lambda found: found[0].upper(), text)


def heading(text: str) -> str:
    """A title that evidence has, with the scores that it names spelled as everywhere on a page: ``pr_auc by slice`` reads ``PR AUC by
    slice``."""
    return spelled(text.replace("pr_auc", "pr auc"))


def bound(limit: str) -> str:
    """A gate's limit as it is printed: ``>= 20000`` with a sign that needs no decoding and a number as those beside it."""
    return (
        LARGE_WHOLE.sub(lambda found: number(int(found[0])), limit)
        .replace(">=", "\N{GREATER-THAN OR EQUAL TO}")
        .replace("<=", "\N{LESS-THAN OR EQUAL TO}")
    )
