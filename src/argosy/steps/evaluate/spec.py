"""The spec of the step ``evaluate``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec, spent

SPEC = StepSpec(
    name="evaluate",
    summary="Measure the model on six dimensions; hold it against its policy and the champion. Ends 0 whatever the verdict.",
    family="evaluate",
    parameters=(
        Parameter("cause", "What the retraining was started for (Cause, JSON); empty where it was not.", default=""),
    ),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("champion", "champion.json and policy.yaml."),
        Artifact("snapshot", "The snapshot, for its digest."),
        Artifact(
            "since-champion", "since-champion.json: what changed in the data since the champion's.", optional=True
        ),
        Artifact("features", "rows.parquet and schema.json."),
        Artifact("bundle", "The candidate."),
    ),
    outputs=(Artifact("evidence", "Folder: evidence.json (Evidence), evidence.md and model-card.md."),),
    results=(Result("verdict", "promote, reject, inconclusive or champion.", exported=True), spent("evaluate")),
    keys=("store",),
    provenance="stated",
    preload=("fairlearn.metrics", "numpy", "pandas", "pyarrow.parquet", "scipy.stats", "sklearn.metrics", "xgboost"),
    settings=(
        *("description", "evaluation", "label", "model", "notify", "owner", "seed", "sources", "split", "task"),
        *("training.bind_monotone", "training.monotone"),
    ),
)
