"""Which groups of people are large enough for a figure about them to say anything."""

from collections import Counter

import numpy as np
import numpy.typing as npt

SMALLEST_GROUP = 30


def large_enough(groups: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    """Which rows are of a group that is."""
    counts = Counter(groups)
    return np.array([counts[group] >= SMALLEST_GROUP for group in groups], dtype=bool)
