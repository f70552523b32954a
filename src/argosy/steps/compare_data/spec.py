"""The spec of the step ``compare-data``."""

from argosy.steps.spec import Artifact, StepSpec, spent

SPEC = StepSpec(
    name="compare-data",
    summary="Hold the snapshot against the one before it and the champion's; keep it where nothing critical changed.",
    family="data",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("expectations", "expectations.json: the limits, in `previous`."),
        Artifact("champion", "champion.json: whose data the champion was trained on."),
        Artifact("snapshot", "The snapshot."),
        Artifact("validation", "Proof that the snapshot was validated."),
    ),
    outputs=(
        Artifact("comparison", "Folder: comparison.json (DataComparison), comparison.md, and report.html for people."),
        Artifact("since-champion", "since-champion.json (SinceChampion): what changed since the champion's data."),
    ),
    results=(spent("compare-data"),),
    keys=("store",),
    cached=False,
    observes=("snapshots",),
    preload=("duckdb", "pydantic", "yaml"),
    settings=("label", "model", "owner", "sources", "task"),
)
