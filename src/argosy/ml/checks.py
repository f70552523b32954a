"""Refuses training data that no model can be learned from, before any time goes into a search.

What a single value may be is the data contract's business, checked by ``validate``; here it is about the training side as a whole.
"""

import numpy as np
from pyarrow import compute

from argosy import errors
from argosy.domain.model_settings import ModelSettings
from argosy.ml.frames import Examples


def learnable(examples: Examples, settings: ModelSettings) -> None:
    """Return where *examples* can teach something; raise Rejected with the column and what to do where they cannot."""
    _target_varies(examples, settings)
    _features_vary(examples)


def _target_varies(examples: Examples, settings: ModelSettings) -> None:
    if np.isnan(examples.labels).any():
        raise errors.Rejected(
            f"the label `{settings.label.sql}` is undefined in {int(np.isnan(examples.labels).sum())} of {len(examples)} training rows: "
            "reject such rows in `reject`, or change the expression"
        )
    found = np.unique(examples.labels)
    if settings.task == "regression":
        if len(found) == 1:
            raise errors.Rejected(
                f"the label `{settings.label.sql}` is {found[0]:g} in every training row: there is nothing to learn"
            )
        return
    counts = {name: int((examples.labels == index).sum()) for index, name in enumerate(settings.label.classes)}
    if empty := [name for name, count in counts.items() if count == 0]:
        raise errors.Rejected(
            f"the label `{settings.label.sql}` never gives class {empty[0]!r} in {len(examples)} training rows "
            f"({', '.join(f'{name}: {count}' for name, count in counts.items())}): look at the expression and at the data"
        )


def _features_vary(examples: Examples) -> None:
    for feature in examples.schema.features:
        column = examples.table.column(feature.name)
        if column.null_count == len(column):
            raise errors.Rejected(
                f"feature {feature.name!r} is missing in all {len(column)} training rows: mend its source, or take it out of the features"
            )
        if column.null_count == 0 and compute.count_distinct(column).as_py() == 1:
            raise errors.Rejected(
                f"feature {feature.name!r} has one value in all {len(column)} training rows, so it cannot tell them apart: "
                "mend its source, or take it out of the features"
            )
