"""The spec of the step ``sign``."""

from argosy.steps.spec import Artifact, Parameter, StepSpec

SPEC = StepSpec(
    name="sign",
    summary="Sign the released bundle and its evidence.",
    family="promote",
    parameters=(Parameter("storage-uri", "Where the bundle is in the model store."),),
    inputs=(
        Artifact("release", "The bundle with release.json."),
        Artifact("evidence", "Evidence, report and model card."),
        Artifact("circumstances", "circumstances.json, signed and shown beside the evidence.", optional=True),
    ),
    outputs=(Artifact("signatures", "Folder: bundle.sig and evidence.sig."),),
    keys=("signing", "store"),
    cached=False,
    observes=("signing", "signatures"),
    exclusive=True,
    preload=("model_signing",),
)
