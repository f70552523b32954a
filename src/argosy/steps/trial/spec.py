"""The spec of the step ``trial``."""

from argosy.steps.spec import TRAINING, Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="trial",
    summary="Score a batch of trials by cross-validation, pruning against finished rounds.",
    family="train",
    parameters=(Parameter("batch", "JSON list of points (Asked)."),),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("features", "rows.parquet and schema.json."),
        Artifact("history", "history.json: what pruning compares with."),
    ),
    results=(Result("finished", "JSON list of scored points (Trial)."),),
    keys=("registry",),
    preload=TRAINING,
)
