"""The logic of ``build-features``: examples with the features known at their time, on one side of the split each; and the online store.

Nothing of a row's future may be in it: that is the join's work. Nothing of the holdout may be in what is learned about the training side:
the levels of categories come from there alone.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from argosy import errors
from argosy.domain.data import FeatureColumn, FeatureSchema, SnapshotManifest, ValidationResult
from argosy.domain.documents import sha256
from argosy.domain.model_settings import ModelSettings
from argosy.ml import frames, holdout
from argosy.ports.features import Definition, Features
from argosy.ports.tables import EVENT_TIME, LABEL, Tables


@dataclass(frozen=True)
class FeatureOutputs:
    """The folders that the features and the online store are written to."""

    features: Path
    online: Path


def run(
    *,
    settings: ModelSettings,
    snapshot: Path,
    validation: Path,
    tables: Tables,
    features: Features,
    outputs: FeatureOutputs,
) -> None:
    """Write examples and online store.

    Raises Rejected where the snapshot was not found good, an example has no label, or a side of the split is empty; Misconfigured where
    definitions and settings do not fit.
    """
    manifest = SnapshotManifest.read(snapshot / "manifest.json")
    _is_validated(manifest, validation)
    definitions = features.definitions()
    context = _context(settings, definitions)
    columns = _columns(settings, features.join_keys(), context)
    examples = _examples(settings, snapshot / manifest.table(settings.label.source).path, tables, columns)
    side = _sides(examples, settings)
    joined = features.join(examples).append_column(frames.SIDE, pa.array(side, pa.string()))
    rows = _ordered(joined, settings, definitions, context)
    digest = features.publish(rows, outputs.online)
    outputs.features.mkdir(parents=True)
    pq.write_table(rows, outputs.features / frames.ROWS, compression="zstd")
    _schema(settings, rows, definitions, context, digest).write(outputs.features / frames.SCHEMA)
    judged = {holdout.HOLDOUT: frames.LEFT_OUT}
    if settings.evaluation.recent is not None:
        judged[holdout.RECENT] = frames.LEFT_OUT_RECENT
    for which, name in judged.items():
        held = examples.filter(compute.equal(pa.array(side, pa.string()), which))
        left_out = _in_order(features.join_left_out(held), settings).drop_columns(examples.column_names)
        pq.write_table(left_out.replace_schema_metadata(None), outputs.features / name, compression="zstd")


def _sides(examples: pa.Table, settings: ModelSettings) -> list[str]:
    sides = holdout.sides(examples, settings.entity, EVENT_TIME, settings.split)
    if settings.evaluation.recent is None and settings.training.window is None:
        return sides
    moments = examples.column(EVENT_TIME).to_pylist()
    return holdout.dated(sides, moments, settings.evaluation.recent, settings.training.window)


def _is_validated(manifest: SnapshotManifest, validation: Path) -> None:
    result = ValidationResult.read(validation / "validation.json")
    if result.snapshot_digest != manifest.content_digest():
        raise errors.Misconfigured(
            f"the validation is about snapshot {result.snapshot_digest}, this is {manifest.content_digest()}: not one run's outputs"
        )
    if result.critical_failures:
        raise errors.Rejected(f"the snapshot failed validation: {result.critical_failures[0].explanation}")


def _context(settings: ModelSettings, definitions: Sequence[Definition]) -> list[str]:
    """The sensitive attributes and slices that are no features: carried along to be looked at."""
    features = {definition.name for definition in definitions}
    looked_at = dict.fromkeys([*settings.evaluation.sensitive, *settings.evaluation.slices])
    context = [name for name in looked_at if name not in features]
    columns = {column.name for column in settings.primary.columns}
    if unknown := [name for name in context if name not in columns]:
        raise errors.Misconfigured(
            f"`evaluation` names {unknown[0]!r}, which is neither a feature nor a column of source {settings.primary.name!r}"
        )
    return context


def _columns(settings: ModelSettings, join_keys: Sequence[str], context: Sequence[str]) -> list[str]:
    """The columns of the primary source that an example needs."""
    columns = {column.name for column in settings.primary.columns}
    needed = list(dict.fromkeys([*settings.entity, *join_keys, *context]))
    if unknown := [name for name in needed if name not in columns]:
        raise errors.Misconfigured(
            f"features are looked up by {unknown[0]!r}, which is no column of source {settings.primary.name!r}"
        )
    return needed


def _examples(settings: ModelSettings, table: Path, tables: Tables, columns: Sequence[str]) -> pa.Table:
    examples = tables.examples(table, settings.primary, settings.label, columns)
    labels = examples.column(LABEL)
    if labels.null_count:
        raise errors.Rejected(
            f"the label `{settings.label.sql}` is undefined in {labels.null_count} of {len(labels)} examples: "
            "keep such rows aside with `reject`, or change the expression"
        )
    kind = pa.float64() if settings.task == "regression" else pa.int64()
    return examples.set_column(examples.column_names.index(LABEL), LABEL, labels.cast(kind))


def _ordered(
    joined: pa.Table, settings: ModelSettings, definitions: Sequence[Definition], context: Sequence[str]
) -> pa.Table:
    """The columns and rows in the order that the schema promises."""
    names = [
        *settings.entity,
        EVENT_TIME,
        *(definition.name for definition in definitions),
        *context,
        LABEL,
        frames.SIDE,
    ]
    rows = _in_order(joined.select(list(dict.fromkeys(names))), settings)
    moment = rows.column(EVENT_TIME).cast(pa.timestamp("us", tz="UTC"))
    return rows.set_column(rows.column_names.index(EVENT_TIME), EVENT_TIME, moment).replace_schema_metadata(None)


def _in_order(rows: pa.Table, settings: ModelSettings) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in dict.fromkeys([*settings.entity, EVENT_TIME])])


def _schema(
    settings: ModelSettings, rows: pa.Table, definitions: Sequence[Definition], context: Sequence[str], digest: str
) -> FeatureSchema:
    train, held, recent = (
        rows.filter(compute.equal(rows.column(frames.SIDE), side))
        for side in (holdout.TRAIN, holdout.HOLDOUT, holdout.RECENT)
    )
    if not train.num_rows or not held.num_rows:
        empty = holdout.HOLDOUT if train.num_rows else holdout.TRAIN
        raise errors.Rejected(
            f"the {empty} side of the split is empty ({rows.num_rows} examples from {_first(rows)}); look at `split` in the settings"
        )
    return FeatureSchema(
        features=[_column(settings, rows, train, definition) for definition in definitions],
        context=list(context),
        join_keys=settings.entity,
        rows_train=train.num_rows,
        rows_holdout=held.num_rows,
        rows_recent=recent.num_rows,
        recent_after=holdout.recent_after([_time(compute.max, rows)], settings.evaluation.recent),
        recent_until=_time(compute.max, recent) if recent.num_rows else None,
        trained_from=_time(compute.min, train),
        trained_until=_time(compute.max, train),
        online_digest=digest,
        online_until=_time(compute.max, rows),
    )


def _column(settings: ModelSettings, rows: pa.Table, train: pa.Table, definition: Definition) -> FeatureColumn:
    contract = [column for column in settings.source(definition.source).columns if column.name == definition.column]
    levels = None
    if definition.type == "category":
        levels = sorted(compute.unique(train.column(definition.name)).drop_null().to_pylist())
    return FeatureColumn(
        name=definition.name,
        type=definition.type,
        levels=levels,
        view=definition.view,
        personal=any(column.personal for column in contract),
        # A join that finds nothing for an example gives null whatever the contract says.
        nullable=any(column.nullable for column in contract) or rows.column(definition.name).null_count > 0,
    )


def _first(rows: pa.Table) -> str:
    return f"{_time(compute.min, rows):%Y-%m-%d} to {_time(compute.max, rows):%Y-%m-%d}"


def _time(chosen: Callable[[pa.ChunkedArray], pa.Scalar], rows: pa.Table) -> datetime.datetime:
    """The moment of *rows* that *chosen*, least or greatest, picks."""
    moment: datetime.datetime = chosen(rows.column(EVENT_TIME)).as_py()
    return moment


def digest(folder: Path) -> str:
    """One digest over the examples and their schema."""
    return sha256("".join(sha256((folder / name).read_bytes()) for name in (frames.ROWS, frames.SCHEMA)).encode())
