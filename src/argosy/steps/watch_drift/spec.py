"""The spec of the step ``watch-drift``."""

from argosy.steps.spec import Artifact, Parameter, Result, StepSpec

SPEC = StepSpec(
    name="watch-drift",
    summary="Count what the model answered since the last look, judge the window, join the labels that came, hold features against the "
    "sources, keep the look. Ends 0 whatever the verdict.",
    family="monitor",
    parameters=(
        Parameter("environment", "Whose predictions; every environment that serves the model where it is empty.", ""),
        Parameter("until", "The end of the window, such as 2026-01-31T12:00Z; now where it is empty.", ""),
        Parameter("data", "Where labels and sources lie, in place of the settings' word for it.", ""),
        Parameter("page", "When a page is drawn for people: drift, always or never.", "drift"),
    ),
    inputs=(Artifact("settings", "model.yaml"),),
    outputs=(Artifact("looks", "Folder: <environment>.json (Look), <environment>.html where a page was drawn."),),
    results=(Result("verdicts", "One line an environment: the verdict, and why.", exported=True),),
    keys=("predictions", "forge-reader"),
    cached=False,
    settings=("data", "entity", "evaluation", "label", "labels", "model", "monitor", "reject", "sources", "task"),
    preload=("numpy", "pyarrow.parquet", "scipy.stats"),
)
