"""Built-in checks of every model's data: a label that can be learned, no entity twice, nothing that gives the label away.

Measured here in numbers; a model's own expectations are its ``expectations.json``.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pyarrow import compute

from argosy.domain.data import ExpectationResult, Lineage
from argosy.domain.expectations import Limits
from argosy.domain.model_settings import ModelSettings
from argosy.domain.source_settings import Source
from argosy.ml import leakage
from argosy.ports.tables import LABEL, Derived, Tables

MOST_ROWS = 100_000
"""Rows that columns are held against a label of values, or of several classes, on."""

if TYPE_CHECKING:
    import pyarrow as pa


def checks(
    settings: ModelSettings, tables: Tables, asked: Derived, lineage: Lineage, limits: Limits
) -> Iterator[ExpectationResult]:
    """Every check. *asked*: the primary source with its label; of its columns no more than two are in memory at once."""
    yield _rejected(settings, lineage, limits)
    yield _unique(settings.primary, tables, asked)
    if settings.task != "regression":
        yield _known_classes(settings, tables, asked)
        yield _classes(settings, tables.derive(asked, [LABEL]), limits)
    yield _gives_away(settings, tables, asked, limits)


def says_one_thing(tables: Tables, asked: Derived) -> ExpectationResult:
    """Of rows of a source with one key and one time the join of features takes any, another at the next call; so they must be alike."""
    source = asked.source
    keys = [name for name in (*source.entity, source.timestamp, source.created) if name]
    found = tables.repeated(asked, keys, [column.name for column in source.columns])
    aside = f"row_number() over (partition by {', '.join(map(_quoted, keys))} order by COLUMN) > 1"
    return _result(
        source,
        "one_meaning_per_entity_and_time",
        column=", ".join(keys),
        passed=found.repeated == 0,
        observed=f"{found.repeated:,} of {found.keys:,} have rows that differ",
        unexpected_count=found.repeated,
        examples=_shown_keys(source, found.first),
        explanation="rows of one entity and one time that differ: which of them a feature would come from is left to chance, so the same "
        f"data could give another model. Keep all but one aside, with `reject: [{{source: {source.name}, when: '{aside}', reason: ...}}]`, "
        f"{'' if source.created else 'name the column that says when a row became known as `created`, '}or add what tells them apart to "
        "`entity`",
    )


def _shown_keys(source: Source, first: "pa.Table") -> list[str]:
    personal = {column.name for column in source.columns if column.personal}
    if personal.intersection(first.column_names):
        return []
    return [str(tuple(str(value) for value in each.values())) for each in first.to_pylist()]


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else '"' + name.replace('"', '""') + '"'


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


def _unique(source: Source, tables: Tables, asked: Derived) -> ExpectationResult:
    keys = [name for name in (*source.entity, source.timestamp) if name]
    found = tables.repeated(asked, keys)
    return _result(
        source,
        "one_row_per_entity",
        column=", ".join(keys),
        passed=found.repeated == 0,
        observed=f"{found.repeated} appear more than once",
        unexpected_count=found.repeated,
        examples=_shown_keys(source, found.first),
        explanation="an entity that is there twice counts twice, and can be on both sides of a fold",
    )


def _known_classes(settings: ModelSettings, tables: Tables, asked: Derived) -> ExpectationResult:
    """A label is the number of a class, from 0, or a class's name; -1 is what a name that no class has became."""
    names = settings.label.classes
    # A label that is a column by its name is shown as it stands there.
    given_by = [column.name for column in settings.primary.columns if column.name == settings.label.sql != LABEL]
    examples = tables.derive(asked, [LABEL, *given_by])
    labels = examples.column(LABEL)
    outside = examples.filter(compute.or_(compute.less(labels, 0), compute.greater_equal(labels, len(names))))
    given = _given(settings, outside)
    numbered = ", ".join(f"{index} {name}" for index, name in enumerate(names))
    return _result(
        settings.primary,
        "label_is_a_class",
        column=LABEL,
        passed=outside.num_rows == 0,
        observed=f"`{settings.label.sql}` gives {', '.join(given)}" if given else "every label is a class",
        unexpected_count=outside.num_rows,
        examples=given,
        explanation=f"the classes are {numbered}: `label.sql` gives such a number, or such a name as text; "
        f"mend it, or name every class in `label.classes`{' and say task: multiclass' if settings.task == 'binary' else ''}",
    )


def _given(settings: ModelSettings, outside: "pa.Table") -> list[str]:
    """The labels' values in the rows *outside*; a name only where it is a column that is not personal."""
    personal = {column.name: column.personal for column in settings.primary.columns}
    numbers = [value for value in compute.unique(outside.column(LABEL)).to_pylist() if value is not None]
    if -1 not in numbers or personal.get(settings.label.sql) is not False:
        return [str(value) for value in sorted(numbers)[:5]]
    values = compute.unique(outside.column(settings.label.sql)).to_pylist()
    return sorted(repr(value) for value in values)[:5]


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


def _gives_away(settings: ModelSettings, tables: Tables, asked: Derived, limits: Limits) -> ExpectationResult:
    known_later = {*settings.label.columns, LABEL}
    found = {
        column.name: _alone(settings, tables.derive(asked, [column.name, LABEL]))
        for column in settings.primary.columns
        if column.name not in known_later and column.name not in settings.primary.entity
    }
    scale = "concordance" if settings.task == "regression" else "AUC"
    suspects = sorted(name for name, area in found.items() if area >= limits.leakage_auc)
    best = max(found, key=lambda name: found[name], default="")
    return _result(
        settings.primary,
        "no_column_gives_the_label_away",
        column=", ".join(suspects) or None,
        passed=not suspects,
        observed=f"best alone: {best} ({scale} {found[best]:.3f})" if found else "no column",
        unexpected_count=len(suspects),
        explanation=f"a column that alone reaches {scale} {limits.leakage_auc} is known only after the fact; "
        "name it in `label.columns`, or raise `limits.leakage_auc` with a reason",
        # Of other tasks it was not asked before: nobody's run ends by it who did not write the limit down.
        critical=settings.task == "binary" or "leakage_auc" in limits.model_fields_set,
    )


def _alone(settings: ModelSettings, examples: "pa.Table") -> float:
    """How well the first of the columns tells the label."""
    labelled = examples.filter(compute.is_valid(examples.column(LABEL)))
    if settings.task != "binary" and labelled.num_rows > MOST_ROWS:
        # Every so many rows: ordering pairs takes longer than counting, and chance does not reach the limit on as many.
        labelled = labelled.take(np.arange(0, labelled.num_rows, -(-labelled.num_rows // MOST_ROWS)))
    labels = np.asarray(labelled.column(LABEL).cast("float64").to_numpy(), dtype=np.float64)
    known = np.flatnonzero(~np.isnan(labels))
    return leakage.gives_away(settings.task, labelled.column(0).take(known), labels[known]) if len(known) else 0.5


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
    critical: bool = True,
) -> ExpectationResult:
    return ExpectationResult(
        layer="business",
        source=source.name,
        expectation=expectation,
        column=column,
        critical=critical,
        passed=passed,
        observed=observed,
        unexpected_count=unexpected_count,
        examples=list(examples),
        explanation=explanation,
    )
