"""Draws drift pages with Evidently. Import this only when there is something to draw: it takes seconds and brings a web server along.

Seen in 0.7.23, and kept from whoever calls: one column without a value ends the whole report with an error; the page holds all it shows
(about 5 MB) and loads nothing from elsewhere.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from argosy import errors, telemetry

for _name, _value in telemetry.OFF.items():
    os.environ.setdefault(_name, _value)
with warnings.catch_warnings():
    # Of its own libraries' use of each other: nobody who reads our log can do anything about them.
    warnings.simplefilter("ignore")
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset


class EvidentlyPages:
    """See :class:`argosy.ports.drift_pages.DriftPages`."""

    def write(self, path: Path, *, now: pa.Table, before: pa.Table, title: str) -> None:
        """See :class:`argosy.ports.drift_pages.DriftPages`."""
        names = [name for name in now.column_names if _has_values(now[name]) and _has_values(before[name])]
        if not names:
            raise errors.Rejected(f"{title}: no column has a value on both sides, so there is nothing to draw")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            _save(_snapshot(now.select(names), before.select(names), title), partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def _has_values(column: pa.ChunkedArray) -> bool:
    """Whether a value is known. NaN is none."""
    known = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        known = pc.and_(known, pc.fill_null(pc.is_finite(column), False))
    return bool(pc.any(known).as_py())


def _snapshot(now: pa.Table, before: pa.Table, title: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        categories = [name for name in now.column_names if pa.types.is_string(now.schema.field(name).type)]
        definition = DataDefinition(
            numerical_columns=[name for name in now.column_names if name not in categories],
            categorical_columns=categories,
        )
        current, reference = (Dataset.from_pandas(table.to_pandas(), definition) for table in (now, before))
        return Report([DataDriftPreset()], metadata={"title": title}).run(current, reference)


def _save(snapshot: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snapshot.save_html(str(path))
