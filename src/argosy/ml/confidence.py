"""Confidence: how sure an answer is, as evaluation, monitoring and callers hear it alike."""

import numpy as np
import numpy.typing as npt

from argosy.domain.model_settings import Task

Scores = npt.NDArray[np.float64]


def of_answers(task: Task, predictions: Scores) -> Scores | None:
    """The confidence of each of *predictions*: the largest chance of any class. None for a regression, which says nothing of it."""
    if task == "regression":
        return None
    if predictions.ndim == 1:
        return of_binary(predictions)
    largest: Scores = predictions.max(axis=1)
    return largest


def of_binary(probabilities: Scores) -> Scores:
    """How sure a binary answer is: the larger of its two chances, whichever side of the threshold it is decided for."""
    return np.maximum(probabilities, 1 - probabilities)
