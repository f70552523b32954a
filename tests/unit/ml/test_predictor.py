"""A bundle answers the same bits however it is asked, and is not even parsed when it is not the one that was expected."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xgboost

from argosy import errors
from argosy.domain import bundle
from argosy.domain.search import Choice
from argosy.ml import bundling, frames, predictor, refit
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from kit.examples import Given

Tamper = Callable[[Path], object]


@dataclass(frozen=True)
class Packed:
    """A bundle, its digest, and rows it has not seen."""

    folder: Path
    digest: str
    holdout: Examples

    @property
    def rows(self) -> list[dict[str, float | str | None]]:
        """The holdout as requests."""
        names = [feature.name for feature in self.holdout.schema.features]
        rows: list[dict[str, float | str | None]] = self.holdout.table.select(names).to_pylist()
        return rows


def pack(given: Given, folder: Path) -> Packed:
    """A small model of *given*."""
    examples, holdout = frames.read(given.features, "train"), frames.read(given.features, "holdout")
    choice = Choice(trial=0, score=0.0, metric="m", parameters={"max_depth": 4}, boost_rounds=30)
    fitted = refit.fit(examples, choice, given.settings)
    digest = bundling.pack(
        folder,
        settings=given.settings,
        model=fitted.model,
        threshold=fitted.threshold,
        train=examples,
        holdout=holdout,
    )
    return Packed(folder, digest, holdout)


@pytest.fixture
def packed(each_task: Given, tmp_path: Path) -> Packed:
    """A bundle of each task."""
    return pack(each_task, tmp_path / "bundle")


@pytest.fixture(scope="module")
def leaving(leavers: Given, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A binary bundle that tests only read."""
    return pack(leavers, tmp_path_factory.mktemp("leaving") / "bundle")


@pytest.fixture
def copied(leaving: Packed, tmp_path: Path) -> Packed:
    """A copy of it to damage."""
    return Packed(Path(shutil.copytree(leaving.folder, tmp_path / "bundle")), leaving.digest, leaving.holdout)


def test_one_row_a_batch_a_table_and_a_frame_agree(packed: Packed) -> None:
    """Alone, among others, from a file or from a data frame: the same row gets the same bits."""
    model = Predictor.load(packed.folder, packed.digest)
    batch = model.predict(packed.rows)
    single = np.concatenate([model.predict([row]) for row in packed.rows])
    table = model.predict_table(packed.holdout.table)
    frame = model.predict_frame(packed.holdout.table.to_pandas())
    assert batch.tobytes() == single.tobytes() == table.tobytes() == frame.tobytes()


def test_golden_rows_are_answered_to_the_bit(packed: Packed) -> None:
    """The bundle's own requests, read back from JSON, get the answers written there, which span the range of answers."""
    model = Predictor.load(packed.folder, packed.digest)
    golden = predictor.golden(packed.folder)
    assert model.explain_difference(golden) is None
    assert len(golden.rows) == 7
    last = [row.prediction[-1] for row in golden.rows]
    everything = model.predict(packed.rows)
    assert last[0] == pytest.approx(np.min(everything[..., -1] if everything.ndim > 1 else everything))
    assert last[-1] == pytest.approx(np.max(everything[..., -1] if everything.ndim > 1 else everything))


def test_another_answer_is_noticed(leaving: Packed) -> None:
    """One answer that differs in its last bit is named."""
    model = Predictor.load(leaving.folder, leaving.digest)
    rows = list(predictor.golden(leaving.folder).rows)
    rows[3] = rows[3].model_copy(update={"prediction": [float(np.nextafter(rows[3].prediction[0], 1))]})
    assert str(model.explain_difference(bundle.Golden(rows=rows))).startswith("golden row 3: expected")


def test_threads_share_a_predictor(leaving: Packed) -> None:
    """Requests on eight threads at once get the answers they get alone."""
    model = Predictor.load(leaving.folder, leaving.digest)
    expected = [float(value) for value in model.predict(leaving.rows)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: float(model.predict([row])[0]), leaving.rows * 5))
    assert answers == expected * 5


def test_shapes(packed: Packed, each_task: Given) -> None:
    """One probability, one a class that sum to 1, or one value."""
    answers = Predictor.load(packed.folder, packed.digest).predict(packed.rows)
    classes = len(each_task.settings.label.classes)
    assert answers.shape == ((len(packed.rows), classes) if classes > 2 else (len(packed.rows),))
    if classes > 2:
        assert answers.sum(axis=1) == pytest.approx(np.ones(len(packed.rows)))


def test_contributions_add_up(packed: Packed, each_task: Given) -> None:
    """SHAP values and the base value sum to the answer before its link function."""
    model = Predictor.load(packed.folder, packed.digest)
    total = model.contributions(packed.holdout.matrix).sum(axis=-1)
    answers = model.predict_matrix(packed.holdout.matrix)
    if each_task.settings.task == "binary":
        total = 1 / (1 + np.exp(-total))
    if each_task.settings.task == "multiclass":
        total = np.exp(total) / np.exp(total).sum(axis=1, keepdims=True)
    assert total == pytest.approx(answers, abs=1e-4, rel=1e-4)


def test_decisions(leaving: Packed) -> None:
    """A probability on the threshold is a yes."""
    model = Predictor.load(leaving.folder, leaving.digest)
    cut = model.signature.threshold
    assert cut is not None
    assert model.decide(np.array([cut, np.nextafter(cut, 0)])) == ["leaves", "stays"]


def test_multiclass_decides_for_the_most_likely(flowers: Given, tmp_path: Path) -> None:
    """The class with the highest probability."""
    packed = pack(flowers, tmp_path / "bundle")
    model = Predictor.load(packed.folder, packed.digest)
    assert model.decide(np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]])) == ["versicolor", "setosa"]


def test_regression_decides_nothing(houses: Given, tmp_path: Path) -> None:
    """A value is no decision."""
    packed = pack(houses, tmp_path / "bundle")
    with pytest.raises(errors.Misconfigured, match="toy is a regression model; it predicts values, not classes"):
        Predictor.load(packed.folder, packed.digest).decide(np.array([1.0]))


def test_unknown_levels_and_nulls_are_answered(leaving: Packed) -> None:
    """A level that training never saw counts as missing, as null does."""
    model = Predictor.load(leaving.folder, leaving.digest)
    unknown = leaving.rows[0] | {"contract": "Per decade"}
    assert model.predict([unknown]).tobytes() == model.predict([unknown | {"contract": None}]).tobytes()
    assert np.isfinite(model.predict([dict.fromkeys(leaving.rows[0])])).all()


def test_an_answer_that_is_no_number(leaving: Packed) -> None:
    """NaN from the model is an error of its own and never an answer."""
    model = Predictor.load(leaving.folder, leaving.digest)

    model._answer = lambda matrix: np.full(len(matrix), np.nan, dtype=np.float32)
    with pytest.raises(predictor.UndefinedPrediction, match="answered with a value that is no number"):
        model.predict(leaving.rows[:1])


def flip(name: str) -> Tamper:
    """One bit of *name* changed."""

    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return change


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        *(pytest.param(flip(name), "expected sha256:", id=f"bit-of-{name}") for name in bundle.FILES),
        *(pytest.param(lambda f, n=name: (f / n).unlink(), f"has no {name}", id=f"no-{name}") for name in bundle.FILES),
        pytest.param(
            lambda f: (f / "model.pkl").write_bytes(b"x"), "holds 'model.pkl', which is no part", id="extra-pickle"
        ),
        pytest.param(lambda f: (f / "sub").mkdir(), "holds 'sub'", id="folder"),
        pytest.param(
            lambda f: (f / "answers.json").write_bytes(b"{}"), "is a model that answers in words", id="language-model"
        ),
        pytest.param(shutil.rmtree, "there is no bundle in", id="nothing-there"),
    ],
)
def test_another_bundle_is_refused(
    copied: Packed, tamper: Tamper, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit, one file more or less: nothing is loaded, and no parser has seen a byte."""
    tamper(copied.folder)
    monkeypatch.setattr(xgboost, "Booster", lambda **_: pytest.fail("the model was parsed"))
    monkeypatch.setattr(bundle.Signature, "model_validate_json", lambda _: pytest.fail("the signature was parsed"))
    with pytest.raises(errors.Misconfigured, match=message):
        Predictor.load(copied.folder, copied.digest)


def _as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _as_large(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(predictor.LARGEST_FILE + 1)  # a hole: it takes no room


@pytest.mark.parametrize("made", [_as_folder, _as_pipe, _as_large], ids=["folder", "pipe", "too-large"])
@pytest.mark.parametrize("name", [bundle.MODEL, bundle.RELEASE])
def test_a_bundle_holds_plain_files_of_bounded_size(copied: Packed, name: str, made: Callable[[Path], None]) -> None:
    """Whatever else goes by the name of one is not opened: a pipe would never end, and a large one would take all memory."""
    (copied.folder / name).touch()
    made(copied.folder / name)
    with pytest.raises(errors.Misconfigured, match=rf"{name} is not a file of at most 536,870,912 bytes; nothing"):
        Predictor.load(copied.folder, copied.digest)


def test_a_released_bundle_is_the_same_bundle(copied: Packed) -> None:
    """Release and signature lie beside the model and do not change what it is called."""
    (copied.folder / bundle.RELEASE).write_text("{}")
    (copied.folder / predictor.SIGNATURE_FILE).write_text("{}")
    assert Predictor.load(copied.folder, copied.digest).digest == copied.digest


class _Bomb:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (pytest.fail, ("the pickle was loaded",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(pickle.dumps(_Bomb()), "is no XGBoost model", id="pickle"),
        pytest.param(b"{L\x00\x00", "is no XGBoost model", id="cut-short"),
        pytest.param(b'{"learner":{}}', "is no XGBoost model in UBJ form", id="json"),
        pytest.param(b"{L" + bytes(60) + b"}", "is no XGBoost model: ", id="framed-rubbish"),
        pytest.param(b"", "is no XGBoost model", id="empty"),
    ],
)
def test_what_is_no_model(copied: Packed, content: bytes, message: str) -> None:
    """Even under a digest that somebody approved, only XGBoost's own format is a model."""
    (copied.folder / bundle.MODEL).write_bytes(content)
    with pytest.raises(errors.Misconfigured, match=message):
        Predictor.load(copied.folder, bundle.digest(copied.folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"xgboost": "2.1.4"}, "was fitted by XGBoost 2.1.4, here is", id="other-library"),
        pytest.param({"features": []}, "takes 7 features, its signature lists 0", id="other-features"),
        pytest.param({"task": "guess"}, "is not what this version of Argosy writes", id="other-writer"),
    ],
)
def test_a_signature_that_does_not_fit(copied: Packed, change: dict[str, object], message: str) -> None:
    """A model is only asked in the form, and by the library, that it was fitted with."""
    path = copied.folder / bundle.SIGNATURE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(errors.Misconfigured, match=message):
        Predictor.load(copied.folder, bundle.digest(copied.folder))


def test_a_patch_release_is_the_same_library(copied: Packed) -> None:
    """Another patch of the same minor version predicts the same."""
    path = copied.folder / bundle.SIGNATURE
    minor = ".".join(xgboost.__version__.split(".")[:2])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"xgboost": f"{minor}.99"}))
    Predictor.load(copied.folder, bundle.digest(copied.folder))
