"""What is checked of every model without being asked: a label that can be learned, no entity twice, nothing that gives the label away.

Measured here in numbers; a model's own expectations are its ``expectations.json``.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pyarrow import compute

from argosy.domain.data import ExpectationResult, Lineage
from argosy.domain.expectations import Limits
from argosy.domain.model_settings import ModelSettings, Source
from argosy.ml import leakage
from argosy.ports.tables import LABEL

if TYPE_CHECKING:
    import pyarrow as pa


def checks(
    settings: ModelSettings, examples: "pa.Table", lineage: Lineage, limits: Limits
) -> Iterator[ExpectationResult]:
    """Every check. *examples*: the primary source with its label."""
    yield _rejected(settings, lineage, limits)
    yield _unique(settings.primary, examples)
    if settings.task != "regression":
        yield _classes(settings, examples, limits)
    if settings.task == "binary":
        yield _gives_away(settings, examples, limits)


def _rejected(settings: ModelSettings, lineage: Lineage, limits: Limits) -> ExpectationResult:
    aside = sum(source.rows_rejected for source in lineage.sources)
    reasons = [
        f"{count} {reason}"
        for source in lineage.sources
        for reason, count in sorted(source.rejected_by_reason.items())
        if count
    ]
    return _result(
        settings.primary,
        "rows_kept_aside",
        passed=lineage.anomaly_rate <= limits.rejected_share,
        observed=f"{lineage.anomaly_rate:.2%} ({', '.join(reasons) or 'none'})",
        unexpected_count=aside,
        explanation=f"at most {limits.rejected_share:.1%} of the rows are kept aside by rules; more means that the source has changed",
    )


def _unique(source: Source, examples: "pa.Table") -> ExpectationResult:
    keys = [name for name in (*source.entity, source.timestamp) if name]
    groups = examples.group_by(keys).aggregate([([], "count_all")])
    twice = groups.filter(compute.greater(groups.column("count_all"), 1))
    personal = {column.name for column in source.columns if column.personal}
    examples_of = [] if personal.intersection(keys) else twice.select(keys).slice(0, 3).to_pylist()
    return _result(
        source,
        "one_row_per_entity",
        column=", ".join(keys),
        passed=twice.num_rows == 0,
        observed=f"{twice.num_rows} appear more than once",
        unexpected_count=twice.num_rows,
        examples=[str(tuple(each.values())) for each in examples_of],
        explanation="an entity that is there twice counts twice, and can be on both sides of a fold",
    )


def _classes(settings: ModelSettings, examples: "pa.Table", limits: Limits) -> ExpectationResult:
    labels = examples.column(LABEL).drop_null().cast("int64").to_numpy()
    shares = {
        name: float(np.mean(labels == index)) if len(labels) else 0.0
        for index, name in enumerate(settings.label.classes)
    }
    present = [name for name, share in shares.items() if share]
    rarest = min(shares, key=lambda name: shares[name])
    explanation = (
        f"the label has only one class, {present[0]!r}: there is nothing to learn; look at the data and at `label.sql`"
        if len(present) == 1
        else f"class {rarest!r} has {shares[rarest]:.2%} of the rows; with less than {limits.label_share:.1%} nothing can be learned"
    )
    return _result(
        settings.primary,
        "label_classes",
        column=LABEL,
        passed=len(present) == len(shares) and shares[rarest] >= limits.label_share,
        observed=", ".join(f"{name}: {share:.2%}" for name, share in shares.items()),
        explanation=explanation,
    )


def _gives_away(settings: ModelSettings, examples: "pa.Table", limits: Limits) -> ExpectationResult:
    known_later = {*settings.label.columns, LABEL}
    labelled = examples.filter(compute.is_valid(examples.column(LABEL)))
    labels = np.asarray(labelled.column(LABEL).cast("float64").to_numpy(), dtype=np.float64)
    found = {
        column.name: leakage.separation(labelled.column(column.name), labels)
        for column in settings.primary.columns
        if column.name not in known_later and column.name not in settings.primary.entity
    }
    suspects = sorted(name for name, area in found.items() if area >= limits.leakage_auc)
    best = max(found, key=lambda name: found[name], default="")
    return _result(
        settings.primary,
        "no_column_gives_the_label_away",
        column=", ".join(suspects) or None,
        passed=not suspects,
        observed=f"best alone: {best} (AUC {found[best]:.3f})" if found else "no column",
        unexpected_count=len(suspects),
        explanation=f"a column that alone reaches AUC {limits.leakage_auc} is known only after the fact; "
        "name it in `label.columns`, or raise `limits.leakage_auc` with a reason",
    )


def _result(
    source: Source,
    expectation: str,
    *,
    passed: bool,
    observed: str,
    explanation: str,
    column: str | None = None,
    unexpected_count: int = 0,
    examples: Sequence[str] = (),
) -> ExpectationResult:
    return ExpectationResult(
        layer="business",
        source=source.name,
        expectation=expectation,
        column=column,
        critical=True,
        passed=passed,
        observed=observed,
        unexpected_count=unexpected_count,
        examples=list(examples),
        explanation=explanation,
    )
