"""Which groups of people are large enough for a figure about them to say anything."""

import numpy as np
import numpy.typing as npt

from argosy.ml.row_groups import RowGroups

SMALLEST_GROUP = 30


def large_enough(groups: RowGroups) -> npt.NDArray[np.bool_]:
    """Which rows are of a group that is."""
    return groups.at_least(SMALLEST_GROUP)
