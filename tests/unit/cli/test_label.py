"""What people said of answers flows back into the evaluation set, by which the judge is measured."""

import json
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import label
from argosy.cli.main import VERBS
from argosy.templates import folder

QUESTION = {"id": "back", "question": "How do I go back?", "reference": "argosy rollback", "sections": ["a.md#back"]}
JUDGED = {"faithfulness": 1, "relevancy": 0.2, "toxicity": 0, "acceptable": False}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "workflows" / "help"
    place.mkdir(parents=True)
    (place / "model.yaml").write_text("task: answers\n", encoding="utf-8")
    (place / "prompt.md").write_text("{{passages}} {{question}}", encoding="utf-8")
    (place / "questions.jsonl").write_text(json.dumps(QUESTION) + "\n", encoding="utf-8")
    (place / "labelled.jsonl").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return place


def review(path: Path, *decisions: tuple[str, bool | None]) -> Path:
    """A review with an item for each answer and what was decided of it."""
    found = [
        {
            "id": "back",
            "question": "How do I go back?",
            "reference": "argosy rollback",
            "candidate": answer,
            "candidate_sections": ["a.md#back"],
            "candidate_judged": JUDGED,
            "asked_because": "the judge does not take it",
            "acceptable": acceptable,
        }
        for answer, acceptable in decisions
    ]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in found), encoding="utf-8")
    return path


def run(file: Path, by: str = "support") -> int:
    import argparse

    parser = argparse.ArgumentParser()
    label.add_arguments(parser)
    return label.run(parser.parse_args(["help", str(file), "--by", by]))


def test_what_was_decided_is_a_label_once(model: Path, tmp_path: Path) -> None:
    """Lines without a decision are left out; the same file twice changes nothing."""
    file = review(
        tmp_path / "review.jsonl", ("Type argosy rollback.", True), ("Buy a helicopter.", False), ("Hm.", None)
    )
    assert run(file) == run(file) == errors.DONE
    found = [json.loads(line) for line in (model / "labelled.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(each["answer"], each["acceptable"], each["by"]) for each in found] == [
        ("Type argosy rollback.", True, "support"),
        ("Buy a helicopter.", False, "support"),
    ]
    assert "label" in VERBS


def test_who_contradicts_a_label_is_told_and_nothing_changes(model: Path, tmp_path: Path) -> None:
    """Two people have to agree on one of them first."""
    run(review(tmp_path / "one.jsonl", ("Type argosy rollback.", True)))
    before = (model / "labelled.jsonl").read_bytes()
    with pytest.raises(errors.Misconfigured, match="has the other label on line 1"):
        run(review(tmp_path / "two.jsonl", ("Type argosy rollback.", False)))
    assert (model / "labelled.jsonl").read_bytes() == before


def test_a_review_that_decides_nothing(model: Path, tmp_path: Path) -> None:
    """It says what to fill in."""
    with pytest.raises(errors.Misconfigured, match="set `acceptable` of a line to true or false"):
        run(review(tmp_path / "review.jsonl", ("Hm.", None)))
    assert (model / "labelled.jsonl").read_bytes() == b""


def test_what_can_be_no_label_is_said_with_its_line(model: Path, tmp_path: Path) -> None:
    """One clear error and no traceback; nothing is written."""
    file = review(tmp_path / "review.jsonl", ("Type argosy rollback.", True), ("x" * 8001, False))
    with pytest.raises(errors.Misconfigured, match=r"review\.jsonl:2 as a label: answer: .* 8000 characters"):
        run(file)
    with pytest.raises(errors.UsageError, match="--by names nobody"):
        run(review(file, ("Type argosy rollback.", True)), by=" ")
    assert (model / "labelled.jsonl").read_text(encoding="utf-8") == ""


def test_a_judge_of_many_words_keeps_no_decision_back(model: Path, tmp_path: Path) -> None:
    """Why it was asked is cut to what a label holds."""
    file = review(tmp_path / "review.jsonl", ("Type argosy rollback.", True))
    item = {**json.loads(file.read_text(encoding="utf-8")), "asked_because": "y" * 5000}
    file.write_text(json.dumps(item) + "\n", encoding="utf-8")
    assert run(file) == errors.DONE
    assert json.loads((model / "labelled.jsonl").read_text(encoding="utf-8"))["why"] == "y" * 1000


def test_a_line_ends_where_a_file_ends_it(model: Path, tmp_path: Path) -> None:
    """Answers hold separators that JSON takes as they are and ``str.splitlines`` splits at; what was written is read again."""
    answer = "Type\u2028argosy\u2029roll\u0085back."
    file = review(tmp_path / "review.jsonl", (answer, True))
    item = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(item, ensure_ascii=False) + "\n", encoding="utf-8")
    assert run(file) == run(file) == errors.DONE
    text = (model / "labelled.jsonl").read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert json.loads(text)["answer"] == answer


def test_a_model_is_what_its_task_says(model: Path, tmp_path: Path) -> None:
    """A model of tables with a stray prompt is none that answers in words."""
    assert "prompt" in folder.artifacts_of(model)
    (model / "model.yaml").write_text("task: binary\n", encoding="utf-8")
    assert folder.artifacts_of(model) == folder.ARTIFACTS
    with pytest.raises(errors.UsageError, match="is no language model"):
        run(review(tmp_path / "review.jsonl", ("Type argosy rollback.", True)))
