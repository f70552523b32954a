"""Binds the step ``compare-data`` to the model store and to what compares tables."""

from argosy import scratch, wiring
from argosy.domain.data import ValidationResult
from argosy.domain.evidence import ChampionRef
from argosy.files import model_folder
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots
from argosy.settings import Settings
from argosy.steps.compare_data import run
from argosy.steps.compare_data.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    with scratch.folder("sources") as place:
        run.run(
            settings=settings,
            limits=model_folder.load_expectations(step.input("expectations")).previous,
            champion=ChampionRef.read(step.input("champion") / "champion.json"),
            snapshot=step.input("snapshot"),
            validation=ValidationResult.read(step.input("validation") / "validation.json"),
            accepted=AcceptedSnapshots(wiring.artifacts(Settings.from_environment()), settings.model),
            comparison=wiring.table_comparison(),
            place=place,
            outputs=run.CompareOutputs(step.output("comparison"), step.output("since-champion")),
        )


if __name__ == "__main__":
    main(SPEC, body)
