"""The spec of the step ``build-features``."""

from argosy.steps.spec import Artifact, Result, StepSpec, spent

SPEC = StepSpec(
    name="build-features",
    summary="Join features to examples as they were known at the time, split them, and fill the online store.",
    family="features",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("definitions", "features.py: the Feast definitions."),
        Artifact("snapshot", "The snapshot."),
        Artifact("validation", "Proof that the snapshot was validated."),
    ),
    outputs=(
        Artifact(
            "features",
            "Folder: rows.parquet and schema.json (FeatureSchema); left_out.parquet and "
            "left_out_recent.parquet, what a champion may read besides.",
        ),
        Artifact(
            "online", "Folder: the online store as files (online.db, registry.db, feature_store.yaml, features.py)."
        ),
    ),
    results=(Result("features-digest", "Digest of rows.parquet and schema.json."), spent("build-features")),
    plans_memory=True,
    preload=("argosy.adapters.feast_features.library", "duckdb", "pandas"),
    settings=(
        "compute",
        "entity",
        "evaluation.recent",
        "evaluation.sensitive",
        "evaluation.slices",
        "feature_service",
        "label",
        "model",
        "sources",
        "split",
        "task",
        "training.window",
    ),
)
