"""The plain routes, ``/predict`` and ``/explain``: rows or columns of named values in, predictions out.

``{"rows": [{"tenure": 3, …}, …]}`` or ``{"columns": {"tenure": [3, …], …}}``; each row as V1 takes it. What is wrong is said in problem
documents, with the place as a JSON pointer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from argosy.serving import explanation, problem_documents, reading
from argosy.serving.exchange import RequestLimits, ResponseBody
from argosy.serving.request_columns import ColumnReader, RequestColumns
from argosy.serving.request_problems import RequestProblem, shown, suggestion
from argosy.serving.service import Answer

ROWS, COLUMNS = "rows", "columns"


class Plain:
    """The protocol for one model."""

    binary = False

    def __init__(
        self,
        reader: ColumnReader,
        limits: RequestLimits,
        room: reading.JsonLimits,
        *,
        model: str,
        version: str,
        explains: bool = False,
    ) -> None:
        """*explains*: whether every answer says why."""
        self._reader = reader
        self._limits = limits
        self._room = room
        self._says = {"model": model, "version": version}
        self._explains = explains

    def read(self, body: bytes, _: int | None) -> tuple[RequestColumns, None]:
        """The rows of a request. Raises RequestProblem."""
        self._room.check(body)
        kind, given = _chosen(reading.loads(body))
        asked = self._rows(given) if kind == ROWS else self._columns(given)
        return (explanation.asked_why(asked, f"/{kind}") if self._explains else asked), None

    def write(self, given: Answer, _: None) -> ResponseBody:
        """The answer's body."""
        said = self._says | {"version": given.version(self._says["version"]), "request_id": given.request_id}
        return ResponseBody(orjson.dumps({**said, "predictions": given.predictions, **given.said_beside()}))

    def _rows(self, given: Any) -> RequestColumns:
        if type(given) is not list:
            raise RequestProblem(422, "expected a list of rows", field="/rows")
        self._count(len(given), "/rows")
        return self._reader.rows(given, _where_in_rows)

    def _columns(self, given: Any) -> RequestColumns:
        if type(given) is not dict or not given:
            raise RequestProblem(422, "expected an object with a list of values for each feature", field="/columns")
        first = next(iter(given))
        for name, values in given.items():
            path = f"/columns/{problem_documents.step(name)}"
            if type(values) is not list:
                raise RequestProblem(422, "expected a list of values", field=path)
            if len(values) != len(given[first]):
                message = f"{len(values)} values, but {shown(first)} has {len(given[first])}"
                raise RequestProblem(422, message, field=path)
        self._count(len(given[first]), "/columns")
        return self._reader.columns(given, len(given[first]), _where_in_columns(list(given)))

    def _count(self, rows: int, path: str) -> None:
        if rows == 0:
            raise RequestProblem(422, "there are no rows", field=path)
        if rows > self._limits.rows:
            raise RequestProblem(413, f"{rows} rows came; at most {self._limits.rows} are answered at once", field=path)


def _chosen(payload: Any) -> tuple[str, Any]:
    """Whether rows or columns came, and these."""
    if type(payload) is not dict:
        raise RequestProblem(422, 'expected an object with "rows" or "columns"')
    known = [ROWS, COLUMNS]
    for name in payload:
        if name not in known:
            message = f"there is no field {shown(name)}; send rows or columns{suggestion(name, known)}"
            raise RequestProblem(422, message, field=f"/{problem_documents.step(name)}")
    if len(payload) != 1:
        came = "both came" if payload else "neither came"
        raise RequestProblem(422, f'expected an object with "rows" or "columns"; {came}')
    return next(iter(payload.items()))


def _where_in_rows(place: int, name: str | None) -> str:
    return f"/rows/{place}" if name is None else f"/rows/{place}/{problem_documents.step(name)}"


def _where_in_columns(names: Sequence[str]) -> Callable[[int, str | None], str]:
    def where(place: int, name: str | None) -> str:
        if name is None:  # of the entity, which is all that came
            return f"/columns/{problem_documents.step(names[0])}/{place}"
        column = f"/columns/{problem_documents.step(name)}"
        return f"{column}/{place}" if name in names else column

    return where
