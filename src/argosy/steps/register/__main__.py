"""Binds the step ``register`` to its registry, its model store, and the online store that servers share, where there is one."""

import os
import platform
from importlib import metadata

from argosy import wiring
from argosy.domain import step_times
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps import run_notes
from argosy.steps.main import Step, main
from argosy.steps.register import run
from argosy.steps.register.spec import SPEC
from argosy.steps.spec import SPENT

RECORDED = ("argosy", "feast", "great-expectations", "mlflow", "numpy", "optuna", "pandas", "scikit-learn", "xgboost")


def body(step: Step) -> None:
    here = Settings.from_environment()
    names = ("bundle", "training", "history", "choice", "evidence", "snapshot", "lineage", "online")
    released = run.run(
        settings=model_folder.load_settings(step.input("settings")),
        inputs=run.Inputs(settings_file=step.input("settings"), **{name: step.input(name) for name in names}),
        surroundings=_surroundings(),
        registry=wiring.registry(here),
        artifacts=wiring.artifacts(here),
        shared=wiring.shared_online_store(here),
        objects=wiring.objects(here, here.monitoring_uri),
        image=here.serving_image,
        out=step.output("release"),
        noted=run_notes.of_environment(os.environ, step_times.parse(step.parameter(SPENT.name))),
        told=step.output("circumstances"),
    )
    step.result("version", str(released.version))
    step.result("storage-uri", released.storage_uri)
    step.result("online-uri", released.online_uri)


def _surroundings() -> dict[str, str]:
    versions = {f"library.{name}": _version(name) for name in RECORDED}
    return {**versions, "library.python": platform.python_version(), "platform": platform.platform()}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed here"


if __name__ == "__main__":
    main(SPEC, body)
