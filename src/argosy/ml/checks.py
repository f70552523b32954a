"""Refuses training data that no model can be learned from, before any time goes into a search.

What a single value may be is the data contract's business, checked by ``validate``; here it is about the training side as a whole.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import compute

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import ModelSettings
from argosy.ml.frames import Examples


def learnable(examples: Examples, settings: ModelSettings, parts: Iterable[pa.Table] | None = None) -> None:
    """Return where *examples* can teach something; raise Rejected with the column and what to do where they cannot.

    *parts*: their rows with the features, some at a time, where *examples* are without.
    """
    _target_varies(examples, settings)
    _features_vary(examples.schema.features, [examples.table] if parts is None else parts)


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


def _features_vary(features: Sequence[FeatureColumn], parts: Iterable[pa.Table]) -> None:
    rows, missing, some = 0, Counter[str](), dict[str, pa.Array]()
    for part in parts:
        rows += part.num_rows
        for name in (feature.name for feature in features):
            missing[name] += part.column(name).null_count
            if name not in some or len(some[name]) < 2:
                seen = compute.unique(part.column(name).combine_chunks()).drop_null()
                some[name] = compute.unique(pa.concat_arrays([some[name], seen]) if name in some else seen)[:2]
    for feature in features:
        if missing[feature.name] == rows:
            raise errors.Rejected(
                f"feature {feature.name!r} is missing in all {rows} training rows: mend its source, or take it out of the features"
            )
        if missing[feature.name] == 0 and len(some[feature.name]) == 1:
            raise errors.Rejected(
                f"feature {feature.name!r} has one value in all {rows} training rows, so it cannot tell them apart: "
                "mend its source, or take it out of the features"
            )
