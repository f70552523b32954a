"""The logic of ``build-features``: examples with the features known at their time, on one side of the split each; and the online store.

Nothing of a row's future may be in it: that is the join's work. Nothing of the holdout may be in what is learned about the training side:
the levels of categories come from there alone. No table is ever whole in memory here: examples and rows pass in batches.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from argosy import errors, scratch
from argosy.domain import as_of
from argosy.domain.data import FeatureColumn, FeatureSchema, SnapshotManifest, ValidationResult
from argosy.domain.model_settings import ModelSettings
from argosy.ml import frames, holdout
from argosy.ports import view_shapes
from argosy.ports.features import Definition, Features
from argosy.ports.tables import EVENT_TIME, LABEL, AsOfView, Tables
from argosy.steps.build_features import example_file, row_facts

KINDS = {"number": pa.float64(), "category": pa.string()}
"""Of features, as files keep them."""


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
    settings = _split_as_of(settings, snapshot, manifest)
    definitions, views = features.definitions(), features.views()
    context = _context(settings, definitions)
    columns = _columns(settings, features.join_keys(), context)
    facts = row_facts.RowFacts(definitions)
    outputs.features.mkdir(parents=True)
    rows = outputs.features / frames.ROWS
    with scratch.folder("features") as place:
        examples, table = place / "examples.parquet", snapshot / manifest.table(settings.label.source).path
        asked = tables.examples(table, settings.primary, settings.label, columns, [*settings.entity, EVENT_TIME])
        example_file.write(asked, settings, examples)
        kept = [*settings.entity, EVENT_TIME, *context, LABEL, frames.SIDE]
        joined = tables.join(examples, snapshot, list(dict.fromkeys(kept)), views)
        moments = [view.moment for view in views if view.moment is not None]
        example_file.write_groups(facts.seen(_ordered(joined, settings, definitions, context, moments)), rows)
        _no_side_is_empty(facts)
        _left_out(settings, tables, examples, snapshot, features.left_out(), outputs.features)
    digest = features.publish(rows, outputs.online, tables)
    schema = _schema(settings, facts, definitions, context, digest)
    schema = schema.model_copy(update={"views": [view_shapes.shape(view) for view in views]})
    if manifest.as_of is not None:
        schema = schema.model_copy(update={"as_of": manifest.as_of, "split": settings.split})
    schema.write(outputs.features / frames.SCHEMA)


def _split_as_of(settings: ModelSettings, snapshot: Path, manifest: SnapshotManifest) -> ModelSettings:
    """*settings* with the split of a run as of the snapshot's moment, where it has one."""
    if manifest.as_of is None:
        return settings
    primary = settings.primary
    spread = example_file.spread(snapshot / manifest.table(primary.name).path, primary.timestamp or EVENT_TIME)
    split = as_of.split(settings.split, manifest.as_of, *spread)
    return settings.model_copy(update={"split": split})


def _left_out(
    settings: ModelSettings, tables: Tables, examples: Path, snapshot: Path, views: Sequence[AsOfView], folder: Path
) -> None:
    """Write what a champion may read besides, of the rows by which it is judged."""
    judged = {holdout.HOLDOUT: frames.LEFT_OUT}
    if settings.evaluation.recent is not None:
        judged[holdout.RECENT] = frames.LEFT_OUT_RECENT
    schema = pa.schema([(taken.name, KINDS[taken.type]) for view in views for taken in view.columns])
    for side, name in judged.items():
        batches = tables.join(examples, snapshot, [], views, where=side) if views else ()
        example_file.write_groups(batches, folder / name, schema)


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


def _ordered(
    joined: Iterable[pa.RecordBatch],
    settings: ModelSettings,
    definitions: Sequence[Definition],
    context: Sequence[str],
    moments: Sequence[str],
) -> Iterator[pa.RecordBatch]:
    """The columns in the order that the schema promises."""
    names = [*settings.entity, EVENT_TIME, *(each.name for each in definitions), *context, LABEL, frames.SIDE, *moments]
    for batch in joined:
        rows = batch.select(list(dict.fromkeys(names))).replace_schema_metadata(None)
        moment = rows.column(EVENT_TIME).cast(pa.timestamp("us", tz="UTC"))
        yield rows.set_column(rows.schema.get_field_index(EVENT_TIME), EVENT_TIME, moment)


def _no_side_is_empty(facts: row_facts.RowFacts) -> None:
    for side in (holdout.TRAIN, holdout.HOLDOUT):
        if not facts.count[side]:
            raise errors.Rejected(
                f"the {side} side of the split is empty ({facts.rows} examples from {facts.oldest:%Y-%m-%d} to "
                f"{facts.newest:%Y-%m-%d}); look at `split` in the settings"
            )


def _schema(
    settings: ModelSettings,
    facts: row_facts.RowFacts,
    definitions: Sequence[Definition],
    context: Sequence[str],
    digest: str,
) -> FeatureSchema:
    return FeatureSchema(
        features=[_column(settings, facts, definition) for definition in definitions],
        context=list(context),
        join_keys=settings.entity,
        rows_train=facts.count[holdout.TRAIN],
        rows_holdout=facts.count[holdout.HOLDOUT],
        rows_recent=facts.count[holdout.RECENT],
        recent_after=holdout.recent_after(facts.newest, settings.evaluation.recent),
        recent_until=facts.last.get(holdout.RECENT),
        trained_from=facts.first[holdout.TRAIN],
        trained_until=facts.last[holdout.TRAIN],
        online_digest=digest,
        online_until=facts.newest,
    )


def _column(settings: ModelSettings, facts: row_facts.RowFacts, definition: Definition) -> FeatureColumn:
    contract = [column for column in settings.source(definition.source).columns if column.name == definition.column]
    return FeatureColumn(
        name=definition.name,
        type=definition.type,
        levels=sorted(facts.levels.get(definition.name, ())) if definition.type == "category" else None,
        view=definition.view,
        personal=any(column.personal for column in contract),
        # A join that finds nothing for an example gives null whatever the contract says.
        nullable=any(column.nullable for column in contract) or definition.name in facts.missing,
    )


def digest(folder: Path) -> str:
    """One digest over the examples and their schema."""
    return frames.digest(folder)
