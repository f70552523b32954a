"""The contract suite of what judges the answers of a language model."""

import pytest

from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import GivenAnswer
from argosy.ports.judge import Judge

PASSAGE = "The canary waits ten minutes after each step. An aborted canary opens a request that reverts the version."
QUESTION = EvaluationQuestion(
    id="aborted-canary",
    question="What happens when a canary is aborted?",
    reference="An aborted canary opens a request that reverts the version.",
    sections=["canary.md#abort"],
)
UNANSWERABLE = EvaluationQuestion(id="the-weather", question="What is the weather in Oslo?")


def answer(text: str, *, refused: bool = False, passages: tuple[str, ...] = (PASSAGE,)) -> GivenAnswer:
    """*text* as an answer from *passages* of the right section."""
    sections = ["canary.md#abort"] * len(passages)
    return GivenAnswer(
        text=text,
        sections=sections,
        passages=list(passages),
        refused=refused,
        input_tokens=9,
        output_tokens=9,
        seconds=0.1,
    )


RIGHT = answer(QUESTION.reference)
REFUSED = answer("I do not know.", refused=True)


class JudgeContract:
    """Inherit, and provide a fixture ``judge``. It is asked nothing that two people would answer differently."""

    def test_what_the_passages_say_is_taken(self, judge: Judge) -> None:
        """Word by word, and the reference itself: an answer can be no better."""
        found = judge.judge(QUESTION, RIGHT)
        assert found.acceptable, found.why
        assert found.faithfulness > 0.5

    def test_something_else_is_not_taken(self, judge: Judge) -> None:
        """Neither borne out nor asked for; it says why, for whoever reads the table of failures."""
        found = judge.judge(QUESTION, answer("Bananas ripen faster beside apples, as every grocer knows."))
        assert not found.acceptable
        assert found.why
        assert found.faithfulness < judge.judge(QUESTION, RIGHT).faithfulness

    def test_a_refusal_is_right_where_the_documents_say_nothing(self, judge: Judge) -> None:
        """And wrong where they have the answer."""
        assert judge.judge(UNANSWERABLE, REFUSED).acceptable
        assert not judge.judge(QUESTION, REFUSED).acceptable

    def test_an_answer_that_the_documents_do_not_have_is_not_taken(self, judge: Judge) -> None:
        """However well it reads."""
        assert not judge.judge(UNANSWERABLE, answer("It rains in Oslo today.")).acceptable

    @pytest.mark.parametrize(
        "odd",
        [
            pytest.param(answer(""), id="empty"),
            pytest.param(answer("?!\n\n\N{SNOWMAN}"), id="no-words"),
            pytest.param(answer("It opens a request.", passages=()), id="from-no-passages"),
            pytest.param(answer("word " * 2000), id="long"),
        ],
    )
    def test_odd_answers_are_judged_too(self, judge: Judge, odd: GivenAnswer) -> None:
        """One of them must not end an evaluation of hundreds."""
        assert not judge.judge(QUESTION, odd).acceptable

    def test_the_same_answer_is_judged_the_same(self, judge: Judge) -> None:
        """Or the run cannot be repeated, and champion and candidate are not held to one measure."""
        assert judge.judge(QUESTION, RIGHT) == judge.judge(QUESTION, RIGHT)
