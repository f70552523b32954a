"""The spec of the step ``trial``."""

from argosy.steps.spec import SCORING, TRAINING, Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="trial",
    summary="Score a batch of trials by cross-validation, pruning against finished rounds.",
    family="train",
    parameters=(Parameter("batch", "Name of the batch among those asked, such as `0-4`."),),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("features", "rows.parquet and schema.json."),
        Artifact("history", "history.json: what pruning compares with."),
        Artifact("asked", "The points of every batch."),
    ),
    results=(Result("finished", "JSON list of scored points (Trial)."), spent("trial")),
    keys=("search",),
    preload=TRAINING,
    settings=SCORING,
)
