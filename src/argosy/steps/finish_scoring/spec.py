"""The spec of the step ``finish-scoring``."""

from argosy.steps.spec import Artifact, Result, StepSpec

SPEC = StepSpec(
    name="finish-scoring",
    summary="Look that every part is there, remove results of tables that are gone, write the summary. Ends 75 where a part is missing.",
    family="monitor",
    inputs=(Artifact("plan", "plan.json."),),
    results=(Result("summary", "What was scored, in a line.", exported=True),),
    keys=("scores",),
    cached=False,
    preload=("numpy", "pyarrow.parquet"),
)
