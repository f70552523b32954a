"""What fits models: XGBoost and the trainers of `examples/` keep one contract, and fit, pack, load and answer by the same road."""

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy import errors, plugins
from argosy.domain import bundle
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice
from argosy.ml import bundling, frames, refit, trainers
from argosy.ml.predictor import Predictor
from argosy.ml.trainer import Trainer
from argosy.ml.xgboost_trainer import XGBoostTrainer
from argosy.testing.trainer_contract import TrainerContract
from kit.examples import Given, make_settings
from kit.installed_package import install, install_example

POINTS: dict[str, dict[str, float | int]] = {"linear": {"C": 0.5}, "lightgbm": {"num_leaves": 7, "learning_rate": 0.2}}


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Both examples, installed."""
    for folder in ("own-trainer-sklearn", "own-trainer-lightgbm"):
        install_example(folder, tmp_path / "site")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def settings(given: Given, library: str) -> ModelSettings:
    """Those of *given*, fitted by *library*."""
    search = given.settings.search.model_copy(update={"space": {}})
    training = given.settings.training.model_copy(update={"library": library})
    return given.settings.model_copy(update={"search": search, "training": training})


class TestXGBoost(TrainerContract):
    """The trainer that comes with argosy."""

    @pytest.fixture
    def trainer(self) -> Trainer:
        return XGBoostTrainer()


@pytest.mark.usefixtures("brought")
class TestLinear(TrainerContract):
    """The example on scikit-learn, found as training finds it."""

    @pytest.fixture
    def trainer(self) -> Trainer:
        return trainers.named("linear", "a test")


@pytest.mark.usefixtures("brought")
class TestLightGBM(TrainerContract):
    """The example on LightGBM, found as training finds it."""

    @pytest.fixture
    def trainer(self) -> Trainer:
        return trainers.named("lightgbm", "a test")


def packed(given: Given, library: str, folder: Path) -> tuple[str, refit.Fitted]:
    """A bundle by *library*."""
    asked = settings(given, library)
    train, holdout = frames.read(given.features, "train"), frames.read(given.features, "holdout")
    point = POINTS[library] if asked.task != "regression" or library != "linear" else {"alpha": 2.0}
    choice = Choice(trial=0, score=0.0, metric="m", parameters=point, boost_rounds=20)
    fitted = refit.fit(train, choice, asked)
    record = refit.record(fitted, train, choice, asked, model_digest="sha256:a", features_digest="sha256:b")
    assert (record.library, library in record.libraries) == (library, True)
    digest = bundling.pack(
        folder, settings=asked, model=fitted.model, threshold=fitted.threshold, train=train, holdout=holdout
    )
    return digest, fitted


@pytest.mark.usefixtures("brought")
@pytest.mark.parametrize("library", ["linear", "lightgbm"])
def test_from_the_fit_to_an_answer(each_task: Given, library: str, tmp_path: Path) -> None:
    """Cross-validated, fitted, packed, and loaded by whoever serves: the bundle says by what, and answers its golden rows."""
    digest, _ = packed(each_task, library, tmp_path / "bundle")
    assert packed(each_task, library, tmp_path / "again")[0] == digest
    signature = json.loads((tmp_path / "bundle" / bundle.SIGNATURE).read_text(encoding="utf-8"))
    assert signature["library"]["name"] == library
    assert "xgboost" not in signature
    assert not (tmp_path / "bundle" / bundle.MODEL).exists()
    loaded = Predictor.load(tmp_path / "bundle", digest)
    golden = bundle.Golden.read(tmp_path / "bundle" / bundle.GOLDEN)
    for row in golden.rows:  # one by one, as a server is asked
        assert np.atleast_1d(loaded.predict([row.features])[0]).tolist() == row.prediction


def rewritten(folder: Path, **library: str) -> str:
    """The bundle in *folder* with another word on what fitted it; returns its digest."""
    said = json.loads((folder / bundle.SIGNATURE).read_text(encoding="utf-8"))
    said["library"] |= library
    (folder / bundle.SIGNATURE).write_text(json.dumps(said), encoding="utf-8")
    return bundle.digest(folder)


@pytest.mark.usefixtures("brought")
def test_a_bundle_that_nothing_here_fitted(leavers: Given, tmp_path: Path) -> None:
    """Without its package, with another version of it, with two models or with none a bundle is not loaded; each says what to do."""
    folder = tmp_path / "bundle"
    digest, _ = packed(leavers, "linear", folder)
    (folder / bundle.MODEL).write_bytes(b"{L}")
    with pytest.raises(errors.Misconfigured, match=r"model\.ubj and model\.bin, and a bundle is one model"):
        Predictor.load(folder, digest)
    (folder / bundle.MODEL).unlink()
    with pytest.raises(
        errors.Misconfigured, match=r"fitted by linear 7\.0\.0, here is 1\.0\.[0-9.]+: .*silently differ"
    ):
        Predictor.load(folder, rewritten(folder, version="7.0.0"))
    with pytest.raises(
        errors.Misconfigured,
        match=r"no package that is installed here brings the trainer 'quadratic'.*argosy\.trainers",
    ):
        Predictor.load(folder, rewritten(folder, name="quadratic"))
    (folder / bundle.OWN_MODEL).rename(folder / bundle.MODEL)
    with pytest.raises(errors.Misconfigured, match=r"has no model\.bin, which its signature speaks of"):
        Predictor.load(folder, rewritten(folder, name="linear", version="1.0"))


@pytest.mark.usefixtures("brought")
def test_a_package_that_fails_while_it_loads_is_named(
    leavers: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, with what it said: no server ends with the traceback of a package."""
    folder = tmp_path / "bundle"
    digest, _ = packed(leavers, "linear", folder)

    def torn(*_: object) -> None:
        raise ValueError("no luck")

    monkeypatch.setattr(type(trainers.named("linear", "a test")), "load", torn)
    with pytest.raises(
        errors.Misconfigured,
        match=r"^linear of argosy\.trainers, which .* brings, cannot load .*: ValueError: no luck; train",
    ):
        Predictor.load(folder, digest)


@pytest.mark.usefixtures("brought")
def test_another_scikit_learn_finds_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """So its version is in the trainer's, and a server, which needs none, goes by the format in front of it."""
    linear, format_ = trainers.named("linear", "a test"), ["1", "0"]
    here = linear.version
    assert here == f"1.0.{importlib.metadata.version('scikit-learn')}"

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert linear.version.split(".")[:2] == here.split(".")[:2] == format_


@pytest.mark.usefixtures("brought")
@pytest.mark.parametrize(
    ("library", "space", "told"),
    [
        pytest.param("linaer", {}, "did you mean 'linear'", id="typo"),
        pytest.param("linear", {"max_depth": 3}, "knows no 'max_depth'", id="parameter-of-another"),
        pytest.param("lightgbm", {"reg_lambda": 3.0}, "knows no 'reg_lambda'", id="name-of-another"),
    ],
)
def test_settings_that_no_trainer_keeps(leavers: Given, library: str, space: dict[str, Any], told: str) -> None:
    """One line, before anything is fitted."""
    examples = frames.read(leavers.features, "train")
    choice = Choice(trial=0, score=0.0, metric="m", parameters=space, boost_rounds=20)
    with pytest.raises(errors.Misconfigured, match=re.escape(told)):
        refit.fit(examples, choice, settings(leavers, library))


@pytest.mark.usefixtures("brought")
def test_an_order_that_a_trainer_does_not_keep() -> None:
    """Refused, unless it is to be measured only."""
    for bind in (True, False):
        training = {"library": "linear", "monotone": {"value": "increasing"}, "bind_monotone": bind}
        asked = make_settings("binary", ["no", "yes"], "auc", training=training)
        if not bind:
            assert trainers.of(asked)
            continue
        with pytest.raises(errors.Misconfigured, match="linear binds itself to no order; say `bind_monotone: false`"):
            trainers.of(asked)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "raise ValueError('no luck')", "cannot be loaded: ValueError: no luck; mend or remove", id="import"
        ),
        pytest.param("class T:\n  def __init__(self): 1 / 0", "cannot be made: ZeroDivisionError", id="make"),
        pytest.param("class T:\n  pass", "has no `parameters` and no `loss`", id="verbs"),
        pytest.param(
            "class T:\n  parameters = loss = fit = watch = load = print",
            "has no `version` and `is_monotone`",
            id="fields",
        ),
    ],
)
def test_a_broken_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    """Its name, what is wrong and what to do."""
    project = {"name": "torn", "version": "2.1", "entry-points": {plugins.TRAINERS: {"mine": "torn_trainer:T"}}}
    install(tmp_path / "site", project, "torn_trainer", text)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(__import__("sys").modules, "torn_trainer", raising=False)
    with pytest.raises(
        errors.Misconfigured, match=re.escape(f"mine of {plugins.TRAINERS}, which torn 2.1 brings, {told}")
    ):
        trainers.named("mine", "a test")
