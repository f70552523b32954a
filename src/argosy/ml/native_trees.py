"""Answers by native code for the trees of a booster (:file:`native/trees.c`): XGBoost's own bits, in a fraction of its time.

XGBoost lays all trees out anew in each call, and looks at every node of each. Here that is done once, when a model is loaded. Whether the
answers are the same bits is not believed but tried, then, on rows about the model's own thresholds; where they are not, where a model has
something that is not laid out, and where the code was not compiled, XGBoost answers, to the same bits and more slowly.
"""

import ctypes
import hashlib
import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from argosy.ml import tree_layout, ubjson
from argosy.ml.dense_calls import DenseCalls
from argosy.ml.tree_layout import TreeLayout
from argosy.ml.xgboost_library import xgboost

Floats = npt.NDArray[np.float32]
Answer = Callable[[Floats], Floats]

SOURCE = Path(__file__).parent / "native" / "trees.c"
LIBRARY = SOURCE.with_name("libtrees.so")
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


class CompiledCode(NamedTuple):
    """What was compiled: the same call, holding the interpreter's lock or letting go of it, and the sum that a chance comes from."""

    holding: Any
    releasing: Any
    margin: Any


class NativeTrees:
    """Answers for one model. Safe to share between threads."""

    def __init__(self, code: CompiledCode, layout: TreeLayout, others: Answer) -> None:
        """Answer by *layout*; *others* is asked where a matrix has more or fewer columns, and says what it thinks of that."""
        self._others = others
        self._features, self._groups, self._transform = layout.features, layout.groups, layout.transform
        intercepts = layout.intercepts
        if layout.transform == tree_layout.LOGISTIC:
            intercepts = np.array([code.margin(float(chance)) for chance in intercepts], dtype=np.float32)
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
        self._holding, self._releasing = code.holding, code.releasing

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
        address = matrix.__array_interface__["data"][0]
        if address % matrix.itemsize:
            return self._asked(matrix.copy(), transform)
        answers = np.empty(rows if self._groups == 1 else (rows, self._groups), dtype=np.float32)
        call = self._holding if rows <= FEW else self._releasing
        call(
            self._reference,
            transform,
            address,
            rows,
            answers.__array_interface__["data"][0],
        )
        return answers


def quickest(booster: xgboost.Booster) -> Answer:
    """What answers for *booster*: native code where it is there and gives the same bits, else XGBoost."""
    calls = DenseCalls(booster)
    code = _compiled(LIBRARY)
    if code is None:
        return calls.predict
    try:
        layout = _laid_out(booster)
    except tree_layout.Unsupported as problem:
        _log.info("XGBoost answers for this model, native code does not: %s", problem)
        return calls.predict
    native = NativeTrees(code, layout, calls.predict)
    asked = telling_rows(layout)
    if not _same(calls.predict, native.predict, asked) or not _same(calls.margins, native.margins, asked):
        _log.warning("native code answers otherwise than XGBoost %s, which answers instead", xgboost.__version__)
        return calls.predict
    return native.predict


def _same(expected: Answer, found: Answer, rows: Floats) -> bool:
    """Whether both answer in the same shape and bits; *found* also for each row alone, which takes another way through the code."""
    answers = expected(rows)
    alone = [found(rows[place : place + 1]) for place in range(len(rows))]
    return all(
        each.shape == answers.shape and each.tobytes() == answers.tobytes()
        for each in (found(rows), np.concatenate(alone))
    )


def _laid_out(booster: xgboost.Booster) -> TreeLayout:
    """The trees of *booster*. Raises Unsupported."""
    said = json.loads(booster.save_config())["learner"]["gradient_booster"]
    if (trees := int(said.get("gbtree_model_param", {}).get("num_trees", 0))) > MOST_TREES:
        raise tree_layout.Unsupported(f"of its {trees:,} trees {MOST_TREES:,} would be laid out")
    try:
        document = ubjson.loads(bytes(booster.save_raw("ubj")))
    except ubjson.Malformed as problem:
        raise tree_layout.Unsupported(f"it is written in a form that is not known: {problem}") from problem
    return tree_layout.of(document)


def telling_rows(layout: TreeLayout) -> Floats:
    """Rows, the same for the same model, that go many ways: values at, just below and just above thresholds, missing ones, all levels."""
    random = np.random.default_rng(0)
    rows = random.normal(size=(TRIED, layout.features)).astype(np.float32)
    splits = layout.steps[layout.steps["column"] < 2 * layout.features]
    columns, thresholds = splits["column"], splits["threshold"]
    for feature in range(layout.features):
        about = np.concatenate([thresholds[columns == 2 * feature], -thresholds[columns == 2 * feature + 1]])
        if levels := int(layout.levels[feature]):
            rows[:, feature] = random.integers(0, levels + 2, TRIED)
        elif len(about):
            chosen = random.choice(about, TRIED)
            toward = random.choice(np.array([-np.inf, 0, np.inf], dtype=np.float32), TRIED)
            with np.errstate(over="ignore"):  # infinity is the next of the largest
                rows[:, feature] = np.where(toward == 0, chosen, np.nextafter(chosen, toward))
    rows[random.random(rows.shape) < 0.1] = np.nan
    return rows


@cache
def _compiled(library: Path) -> CompiledCode | None:
    """The code of *library*, or None, and a word in the log, where there is none that can be asked."""
    if not library.exists():
        _log.info("XGBoost answers for all models: native code was not compiled here")
        return None
    # The loader takes a file that ends too soon, and the process ends with it when what is wanting is asked for. And code that was
    # compiled from another source may look for a model's arrays where they are not. So the bytes are looked at first.
    try:
        said = record_of(library).read_bytes()
        if said != record(SOURCE, library):
            _log.warning(
                "XGBoost answers for all models: %s is damaged, or was not compiled from %s; install Argosy again",
                library,
                SOURCE,
            )
            return None
        holding, releasing = (kind(str(library)) for kind in (ctypes.PyDLL, ctypes.CDLL))
    except OSError as problem:
        _log.warning("XGBoost answers for all models: %s cannot be loaded (%s); install Argosy again", library, problem)
        return None
    for each in (holding, releasing):
        each.argosy_trees_answer.restype = None
        each.argosy_trees_answer.argtypes = [
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_uint64,
            ctypes.c_void_p,
        ]
    holding.argosy_trees_margin.restype = ctypes.c_float
    holding.argosy_trees_margin.argtypes = [ctypes.c_float]
    return CompiledCode(holding.argosy_trees_answer, releasing.argosy_trees_answer, holding.argosy_trees_margin)


def record_of(library: Path) -> Path:
    """The file in which :file:`hatch_build.py` says what *library* is and what it was compiled from."""
    return library.with_name(f"{library.name}.sha256")


def record(source: Path, library: Path) -> bytes:
    """What that file has to say, as ``sha256sum`` does."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (source, library)
    ).encode()
