"""A second version beside the one that a server is for: asked with the rows that the first one's requests hold, counted and logged apart.

What it is asked for, and when, is said in :mod:`argosy.serving.shadow` and :mod:`argosy.serving.split`.
"""

from collections.abc import Sequence
from dataclasses import replace

from argosy import errors
from argosy.domain import second_file
from argosy.domain.bundle import Signature
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictions
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.serving.records import Recorder
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.servable_predictor import ServablePredictor


class Arm:
    """One version, as it answers rows that were read for another."""

    def __init__(
        self,
        predictor: ServablePredictor,
        served: ServedRelease,
        first: Signature,
        *,
        log: PredictionLog | None = None,
        hash_key: bytes = b"",
    ) -> None:
        """*first*: of the version whose requests it is asked with. Raises Rejected where these cannot ask it."""
        refuse_unlike(first, predictor.signature)
        self.predictor = predictor
        self.served = served
        self.signature = predictor.signature
        self.log = log
        self.version = served.digest if served.version is None else str(served.version)
        self._columns = ColumnReader(self.signature)
        self._names = [column.name for column in self.signature.features]
        self._alike = first.features == self.signature.features
        self._recorder = None if log is None else Recorder(log, self.signature, hash_key)

    def own(self, asked: RequestColumns) -> RequestColumns:
        """*asked*, whose features are there, as this version has them."""
        if self._alike:
            return asked
        features = {name: asked.features[name] for name in self._names}
        return replace(asked, features=features, encoded=self._columns.encoded(features))

    def matrix(self, own: RequestColumns) -> Matrix:
        """*own*, which :meth:`own` made, as the model takes it; a level that this version does not know counts as missing."""
        return self._columns.encoded_rows(own.rows()) if own.matrix is None else own.matrix

    def decided(self, values: Predictions) -> list[str] | None:
        """The classes that *values* decide for; None for a regression."""
        return None if self.signature.task == "regression" else self.predictor.decide(values)

    def record(
        self, request_id: str, own: RequestColumns, values: Predictions, places: Sequence[int] | None = None
    ) -> None:
        """Log *values* as the answers to *own*; *places*: see :meth:`Recorder.record`."""
        if self._recorder is not None:
            decisions: Sequence[str | None] = self.decided(values) or [None] * own.count
            self._recorder.record(request_id, own, scores(values), decisions, places)

    def close(self) -> None:
        """Close its log."""
        if self.log is not None:
            self.log.close()


def scores(values: Predictions) -> list[list[float]]:
    """*values* as a log takes them: a list a row."""
    listed: list[list[float]] = (values if values.ndim == 2 else values.reshape(-1, 1)).tolist()
    return listed


def refuse_unlike(first: Signature, second: Signature) -> None:
    """Raises Rejected where requests to the model *first* cannot ask *second*, or their answers say different things."""
    if problem := second_file.difference(first, second):
        raise errors.Rejected(
            f"the second version of {first.model} cannot be asked with the requests of the first: {problem}; "
            "promote it instead, by a canary, once callers send what it takes"
        )
