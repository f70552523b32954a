"""Answers by hand: to whole frames and small files, in their order, the server's to the last bit."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import argosy
from argosy import errors
from argosy.cli import main, model_references
from argosy.engine.state import runs
from argosy.ml.predictor import Predictor
from argosy.scoring import row_answers
from argosy.scoring.loaded_model import LoadedModel
from argosy.templates import folder as folders
from kit.serving_kit import FEATURES, rows, write_bundle

CATEGORY = next(column.name for column in FEATURES if column.type == "category")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model that is there."""
    folder = tmp_path_factory.mktemp("model") / "bundle"
    return LoadedModel("leaving", 4, approved=True, predictor=Predictor.load(folder, write_bundle(folder)))


@pytest.fixture
def asked(model: LoadedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to work in, where any reference is that model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model_references, "load", lambda _reference: model)
    return tmp_path


def frame() -> pd.DataFrame:
    """Six rows with an id, indexed by something; the third has a level that nobody knows."""
    found = pd.DataFrame([dict(row) for row in rows(6, 3)], index=list("uvwxyz"))
    found.insert(0, "id", range(6))
    found.loc["w", CATEGORY] = "never seen"
    return found


def test_a_frame(model: LoadedModel) -> None:
    """Index and order stay; a row that a server refuses has no answer, but the reason; others have the bits of the one predictor."""
    found = model.predict(frame())
    assert list(found.index) == list("uvwxyz")
    assert list(found.columns) == ["prediction", "decision", "refused_because"]
    assert found.loc["w", "refused_because"] == f"{CATEGORY}: unknown level"
    kept = frame().drop(index="w")
    assert found["prediction"].drop("w").tolist() == model.predictor.predict_frame(kept).tolist()
    assert np.isnan(found.loc["w", "prediction"])
    assert "refused_because" not in model.predict(kept).columns


def test_no_row_is_logged_or_changed(model: LoadedModel) -> None:
    """Asking leaves the frame as it was, also one of no rows."""
    before = frame()
    model.predict(before)
    pd.testing.assert_frame_equal(before, frame())
    assert len(model.predict(frame().iloc[:0])) == 0


def test_files_of_each_kind(asked: Path, model: LoadedModel, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV, Parquet and JSON in and out have the same answers beside the same ids."""
    kept = frame().drop(index="w")
    wanted = model.predict(kept)["prediction"].tolist()
    kept.to_csv("in.csv", index=False)
    pq.write_table(pa.Table.from_pandas(kept, preserve_index=False), "in.parquet")
    Path("in.json").write_text(kept.to_json(orient="records"), encoding="utf-8")
    for file in ("in.csv", "in.parquet", "in.json"):
        assert main.run(["predict", "leaving", file, "--json"]) == errors.DONE
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [row["prediction"] for row in answers] == wanted
        assert list(answers[0]) == ["id", "prediction", "decision"]
    for out in ("out.csv", "out.parquet", "out.json"):
        assert main.run(["predict", "leaving", "in.csv", "--out", out]) == errors.DONE
        read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "json": pd.read_json}[out.partition(".")[2]](
            asked / out
        )
        assert np.allclose(read["prediction"], wanted, rtol=0, atol=1e-12)


def test_a_cell_that_is_no_number_refuses_its_row(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In place of an answer the row says why; the others are answered."""
    kept = frame().drop(index="w")
    kept.astype({"tenure": object}).assign(tenure=["three", *kept["tenure"][1:]]).to_csv("in.csv", index=False)
    assert main.run(["predict", "leaving", "in.csv", "--json"]) == errors.DONE
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["refused_because"] for row in told] == ["tenure: 'three' is no number", *[None] * (len(kept) - 1)]
    assert [row["prediction"] is None for row in told] == [True, *[False] * (len(kept) - 1)]
    assert list(told[0]) == ["id", "prediction", "decision", "refused_because"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["in.csv", "--out", "x.xlsx"], "answers are written as", id="out-of-no-kind"),
        pytest.param(["in.csv", "--out", "x.csv", "--json"], "leave one of them out", id="two-ways-out"),
        pytest.param(["im.csv"], "did you mean 'in.csv'?", id="misspelt"),
        pytest.param(["in.txt"], "rows come as", id="no-table"),
        pytest.param(["few.csv"], "lacks", id="columns-absent"),
        pytest.param(["broken.json"], "cannot be read as rows of JSON", id="broken"),
        pytest.param(["number.json"], "expected a list of rows", id="no-rows"),
        pytest.param(["gap.json"], "gap.json: [1] lacks 'tenure'; give null", id="a-gap"),
        pytest.param(["true.json"], "[1].tenure: expected a number or null, true came", id="true-for-1"),
        pytest.param(["text.json"], 'instances[0].tenure: expected a number or null, "3" came', id="text"),
        pytest.param(["nan.json"], "NaN is no JSON; give null", id="nan"),
        pytest.param(["huge.json"], "cannot be read as rows of JSON", id="too-large"),
        pytest.param(["taken.csv"], "called like one of the answers", id="a-name-twice"),
    ],
)
def test_typed_wrong(asked: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what is wrong; nothing is written."""
    frame().to_csv("in.csv", index=False)
    frame().assign(prediction=1).to_csv("taken.csv", index=False)
    known = json.loads(frame().to_json(orient="records"))[:2]
    gap = [known[0], {name: value for name, value in known[1].items() if name != "tenure"}]
    Path("gap.json").write_text(json.dumps(gap), encoding="utf-8")
    for file, content in {
        "true.json": [known[0], {**known[1], "tenure": True}],
        "text.json": {"instances": [{**known[0], "tenure": "3"}]},
        "nan.json": [{**known[0], "tenure": math.nan}],
    }.items():
        Path(file).write_text(json.dumps(content), encoding="utf-8")
    Path("huge.json").write_text(json.dumps([{**known[0], "tenure": 2**70}]), encoding="utf-8")
    for name, text in {"in.txt": "x", "few.csv": "id\n1\n", "broken.json": "[{", "number.json": "7"}.items():
        (asked / name).write_text(text, encoding="utf-8")
    assert main.run(["predict", "leaving", *words]) != errors.DONE
    found = capsys.readouterr()
    assert said in found.err
    # With --json the code follows on a line of its own.
    assert (found.out, len(found.err.splitlines())) == ("", 1 + ("--json" in words))


def test_several_classes_have_a_column_each(model: LoadedModel) -> None:
    """A frame has no lists in it."""

    class Three(Predictor):
        """Says the same of each row, of three classes."""

        def predict_table(self, table: pa.Table) -> np.ndarray:
            """The chances of three classes."""
            return np.tile([0.1, 0.7, 0.2], (table.num_rows, 1))

    own = model.predictor
    signature = own.signature.model_copy(update={"task": "multiclass", "classes": ["a", "b", "c"]})
    found = row_answers.of(Three(own._model, signature, own.digest), pa.Table.from_pandas(frame().iloc[:2]), "it")
    assert found.column_names == ["prediction_a", "prediction_b", "prediction_c", "decision"]
    assert found.column("decision").to_pylist() == ["b", "b"]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", "names no model"),
        ("churn@nowhere", "there is no environment 'nowhere'"),
        ("churn/latest", "there is no run of 'churn'"),
        ("churn/x-1", "there is no run 'x-1'"),
        ("a b", "names no model"),
    ],
)
def test_a_name_of_nothing(reference: str, said: str) -> None:
    """A reference that leads nowhere says so, and makes no state folder for it."""
    with pytest.raises(errors.ArgosyError, match=said):
        argosy.load(reference)


def test_what_the_package_has() -> None:
    """A slip is an attribute that is not there, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        argosy.laod  # noqa: B018 - what is asked is whether it is there
    assert callable(argosy.Run)


def test_a_run_of_nothing() -> None:
    """Nobody has to know where runs are kept to be told that there are none."""
    with pytest.raises(errors.UsageError, match=r"there is no run of 'churn'.*`argosy run churn` begins one"):
        argosy.Run("churn/latest")


def test_a_run_of_another_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names a model and another's run would take the answers for that model's: it is refused, and said whose the run is."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    folder = tmp_path / "runs" / "churn-261101-100000-ab12"
    folder.mkdir(parents=True)
    manifest = {"metadata": {"name": "churn", "annotations": {folders.MODEL: "churn"}}}
    (folder / runs.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert argosy.Run("churn/churn-26").name == argosy.Run("churn-26").name == folder.name
    with pytest.raises(errors.UsageError, match=r"run churn-261101-100000-ab12 is of churn, not of upsell"):
        argosy.Run("upsell/churn-26")
