"""Binds the step ``collect`` to where the documents are."""

import datetime
import sys

from argosy import wiring
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.collect import run
from argosy.steps.collect.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_answers(step.input("settings"), SPEC.settings)
    data = step.parameter("data")
    with wiring.documents(Settings.from_environment(), data, settings.documents) as location:
        digest = run.run(
            settings=settings,
            location=location,
            origin=data,
            given=run.Items(step.input("questions"), step.input("labelled")),
            code_version=step.provenance().code_version,
            now=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            report=lambda line: print(line, file=sys.stderr),  # noqa: T201 - the step's log
            outputs=run.CollectOutputs(step.output("snapshot"), step.output("lineage")),
        )
    step.result("snapshot-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
