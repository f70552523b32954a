"""What people call a model's answers and labels, by its task: a regression states no probability, and classes have no mean."""

from collections.abc import Sequence

from argosy.domain.model_settings import Task


def score(task: Task, classes: Sequence[str]) -> str:
    """The one number that an answer is counted by."""
    match task:
        case "binary":
            return f"probability of {classes[-1]!r}"
        case "multiclass":
            return "probability of the class decided for"
        case "regression":
            return "predicted value"
