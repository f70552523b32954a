"""A measure of drift for argosy that lives outside of it: how many of a column's rows would have to move to another bin."""

from argosy.domain.bundle import Histogram


def moved(now: Histogram, before: Histogram) -> float:
    """Total variation distance: the share of the rows, missing ones apart like a bin, that lie where they did not lie before."""
    left, right = [now.missing, *now.counts], [before.missing, *before.counts]
    rows, rows_before = sum(left), sum(right)
    return sum(abs(here / rows - there / rows_before) for here, there in zip(left, right, strict=True)) / 2
