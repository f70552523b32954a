"""Real rows for a demonstration: requests made from a run's feature rows, and a data folder with one file damaged on purpose."""

import glob
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.cli.demonstration.script import Mishap, Slice
from argosy.domain.data import FeatureSchema

Row = dict[str, Any]
READERS = {".csv": "read_csv", ".parquet": "read_parquet"}


def chosen(features: Path, schema: FeatureSchema, rule: Slice) -> list[Row]:
    """The rows of ``rows.parquet`` in *features* that *rule* chooses: join keys and features, missing values as None.

    Raises Misconfigured where the rule cannot be read as a condition, or chooses nothing.
    """
    import duckdb

    columns = [*schema.join_keys, *(feature.name for feature in schema.features)]
    order = ", ".join(_quoted(key) for key in schema.join_keys)
    query = (
        f"SELECT {', '.join(map(_quoted, columns))} FROM read_parquet(?, hive_partitioning = false) "  # noqa: S608 - the rule is the model's own file
        f"WHERE {rule.where} ORDER BY {order} LIMIT {rule.most}"
    )
    try:
        found = duckdb.execute(query, [glob.escape(str(features / "rows.parquet"))]).fetchall()
    except duckdb.Error as error:
        raise errors.Misconfigured(f"demo.yaml: `where: {rule.where}` cannot be asked of the rows: {error}") from error
    if not found:
        raise errors.Misconfigured(f"demo.yaml: no row satisfies `where: {rule.where}`")
    return [{name: _plain(value) for name, value in zip(columns, row, strict=True)} for row in found]


def batches(rows: Sequence[Row], size: int = 100) -> Iterator[Sequence[Row]]:
    """*rows* in lots of *size*."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def features_of(row: Row, schema: FeatureSchema) -> Row:
    """*row* as a request by full row: its features, without its id."""
    return {feature.name: row[feature.name] for feature in schema.features}


def entity_of(row: Row, schema: FeatureSchema) -> Row:
    """*row* as a request by id alone."""
    return {key: row[key] for key in schema.join_keys}


def damage(data: Path, into: Path, mishap: Mishap) -> None:
    """Copy the folder *data* to *into* with one file replaced by what *mishap* makes of it."""
    import duckdb

    shutil.copytree(data, into)
    file = into / mishap.file
    reader = READERS.get(file.suffix)
    if reader is None or not file.exists():
        raise errors.Misconfigured(
            f"demo.yaml: mishap.file {mishap.file!r} is not one of {data}'s {', '.join(READERS)} files"
        )
    kind = "HEADER, DELIMITER ','" if file.suffix == ".csv" else "FORMAT parquet"
    try:
        # As text, so that values come out as they went in.
        options = ", all_varchar = true" if file.suffix == ".csv" else ""
        with duckdb.connect() as database:
            database.execute(f"CREATE TABLE undamaged AS FROM {reader}(?{options})", [str(data / mishap.file)])
            database.execute(f"COPY ({mishap.sql}) TO '{file}' ({kind})")
    except duckdb.Error as error:
        raise errors.Misconfigured(f"demo.yaml: mishap.sql cannot be asked of {mishap.file}: {error}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is not a number is missing."""
    return None if isinstance(value, float) and math.isnan(value) else value
