"""The spec of the step ``close-retraining``."""

from argosy.steps.spec import Parameter, Result, StepSpec

SPEC = StepSpec(
    name="close-retraining",
    summary="Say in the ledger how a retraining ended; nothing where the run had none.",
    family="promote",
    parameters=(
        Parameter("model", "The model that was trained."),
        Parameter("holder", "The run that ends."),
        Parameter("status", "How it ended, as Argo has it: Succeeded, Failed or Error."),
        Parameter("failures", "What failed, as Argo's JSON.", ""),
    ),
    results=(
        Result("held", "true where the run was a retraining."),
        Result("cause", "Why it was one, in short, for whoever tells of it; empty where it was none."),
    ),
    keys=("loop",),
    cached=False,
)
