"""A judge by words, and how its agreement with people is measured."""

import pytest
import sklearn.metrics

from argosy.domain.answers import judged
from argosy.domain.answers.answer_settings import LexicalJudge
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import GivenAnswer
from argosy.ml.answers import agreement, lexical_judge
from argosy.ml.resampling import Bootstrap

JUDGE = LexicalJudge(kind="lexical")
ASKED = EvaluationQuestion(
    id="q", question="How do I go back?", reference="Type argosy rollback MODEL.", sections=["a.md#back"]
)
NOWHERE = EvaluationQuestion(id="n", question="Will it rain?")
DRAWING = Bootstrap(0.95, 500, 7)


def answered(text: str, *, refused: bool = False, section: str = "a.md#back") -> GivenAnswer:
    return GivenAnswer(
        text=text,
        sections=[section],
        passages=["To go back, type argosy rollback MODEL; it opens one request."],
        refused=refused,
        input_tokens=0,
        output_tokens=0,
        seconds=0.1,
    )


@pytest.mark.parametrize(
    ("question", "answer", "acceptable", "why"),
    [
        pytest.param(ASKED, answered("Type argosy rollback MODEL."), True, "borne out", id="right"),
        pytest.param(ASKED, answered("Buy a helicopter and fly home."), False, "in the passages", id="made-up"),
        pytest.param(ASKED, answered("It opens one request."), False, "of the reference", id="beside-the-point"),
        pytest.param(
            ASKED, answered("Type argosy rollback MODEL.", section="b.md#x"), False, "other sections", id="elsewhere"
        ),
        pytest.param(ASKED, answered("Type argosy rollback MODEL, idiot."), False, "insults", id="insult"),
        pytest.param(ASKED, answered("I do not know.", refused=True), False, "wrongly refused", id="sent-away"),
        pytest.param(NOWHERE, answered("I do not know.", refused=True), True, "rightly refused", id="refused"),
        pytest.param(NOWHERE, answered("It opens one request."), False, "wrongly answered", id="made-up-of-nothing"),
    ],
)
def test_what_is_acceptable(question: EvaluationQuestion, answer: GivenAnswer, acceptable: bool, why: str) -> None:
    """Borne out by a passage, with what the reference has, from a section that answers; else a refusal where there is no answer."""
    said = lexical_judge.judge(JUDGE, question, answer)
    assert said.acceptable is acceptable
    assert why in said.why


def test_kappa_is_that_of_scikit_learn() -> None:
    """The same number as theirs, inside its interval."""
    judge = [True, True, False, False, True, False, True, True] * 5
    people = [True, False, False, False, True, True, True, True] * 5
    found = agreement.of(judge, people, [str(number) for number in range(40)], DRAWING)
    assert found.kappa == pytest.approx(sklearn.metrics.cohen_kappa_score(judge, people))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.kappa < found.high
    assert (found.items, found.agreed) == (40, 30)


def test_answers_to_one_question_are_drawn_together() -> None:
    """Ten answers to each of four questions promise less than forty questions."""
    judge = ([True] * 10 + [False] * 10) * 2
    people = [True] * 10 + [False] * 10 + [False] * 10 + [False] * 10
    apart = agreement.of(judge, people, [str(number) for number in range(40)], DRAWING)
    together = agreement.of(judge, people, [str(number // 10) for number in range(40)], DRAWING)
    assert apart.kappa == together.kappa
    assert None not in (apart.low, together.low)
    assert together.low is not None and apart.low is not None and together.low < apart.low  # noqa: PT018


def test_a_judge_who_says_the_same_of_all_agrees_with_nobody() -> None:
    """It takes every answer, and so do people: chance would do as well, and kappa is undefined, which passes no gate."""
    assert agreement.of([True] * 9, [True] * 9, list("abcdefghi"), DRAWING).kappa is None
    assert agreement.of([], [], [], DRAWING).kappa is None
    flattered = agreement.of([True] * 50, [True] * 45 + [False] * 5, [str(number) for number in range(50)], DRAWING)
    assert flattered.kappa == pytest.approx(0.0)


def test_a_judge_who_says_the_opposite_has_a_kappa() -> None:
    """Minus one: no judge is worse, and none is more certain."""
    judge = [True, False] * 10
    found = agreement.of(judge, [not each for each in judge], [str(number) for number in range(20)], DRAWING)
    assert (found.agreed, found.kappa, found.low) == (0, -1.0, -1.0)
    assert found.high is not None
    assert found.high < 0
    assert agreement.of([], [], [], DRAWING).kappa is None


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        pytest.param("I do not know.", True, id="word-for-word"),
        pytest.param(" i do  not know!\n", True, id="case-and-a-dot"),
        pytest.param("I do not know, but type argosy rollback.", False, id="and-an-answer"),
        pytest.param("I do not knowingly.", False, id="another-word"),
    ],
)
def test_a_refusal_is_the_sentence_alone(text: str, refused: bool) -> None:
    """Whoever answers beside it has answered, and is measured by that."""
    assert judged.refuses(text, "I do not know.") is refused


def test_a_short_refusal_makes_no_answer_one() -> None:
    """Every text begins as nothing does."""
    assert not judged.refuses("Type argosy rollback.", ".")
