"""Binds the step ``assemble``, which asks nothing outside."""

from argosy.files import model_folder
from argosy.steps.assemble import run
from argosy.steps.assemble.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    digest = run.run(
        settings=model_folder.load_answers(step.input("settings"), SPEC.settings),
        prompt=step.input("prompt").read_text(encoding="utf-8"),
        snapshot=step.input("snapshot"),
        out=step.output("bundle"),
    )
    step.result("model-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
