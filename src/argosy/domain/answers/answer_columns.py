"""The columns that an answer is logged and counted by: measures of a question and its answer, none of them a text of a person."""

from argosy.domain.answers.judged import GivenAnswer

COLUMNS = (
    ("question_words", "number"),
    ("answer_words", "number"),
    ("cover", "number"),
    ("retrieval_score", "number"),
    ("document", "category"),
)
"""Name and type of each."""
ANSWERED, REFUSED = DECISIONS = ("answered", "refused")


def of_answer(question: str, answer: GivenAnswer) -> dict[str, float | str | None]:
    """The measures of *answer* to *question*, by column; the document is that of the best passage, None where nothing was found."""
    best = answer.sections[0].partition("#")[0] if answer.sections else None
    return {
        "question_words": float(len(question.split())),
        "answer_words": float(len(answer.text.split())),
        "cover": answer.cover,
        "retrieval_score": answer.score,
        "document": best,
    }


def decision(answer: GivenAnswer) -> str:
    """Whether it is an answer, or says that there is none."""
    return REFUSED if answer.refused else ANSWERED
