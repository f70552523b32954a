"""Turns an answer into the measures that a log has of it, where it is served and where it is evaluated alike."""

from argosy.domain.answers import answer_columns
from argosy.domain.answers.judged import GivenAnswer
from argosy.ml.answers import languages


def measures(question: str, answer: GivenAnswer) -> dict[str, float | str | None]:
    """The measures of *answer* to *question*, by column; document and section are those of the best passage, None where none was found."""
    best = answer.sections[0] if answer.sections else None
    return {
        "question_words": float(len(question.split())),
        "language": languages.of(question),
        "cover": answer.cover,
        "retrieval_score": answer.score,
        "document": best.partition("#")[0] if best else None,
        "section": best,
        "answer_words": float(len(answer.text.split())),
        "tokens": float(answer.input_tokens + answer.output_tokens),
        answer_columns.MILLISECONDS: answer.seconds * 1e3,
    }
