"""Lengths of time in settings: a number and its unit, such as ``30m``, ``24h`` or ``7d``, or a number of hours."""

import datetime
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LENGTH = r"^[1-9][0-9]{0,4}[mhd]$"
_OR_NONE = r"^(0|[1-9][0-9]{0,4})[mhd]$"
_TEN_YEARS = 87_600
"""Hours. A moment so far away is still one that a clock can show."""


def _a_length(given: Any) -> Any:
    if isinstance(given, str) and re.match(_LENGTH, given):
        return given
    raise ValueError("a length of time is a number and its unit, m, h or d, such as 30m, 24h or 7d")


def _a_length_or_none(given: Any) -> Any:
    if isinstance(given, str) and re.match(_OR_NONE, given):
        return given
    raise ValueError("a length of time is a number and its unit, m, h or d, such as 0m, 24h or 7d")


Duration = Annotated[str, Field(pattern=_LENGTH), BeforeValidator(_a_length)]
Age = Annotated[str, Field(pattern=_OR_NONE), BeforeValidator(_a_length_or_none)]
"""A length of time that may be none, such as 0m, 24h or 7d."""
Hours = Annotated[float, Field(ge=0, le=_TEN_YEARS)]
"""A number of hours; for ever is none, since moments are counted from it."""


def span(text: str) -> datetime.timedelta:
    """The duration that *text*, such as ``30m``, ``24h`` or ``7d``, stands for."""
    return datetime.timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
