"""The SQL of a join as of each row's time, as Feast defines it: of the rows of a view with one key the newest that was true and known then.

A row counts from when it was known: its time, or the later time at which it was written down. Of rows known one after another only those
matter that are newer than all before, in the sense of their own times: what is left is a staircase, of which an ASOF join takes one step.
So a correction that came late is seen from when it came, an old value that came late never. DuckDB sorts both sides, on disk if need be.
"""

from collections.abc import Sequence
from pathlib import Path

from argosy.adapters.duckdb_tables import sql
from argosy.ports.tables import EVENT_TIME, AsOfView

KNOWN, OWN_TIME, NUMBER, BEST = "argosy_known", "argosy_time", "argosy_number", "argosy_best"
SECOND = 10**6
KIND = {"number": "DOUBLE", "category": "VARCHAR"}


def query(
    examples: Path, snapshot: Path, columns: Sequence[str], order: str, views: Sequence[AsOfView], where: str
) -> str:
    """The *columns* of the rows of *examples* for which *where* holds, and those of *views*, by the column *order*."""
    names = [f"view_{number}" for number in range(len(views))]
    selected = [f"examples.{sql.name(column)}" for column in columns]
    selected += [each for view, name in zip(views, names, strict=True) for each in _selected(view, name)]
    joins = "".join(_joined(snapshot, view, name) for view, name in zip(views, names, strict=True))
    read = f"(SELECT * FROM {sql.parquet(examples)} WHERE {where})"  # noqa: S608 - names are quoted
    return f"SELECT {', '.join(selected)} FROM {read} AS examples{joins} ORDER BY examples.{sql.name(order)}"  # noqa: S608


def _selected(view: AsOfView, name: str) -> list[str]:
    """The columns of *view*, whose steps are called *name*."""
    wanted = [(f"{name}.{sql.name(taken.name)}", taken.name) for taken in view.columns]
    if view.moment is not None:
        wanted.append((f"{name}.{OWN_TIME}", view.moment))
    return [f"{_if_fresh(view, name, value)} AS {sql.name(called)}" for value, called in wanted]


def _joined(snapshot: Path, view: AsOfView, name: str) -> str:
    on = [f"examples.{sql.name(key)} = {name}.{sql.name(key)}" for key in view.keys]
    on.append(f"examples.{sql.name(EVENT_TIME)} >= {name}.{KNOWN}")
    return f" ASOF LEFT JOIN ({_steps(snapshot, view)}) AS {name} ON {' AND '.join(on)}"


def _steps(snapshot: Path, view: AsOfView) -> str:
    """The rows of *view* that are an answer at any time, each with the moment from which on."""
    keys = ", ".join(map(sql.name, view.keys))
    time = sql.name(view.time)
    known = f"greatest({time}, {sql.name(view.created)})" if view.created else time
    taken = "".join(f", {sql.name(each.column)}::{KIND[each.type]} AS {sql.name(each.name)}" for each in view.columns)
    there = [
        f"{sql.name(name)} IS NOT NULL" for name in (*view.keys, view.time, *([view.created] if view.created else ()))
    ]
    file = sql.parquet(snapshot / f"{view.source}.parquet", "file_row_number = true")
    rows = (
        f"SELECT {keys}{', ' if keys else ''}{known} AS {KNOWN}, epoch_us({time}) AS {OWN_TIME}{taken}"  # noqa: S608 - names are quoted
        f"{_rank(view)} FROM {file} WHERE {' AND '.join(there)}"
    )
    return _newest_each(rows, keys, view)


def _rank(view: AsOfView) -> str:
    """What tells which of two rows is the newer: time, then when it was written down, then the place in the file."""
    if view.created:
        best = f"epoch_us({sql.name(view.time)})::HUGEINT * {2**64} + epoch_us({sql.name(view.created)})"
        return f", {best} AS {BEST}, file_row_number AS {NUMBER}"
    return "" if view.unambiguous else f", file_row_number AS {NUMBER}"


def _newest_each(rows: str, keys: str, view: AsOfView) -> str:
    each = f"PARTITION BY {keys} " if keys else ""
    one = f"row_number() OVER (PARTITION BY {f'{keys}, ' if keys else ''}{KNOWN} ORDER BY {NUMBER} DESC) = 1"
    if view.created:
        # RANGE, so that of rows that became known at one moment only the best is an answer.
        best = f"max({BEST}) OVER ({each}ORDER BY {KNOWN} RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) = {BEST}"
        steps = f"SELECT * FROM ({rows}) QUALIFY {best}"  # noqa: S608
        return f"SELECT * FROM ({steps}) QUALIFY {one}"  # noqa: S608
    return rows if view.unambiguous else f"SELECT * FROM ({rows}) QUALIFY {one}"  # noqa: S608


def _if_fresh(view: AsOfView, name: str, value: str) -> str:
    if view.lifetime is None:
        return value
    most = view.lifetime.days * 86_400 * SECOND + view.lifetime.seconds * SECOND + view.lifetime.microseconds
    return f"CASE WHEN epoch_us(examples.{sql.name(EVENT_TIME)}) - {name}.{OWN_TIME} <= {most} THEN {value} END"
