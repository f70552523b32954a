"""The spec of the step ``train``."""

from argosy.steps.spec import SCORING, TRAINING, Artifact, Result, StepSpec, spent

SPEC = StepSpec(
    name="train",
    summary="Fit the final model on the training side and pack the bundle.",
    family="train",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("features", "rows.parquet and schema.json."),
        Artifact("choice", "choice.json."),
    ),
    outputs=(
        Artifact("bundle", "Folder: model.ubj, signature.json, bins.json, golden.json."),
        Artifact(
            "training",
            "Folder: training.json (metrics on the training side by fold, importance, confusion matrix), plots, "
            "and reference.json (WatchReference).",
        ),
    ),
    results=(Result("model-digest", "Digest of the bundle.", exported=True), spent("train")),
    preload=TRAINING,
    settings=(
        *(*SCORING, "compute", "serving", "training"),
        *("monitor.minimum_rows", "monitor.seasonality", "monitor.slices", "monitor.window"),
    ),
)
