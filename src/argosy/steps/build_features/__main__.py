"""Binds the step ``build-features`` to its feature store."""

from argosy import scratch, wiring
from argosy.domain import lineage_events
from argosy.domain.data import FeatureSchema, SnapshotManifest
from argosy.domain.snapshot_layout import MANIFEST
from argosy.files import model_folder
from argosy.ml.frames import SCHEMA
from argosy.monitoring import told_runs
from argosy.settings import Settings
from argosy.steps.build_features import run
from argosy.steps.build_features.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    snapshot = step.input("snapshot")
    outputs = run.FeatureOutputs(step.output("features"), step.output("online"))
    here = Settings.from_environment()
    manifest = SnapshotManifest.read(snapshot / MANIFEST)
    with (
        told_runs.told(wiring.lineage_receiver(here), manifest.model, SPEC.name) as told,
        scratch.folder("features") as place,
        wiring.spark(settings.compute, SPEC.name) as spark,
    ):
        told.inputs += lineage_events.of_snapshot(here.store_uri, manifest)
        run.run(
            settings=settings,
            snapshot=snapshot,
            validation=step.input("validation"),
            tables=wiring.tables(spark),
            features=wiring.features(step.input("definitions"), settings, place / "repository"),
            outputs=outputs,
        )
        digest, schema = run.digest(outputs.features), FeatureSchema.read(outputs.features / SCHEMA)
        told.outputs.append(lineage_events.of_features(here.store_uri, manifest.model, digest, schema))
    step.result("features-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
