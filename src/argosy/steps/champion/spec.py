"""The spec of the step ``champion``."""

from argosy.steps.spec import Artifact, Result, StepSpec, spent

SPEC = StepSpec(
    name="champion",
    summary="Which model is in production, and the policy a candidate is judged by, as main of the environment repo says.",
    family="promote",
    inputs=(Artifact("settings", "model.yaml"),),
    outputs=(Artifact("champion", "Folder: champion.json (ChampionRef) and policy.yaml."),),
    results=(Result("champion-digest", "Model digest of the champion, or `none`."), spent("champion")),
    keys=("forge-reader",),
    cached=False,
    observes=("main",),
    settings=("model",),
)
