"""Trials of a hyperparameter search and their order: by number, whoever ran them and whenever they finished."""

from typing import Literal

from argosy.domain.documents import Document


class Trial(Document):
    """One scored (or pruned) point of the search space."""

    number: int
    parameters: dict[str, float | int]
    state: Literal["complete", "pruned"]
    fold_scores: list[float]
    boost_rounds: int
    seconds: float

    @property
    def score(self) -> float:
        """Mean over the folds that were scored."""
        return sum(self.fold_scores) / len(self.fold_scores)


class Asked(Document):
    """A point the sampler asked for, not yet scored."""

    number: int
    parameters: dict[str, float | int]


class SearchHistory(Document):
    """Every trial so far, by number."""

    metric: str
    direction: Literal["maximize", "minimize"]
    trials: list[Trial]


class Choice(Document):
    """``choice.json``: the trial that the final model is fitted with."""

    trial: int
    score: float
    metric: str
    parameters: dict[str, float | int]
    boost_rounds: int
    threshold: float | None = None
