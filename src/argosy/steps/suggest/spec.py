"""The spec of the step ``suggest``."""

from argosy.steps.spec import TRAINING, Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="suggest",
    summary="Ask the sampler for the next round of trials, from the results so far.",
    family="train",
    parameters=(
        Parameter("round", "Number of this round, from 0."),
        Parameter(
            "finished", "JSON list of JSON lists of the last round's trials (Trial); `[]` at first.", default="[]"
        ),
    ),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("history", "history.json (SearchHistory) before the last round.", optional=True),
    ),
    outputs=(Artifact("history", "history.json (SearchHistory), the last round included."),),
    results=(Result("batches", "JSON list; an entry is one task's batch, a JSON list of points (Asked)."),),
    preload=TRAINING,
)
