"""The spec of the step ``suggest``."""

from argosy.steps.spec import SPENT, TRAINING, Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="suggest",
    summary="Ask the sampler for the next round of trials, from the results so far.",
    family="train",
    parameters=(
        Parameter("round", "Number of this round, from 0."),
        Parameter(
            "finished", "JSON list of JSON lists of the last round's trials (Trial); `[]` at first.", default="[]"
        ),
        SPENT,
    ),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("history", "history.json (SearchHistory) before the last round.", optional=True),
    ),
    outputs=(
        Artifact("history", "history.json (SearchHistory), the last round included."),
        Artifact("asked", "JSON object: a batch's name to its points (Asked)."),
    ),
    # Names, not points: the name of a task's node holds its entry of the list.
    results=(
        Result("batches", "JSON list of the batches' names, such as `0-4`; each is one task of the fan-out."),
        spent("suggest"),
    ),
    preload=TRAINING,
    settings=("search", "seed", "task", "training.library"),
)
