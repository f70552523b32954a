"""The join as of each row's time in Spark's words; what it means is said once, at :class:`argosy.ports.tables.AsOfView`.

Spark has no ASOF join. Rows and answers of one key are put into one order of time, answers first, and each row takes the last answer before
it: one shuffle and one sort a view, however long a key's history is.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812 - as everybody who writes Spark calls it

from argosy import errors
from argosy.ports.tables import EVENT_TIME, AsOfView

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

SECOND = 10**6
CASTS = {"number": "double", "category": "string"}
READ_ALIKE = {"number": ("bigint", "double", "boolean"), "category": ("string", "bigint", "boolean")}
"""Of a snapshot's types those that Spark turns into a feature's as DuckDB does: it writes fractions and moments in other digits."""
FOUND, ROW, MOMENT, IS_ROW = "argosy_found", "argosy_of_row", "argosy_moment", "argosy_is_row"


def column(name: str) -> "Column":
    """The column *name*, whatever characters it has."""
    return F.col("`" + name.replace("`", "``") + "`")


def joined(rows: "DataFrame", table: "DataFrame", view: AsOfView, names: Sequence[str]) -> "DataFrame":
    """*rows* with the columns of *view*, a row each of *table*, and its moment where that is taken, called *names*.

    Raises Misconfigured where types do not fit.
    """
    _demand_types(rows, table, view)
    keys = [f"argosy_key_{number}" for number in range(len(view.keys))]
    asking = rows.select(
        *(column(name).alias(key) for name, key in zip(view.keys, keys, strict=True)),
        column(EVENT_TIME).alias(MOMENT),
        F.lit(True).alias(IS_ROW),
        F.struct(*(column(name) for name in rows.columns)).alias(ROW),
    )
    answers = _answers(table, view, keys, names)
    timeline = (
        Window.partitionBy(*keys).orderBy(MOMENT, IS_ROW).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    told = (
        asking.unionByName(answers, allowMissingColumns=True)
        .withColumn(FOUND, F.last(FOUND, ignorenulls=True).over(timeline))
        .where(F.col(IS_ROW))
    )
    return told.select(f"{ROW}.*", *(_if_fresh(view, name).alias(name) for name in names))


def _answers(table: "DataFrame", view: AsOfView, keys: Sequence[str], names: Sequence[str]) -> "DataFrame":
    """The rows of *table* that are an answer at any time, each at the moment from which on."""
    time = column(view.time)
    known = F.greatest(time, column(view.created)) if view.created else time
    there = [*view.keys, view.time, *([view.created] if view.created else [])]
    read = table.select(
        "*", F.col("_metadata.file_path").alias("argosy_file"), F.col("_metadata.row_index").alias("argosy_place")
    )
    for name in there:
        read = read.where(column(name).isNotNull())
    rows = read.select(
        *(column(name).alias(key) for name, key in zip(view.keys, keys, strict=True)),
        known.alias(MOMENT),
        F.lit(False).alias(IS_ROW),
        F.struct(
            F.unix_micros(time).alias("own_time"),
            *(
                column(taken.column).cast(CASTS[taken.type]).alias(name)
                for taken, name in zip(view.columns, names[: len(view.columns)], strict=True)
            ),
            *(F.unix_micros(time).alias(name) for name in names[len(view.columns) :]),
        ).alias(FOUND),
        F.struct(F.unix_micros(time), F.unix_micros(column(view.created) if view.created else time)).alias(
            "argosy_newness"
        ),
        F.col("argosy_place"),
    )
    return _newest_each(rows, view, keys).select(*keys, MOMENT, IS_ROW, FOUND)


def _newest_each(rows: "DataFrame", view: AsOfView, keys: Sequence[str]) -> "DataFrame":
    """Of rows known one after another those that are newer than all before; of equals the last of the file."""
    if view.created:
        # RANGE, so that of rows that became known at one moment only the newest is an answer.
        so_far = Window.partitionBy(*keys).orderBy(MOMENT).rangeBetween(Window.unboundedPreceding, Window.currentRow)
        rows = rows.withColumn("argosy_best", F.max("argosy_newness").over(so_far))
        rows = rows.where(F.col("argosy_best") == F.col("argosy_newness"))
    elif view.unambiguous:
        return rows
    at_once = Window.partitionBy(*keys, MOMENT).orderBy(F.col("argosy_place").desc())
    return rows.withColumn("argosy_order", F.row_number().over(at_once)).where(F.col("argosy_order") == 1)


def _if_fresh(view: AsOfView, name: str) -> "Column":
    value = F.col(f"{FOUND}.{name}")
    if view.lifetime is None:
        return value
    most = view.lifetime.days * 86_400 * SECOND + view.lifetime.seconds * SECOND + view.lifetime.microseconds
    return F.when(F.unix_micros(F.col(f"{ROW}.{_quoted(EVENT_TIME)}")) - F.col(f"{FOUND}.own_time") <= most, value)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _demand_types(rows: "DataFrame", table: "DataFrame", view: AsOfView) -> None:
    asked, there = _types(rows), _types(table)
    if absent := [name for name in _named(view) if name not in there]:
        raise errors.Misconfigured(f"source {view.source!r} has no column {absent[0]!r} in its snapshot")
    for key in view.keys:
        if asked[key] != there[key]:
            raise errors.Misconfigured(
                f"features are looked up by {key!r}, which is {asked[key]} among the examples and {there[key]} in source "
                f"{view.source!r}: Spark would compare texts; give it one `type` in both sources"
            )
    for taken in view.columns:
        if there[taken.column] not in READ_ALIKE[taken.type]:
            raise errors.Misconfigured(
                f"feature {taken.name!r} is a {taken.type} and column {taken.column!r} of source {view.source!r} is {there[taken.column]}: "
                "Spark writes it in other digits than DuckDB; calculate it into the source, or leave `compute.engine` at duckdb"
            )


def _named(view: AsOfView) -> list[str]:
    return [*view.keys, view.time, *([view.created] if view.created else []), *(taken.column for taken in view.columns)]


def _types(frame: "DataFrame") -> Mapping[str, str]:
    return {field.name: field.dataType.simpleString() for field in frame.schema.fields}
