"""The spec of the step ``score-batch``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="score-batch",
    summary="Score the parts of one share that are not done yet: each whole or not at all, and logged once.",
    family="evaluate",
    parameters=(
        Parameter("share", "The share of this pod, such as 1/4."),
        Parameter("model-digest", "The digest that main names: of no other bundle is a row scored."),
        Parameter("verifying-keys", "The public keys that the bundle's signature is checked with."),
    ),
    inputs=(Artifact("plan", "plan.json."), Artifact("model", "Bundle and signature.")),
    results=(Result("scored", "How many rows, and how many were refused."),),
    keys=("scores",),
    cached=False,
    preload=("argosy.ml.xgboost_library", "numpy", "pyarrow.parquet"),
)
