"""The spec of the step ``register``."""

from argosy.steps.spec import SPENT, Artifact, Result, StepSpec

SPEC = StepSpec(
    name="register",
    summary="Record run and version in the registry, whatever the verdict; put bundle and online features where servers find them.",
    family="promote",
    parameters=(SPENT,),
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("bundle", "The candidate."),
        Artifact("training", "Training record, plots and reference.json (WatchReference)."),
        Artifact("history", "history.json of the search."),
        Artifact("choice", "choice.json."),
        Artifact("evidence", "Evidence, report and model card."),
        Artifact("snapshot", "Manifest of the snapshot."),
        Artifact("lineage", "lineage.json."),
        Artifact("online", "The online store as files."),
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
        Result("online-uri", "Where the online store's files are, as <uri>@<digest>."),
    ),
    # The last names the object store's keys.
    keys=("registry", "predictions", "online", "store"),
    cached=False,
    observes=("registry", "models", "online", "references", "shared-online"),
    exclusive=True,
    notes_run=True,
    preload=("argosy.mlflow_client", "mlflow.store.tracking.sqlalchemy_store"),
)
