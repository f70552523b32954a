"""What is otherwise between two runs of a language model: prompt, evaluation set, scores with intervals, answers that flip.

Both models' answers to the questions that both were asked are held together as each run's judge judged them; judges that differ say
nothing of the models.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from argosy.cli import judged_rows
from argosy.domain.answers import answer_bundle
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import JudgedAnswer
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.run_differences import EVALUATION_SET, FLIPS, PROMPT, SAME_QUESTIONS, RunDifference

if TYPE_CHECKING:
    from argosy.cli.run_documents import RunDocuments

RESAMPLES, CONFIDENCE, SEED = 1000, 0.95, 7


@dataclass(frozen=True)
class AnswerPair:
    """A question, and what two runs answered."""

    question: EvaluationQuestion
    before: JudgedAnswer
    after: JudgedAnswer


def of_runs(before: "RunDocuments", after: "RunDocuments") -> Iterator[RunDifference]:
    """The differences of two runs that both came to their evaluation."""
    one, other = (_prompt(each) for each in (before, after))
    yield from of_prompts(one, other)
    asked = judged_rows.questions(before), judged_rows.questions(after)
    yield from of_questions(*asked)
    pairs = _pairs(before, after, *asked)
    settings = [each.record.answer_settings for each in (before, after)]
    judges = [each.judge if each else None for each in settings]
    if judges[0] != judges[1]:
        yield RunDifference(SAME_QUESTIONS, "not compared", "its judge", "is another")
        return
    yield from _scores(pairs)
    yield from flips(pairs)


def of_prompts(before: str, after: str) -> Iterator[RunDifference]:
    """The lines of a prompt that are others, by their place in the later one."""
    one, other = before.splitlines(), after.splitlines()
    for word, first, end, first_after, end_after in difflib.SequenceMatcher(None, one, other).get_opcodes():
        if word != "equal":
            lines = f"line {first_after + 1}"
            yield RunDifference(PROMPT, lines, _quoted(one[first:end]), _quoted(other[first_after:end_after]))


def of_questions(
    before: Mapping[str, EvaluationQuestion], after: Mapping[str, EvaluationQuestion]
) -> Iterator[RunDifference]:
    """The questions that only one of two evaluation sets has, or has otherwise."""
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield RunDifference(EVALUATION_SET, name, one.question if one else "-", other.question if other else "-")
            continue
        for field in ("question", "reference", "sections", "topic"):
            values = [getattr(each, field) for each in (one, other)]
            if values[0] != values[1]:
                said = [", ".join(each) if isinstance(each, list) else each for each in values]
                yield RunDifference(EVALUATION_SET, f"{name}.{field}", said[0] or "-", said[1] or "-")


def flips(pairs: Sequence[AnswerPair]) -> Iterator[RunDifference]:
    """The questions whose answer the judge took of one model alone, what was lost before what was won; and how many others changed."""
    turned = [each for each in pairs if each.before.judgement.acceptable != each.after.judgement.acceptable]
    for each in sorted(turned, key=lambda pair: pair.after.judgement.acceptable):
        name = f"{each.question.id}: {each.question.question}"
        yield RunDifference(FLIPS, name, _said(each.before), _said(each.after))
    others = [each for each in pairs if each not in turned and each.before.answer.text != each.after.answer.text]
    if turned or others:
        told = f"{len(turned)} of {len(pairs)} flip; {len(others)} more are answered in other words"
        yield RunDifference(
            SAME_QUESTIONS,
            "answers",
            f"{_taken(pair.before for pair in pairs)} accepted",
            (f"{_taken(pair.after for pair in pairs)} accepted; {told}"),
        )


def _taken(judged: Iterator[JudgedAnswer]) -> int:
    return sum(each.judgement.acceptable for each in judged)


def _said(judged: JudgedAnswer) -> str:
    word = "accepted" if judged.judgement.acceptable else f"not accepted ({judged.judgement.why})"
    return f"{word}: {' '.join(judged.answer.text.split())}"


def _scores(pairs: Sequence[AnswerPair]) -> Iterator[RunDifference]:
    if not pairs:
        yield RunDifference(SAME_QUESTIONS, "not compared", "its questions", "are all others")
        return
    from argosy.ml.answers import scores  # noqa: PLC0415 - NumPy takes its time

    questions = [each.question for each in pairs]
    one = scores.by_question(questions, [each.before for each in pairs])
    other = scores.by_question(questions, [each.after for each in pairs])
    rules = ComparisonPolicy(metric="accepted", margin=0.0, confidence=CONFIDENCE, resamples=RESAMPLES)
    for name, found in scores.compare(rules, list(other), other, one, SEED).items():
        if found is not None:
            better = f"{found.candidate:.4f} (better by {found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}])"
            yield RunDifference(SAME_QUESTIONS, name, f"{found.champion:.4f}", better)


def _pairs(
    before: "RunDocuments",
    after: "RunDocuments",
    asked: Mapping[str, EvaluationQuestion],
    asked_later: Mapping[str, EvaluationQuestion],
) -> list[AnswerPair]:
    """Of each question that both were asked in the same words, with the same right answer, what both answered."""
    one, other = (judged_rows.judged(each) for each in (before, after))
    return [
        AnswerPair(question, one[name], other[name])
        for name, question in asked_later.items()
        if name in one and name in other and asked.get(name) == question
    ]


def _prompt(run: "RunDocuments") -> str:
    return (run.artifact("assemble", "bundle") / answer_bundle.PROMPT).read_text(encoding="utf-8")


def _quoted(lines: Sequence[str]) -> str:
    return " / ".join(lines) or "-"
