"""An outline of a Feast definitions file, read from its text: names and lines, without running it.

What it really defines is known once Feast has loaded it, in ``build-features``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FeatureLine:
    """One ``Field`` of a view."""

    name: str
    line: int
    type: str | None
    """Feast's type by name, such as Int64; None where it is not written out."""
    source: str | None
    """The source that its view reads; None where it is not written out."""


@dataclass(frozen=True)
class SourceLine:
    """One ``FileSource``."""

    name: str
    """The source of the contract that it reads."""
    line: int
    timestamp: str | None
    created: str | None
    """Its times; None where they are not given, or not written out."""


@dataclass(frozen=True)
class Definitions:
    """The parts that could be read from the text; the rest is left out, never guessed."""

    features: list[FeatureLine]
    """Of the views that a service takes whole."""
    sources: list[SourceLine]
    services: dict[str, int]
    """Name of each FeatureService to its line; empty where one of them is not written out."""
