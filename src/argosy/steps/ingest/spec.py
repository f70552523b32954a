"""The spec of the step ``ingest``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="ingest",
    summary="Read the sources into an immutable snapshot; keep bad rows aside.",
    family="data",
    parameters=(
        Parameter("data", "Folder, file or bucket that holds the sources."),
        Parameter("as-of", "The moment as of which they are looked at, in UTC; empty: all that they have.", default=""),
        Parameter("full", "`true`: read them whole, also those with a watermark.", default=""),
    ),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("earlier", "The snapshot accepted last, where sources have a watermark.", optional=True),
    ),
    outputs=(
        Artifact("snapshot", "Folder: manifest.json (SnapshotManifest) and one Parquet file a source."),
        Artifact("lineage", "lineage.json (Lineage): where, when, how much."),
        Artifact("rejected", "Folder: one Parquet file a source with the rows kept aside and why; may be empty."),
    ),
    results=(Result("snapshot-digest", "Digest of manifest.json."), spent("ingest")),
    keys=("data",),
    provenance="noted",
    reads=("{{inputs.parameters.data}}",),
    plans_memory=True,
    preload=("duckdb", "pydantic", "yaml"),
    settings=("label.source", "labels.known", "labels.source", "model", "reject", "sources"),
)
