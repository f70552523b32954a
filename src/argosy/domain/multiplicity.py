"""Several tests at once: p-values adjusted for their number."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """*p_values* adjusted by Holm's step-down method (1979): each may be held against one significance, whatever their number.

    Among several true nulls, one adjusted p-value below 0.05 comes up in a twentieth of all cases at most.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        adjusted[place] = highest
    return adjusted
