"""A column that is broken upstream, told from one that has drifted, by its counts in the bins of a model that knew it whole.

A world that changes moves values; it does not empty a column, fill it with one value, or put all of it where nothing ever was. A model
that is retrained on such a column learns the fault, and may beat the champion on rows that have it: so no figure of performance finds it.
"""

from collections.abc import Iterable

from argosy.domain.bundle import Histogram
from argosy.domain.evidence import GateResult

GATE = "columns-whole"
MISSING = 0.5
"""More of a column missing than before by this share: it broke."""
ALL = 0.99
"""The share of the values that counts as all of them."""
SPREAD = 0.9
"""A column of which so much stood in one place before says nothing when all of it stands there now."""
MOST_NAMED = 3


def broken(now: Histogram, before: Histogram) -> str | None:
    """Why the column looks broken in the rows of *now*, where it was whole in those of *before*; None where it does not."""
    rows, known = sum(now.counts) + now.missing, sum(now.counts)
    rows_before, known_before = sum(before.counts) + before.missing, sum(before.counts)
    if not rows or not known_before:
        return None
    missing, missing_before = now.missing / rows, before.missing / rows_before
    if missing - missing_before >= MISSING:
        return f"is missing in {missing:.0%} of the rows, before in {missing_before:.0%}"
    if not known:
        return None
    if before.levels is not None:
        return _of_levels(now.counts, before.counts)
    return _of_numbers(now.counts, before.counts)


def _of_levels(now: list[int], before: list[int]) -> str | None:
    unknown, unknown_before = now[-1] / sum(now), before[-1] / sum(before)
    if unknown - unknown_before >= MISSING:
        return f"has values never seen before in {unknown:.0%} of the rows"
    return _in_one_place(now, before, "has one value")


def _of_numbers(now: list[int], before: list[int]) -> str | None:
    if said := _in_one_place(now, before, "has all its values in one place"):
        return said
    outside, outside_before = ((counts[0] + counts[-1]) / sum(counts) for counts in (now, before))
    if len(now) > 2 and outside >= ALL and outside_before < SPREAD:
        return f"lies at the ends of its range, or beyond, in {outside:.0%} of the rows, before in {outside_before:.0%}"
    return None


def _in_one_place(now: list[int], before: list[int], says: str) -> str | None:
    at = max(range(len(now)), key=now.__getitem__)
    share, share_before = now[at] / sum(now), max(before) / sum(before)
    if share >= ALL and share_before < SPREAD:
        return f"{says} in {share:.0%} of the rows, before in {before[at] / sum(before):.0%}"
    return None


def gate(faults: Iterable[tuple[str, str, str]]) -> GateResult:
    """The gate that no column is broken; *faults*: the rows it was found in, the column, what is wrong, each in words."""
    said = [f"{column} {fault} ({rows})" for rows, column, fault in faults]
    more = f"; and {len(said) - MOST_NAMED} more" if len(said) > MOST_NAMED else ""
    return GateResult(
        gate=GATE,
        dimension="robustness",
        passed=not said,
        measured=float(len(said)),
        limit="<= 0",
        reason=f"this looks broken upstream, not drifted: {'; '.join(said[:MOST_NAMED])}{more}"
        if said
        else "every column is as whole as the champion knew it",
        would_pass="mend it where it comes from and retrain" if said else None,
    )
