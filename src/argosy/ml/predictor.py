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
import xgboost
from pydantic import BaseModel, ValidationError

from argosy import errors
from argosy.domain import bundle
from argosy.ml.dense_calls import DenseCalls
from argosy.ml.encoding import Encoder, Matrix, Row

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Predictions = npt.NDArray[np.float64]
Read = TypeVar("Read", bound=BaseModel)

SIGNATURE_FILE = "bundle.sig"
"""Lies beside a bundle's files, is checked elsewhere, and is no part of the digest."""

# An object whose first key has a 64-bit length: how every model that XGBoost saves begins.
UBJ_START, UBJ_END = b"{L", b"}"

# The serving limit is far above any model seen; it bounds what a wrong path can make a server read.
LARGEST_FILE = 512 * 1024 * 1024


class UndefinedPrediction(errors.ArgosyError):
    """The model answered with something that is no number."""


class Predictor:
    """A bundle, ready to answer. Safe to share between threads: nothing changes after loading."""

    def __init__(self, booster: xgboost.Booster, signature: bundle.Signature, digest: str) -> None:
        self.signature = signature
        self.digest = digest
        self.encoder = Encoder(signature.features)
        self._booster = booster
        self._calls = DenseCalls(booster)

    @classmethod
    def load(cls, folder: Path, expected_digest: str) -> Self:
        """Load the bundle in *folder* and prove that it is *expected_digest*.

        Raises Misconfigured where files are missing, superfluous or other than expected, or where another XGBoost fitted the model.
        """
        files = _read(folder)
        found = bundle.digest_of({name: files[name] for name in bundle.FILES})
        if found != expected_digest:
            raise errors.Misconfigured(
                f"the bundle in {folder} is {found}, expected {expected_digest}; fetch it again, and do not serve this one"
            )
        signature = _parse(bundle.Signature, folder, bundle.SIGNATURE, files)
        _same_library(folder, signature)
        return cls(_booster(folder, files[bundle.MODEL], signature), signature, found)

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
        answers: Predictions = self._calls.predict(matrix).astype(np.float64)
        if not np.isfinite(answers).all():
            raise UndefinedPrediction(f"model {self.digest} answered with a value that is no number; do not serve it")
        return answers

    def contributions(self, matrix: Matrix) -> Predictions:
        """SHAP values of encoded rows: a line a row, a column a feature and one more for the base value; for multiclass a plane a class."""
        data = xgboost.DMatrix(
            matrix, feature_names=self.encoder.booster_names, feature_types=self.encoder.types, nthread=1
        )
        return np.asarray(self._booster.predict(data, pred_contribs=True), dtype=np.float64)

    def decide(self, predictions: Predictions) -> list[str]:
        """The class that each of *predictions* decides for. Raises Misconfigured for a regression model, which decides nothing."""
        if self.signature.task == "regression":
            raise errors.Misconfigured(f"{self.signature.model} is a regression model; it predicts values, not classes")
        names = self.signature.classes
        if self.signature.task == "binary":
            threshold = 0.5 if self.signature.threshold is None else self.signature.threshold
            return list(map(names.__getitem__, (predictions >= threshold).tolist()))
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
    allowed = {*bundle.FILES, bundle.RELEASE, SIGNATURE_FILE}
    try:
        present = {path.name: path for path in folder.iterdir()}
    except OSError as error:
        raise errors.Misconfigured(f"there is no bundle in {folder}: {error.strerror}") from error
    if extra := sorted(set(present) - allowed):
        raise errors.Misconfigured(
            f"{folder} holds {extra[0]!r}, which is no part of a bundle; nothing of it is loaded"
        )
    if absent := [name for name in bundle.FILES if name not in present]:
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


def _same_library(folder: Path, signature: bundle.Signature) -> None:
    # A model of another minor version may load without an error and predict something else (seen between 3.2 and 2.1).
    if _minor(signature.xgboost) != _minor(xgboost.__version__):
        raise errors.Misconfigured(
            f"the model in {folder} was fitted by XGBoost {signature.xgboost}, here is {xgboost.__version__}: "
            "its predictions could silently differ. Serve it with the image it was trained in, or train it again"
        )


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def _booster(folder: Path, content: bytes, signature: bundle.Signature) -> xgboost.Booster:
    # XGBoost's parser ends the process on an empty file and asks for all memory on a cut one, so the frame is looked at first.
    if not (content.startswith(UBJ_START) and content.endswith(UBJ_END)):
        raise errors.Misconfigured(f"{folder / bundle.MODEL} is no XGBoost model in UBJ form; train it again")
    try:
        booster = xgboost.Booster(model_file=bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise errors.Misconfigured(
            f"{folder / bundle.MODEL} is no XGBoost model: {str(error).splitlines()[0]}"
        ) from None
    if booster.num_features() != len(signature.features):
        raise errors.Misconfigured(
            f"the model in {folder} takes {booster.num_features()} features, its signature lists {len(signature.features)}"
        )
    # One thread: for the few rows of a request, waking others costs more than it gives, and the answer must not depend on it.
    booster.set_param({"nthread": 1})
    return booster
