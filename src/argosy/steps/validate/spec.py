"""The spec of the step ``validate``."""

from argosy.steps.spec import Artifact, StepSpec, spent

SPEC = StepSpec(
    name="validate",
    summary="Hold the snapshot against its three suites of expectations; stop on a critical failure.",
    family="data",
    inputs=(
        Artifact("settings", "model.yaml"),
        Artifact("expectations", "expectations.json"),
        Artifact("snapshot", "The snapshot."),
        Artifact("lineage", "lineage.json: how much was kept aside."),
    ),
    outputs=(Artifact("validation", "Folder: validation.json (ValidationResult) and report.html for people."),),
    plans_memory=True,
    preload=("argosy.adapters.duckdb_tables.checks.compiled_checker", "numpy", "pyarrow.compute"),
    settings=("compute", "label", "model", "owner", "sources", "task"),
    results=(spent("validate"),),
)
