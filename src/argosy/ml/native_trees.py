"""Answers by native code for the trees of a booster (:file:`native/trees.c`): XGBoost's own bits, in a fraction of its time.

XGBoost lays all trees out anew in each call, and looks at every node of each. Here that is done once, when a model is loaded. Whether the
answers are the same bits is not believed but tried, then, on rows about the model's own thresholds; where they are not, where a model has
something that is not laid out, and where the code was not compiled, XGBoost answers, to the same bits and more slowly.
"""

import ctypes
import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from argosy.ml import tree_layout, ubjson
from argosy.ml.dense_calls import DenseCalls
from argosy.ml.tree_layout import TreeLayout
from argosy.ml.xgboost_library import xgboost

Floats = npt.NDArray[np.float32]
Answer = Callable[[Floats], Floats]

LIBRARY = Path(__file__).parent / "native" / "libtrees.so"
"""Compiled from the file beside it, where Argosy is installed with a compiler; see docs/install.md."""

FEW = 256
"""Rows that are answered without letting go of the interpreter's lock: that takes less than waiting for it anew."""
MOST_TREES = 20_000
"""Trees that are laid out in a second: with more, a server would be ready noticeably later."""
TRIED = 256
"""Rows on which both are compared."""

_log = logging.getLogger(__name__)


class _Model(ctypes.Structure):
    """``Model`` of the C file."""

    _fields_ = [
        *(
            (name, ctypes.c_uint32)
            for name in ("features", "groups", "trees", "categories", "columns", "slots", "large")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in ("intercepts", "levels", "tree", "steps", "category", "tables", "leaves", "lasts", "inners")
        ),
    ]


class NativeTrees:
    """Answers for one model. Safe to share between threads."""

    def __init__(self, layout: TreeLayout, others: Answer) -> None:
        """Answer by *layout*; *others* is asked where a matrix has more or fewer columns, and says what it thinks of that."""
        self._others = others
        self._features, self._groups, self._transform = layout.features, layout.groups, layout.transform
        intercepts = layout.intercepts
        if layout.transform == tree_layout.LOGISTIC:
            margin = _library(ctypes.PyDLL).argosy_trees_margin
            intercepts = np.array([margin(float(chance)) for chance in intercepts], dtype=np.float32)
        self._arrays = [
            *(intercepts, layout.levels, layout.tree, layout.steps, layout.category),
            *(layout.tables, layout.leaves, layout.lasts, layout.inners),
        ]
        """What the model below points to."""
        self._model = _Model(
            *(layout.features, layout.groups, len(layout.tree), len(layout.category), layout.columns, layout.slots),
            tree_layout.LARGE,
            *(array.ctypes.data for array in self._arrays),
        )
        self._reference = ctypes.byref(self._model)
        self._holding, self._releasing = (_library(kind).argosy_trees_answer for kind in (ctypes.PyDLL, ctypes.CDLL))

    def predict(self, matrix: Floats) -> Floats:
        """The values for the rows of *matrix*: one a row, or one a row and class."""
        return self._asked(matrix, self._transform)

    def margins(self, matrix: Floats) -> Floats:
        """The sums that the values are made of."""
        return self._asked(matrix, tree_layout.AS_IT_IS)

    def _asked(self, matrix: Floats, transform: int) -> Floats:
        rows, columns = matrix.shape
        if columns != self._features:
            return self._others(matrix)
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        answers = np.empty(rows if self._groups == 1 else (rows, self._groups), dtype=np.float32)
        call = self._holding if rows <= FEW else self._releasing
        call(
            self._reference,
            transform,
            matrix.__array_interface__["data"][0],
            rows,
            answers.__array_interface__["data"][0],
        )
        return answers


def quickest(booster: xgboost.Booster) -> Answer:
    """What answers for *booster*: native code where it is there and gives the same bits, else XGBoost."""
    calls = DenseCalls(booster)
    if not LIBRARY.exists():
        _log.info("XGBoost answers for this model: native code was not compiled here")
        return calls.predict
    try:
        layout = _laid_out(booster)
    except tree_layout.Unsupported as problem:
        _log.info("XGBoost answers for this model, native code does not: %s", problem)
        return calls.predict
    native = NativeTrees(layout, calls.predict)
    asked = telling_rows(layout)
    same = calls.predict(asked).tobytes() == native.predict(asked).tobytes()
    if not same or calls.margins(asked).tobytes() != native.margins(asked).tobytes():
        _log.warning("native code answers otherwise than XGBoost %s, which answers instead", xgboost.__version__)
        return calls.predict
    return native.predict


def _laid_out(booster: xgboost.Booster) -> TreeLayout:
    """The trees of *booster*. Raises Unsupported."""
    said = json.loads(booster.save_config())["learner"]["gradient_booster"]
    if (trees := int(said.get("gbtree_model_param", {}).get("num_trees", 0))) > MOST_TREES:
        raise tree_layout.Unsupported(f"of its {trees:,} trees {MOST_TREES:,} would be laid out")
    return tree_layout.of(ubjson.loads(bytes(booster.save_raw("ubj"))))


def telling_rows(layout: TreeLayout) -> Floats:
    """Rows, the same for the same model, that go many ways: values at, just below and just above thresholds, missing ones, all levels."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(TRIED, layout.features)).astype(np.float32)
    splits = layout.steps[layout.steps["column"] < 2 * layout.features]
    for feature in range(layout.features):
        columns, thresholds = splits["column"], splits["threshold"]
        about = np.concatenate([thresholds[columns == 2 * feature], -thresholds[columns == 2 * feature + 1]])
        if levels := int(layout.levels[feature]):
            rows[:, feature] = random.integers(0, levels + 2, TRIED)
        elif len(about):
            chosen = random.choice(about, TRIED)
            toward = random.choice(np.array([-np.inf, 0, np.inf], dtype=np.float32), TRIED)
            rows[:, feature] = np.where(toward == 0, chosen, np.nextafter(chosen, toward))
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


@cache
def _library(kind: type[ctypes.CDLL]) -> Any:
    """The compiled code, by calls that hold the interpreter's lock (PyDLL) or let go of it (CDLL)."""
    library = kind(str(LIBRARY))
    library.argosy_trees_answer.restype = None
    library.argosy_trees_answer.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_uint64,
        ctypes.c_void_p,
    ]
    library.argosy_trees_margin.restype = ctypes.c_float
    library.argosy_trees_margin.argtypes = [ctypes.c_float]
    return library
