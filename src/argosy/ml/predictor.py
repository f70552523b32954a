"""Loads a bundle and answers with it: the only load, transform and predict there is.

Training replays its golden rows through it, ``evaluate`` calls it, and the server is HTTP round it, so all of them
give the same bits for the same row. Nothing here runs code of a model's own: no pickle, one file format, and the digest is checked
before any parser sees a byte (a crafted model file can crash or own the parser). Signatures and expiry are checked by whoever fetched
the bundle.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from argosy import errors
from argosy.domain import bundle
from argosy.ml import trainers
from argosy.ml.encoding import Encoder, Matrix, Row
from argosy.ml.trainer import Model

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Predictions = npt.NDArray[np.float64]
Read = TypeVar("Read", bound=BaseModel)

SIGNATURE_FILE = "bundle.sig"
"""Lies beside a bundle's files, is checked elsewhere, and is no part of the digest."""

# The serving limit is far above any model seen; it bounds what a wrong path can make a server read.
LARGEST_FILE = 512 * 1024 * 1024


class UndefinedPrediction(errors.Rejected):
    """The model answered with something that is no number: it answers so again, and is not to be served."""


class Predictor:
    """A bundle, ready to answer. Safe to share between threads: nothing changes after loading."""

    def __init__(self, model: Model, signature: bundle.Signature, digest: str) -> None:
        self.signature = signature
        self.digest = digest
        self.encoder = Encoder(signature.features)
        self._model = model
        self._answer = model.predict

    @classmethod
    def load(cls, folder: Path, expected_digest: str) -> Self:
        """Load the bundle in *folder* and prove that it is *expected_digest*.

        Raises Misconfigured where files are missing, superfluous or other than expected, or where another XGBoost fitted the model.
        """
        files = _read(folder)
        found = bundle.digest_of({name: files[name] for name in files if name in (*bundle.MODELS, *bundle.OTHERS)})
        if found != expected_digest:
            raise errors.Misconfigured(
                f"the bundle in {folder} is {found}, expected {expected_digest}; fetch it again, and do not serve this one"
            )
        signature = _parse(bundle.Signature, folder, bundle.SIGNATURE, files)
        name = bundle.model_file(signature)
        if name not in files:
            raise errors.Misconfigured(
                f"the bundle in {folder} has no {name}, which its signature speaks of; train it again"
            )
        return cls(trainers.load(signature, files[name], str(folder)), signature, found)

    @property
    def threshold(self) -> float:
        """From which probability on a binary model decides for the positive class; that of others is never asked."""
        return 0.5 if self.signature.threshold is None else self.signature.threshold

    def predict(self, rows: Sequence[Row]) -> Predictions:
        """Answer *rows*, each a mapping of every feature to its value (None: unknown).

        A binary task: the probability of the positive class, one a row. Multiclass: one line a row, one column a class. Regression: the
        value. Raises BadValue, with row and feature, for what cannot be asked; UndefinedPrediction where the answer is no number.
        """
        return self.predict_matrix(self.encoder.rows(rows))

    def predict_frame(self, frame: "pd.DataFrame") -> Predictions:
        """Answer a data frame that has a column for every feature; NaN and None mean unknown. As :meth:`predict` otherwise."""
        return self.predict_matrix(self.encoder.frame(frame))

    def predict_table(self, table: "pa.Table") -> Predictions:
        """Answer an Arrow table that has a column for every feature. As :meth:`predict` otherwise."""
        return self.predict_matrix(self.encoder.table(table))

    def predict_matrix(self, matrix: Matrix) -> Predictions:
        """Answer rows that are encoded already."""
        # Widened to float64, which is exact, so that the JSON text of an answer does not depend on who prints it.
        answers: Predictions = self._answer(matrix).astype(np.float64)
        if not np.isfinite(answers).all():
            raise UndefinedPrediction(f"model {self.digest} answered with a value that is no number; do not serve it")
        return answers

    def contributions(self, matrix: Matrix) -> Predictions:
        """SHAP values of encoded rows: a line a row, a column a feature and one more for the base value; for multiclass a plane a class."""
        return np.asarray(self._model.contributions(matrix), dtype=np.float64)

    def decide(self, predictions: Predictions) -> list[str]:
        """The class that each of *predictions* decides for. Raises Misconfigured for a regression model, which decides nothing."""
        if self.signature.task == "regression":
            raise errors.Misconfigured(f"{self.signature.model} is a regression model; it predicts values, not classes")
        names = self.signature.classes
        if self.signature.task == "binary":
            return list(map(names.__getitem__, (predictions >= self.threshold).tolist()))
        return list(map(names.__getitem__, np.argmax(predictions, axis=1).tolist()))

    def explain_difference(self, golden: bundle.Golden) -> str | None:
        """The first difference when *golden* is replayed, or None where every answer is equal to the last bit."""
        answers = self.predict([row.features for row in golden.rows])
        for index, (row, answer) in enumerate(zip(golden.rows, answers, strict=True)):
            given = [float(value) for value in np.atleast_1d(answer)]
            if given != row.prediction:
                return f"golden row {index}: expected {row.prediction}, got {given}"
        return None


def golden(folder: Path) -> bundle.Golden:
    """The golden rows of the bundle in *folder*, whose digest was checked before."""
    return bundle.Golden.read(folder / bundle.GOLDEN)


def _read(folder: Path) -> dict[str, bytes]:
    """Every file of *folder*, once; what is checked and what is parsed are the same bytes."""
    allowed = {*bundle.MODELS, *bundle.OTHERS, bundle.RELEASE, SIGNATURE_FILE}
    try:
        present = {path.name: path for path in folder.iterdir()}
    except OSError as error:
        raise errors.Misconfigured(f"there is no bundle in {folder}: {error.strerror}") from error
    if bundle.ANSWERS in present:
        raise errors.Misconfigured(
            f"{folder} is a model that answers in words, and only models of tables are loaded here; see docs/language-models.md"
        )
    if extra := sorted(set(present) - allowed):
        raise errors.Misconfigured(
            f"{folder} holds {extra[0]!r}, which is no part of a bundle; nothing of it is loaded"
        )
    models = [name for name in bundle.MODELS if name in present]
    if len(models) > 1:
        raise errors.Misconfigured(
            f"{folder} holds {' and '.join(models)}, and a bundle is one model; nothing of it is loaded"
        )
    if absent := [name for name in (*(models or bundle.MODELS[:1]), *bundle.OTHERS) if name not in present]:
        raise errors.Misconfigured(f"the bundle in {folder} has no {absent[0]}; fetch it again")
    return {name: _content(path) for name, path in present.items()}


def _content(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise errors.Misconfigured(
            f"{path} is not a file of at most {LARGEST_FILE:,} bytes; nothing of the bundle is loaded"
        )
    return path.read_bytes()


def _parse(kind: type[Read], folder: Path, name: str, files: Mapping[str, bytes]) -> Read:
    try:
        return kind.model_validate_json(files[name])
    except ValidationError as error:
        raise errors.Misconfigured(f"{folder / name} is not what this version of Argosy writes: {error}") from None
