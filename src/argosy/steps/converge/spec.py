"""The spec of the step ``converge``."""

from argosy.steps.spec import Parameter, Result, StepSpec

SPEC = StepSpec(
    name="converge",
    summary="Look at an environment's canaries once: open the revert request of an aborted one, the next environment's of a healthy one.",
    family="promote",
    parameters=(
        Parameter("environment", "Whose canaries: staging or production."),
        Parameter("namespace", "Where they are; `argosy-<environment>` where it is empty.", ""),
    ),
    results=(Result("conclusions", "One line a canary: what was concluded, and the request there is."),),
    keys=("forge", "registry", "notify"),
    cached=False,
    exclusive=True,
)
