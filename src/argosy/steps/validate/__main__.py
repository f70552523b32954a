"""Binds the step ``validate`` to Great Expectations."""

from argosy import wiring
from argosy.domain.data import Lineage
from argosy.files import model_folder
from argosy.steps.main import Step, main
from argosy.steps.validate import run
from argosy.steps.validate.spec import SPEC


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    with wiring.spark(settings.compute, SPEC.name) as spark:
        run.run(
            settings=settings,
            expectations=model_folder.load_expectations(step.input("expectations")),
            snapshot=step.input("snapshot"),
            lineage=Lineage.read(step.input("lineage")),
            tables=wiring.tables(),
            checker=wiring.expectation_checker(spark=spark),
            out=step.output("validation"),
        )


if __name__ == "__main__":
    main(SPEC, body)
