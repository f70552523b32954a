"""Whether a run came out again as it did, and if not, where it first differs and what may be why. From values; nothing is read here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

STAGES = {
    "snapshot": ("data", "code", "libraries"),
    "features": ("code", "libraries", "machine"),
    "model": ("code", "libraries", "machine"),
    "verdict": ("champion", "code", "libraries", "machine"),
    "measurements": ("champion", "code", "libraries", "machine"),
}
"""What a run comes to, in the order in which it comes to it, each with what may turn it out otherwise when all before it is equal."""
OF_THE_CLOCK = "latency."
"""Measurements that no run has twice."""


@dataclass(frozen=True)
class Came:
    """What a run came to."""

    digests: Mapping[str, str]
    """By stage: ``snapshot``, ``features``, ``model``; one that it did not come to is missing."""
    verdict: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """One stage of both runs."""

    stage: str
    before: str
    after: str
    """Empty where the second run did not come to it."""

    @property
    def equal(self) -> bool:
        """True where it came out as before."""
        return self.before == self.after


@dataclass(frozen=True)
class Reproduction:
    """Both runs held together."""

    stages: Sequence[Compared]
    measured: int
    """Measurements that were compared."""
    others: Sequence[tuple[str, float | None, float | None]]
    """Those that differ: name, before, after."""
    left_out: int
    """Measurements of the clock, which were not compared."""

    @property
    def first_difference(self) -> str | None:
        """The stage that is the first to differ; None where all is equal."""
        found = next((each.stage for each in self.stages if not each.equal), None)
        return found or ("measurements" if self.others else None)


def compare(before: Came, after: Came) -> Reproduction:
    """Hold together what *before* came to with what *after* came to."""
    stages = [
        Compared(name, before.digests[name], after.digests.get(name, "")) for name in STAGES if name in before.digests
    ]
    if before.verdict:
        stages.append(Compared("verdict", before.verdict, after.verdict))
    names = [name for name in before.metrics if not name.startswith(OF_THE_CLOCK)] if after.metrics else []
    values = [(name, before.metrics[name], after.metrics.get(name)) for name in names]
    return Reproduction(
        stages,
        measured=len(values),
        others=[each for each in values if each[1] != each[2]],
        left_out=len(before.metrics) - len(names) if after.metrics else 0,
    )


def reasons(found: Reproduction, changes: Mapping[str, Sequence[str]]) -> list[str]:
    """What is known to be otherwise and may be why the first stage differs; empty where nothing that is recorded is.

    *changes*: by ``data``, ``code``, ``libraries``, ``machine``, ``champion``.
    """
    stage = found.first_difference
    return [said for kind in STAGES[stage] for said in changes.get(kind, ())] if stage else []
