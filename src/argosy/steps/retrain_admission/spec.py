"""The spec of the step ``retrain-admission``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="retrain-admission",
    summary="Decide whether an alert, or whoever else asks, starts a retraining: once for what happened, and not too often.",
    family="promote",
    parameters=(
        Parameter("kind", "Who asks: alert, new data, push, schedule or hand.", "hand"),
        Parameter("alert", "What Alertmanager sent, as JSON or in base64 (base64:…).", ""),
        Parameter("because", "Why, in a few words, or in base64 (base64:…), where it is no alert.", ""),
        Parameter("holder", "The run that asks; asked again by it, the answer is the same."),
    ),
    inputs=(Artifact("settings", "model.yaml"),),
    results=(
        Result("admitted", "true where it is to be trained."),
        Result("decision", "Admitted or refused, and why, in a line.", exported=True),
        Result("cause", "Why it is trained, for the training pipeline; empty where it is not."),
    ),
    # The last names the keys of the monitoring store.
    keys=("loop", "notify", "predictions"),
    cached=False,
)
