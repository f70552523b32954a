"""The spec of the step ``register-answers``."""

from argosy.steps.spec import Artifact, Result, StepSpec

SPEC = StepSpec(
    name="register-answers",
    summary="Record run and version in the registry, whatever the verdict; put the bundle where servers find it.",
    family="promote",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("bundle", "The candidate."),
        Artifact("evidence", "Evidence, report, model card, what is to be reviewed."),
        Artifact("judged", "judged.jsonl."),
        Artifact("snapshot", "Documents and evaluation set."),
        Artifact("lineage", "lineage.json."),
    ),
    outputs=(Artifact("release", "Folder: the bundle with release.json."),),
    results=(
        Result("version", "Number of the registered version.", exported=True),
        Result("storage-uri", "Where the bundle is in the model store."),
    ),
    keys=("registry", "store"),
    cached=False,
    observes=("registry", "models"),
    exclusive=True,
    preload=("argosy.mlflow_client", "mlflow.store.tracking.sqlalchemy_store"),
)
