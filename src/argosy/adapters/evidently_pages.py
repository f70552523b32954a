"""Draws drift pages with Evidently. Import this only when there is something to draw: it takes seconds and brings a web server along.

Seen in 0.7.23, and kept from whoever calls: one column without a value ends the whole report with an error; the page holds all it shows
(about 5 MB) and loads nothing from elsewhere; by itself it calls a set of columns drifted where half of them are, by tests of its own on
the rows that are drawn, and a report's title is nowhere on it. So it is given what was decided, as a test of ours.
"""

import html
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from argosy import errors, telemetry
from argosy.domain.drift import Finding
from argosy.files import local_store

for _name, _value in telemetry.OFF.items():
    os.environ.setdefault(_name, _value)
with warnings.catch_warnings():
    # Of its own libraries' use of each other: nobody who reads our log can do anything about them.
    warnings.simplefilter("ignore")
    from evidently import DataDefinition, Dataset, Report
    from evidently.legacy.calculations.stattests import StatTest
    from evidently.legacy.calculations.stattests.registry import register_stattest
    from evidently.legacy.core import ColumnType
    from evidently.presets import DataDriftPreset


NAME, SAID = "argosy", "Argosy: Jensen-Shannon distance, of all rows"
_STYLE = "font: 16px/1.5 sans-serif; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere"
_HEADING = """<header style="{}">{}<br><b>{}</b>{}
<br><small>The verdict is of all rows that were logged; below, a sample of them is drawn as "current", and rows with the counts that
they were held against as "reference".</small></header>"""
_BODY = re.compile(r"<body[^>]*>")


class EvidentlyPages:
    """See :class:`argosy.ports.drift_pages.DriftPages`."""

    def write(
        self,
        path: Path,
        *,
        now: pa.Table,
        before: pa.Table,
        findings: Mapping[str, Finding],
        drift: bool,
        title: str,
        verdict: str,
        beside: Sequence[str] = (),
    ) -> None:
        """See :class:`argosy.ports.drift_pages.DriftPages`."""
        names = [name for name in now.column_names if _has_values(now[name]) and _has_values(before[name])]
        if not names:
            raise errors.Rejected(f"{title}: no column has a value on both sides, so there is nothing to draw")
        moved = any(findings[name].drifted for name in names if name in findings)
        # A single column is drift; where it is drift although none is that is shown, a share of none is.
        share = 0.0 if drift and not moved else 1 / len(names)
        drawn = _snapshot(now.select(names), before.select(names), findings, share)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        with local_store.reported("write", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                _save(drawn, partial)
                _head(partial, title, verdict, beside)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)


def _decided(findings: Mapping[str, Finding]) -> str:
    """The name of a test that says what *findings* say."""

    def decided(_: Any, column: Any, __: Any, ___: float) -> tuple[float, bool]:
        finding = findings.get(str(column.name))
        return (finding.difference.jensen_shannon, finding.drifted) if finding else (0.0, False)

    register_stattest(StatTest(NAME, SAID, [ColumnType.Numerical, ColumnType.Categorical]), decided)
    return NAME


def _has_values(column: pa.ChunkedArray) -> bool:
    """Whether a value is known. NaN is none."""
    known = pc.is_valid(column)
    if pa.types.is_floating(column.type):
        known = pc.and_(known, pc.fill_null(pc.is_finite(column), False))
    return bool(pc.any(known).as_py())


def _snapshot(now: pa.Table, before: pa.Table, findings: Mapping[str, Finding], share: float) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        categories = [name for name in now.column_names if pa.types.is_string(now.schema.field(name).type)]
        definition = DataDefinition(
            numerical_columns=[name for name in now.column_names if name not in categories],
            categorical_columns=categories,
        )
        current, reference = (Dataset.from_pandas(table.to_pandas(), definition) for table in (now, before))
        limits = {name: findings[name].limit for name in now.column_names if name in findings}
        preset = DataDriftPreset(drift_share=share, method=_decided(findings), per_column_threshold=limits)
        return Report([preset]).run(current, reference)


def _save(snapshot: Any, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        snapshot.save_html(str(path))


def _head(path: Path, title: str, verdict: str, beside: Sequence[str]) -> None:
    """Put *title*, *verdict* and the lines *beside* above the page."""
    page = path.read_text(encoding="utf-8")
    lines = "".join(f"<br>{html.escape(one)}" for one in beside)
    heading = _HEADING.format(_STYLE, html.escape(title), html.escape(verdict), lines)
    path.write_text(_BODY.sub(lambda body: body[0] + heading, page, count=1), encoding="utf-8")
