"""The spec of the step ``plan-scoring``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="plan-scoring",
    summary="Find the tables, the model that main names, and what is done of them already; deal the parts out.",
    family="monitor",
    parameters=(
        Parameter("in", "A table or a folder of them, in place of the settings' word for it.", ""),
        Parameter("out", "Where results go, in place of the settings' word for it.", ""),
        Parameter("as-of", "The day, such as 2026-01-31; today (UTC) where it is empty.", ""),
        Parameter("environment", "Whose version scores; as the settings say where it is empty.", ""),
        Parameter(
            "version", "The version that is to score: another one on main ends the run. Empty: whichever it is.", ""
        ),
        Parameter("pods", "How many pods share the parts, in place of the settings' number.", ""),
    ),
    inputs=(Artifact("settings", "model.yaml"),),
    outputs=(
        Artifact("plan", "plan.json (ScoringPlan)."),
        Artifact("model", "Folder: bundle, and bundle.sig, as main has it."),
    ),
    results=(
        Result("shares", "JSON list of the shares, such as 1/4; a pod each."),
        # These two go by the workflow's status: who can write its artifacts does not say which model is approved, or whose keys count.
        Result("model-digest", "The digest of the bundle that main names."),
        Result("verifying-keys", "The public keys that its signature is checked with, as main has them."),
    ),
    keys=("scores", "forge-reader"),
    cached=False,
    settings=("compute", "model", "scoring"),
    preload=("numpy", "pyarrow.parquet"),
)
