"""What was found in the form in which Great Expectations keeps suites and results, so that its own tools read and render them.

A layer of a source is a suite. Nothing of a personal column is told but how often; Great Expectations is not loaded for it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.domain.data import ExpectationResult, Layer
from argosy.domain.expectations import Expectation
from argosy.ports.expectations import ExpectationFinding

FOLDER = "great_expectations"


@dataclass(frozen=True)
class FoundOfOne:
    """One expectation, and what was found in full and as it may be shown."""

    layer: Layer
    expectation: Expectation
    finding: ExpectationFinding
    shown: ExpectationResult


def write(source: str, found: Sequence[FoundOfOne], folder: Path) -> None:
    """Write a suite and a result for each layer of *source* to *folder*: ``suites`` and ``results``, by the name of source and layer."""
    for layer in dict.fromkeys(each.layer for each in found):
        name, asked = f"{source}.{layer}", [each for each in found if each.layer == layer]
        suite = {"name": name, "expectations": [_configured(each) for each in asked], "meta": {}}
        _write(folder / "suites" / f"{name}.json", suite)
        _write(folder / "results" / f"{name}.json", _result(name, asked))


def _write(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _configured(found: FoundOfOne) -> dict[str, Any]:
    expectation = found.expectation
    meta = expectation.meta.model_dump(exclude_none=True)
    return {
        "type": expectation.type,
        "kwargs": expectation.kwargs,
        "meta": meta,
        "severity": "critical" if expectation.meta.critical else "warning",
    }


def _result(name: str, found: Sequence[FoundOfOne]) -> dict[str, Any]:
    return {
        "success": all(each.finding.passed for each in found),
        "suite_name": name,
        "suite_parameters": {},
        "statistics": _statistics(each.finding.passed for each in found),
        "meta": {},
        "results": [
            {
                "success": each.finding.passed,
                "expectation_config": _configured(each),
                "result": _figures(each),
                "meta": {"asked_by": each.shown.asked_by},
                "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
            }
            for each in found
        ],
    }


def _statistics(passed: Iterable[bool]) -> dict[str, Any]:
    each = list(passed)
    return {
        "evaluated_expectations": len(each),
        "successful_expectations": sum(each),
        "unsuccessful_expectations": len(each) - sum(each),
        "success_percent": sum(each) / len(each) * 100,
    }


def _figures(found: FoundOfOne) -> dict[str, Any]:
    """Of one about each value what is counted, of any other what was seen, as far as it may be shown."""
    finding = found.finding
    if not finding.element_count:
        number = isinstance(finding.observed, bool | int | float)
        return {"observed_value": finding.observed if number else found.shown.observed}
    return {
        "element_count": finding.element_count,
        "missing_count": finding.missing_count,
        "missing_percent": finding.missing_count / finding.element_count * 100,
        "unexpected_count": finding.unexpected_count,
        "unexpected_percent": finding.unexpected_percent,
        "unexpected_percent_nonmissing": finding.unexpected_percent,
        "unexpected_percent_total": finding.unexpected_count / finding.element_count * 100,
        "partial_unexpected_list": found.shown.examples,
    }
