"""Outcomes of decisions on access, as they are counted."""

from typing import Literal, get_args

Outcome = Literal[
    "let in", "no credentials", "not authentic", "expired", "not allowed", "too often", "too many failures", "unproven"
]
"""Unproven: the keys of an issuer could not be had."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
