"""Two runs of a language model, held together: prompt, evaluation set, scores on what both were asked, answers that flip."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors
from argosy.cli import answer_differences, judged_rows
from argosy.domain.answers import evaluation_items
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import AnswerJudgement, GivenAnswer, JudgedAnswer
from argosy.domain.run_differences import EVALUATION_SET, FLIPS, PROMPT, SAME_QUESTIONS
from kit import answers_kit

ASKED = [
    EvaluationQuestion(id=name, question=f"What of {name}?", reference="r", sections=[f"help.md#{name}"], topic="t")
    for name in ("backup", "drift", "canary", "policy")
]


def judged(name: str, text: str, *, accepted: bool) -> JudgedAnswer:
    """An answer to the question *name*."""
    given = GivenAnswer(
        text=text,
        sections=[f"help.md#{name}"],
        passages=[],
        refused=False,
        input_tokens=3,
        output_tokens=4,
        seconds=0.01,
    )
    said = AnswerJudgement(faithfulness=1.0, relevancy=0.5, toxicity=0.0, acceptable=accepted, why="so it is")
    return JudgedAnswer(id=name, answer=given, judgement=said)


@dataclass
class KeptRun:
    """What a run kept, as :class:`argosy.cli.run_documents.RunDocuments` gives it."""

    path: Path
    prompt: str = "Answer.\n{{passages}}\n{{question}}\n"
    asked: list[EvaluationQuestion] = field(default_factory=lambda: list(ASKED))
    taken: tuple[str, ...] = ("backup", "drift")
    words: str = "this"
    settings: Any = field(default_factory=answers_kit.settings)

    def artifact(self, _template: str, name: str) -> Path:
        """The output *name*."""
        return self.path / name

    @property
    def record(self) -> Any:
        """Its settings."""
        return SimpleNamespace(answer_settings=self.settings)

    def write(self) -> "KeptRun":
        """Keep it."""
        for name in ("bundle", "snapshot"):
            (self.path / name).mkdir(parents=True)
        (self.path / "bundle" / "prompt.md").write_text(self.prompt, encoding="utf-8")
        (self.path / "snapshot" / "questions.jsonl").write_text(evaluation_items.lines(self.asked), encoding="utf-8")
        answers = [judged(each.id, f"{self.words} {each.id}", accepted=each.id in self.taken) for each in self.asked]
        (self.path / "judged").write_text(evaluation_items.lines(answers), encoding="utf-8")
        return self


def differences(before: KeptRun, after: KeptRun) -> list[tuple[str, str, str, str]]:
    """What is otherwise."""
    found = answer_differences.of_runs(before.write(), after.write())  # type: ignore[arg-type]
    return [(each.section, each.name, each.before, each.after) for each in found]


def test_answers_that_flip_come_with_question_and_both_texts(tmp_path: Path) -> None:
    """What was lost first; scores with the interval of their paired difference; how many are only worded otherwise."""
    after = KeptRun(tmp_path / "after", taken=("backup", "canary"), words="that")
    found = differences(KeptRun(tmp_path / "before"), after)
    assert [each[1:] for each in found if each[0] == FLIPS] == [
        ("drift: What of drift?", "accepted: this drift", "not accepted (so it is): that drift"),
        ("canary: What of canary?", "not accepted (so it is): this canary", "accepted: that canary"),
    ]
    together = {name: (one, other) for section, name, one, other in found if section == SAME_QUESTIONS}
    assert together["answers"] == (
        "2 accepted",
        "2 accepted; 2 of 4 flip; 2 more are answered in other words",
    )
    assert together["accepted"][0] == "0.5000"
    assert "better by +0.0000 [-" in together["accepted"][1]
    assert "better by +0.0000 [+0.0000, +0.0000]" in together["relevancy"][1]


def test_prompt_and_evaluation_set_are_shown_line_by_line(tmp_path: Path) -> None:
    """A question that was asked otherwise, or has another right answer, is held together with nothing."""
    other = [ASKED[0], ASKED[1].model_copy(update={"reference": "s"}), *ASKED[3:]]
    new = EvaluationQuestion(id="cost", question="What does it cost?")
    after = KeptRun(
        tmp_path / "after", prompt="Answer in one line.\n{{passages}}\n{{question}}\n", asked=[*other, new], taken=()
    )
    found = differences(KeptRun(tmp_path / "before"), after)
    assert [each for each in found if each[0] in {PROMPT, EVALUATION_SET}] == [
        (PROMPT, "line 1", "Answer.", "Answer in one line."),
        (EVALUATION_SET, "drift.reference", "r", "s"),
        (EVALUATION_SET, "canary", "What of canary?", "-"),
        (EVALUATION_SET, "cost", "-", "What does it cost?"),
    ]
    assert [name for section, name, _, _ in found if section == FLIPS] == ["backup: What of backup?"]


def test_judges_that_differ_say_nothing_of_the_models(tmp_path: Path) -> None:
    """Nor do answers to questions that are all others."""
    strict = answers_kit.settings(judge={"kind": "lexical", "least_relevancy": 0.9})
    found = differences(KeptRun(tmp_path / "before"), KeptRun(tmp_path / "after", settings=strict, taken=()))
    assert found == [(SAME_QUESTIONS, "not compared", "its judge", "is another")]
    new = [EvaluationQuestion(id="cost", question="What does it cost?")]
    found = differences(KeptRun(tmp_path / "one"), KeptRun(tmp_path / "other", asked=new))
    assert found[-1] == (SAME_QUESTIONS, "not compared", "its questions", "are all others")


def test_the_frame_of_an_evaluation(tmp_path: Path) -> None:
    """A row a question, with what was answered and what the judge says of it."""
    rows = judged_rows.of_run(KeptRun(tmp_path).write())  # type: ignore[arg-type]
    assert [(row["id"], row["answer"], row["accepted"], row["tokens"]) for row in rows][:2] == [
        ("backup", "this backup", True, 7),
        ("drift", "this drift", True, 7),
    ]


def test_a_file_that_was_changed_by_hand_is_named(tmp_path: Path) -> None:
    """With its line."""
    run = KeptRun(tmp_path).write()
    (tmp_path / "judged").write_text("{}\n", encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"judged:1"):
        judged_rows.judged(run)  # type: ignore[arg-type]
