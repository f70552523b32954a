"""A language model asked by hand: frames and files, and what a server would refuse of them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from argosy import errors
from argosy.cli import main, model_references
from argosy.domain import bundle
from argosy.ml.answers.assistant import Assistant
from argosy.scoring.loaded_answers import LoadedAnswers
from kit import answers_kit
from kit.answers_kit import KNOWN, REFUSAL, UNKNOWN


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedAnswers:
    """A version of the model help."""
    folder = answers_kit.write_bundle(tmp_path_factory.mktemp("help"), answers_kit.settings())
    return LoadedAnswers("help", 4, approved=True, assistant=Assistant.load(folder, bundle.digest(folder)))


def test_a_frame(model: LoadedAnswers) -> None:
    """With its index; a refusal has no sources; what a server would refuse is missing, with the reason."""
    frame = pd.DataFrame({"who": list("abcd"), "question": [KNOWN, UNKNOWN, " ", "x" * 4001]}, index=[9, 8, 7, 6])
    found = model.predict(frame)
    assert list(found.index) == [9, 8, 7, 6]
    assert found.loc[9, "answer"] == "The remedy for backup trouble is command number one."
    assert found.loc[9, "sources"] == '["help.md#backup"]'
    assert (found.loc[8, "answer"], found.loc[8, "refused"], found.loc[8, "sources"]) == (REFUSAL, True, "[]")
    assert found.loc[7, "refused_because"] == "expected a question, a text that says something"
    assert "4,001 characters" in found.loc[6, "refused_because"]
    assert found.loc[6, "answer"] is None
    assert repr(model).startswith("<help version 4, sha256:")


def test_a_frame_without_questions(model: LoadedAnswers) -> None:
    """The column is named."""
    with pytest.raises(errors.Misconfigured, match="the frame has no column 'question'"):
        model.predict(pd.DataFrame({"text": [KNOWN]}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("asked.csv", f"who,question\na,{KNOWN}\n"),
        ("asked.json", json.dumps([{"who": "a", "question": KNOWN}])),
    ],
)
def test_a_file(
    model: LoadedAnswers,
    name: str,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Answers stand beside the other columns."""
    monkeypatch.setattr(model_references, "load", lambda _: model)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert main.run(["predict", "help@staging", str(tmp_path / name), "--json"]) == errors.DONE
    said = capsys.readouterr()
    assert json.loads(said.out)["who"] == "a"
    assert "command number one" in json.loads(said.out)["answer"]
    assert "1 of 1 rows answered by help, version 4" in said.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("who\na\n", "no column 'question'"),
        ("question\n", "has no rows"),
    ],
)
def test_a_file_that_asks_nothing(
    model: LoadedAnswers,
    text: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line, with what is lacking."""
    monkeypatch.setattr(model_references, "load", lambda _: model)
    (tmp_path / "asked.csv").write_text(text, encoding="utf-8")
    assert main.run(["predict", "help", str(tmp_path / "asked.csv")]) != errors.DONE
    assert said in capsys.readouterr().err
