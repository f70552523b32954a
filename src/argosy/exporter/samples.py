"""Samples: a value of a series, or an age or a term that goes on with the clock after its source was read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from argosy.exporter.series import Series


@dataclass(frozen=True)
class Sample:
    """One value of *series* for *labels*, in the order in which the series names them."""

    series: Series
    labels: tuple[str, ...]
    value: float
    pace: int = 0
    """What a second adds: 1 for an age, -1 for what is left of a term."""

    def at(self, now: float) -> float:
        """The value at the time *now*, in seconds since 1970."""
        return self.value + self.pace * now


def of(series: Series, value: float, **labels: str) -> Sample:
    """*value* of *series*. Raises ValueError where *labels* are not those of the series."""
    if set(labels) != set(series.labels):
        raise ValueError(f"{series.name} has the labels {', '.join(series.labels)}; got {', '.join(labels)}")
    return Sample(series, tuple(labels[name] for name in series.labels), float(value))


def age(series: Series, since: float, **labels: str) -> Sample:
    """How long ago *since* was."""
    return Sample(series, of(series, 0, **labels).labels, -since, pace=1)


def term(series: Series, until: float, **labels: str) -> Sample:
    """How long it is to *until*; negative once that is over."""
    return Sample(series, of(series, 0, **labels).labels, until, pace=-1)


@dataclass(frozen=True)
class Reading:
    """What a source said."""

    samples: Sequence[Sample] = ()
    problems: Sequence[str] = field(default=())
    """One line for each thing that is there and cannot be understood."""
