"""How values read in every view: digits, units, short digests. One place, so that a page and a terminal agree."""

import datetime
import math
import re

INITIALS = re.compile(r"\b(auc|pr(?= auc)|f1|ece|mce|rmse|mae)\b")
DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | int | None) -> str:
    """Four significant digits; whole numbers with thousands separated; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, int) or (value.is_integer() and abs(value) >= 1000):
        return f"{int(value):,}".replace("-", MINUS)
    if value and abs(value) < 1e-4:
        return f"{value:.1e}".replace("-", MINUS)
    return f"{value:.4g}".replace("-", MINUS)


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
    """A name as words: ``age.demographic_parity_ratio`` reads ``age: demographic parity ratio``, and ``pr_auc`` ``PR AUC``."""
    return spelled(name.replace("_", " ").replace(".", ": "))


def spelled(text: str) -> str:
    """*text* with the scores that are known by their initials spelled as people do."""
    return INITIALS.sub(lambda found: found[0].upper(), text)


def bound(limit: str) -> str:
    """A gate's limit as it is printed: ``>= 0.8`` with a sign that needs no decoding."""
    return limit.replace(">=", "\N{GREATER-THAN OR EQUAL TO}").replace("<=", "\N{LESS-THAN OR EQUAL TO}")
