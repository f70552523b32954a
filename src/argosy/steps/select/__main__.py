"""``python -m argosy.steps.select``: what the step's image runs."""

from argosy.steps.main import Step, main
from argosy.steps.select import run
from argosy.steps.select.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's files to its logic."""
    run.run(
        finished=step.parameter("finished"),
        history=step.input("history"),
        out_history=step.output("history"),
        out_choice=step.output("choice"),
    )


if __name__ == "__main__":
    main(SPEC, body)
