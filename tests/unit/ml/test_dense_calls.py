"""A booster asked by XGBoost's C interface answers what XGBoost's own package does."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import xgboost

from argosy.ml.dense_calls import DenseCalls

COLUMNS = 6
OBJECTIVES: dict[str, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3},
    "regression": {"objective": "reg:squarederror"},
}


def matrix(rows: int, seed: int = 3) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Numbers, a tenth of them missing."""
    random = np.random.default_rng(seed)
    made = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    made[random.random(made.shape) < 0.1] = np.nan
    return made


@pytest.fixture(params=OBJECTIVES, ids=str)
def booster(request: pytest.FixtureRequest) -> xgboost.Booster:
    """A small model of each kind."""
    data = matrix(300)
    total = np.nan_to_num(data).sum(axis=1)
    label = {"binary": total > 0, "multiclass": np.digitize(total, [-1, 1]), "regression": total}[request.param]
    settings = {"nthread": 1, "seed": 1, "max_depth": 4, **OBJECTIVES[request.param]}
    return xgboost.train(settings, xgboost.DMatrix(data, label=label), num_boost_round=20)


@pytest.mark.parametrize("rows", [1, 7, 64, 65, 1000])
def test_answers_are_those_of_the_package(booster: xgboost.Booster, rows: int) -> None:
    """The same shape and the same bits as ``inplace_predict``, call after call, also of a matrix that lies in memory by columns."""
    calls = DenseCalls(booster)
    for seed in range(3):
        asked = matrix(rows, seed)
        expected = booster.inplace_predict(asked)
        for layout in (asked, np.asfortranarray(asked), np.repeat(asked, 2, axis=1)[:, ::2]):
            found = calls.predict(layout)
            assert found.shape == expected.shape
            assert found.tobytes() == expected.tobytes()


def test_a_row_is_answered_alike_in_any_company(booster: xgboost.Booster) -> None:
    """Rows that are asked together get, to the last bit, what each gets alone: requests may share a call."""
    calls, asked = DenseCalls(booster), matrix(200)
    together = calls.predict(asked)
    assert all(
        calls.predict(asked[place : place + 1]).tobytes() == together[place].tobytes() for place in range(len(asked))
    )


def test_threads_do_not_get_each_others_answers(booster: xgboost.Booster) -> None:
    """Eight threads that ask at once for different rows get their own."""
    calls = DenseCalls(booster)
    asked = [matrix(50 + place, seed=place) for place in range(8)]
    expected = [booster.inplace_predict(each).tobytes() for each in asked]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(50):
            assert [found.tobytes() for found in threads.map(calls.predict, asked)] == expected


def test_what_xgboost_refuses_is_said(booster: xgboost.Booster) -> None:
    """A matrix of other columns is an error with XGBoost's words, and the next call is answered."""
    calls = DenseCalls(booster)
    with pytest.raises(xgboost.core.XGBoostError, match=r"(?i)columns|features"):
        calls.predict(np.zeros((1, COLUMNS + 3), dtype=np.float32))
    assert calls.predict(matrix(2)).shape[0] == 2
