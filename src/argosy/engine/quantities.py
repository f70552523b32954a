"""Quantities, in which Kubernetes writes amounts of memory, of processors and of storage: ``500m``, ``64Mi``, ``1e9``."""

import re
import reprlib
from decimal import Decimal

_SUFFIXES = {"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_SUFFIXES |= {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)}
_SUFFIXES |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_WRITTEN = re.compile(r"([+-]?(?:[0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300}))(?:[eE]([+-]?[0-9]{1,10})|([A-Za-z]*))")
LARGEST = (1 << 63) - 1
"""The quantity that a cluster makes of every larger one."""
_LARGEST_EXPONENT = 100
"""Larger ones, and those of smaller numbers, change nothing; only calculating with them would take for ever."""


def amount(text: str) -> Decimal:
    """*text* as a number. Raises ValueError where it is no quantity, or less than nothing: whatever has an amount refuses that."""
    match = _WRITTEN.fullmatch(text)
    if match is None or (match[3] or "") not in _SUFFIXES:
        raise ValueError(f"{reprlib.repr(text)} is no quantity, such as 500m or 1.5Gi")
    if match[1].startswith("-") and Decimal(match[1]):
        raise ValueError(f"{reprlib.repr(text)} is less than nothing, and no cluster takes such an amount")
    exponent = max(-_LARGEST_EXPONENT, min(int(match[2] or 0), _LARGEST_EXPONENT))
    return min(Decimal(match[1]) * Decimal(10) ** exponent * _SUFFIXES[match[3] or ""], Decimal(LARGEST))


def whole(text: str) -> int:
    """*text* as a whole number, such as one of bytes. Raises ValueError where it is no quantity."""
    return int(amount(text))
