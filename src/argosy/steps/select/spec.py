"""The spec of the step ``select``."""

from argosy.steps.spec import SPENT, TRAINING, Artifact, Parameter, StepSpec, spent

SPEC = StepSpec(
    name="select",
    summary="Choose the trial that the final model is fitted with.",
    family="train",
    parameters=(Parameter("finished", "JSON list of JSON lists of the last round's trials (Trial)."), SPENT),
    inputs=(Artifact("history", "history.json before the last round."),),
    outputs=(
        Artifact("history", "history.json of the whole search."),
        Artifact("choice", "choice.json (Choice)."),
    ),
    results=(spent("select"),),
    preload=TRAINING,
)
