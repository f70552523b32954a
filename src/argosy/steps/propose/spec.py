"""The spec of the step ``propose``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="propose",
    summary="Open staging's promotion request with its evidence, or end 10 with the reasons.",
    family="promote",
    parameters=(
        Parameter("version", "Number of the registered version."),
        Parameter("storage-uri", "Where the bundle is in the model store."),
        Parameter(
            "online-uri",
            "Where the online store's files are, as <uri>@<digest>; empty of a model that has none.",
            default="",
        ),
    ),
    inputs=(
        Artifact("release", "The bundle with release.json."),
        Artifact("evidence", "Evidence, report and model card."),
        Artifact("circumstances", "circumstances.json, signed and shown beside the evidence.", optional=True),
        Artifact("signatures", "bundle.sig and evidence.sig."),
    ),
    results=(Result("request", "The promotion request: its number and where to see it.", exported=True),),
    # The third names the ledger of retrainings, which hears what came of one.
    keys=("forge", "notify", "loop"),
    cached=False,
    observes=("forge", "loop", "notices"),
    exclusive=True,
)
