"""The spec of the step ``fetch-accepted``."""

from argosy.steps.spec import Artifact, StepSpec, spent

SPEC = StepSpec(
    name="fetch-accepted",
    summary="Take the snapshot that was accepted last out of the model store, for ingest to read on from.",
    family="data",
    inputs=(Artifact("settings", "model.yaml"),),
    outputs=(Artifact("earlier", "Folder: earlier.json (EarlierRef), and `snapshot` where there is one."),),
    keys=("store",),
    cached=False,
    settings=("model",),
    results=(spent("fetch-accepted"),),
)
