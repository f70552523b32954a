"""Contributions as shares and as a sentence; personal data is in neither."""

from typing import Any

import numpy as np
import pytest

from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit
from argosy.ml import attribution

FEATURES = [
    FeatureColumn(name="tenure", type="number", view="v"),
    FeatureColumn(name="plan", type="category", levels=["a", "b"], view="v"),
    FeatureColumn(name="salary", type="number", view="v", personal=True),
]


def signature(**more: Any) -> Signature:
    """Of a small model."""
    fields = {
        "model": "toy",
        "task": "binary",
        "features": FEATURES,
        "join_keys": ["id"],
        "classes": ["stays", "leaves"],
        "threshold": 0.4,
        "split": EntitySplit(by="entity", holdout=0.2),
        "xgboost": "3",
    }
    return Signature.model_validate(fields | more)


def test_importance_is_the_mean_of_sizes_largest_first() -> None:
    """Sign does not matter, the base value is no feature, ties go by name."""
    contributions = np.array([[1.0, -4.0, 0.0, 9.0], [-1.0, 2.0, 1.0, 9.0]])
    assert list(attribution.overall(contributions, ["b", "c", "a"]).items()) == [("c", 3.0), ("b", 1.0), ("a", 0.5)]
    assert list(attribution.overall(np.ones((2, 3)), ["b", "a"])) == ["a", "b"]


def test_importance_over_classes() -> None:
    """Of a multiclass model there is a plane a class; a feature counts over all of them."""
    contributions = np.zeros((1, 2, 3))
    contributions[0, 0, 0], contributions[0, 1, 0] = 2.0, -4.0
    assert attribution.overall(contributions, ["a", "b"]) == {"a": 3.0, "b": 0.0}


def test_shares() -> None:
    """Six of ten for the strongest; two features for nine tenths."""
    assert attribution.measure({"a": 6.0, "b": 3.0, "c": 1.0}) == {
        "explainability.top_share": pytest.approx(0.6),
        "explainability.features_for_ninety": 2.0,
    }


def test_a_model_that_goes_by_nothing_has_no_shares() -> None:
    """0 of 0; a constant model explains nothing."""
    assert set(attribution.measure({"a": 0.0}).values()) == {None}


def test_a_sentence_names_the_strongest_and_nothing_personal() -> None:
    """However strong it is, a personal value stays out."""
    row: dict[str, float | str | None] = {"tenure": 3.0, "plan": "b", "salary": 91234.0}
    told = attribution.sentence(signature(), row, np.array([0.5, -1.0, 7.0, 0.1]), 0.42)
    assert told == (
        "Decided 'leaves' with 42% for 'leaves' (from 40% on): plan = b lowers it (-1.00); tenure = 3 raises it (+0.50)."
    )


def test_a_missing_value_reads_as_unknown() -> None:
    """Not as None or nan."""
    row: dict[str, float | str | None] = {"tenure": None, "plan": None, "salary": None}
    told = attribution.sentence(signature(), row, np.array([0.5, 0.1, 0.0, 0.0]), 0.1)
    assert told.startswith("Decided 'stays' with 10% for 'leaves'")
    assert "tenure = unknown" in told


def test_a_value_predicted() -> None:
    """A regression model decides nothing."""
    row: dict[str, float | str | None] = {"tenure": 3.0, "plan": "b", "salary": 1.0}
    told = attribution.sentence(
        signature(task="regression", classes=[], threshold=None), row, np.array([0.5, 0.1, 0.0, 0.0]), 231.4
    )
    assert told.startswith("Predicted 231.4: tenure = 3 raises it")


def test_what_moves_nothing_is_not_named() -> None:
    """A reason of 0.00 is none."""
    row: dict[str, float | str | None] = {"tenure": 3.0, "plan": "b", "salary": 1.0}
    told = attribution.sentence(signature(), row, np.array([0.5, 0.004, 7.0, 0.1]), 0.42)
    assert told.endswith(": tenure = 3 raises it (+0.50).")
    none = attribution.sentence(signature(), row, np.array([0.0, 0.0, 7.0, 0.1]), 0.42)
    assert none.endswith(": nothing that may be named moves it.")


def test_the_numbers_of_a_row_add_up() -> None:
    """Base, features that may be named, and the rest; values are named where they are for the reader."""
    own = np.array([0.5, -1.0, 7.0, 0.1])
    told = attribution.of_row(signature(), None, own, 0.42)
    assert told.contributions == {"plan": -1.0, "tenure": 0.5}
    assert (told.base, told.rest, told.scale) == (0.1, 7.0, "log-odds of 'leaves'")
    assert "=" not in told.sentence


def test_a_class_is_explained_by_its_own_numbers() -> None:
    """Of several, the one decided for."""
    several = signature(task="multiclass", classes=["a", "b"], threshold=None)
    own = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.5]])
    row: dict[str, float | str | None] = {"tenure": 3.0, "plan": "b", "salary": 1.0}
    told = attribution.of_row(several, row, own, np.array([0.3, 0.7]))
    assert told.sentence == "Decided 'b' with 70%: plan = b lowers it (-2.00)."
    assert (told.scale, told.base) == ("score of 'b' before softmax", 0.5)
