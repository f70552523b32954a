"""The spec of the step ``register-answers``."""

from argosy.steps.spec import SPENT, Artifact, Result, StepSpec

SPEC = StepSpec(
    name="register-answers",
    summary="Record run and version in the registry, whatever the verdict; put the bundle where servers find it.",
    family="promote",
    parameters=(SPENT,),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("bundle", "The candidate."),
        Artifact("evidence", "Evidence, report, model card, what is to be reviewed."),
        Artifact("judged", "judged.jsonl."),
        Artifact("reference", "reference.json (WatchReference)."),
        Artifact("snapshot", "Documents and evaluation set."),
        Artifact("lineage", "lineage.json."),
    ),
    outputs=(
        Artifact("release", "Folder: the bundle with release.json."),
        Artifact(
            "circumstances", "Folder: circumstances.json (Circumstances): who asked, where, when, how long it took."
        ),
    ),
    results=(
        Result("version", "Number of the registered version.", exported=True),
        Result("storage-uri", "Where the bundle is in the model store."),
    ),
    keys=("registry", "predictions", "store"),
    cached=False,
    observes=("registry", "models", "references"),
    exclusive=True,
    notes_run=True,
    preload=("argosy.mlflow_client", "mlflow.store.tracking.sqlalchemy_store"),
)
