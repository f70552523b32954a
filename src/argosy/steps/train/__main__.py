"""``python -m argosy.steps.train``: what the step's image runs."""

from argosy import wiring
from argosy.domain import lineage_events
from argosy.domain.data import FeatureSchema
from argosy.files import model_folder
from argosy.ml import frames
from argosy.monitoring import told_runs
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.train import run
from argosy.steps.train.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's files to its logic."""
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    here, features = Settings.from_environment(), step.input("features")
    with (
        told_runs.told(wiring.lineage_receiver(here), settings.model, SPEC.name) as told,
        wiring.spark(settings.compute, SPEC.name) as spark,
    ):
        digest = run.run(
            settings=settings,
            features=features,
            choice=step.input("choice"),
            out_bundle=step.output("bundle"),
            out_training=step.output("training"),
            elsewhere=wiring.fitting(spark, settings, features),
        )
        schema = FeatureSchema.read(features / frames.SCHEMA)
        told.inputs.append(lineage_events.of_features(here.store_uri, settings.model, frames.digest(features), schema))
        told.outputs.append(lineage_events.of_model(here.store_uri, settings.model, digest))
    step.result("model-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
