"""Puts together what changed from one snapshot to another: which tables are compared, by which keys, and what is not told of them."""

from collections.abc import Mapping
from pathlib import Path

from argosy.domain.data import SnapshotManifest
from argosy.domain.data_diff import DataChange
from argosy.domain.snapshot_layout import MANIFEST
from argosy.domain.source_settings import Source
from argosy.ports.table_comparison import TableComparison
from argosy.ports.tables import EVENT_TIME


def between(
    before: tuple[str, Path], after: tuple[str, Path], contracts: Mapping[str, Source], comparison: TableComparison
) -> DataChange:
    """What changed from *before* to *after*, each a name for people and the folder of a snapshot.

    *contracts*: the sources as the settings have them, by name: keys and personal columns. Of a source without one, rows are not matched
    and no values are told.
    """
    old, new = (SnapshotManifest.read(folder / MANIFEST) for _, folder in (before, after))
    tables = {table.source: table for table in old.tables}
    changes = []
    for table in new.tables:
        if (other := tables.get(table.source)) is None:
            continue
        source = contracts.get(table.source)
        changes.append(
            comparison.compare(
                table.source,
                before[1] / other.path,
                after[1] / table.path,
                keys=_keys(source),
                aside=() if source is not None and source.timestamp == EVENT_TIME else (EVENT_TIME,),
                personal=_personal(source, list(table.columns)),
            )
        )
    named = {table.source for table in new.tables}
    return DataChange(
        before=before[0],
        after=after[0],
        tables=changes,
        sources_added=[table.source for table in new.tables if table.source not in tables],
        sources_removed=[name for name in tables if name not in named],
    )


def _keys(source: Source | None) -> list[str]:
    return [*source.entity, *([source.timestamp] if source.timestamp else [])] if source else []


def _personal(source: Source | None, columns: list[str]) -> list[str]:
    """What the contract does not clear: personal columns, those it does not name, all where there is no contract."""
    cleared = {column.name for column in source.columns if not column.personal} if source else set()
    return [name for name in columns if name not in cleared]
