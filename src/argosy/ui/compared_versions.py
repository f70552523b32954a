"""Two versions of a model side by side: what was otherwise by their evidence, and their curves in one picture.

No signature is checked here: that is for the page of a request, and of the way back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.domain.evidence import CHAMPION, Curve, Evidence
from argosy.domain.release import Version
from argosy.domain.run_differences import RunDifference, matters, of_values
from argosy.report import charts

MEASUREMENTS = "measurements"


@dataclass(frozen=True)
class KnownVersion:
    """One version, as an environment or a request names it."""

    version: Version
    evidence: Evidence | None
    environment: str
    """Where it was found."""
    merged: bool
    """False where it is only proposed."""
    problem: str = ""
    """Why its evidence cannot be read, where one lies there."""

    @property
    def said(self) -> str:
        """What became of it, in words."""
        return f"served in {self.environment}" if self.merged else f"proposed for {self.environment}"


@dataclass(frozen=True)
class ComparedVersions:
    """What a page shows of two versions of one model."""

    model: str
    before: KnownVersion
    after: KnownVersion
    sections: Sequence[tuple[str, Sequence[RunDifference]]]
    """By title; only those with a difference."""
    curves: Sequence[charts.Chart]
    numbers: Sequence[int]
    """All versions that there are, the newest first."""


def of(before: KnownVersion, after: KnownVersion, numbers: Sequence[int]) -> ComparedVersions:
    """The versions *before* and *after*, of all *numbers* of their model."""
    parts = {title: (part(before), part(after)) for title, part in _PARTS.items()}
    sections = [
        (title, [row for row in of_values(title, one, other) if _told(title, one.get(row.name), other.get(row.name))])
        for title, (one, other) in parts.items()
    ]
    return ComparedVersions(
        model=after.version.model,
        before=before,
        after=after,
        sections=[(title, rows) for title, rows in sections if rows],
        curves=list(_curves(before, after)),
        numbers=numbers,
    )


def _told(title: str, one: Any, other: Any) -> bool:
    return title != MEASUREMENTS or matters(one, other)


def _measurements(known: KnownVersion) -> Mapping[str, Any]:
    return known.evidence.metrics if known.evidence else {}


def _gates(known: KnownVersion) -> Mapping[str, Any]:
    gates = known.evidence.gates if known.evidence else []
    return {gate.gate: f"{'holds' if gate.passed else 'fails'}, limit {gate.limit}" for gate in gates}


def _made_from(known: KnownVersion) -> Mapping[str, Any]:
    found = known.evidence
    if found is None:
        return {}
    return {
        "data": found.snapshot_digest,
        "rows trained on": f"{found.rows_train:,}",
        "rows held out": f"{found.rows_holdout:,}",
        "policy": found.policy_digest,
        **dict(found.provenance.rows()),
    }


def _released(known: KnownVersion) -> Mapping[str, Any]:
    compared = known.evidence.champion.version if known.evidence else None
    return {
        "model": known.version.model_digest,
        "where": known.said,
        "verdict": known.evidence.verdict if known.evidence else None,
        "compared with": f"version {compared}" if compared else None,
    }


_PARTS = {
    "release": _released,
    MEASUREMENTS: _measurements,
    "gates": _gates,
    "made from": _made_from,
}


def _curves(before: KnownVersion, after: KnownVersion) -> Iterator[charts.Chart]:
    """The curves that both versions have, the later version's own first."""
    if before.evidence is None or after.evidence is None:
        return
    earlier = {curve.title: curve for curve in before.evidence.curves}
    for curve in after.evidence.curves:
        other = earlier.get(curve.title)
        if other is not None:
            merged = Curve(
                title=curve.title,
                dimension=curve.dimension,
                x_label=curve.x_label,
                y_label=curve.y_label,
                series={**_named(curve, after), **_named(other, before)},
            )
            yield charts.of_curve(merged)


def _named(curve: Curve, known: KnownVersion) -> dict[str, list[tuple[float, float]]]:
    """The series of *curve* with the version in their names; a standard, such as chance, is the same for both."""
    own = [name for name in curve.series if name not in charts.REFERENCES and name != CHAMPION]
    version = f"version {known.version.version}"
    return {
        (version if len(own) == 1 else f"{name}, {version}") if name in own else name: points
        for name, points in curve.series.items()
        if name in own or name in charts.REFERENCES
    }
