"""Numbers of a manifest as they reach the controller: read by Go's YAML, written as JSON, and read again by an API server.

A whole number of at most 64 bits stays what it is; every other is the nearest float of 64 bits.
"""

import math
import re
from decimal import Decimal

LARGEST = 2**63 - 1
SMALLEST = -(2**63)
WHOLE_IN_JSON = 1e21
"""From here on JSON writes a float with an exponent, and it is no whole number any more."""

_OCTAL = re.compile(r"[-+]?0o?[0-7]+", re.IGNORECASE)


def of_integer(written: str) -> int | float:
    """The value of a YAML integer, of whatever base. Raises ValueError where it is none, such as ``08``."""
    text = written.replace("_", "").lower()
    whole = int(text.replace("o", ""), 8) if _OCTAL.fullmatch(text) else int(text, 0)
    return whole if SMALLEST <= whole <= LARGEST else as_sent(float(whole))


def of_float(written: str) -> int | float:
    """The value of a YAML float. Raises OverflowError where it is larger than a float can be, ValueError where JSON has no such number."""
    text = written.replace("_", "").lower()
    if text.endswith((".inf", ".nan")):
        raise ValueError(
            f"{written!r} is a number that JSON, and so a cluster, does not have; quote it where text is meant"
        )
    value = float(text)
    if math.isinf(value):
        raise OverflowError(written)
    return as_sent(value)


def as_sent(value: float) -> int | float:
    """*value* once JSON was in between, which writes 1.0 as 1, and the shortest digits that are a float again."""
    if not value.is_integer() or abs(value) >= WHOLE_IN_JSON:
        return value
    whole = int(Decimal(repr(value)))
    return whole if SMALLEST <= whole <= LARGEST else value
