"""Binds the step ``build-features`` to its feature store."""

from argosy import scratch, wiring
from argosy.files import model_folder
from argosy.steps.build_features import run
from argosy.steps.build_features.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    snapshot = step.input("snapshot")
    outputs = run.FeatureOutputs(step.output("features"), step.output("online"))
    with scratch.folder("features") as place:
        run.run(
            settings=settings,
            snapshot=snapshot,
            validation=step.input("validation"),
            tables=wiring.tables(),
            features=wiring.features(step.input("definitions"), settings, place / "repository"),
            outputs=outputs,
        )
    step.result("features-digest", run.digest(outputs.features))


if __name__ == "__main__":
    main(SPEC, body)
