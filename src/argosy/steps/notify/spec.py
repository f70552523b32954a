"""The spec of the step ``notify``."""

from argosy.steps.spec import Artifact, Parameter, StepSpec

SPEC = StepSpec(
    name="notify",
    summary="Tell the channels of the model how the run ended. Ends 0 whatever comes of it.",
    family="promote",
    parameters=(
        Parameter("run", "The run's name."),
        Parameter("status", "How it ended, in Argo's word."),
        Parameter("failures", "The steps that failed, as Argo hands them to exit handlers.", ""),
        Parameter("cause", "What the retraining was started for (Cause, JSON); empty where it was not.", ""),
    ),
    inputs=(Artifact("settings", "model.yaml"),),
    keys=("notify",),
    cached=False,
    settings=("model", "notify", "owner"),
)
