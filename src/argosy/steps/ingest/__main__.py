"""Binds the step ``ingest`` to what reads its tables."""

import datetime
import sys

from argosy import wiring
from argosy.domain import as_of
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.ingest import run
from argosy.steps.ingest.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    data, settings = step.parameter("data"), model_folder.load_settings(step.input("settings"), SPEC.settings)
    here = Settings.from_environment()
    with wiring.sources(here, data, settings.sources) as location, wiring.fetched(here, settings.sources) as fetched:
        digest = run.run(
            settings=settings,
            location=location,
            origin=data if "://" in data else None,
            fetched=fetched,
            moment=as_of.parse(step.parameter(as_of.PARAMETER)),
            tables=wiring.tables(),
            code_version=step.provenance().code_version,
            now=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            report=lambda line: print(line, file=sys.stderr),  # noqa: T201 - the step's log
            outputs=run.IngestOutputs(step.output("snapshot"), step.output("rejected"), step.output("lineage")),
        )
    step.result("snapshot-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
