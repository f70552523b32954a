"""Events of OpenLineage: which data a step read, and which it made, as receivers such as Marquez or DataHub take them.

Pure: a step's documents in, JSON out. A dataset has a name that stays, and its digest as its version. Left to others: when something is
told (``monitoring.told_runs``), and whom (the port ``lineage_receiver``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from argosy.domain.data import FeatureSchema, SnapshotManifest, SourceLineage
from argosy.domain.source_settings import Source

PRODUCER = "urn:argosy"
SPEC = "https://openlineage.io/spec"
EVENT = f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
NAMESPACE = "argosy"
"""Of the jobs."""
FACETS = {
    "dataSource": "1-0-1/DatasourceDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet",
    "schema": "1-2-0/SchemaDatasetFacet",
    "version": "1-0-1/DatasetVersionDatasetFacet",
}
"""The published schema of each facet that is written."""
AS_OPENLINEAGE = {"postgresql": "postgres", "mariadb": "mysql"}
"""Kinds of servers that its naming calls otherwise."""

Kind = Literal["START", "COMPLETE", "FAIL", "ABORT"]


@dataclass(frozen=True)
class LineageDataset:
    """One dataset, with its facets by name."""

    namespace: str
    name: str
    facets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    statistics: Mapping[str, int] = field(default_factory=dict)
    """Rows and bytes, of one that was made."""


def event(
    kind: Kind,
    *,
    run: str,
    job: str,
    at: str,
    inputs: Sequence[LineageDataset] = (),
    outputs: Sequence[LineageDataset] = (),
    error: str | None = None,
) -> dict[str, Any]:
    """The event *kind* of the run with the UUID *run* of *job*, *at* a time (RFC 3339)."""
    failed = {"errorMessage": _facet("errorMessage", message=error, programmingLanguage="PYTHON")} if error else {}
    kinds = {"processingType": "BATCH", "integration": "ARGOSY", "jobType": "TASK"}
    return {
        "eventType": kind,
        "eventTime": at,
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "run": {"runId": run, "facets": failed},
        "job": {"namespace": NAMESPACE, "name": job, "facets": {"jobType": _facet("jobType", **kinds)}},
        "inputs": [_dataset(each) for each in inputs],
        "outputs": [
            _dataset(each) | {"outputFacets": {"outputStatistics": _facet("outputStatistics", **each.statistics)}}
            for each in outputs
        ],
    }


def of_source(source: Source, read: SourceLineage) -> LineageDataset:
    """What *source* is read from, as *read* says it; its version is what was read of it."""
    namespace, name = place(read.location)
    if source.sql is not None:
        # Of a query nobody knows which tables it asks; it has the source's name.
        name = f"{name}.{source.sql.table or source.name}"
    facets = {
        "schema": _schema({column.name: column.type for column in source.columns}),
        "version": _facet("version", datasetVersion=read.location_digest),
    }
    if "://" in read.location:
        facets["dataSource"] = _facet("dataSource", name=namespace, uri=read.location)
    return LineageDataset(namespace, name, facets)


def of_snapshot(store: str, manifest: SnapshotManifest) -> list[LineageDataset]:
    """The tables of a snapshot, which lie in the model store at the address *store*, each as a dataset."""
    return [
        _stored(
            store,
            f"snapshots/{manifest.model}/{table.source}",
            manifest.content_digest(),
            dict(table.columns),
            {"rowCount": table.rows, "size": table.bytes},
        )
        for table in manifest.tables
    ]


def of_features(store: str, model: str, digest: str, schema: FeatureSchema) -> LineageDataset:
    """The features of *model* that have the *digest*."""
    columns = {feature.name: feature.type for feature in schema.features}
    rows = schema.rows_train + schema.rows_holdout + schema.rows_recent
    return _stored(store, f"features/{model}", digest, columns, {"rowCount": rows})


def of_model(store: str, model: str, digest: str) -> LineageDataset:
    """The bundle that is *model*, by its *digest*."""
    return _stored(store, f"models/{model}", digest, {}, {})


def place(location: str) -> tuple[str, str]:
    """Namespace and name of what lies at *location*, an address or a path, as OpenLineage's naming has them."""
    if "://" not in location:
        return "file", location
    parts = urlsplit(location)
    if parts.scheme == "file":
        return "file", parts.path
    return f"{AS_OPENLINEAGE.get(parts.scheme, parts.scheme)}://{parts.netloc}", parts.path.lstrip("/") or "/"


def _stored(
    store: str, name: str, digest: str, columns: Mapping[str, str], statistics: Mapping[str, int]
) -> LineageDataset:
    namespace, root = place(store)
    facets = {"version": _facet("version", datasetVersion=digest)} | ({"schema": _schema(columns)} if columns else {})
    return LineageDataset(namespace, "/".join(filter(None, [root.rstrip("/"), name])), facets, statistics)


def _dataset(dataset: LineageDataset) -> dict[str, Any]:
    return {"namespace": dataset.namespace, "name": dataset.name, "facets": dict(dataset.facets)}


def _schema(columns: Mapping[str, str]) -> dict[str, Any]:
    return _facet("schema", fields=[{"name": name, "type": kind} for name, kind in columns.items()])


def _facet(name: str, /, **fields: Any) -> dict[str, Any]:
    schema = FACETS[name]
    return {
        "_producer": PRODUCER,
        "_schemaURL": f"{SPEC}/facets/{schema}.json#/$defs/{schema.partition('/')[2]}",
    } | fields
