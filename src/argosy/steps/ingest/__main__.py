"""Binds the step ``ingest`` to what reads its tables."""

import datetime
import sys
from collections.abc import Mapping

from argosy import wiring
from argosy.domain import as_of, lineage_events, watermarks
from argosy.domain.data import Lineage, SnapshotManifest
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder
from argosy.monitoring import told_runs
from argosy.settings import Settings
from argosy.steps.ingest import earlier_snapshot, run
from argosy.steps.ingest.earlier_snapshot import EarlierSnapshot
from argosy.steps.ingest.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    moment = as_of.parse(step.parameter(as_of.PARAMETER))
    full = step.parameter(watermarks.PARAMETER)
    earlier = earlier_snapshot.opened(step.optional_input("earlier"), settings, full, moment)
    here = Settings.from_environment()
    with told_runs.told(wiring.lineage_receiver(here), settings.model, SPEC.name) as told:
        try:
            digest = _read(step, here, settings, moment, earlier)
        except watermarks.DivergedError as diverged:
            _report(f"{diverged}; all of it is read")
            # Sources of one database are of one state of it, so that none of them is left as it was read.
            digest = _read(step, here, settings, moment, earlier.without(str(diverged)))
        read = Lineage.read(step.output("lineage")).sources
        told.inputs += [lineage_events.of_source(settings.source(each.source), each) for each in read]
        manifest = SnapshotManifest.read(step.output("snapshot") / run.MANIFEST)
        told.outputs += lineage_events.of_snapshot(here.store_uri, manifest)
    step.result("snapshot-digest", digest)


def _read(
    step: Step, here: Settings, settings: ModelSettings, moment: datetime.datetime | None, earlier: EarlierSnapshot
) -> str:
    data = step.parameter("data")
    sizes: dict[str, Mapping[str, int]] = {}
    with (
        wiring.sources(here, data, settings.sources, since=earlier.reached, sizes=sizes) as location,
        wiring.fetched(here, settings.sources, earlier.reached) as fetched,
    ):
        return run.run(
            settings=settings,
            location=location,
            origin=data if "://" in data else None,
            fetched=fetched,
            moment=moment,
            earlier=earlier,
            sizes=sizes,
            tables=wiring.tables(),
            code_version=step.provenance().code_version,
            now=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            report=_report,
            outputs=run.IngestOutputs(step.output("snapshot"), step.output("rejected"), step.output("lineage")),
        )


def _report(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - the step's log


if __name__ == "__main__":
    main(SPEC, body)
