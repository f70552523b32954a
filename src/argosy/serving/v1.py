"""The V1 protocol (TensorFlow Serving's, as KServe speaks it): ``{"instances": [...]}`` in, ``{"predictions": [...]}`` out.

A row is an object, or a list of every feature in the model's order. ``decisions``, the class decided for in each row, ``confidences``, how
sure that is, ``warnings``, where there are any, and which version answered which request are our additions; clients that do not know them
read ``predictions`` as ever.
"""

import orjson

from argosy.serving import explanation, reading, v1_envelope
from argosy.serving.exchange import RequestLimits, ResponseBody
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.service import Answer


class V1:
    """The protocol for one model."""

    binary = False

    def __init__(self, reader: ColumnReader, limits: RequestLimits, room: reading.JsonLimits, *, version: str) -> None:
        self._version = version
        self._reader = reader
        self._limits = limits
        self._room = room

    def read(self, body: bytes, _: int | None) -> tuple[RequestColumns, None]:
        """The rows of a request. Raises RequestProblem."""
        self._room.check(body)
        instances = v1_envelope.instances(reading.loads(body))
        if len(instances) > self._limits.rows:
            message = f"{len(instances)} rows came; at most {self._limits.rows} are answered at once"
            raise RequestProblem(413, message, field="instances")
        return self._reader.rows(instances, _where), None

    def write(self, given: Answer, _: None) -> ResponseBody:
        """The answer's body."""
        return ResponseBody(
            orjson.dumps(
                {
                    "predictions": given.predictions,
                    **given.said_beside(),
                    "model_version": given.version(self._version),
                    "request_id": given.request_id,
                }
            )
        )


class V1Explain(V1):
    """The verb ``:explain``: the answer of ``:predict``, and ``explanations`` beside the predictions."""

    def read(self, body: bytes, length: int | None) -> tuple[RequestColumns, None]:
        """See :meth:`V1.read`."""
        asked, wanted = super().read(body, length)
        return explanation.asked_why(asked, "instances"), wanted


def _where(place: int, name: str | None) -> str:
    return f"instances[{place}]" if name is None else f"instances[{place}].{name}"
