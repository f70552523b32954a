"""The trainer that a model's settings name, and the one that a bundle's signature says it was fitted by."""

from typing import cast

from argosy import errors, plugins
from argosy.domain import bundle, suggestion
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import XGBOOST, Direction, ModelSettings
from argosy.ml.trainer import Learning, Model, Trainer
from argosy.ml.xgboost_trainer import XGBoostTrainer

VERBS = ("parameters", "loss", "fit", "watch", "load")
_SIGNS: dict[Direction, int] = {"increasing": 1, "decreasing": -1}


def of(settings: ModelSettings) -> Trainer:
    """The trainer of *settings*. Raises Misconfigured where no package brings it, or it cannot keep what the settings ask."""
    trainer = named(settings.training.library, "training.library")
    if settings.training.monotone and settings.training.bind_monotone and not trainer.is_monotone:
        raise errors.Misconfigured(
            f"training.monotone: {settings.training.library} binds itself to no order; say `bind_monotone: false` to have it measured "
            "only, or leave `monotone` out"
        )
    return trainer


def learning(settings: ModelSettings, features: list[FeatureColumn]) -> Learning:
    """What fits of *settings* on *features* have in common."""
    training = settings.training
    bound = training.monotone if training.bind_monotone else {}
    return Learning(
        task=settings.task,
        classes=len(settings.label.classes),
        features=features,
        seed=settings.seed,
        nthread=training.nthread,
        monotone={name: _SIGNS[direction] for name, direction in bound.items()},
    )


def library(settings: ModelSettings, trainer: Trainer) -> bundle.Library | None:
    """What a signature says of who fitted the model; None of XGBoost, which has a field of its own."""
    name = settings.training.library
    if name == XGBOOST:
        return None
    found = plugins.installed(plugins.TRAINERS)[name]
    return bundle.Library(name=name, package=found.package, package_version=found.version, version=trainer.version)


def load(signature: bundle.Signature, content: bytes, place: str) -> Model:
    """The model of a bundle with *signature*, whose digest was checked. *place*: of the bundle, for people.

    Raises Misconfigured where its trainer is not installed here, is of another minor version than the one that fitted it, or fails at it.
    """
    fitted_by = signature.library
    name, version = (fitted_by.name, fitted_by.version) if fitted_by else (XGBOOST, signature.xgboost)
    trainer = named(name, f"the model in {place}")
    # A model of another minor version may load without an error and predict something else (seen of XGBoost between 3.2 and 2.1).
    if _minor(version or "") != _minor(trainer.version):
        called = "XGBoost" if name == XGBOOST else name
        raise errors.Misconfigured(
            f"the model in {place} was fitted by {called} {version}, here is {trainer.version}: "
            "its predictions could silently differ. Serve it with the image it was trained in, or train it again"
        )
    fixed = Learning(signature.task, len(signature.classes), signature.features, seed=0, nthread=1)
    try:
        return trainer.load(fixed, content)
    except errors.Misconfigured as error:
        raise errors.Misconfigured(f"the model in {place} {error}") from None
    except errors.ArgosyError:
        raise
    except Exception as error:
        if fitted_by is None:
            raise
        raise errors.Misconfigured(
            f"{plugins.installed(plugins.TRAINERS)[name]}, cannot load the model in {place}: {type(error).__name__}: {error}; "
            "train it again, or mend that package"
        ) from error


def named(name: str, asked_by: str) -> Trainer:
    """The trainer called *name*. *asked_by*: what names it. Raises Misconfigured where no package brings it, or a broken one."""
    if name == XGBOOST:
        return XGBoostTrainer()
    brought = plugins.installed(plugins.TRAINERS)
    if name not in brought:
        lacking = suggestion.not_installed("the trainer", name, [XGBOOST, *brought], plugins.TRAINERS)
        raise errors.Misconfigured(f"{asked_by}: {lacking}")
    trainer = brought[name].made(None, *VERBS)
    if not isinstance(getattr(trainer, "version", None), str) or not isinstance(
        getattr(trainer, "is_monotone", None), bool
    ):
        raise errors.Misconfigured(
            f"{brought[name]}, has no `version` and `is_monotone`, which {plugins.TRAINERS} asks of it; mend or remove that package"
        )
    return cast("Trainer", trainer)


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]
