"""Binds the step ``ingest`` to what reads its tables."""

import datetime

from argosy import wiring
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.ingest import run
from argosy.steps.ingest.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    data, settings = step.parameter("data"), model_folder.load_settings(step.input("settings"), SPEC.settings)
    files = [source.file for source in settings.sources]
    with wiring.sources(Settings.from_environment(), data, files) as location:
        digest = run.run(
            settings=settings,
            location=location,
            origin=data if "://" in data else None,
            tables=wiring.tables(),
            code_version=step.provenance().code_version,
            now=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            outputs=run.IngestOutputs(step.output("snapshot"), step.output("rejected"), step.output("lineage")),
        )
    step.result("snapshot-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
