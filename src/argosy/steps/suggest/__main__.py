"""``python -m argosy.steps.suggest``: what the step's image runs."""

import json

from argosy import errors
from argosy.files import model_folder
from argosy.ml import rounds
from argosy.steps.main import Step, main
from argosy.steps.suggest import run
from argosy.steps.suggest.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's files to its logic."""
    batches = rounds.named(
        run.run(
            settings=model_folder.load_settings(step.input("settings"), SPEC.settings),
            round_number=_round(step.parameter("round")),
            finished=step.parameter("finished"),
            history=step.optional_input("history"),
            out=step.output("history"),
        )
    )
    step.output("asked").write_text(json.dumps(batches), encoding="utf-8")
    step.result("batches", json.dumps(list(batches)))


def _round(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise errors.Misconfigured(f"parameter round: expected a number from 0, got {text!r}")
    return int(text)


if __name__ == "__main__":
    main(SPEC, body)
