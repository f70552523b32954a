"""The logic of ``validate``: three suites of expectations and the checks that every model gets; a critical failure stops the run.

The documents are written first, so that whoever has to act finds them; nothing in them is personal data.
"""

from pathlib import Path

from argosy import errors
from argosy.domain.data import ExpectationResult, Lineage, SnapshotManifest, ValidationResult
from argosy.domain.expectations import Expectations
from argosy.domain.model_settings import ModelSettings
from argosy.ports.expectations import ExpectationChecker
from argosy.ports.tables import TablePiece, Tables
from argosy.report import validation_page
from argosy.steps.validate import builtin_checks, gx_documents, source_checks

DOCUMENT = "validation.json"
PAGE = "report.html"


def run(
    *,
    settings: ModelSettings,
    expectations: Expectations,
    snapshot: Path,
    lineage: Lineage,
    tables: Tables,
    checker: ExpectationChecker,
    out: Path,
) -> None:
    """Check the snapshot; write the result and a page about it to the folder *out*.

    Raises Rejected where an expectation that is critical does not hold, Misconfigured where one cannot be asked.
    """
    manifest = SnapshotManifest.read(snapshot / "manifest.json")
    if lineage.snapshot_digest != manifest.content_digest():
        raise errors.Misconfigured(
            f"the lineage is of snapshot {lineage.snapshot_digest}, this is {manifest.content_digest()}: not one run's outputs"
        )
    source_checks.demand_sources(settings, expectations)
    results: list[ExpectationResult] = []
    for source in settings.sources:
        file = snapshot / manifest.table(source.name).path
        asked = source_checks.derived(settings, source, [TablePiece.of(file)], expectations)
        # First what every model needs: its message says most where several things fail at once.
        if source.name == settings.label.source:
            results += builtin_checks.checks(settings, tables, asked, lineage, expectations.limits)
        else:
            results.append(builtin_checks.says_one_thing(tables, asked))
        found = source_checks.of_source(settings, asked, expectations, checker)
        gx_documents.write(source.name, found, out / gx_documents.FOLDER)
        results += [each.shown for each in found]
    result = ValidationResult(snapshot_digest=manifest.content_digest(), results=results)
    result.write(out / DOCUMENT)
    (out / PAGE).write_text(validation_page.render(settings, lineage, result), encoding="utf-8")
    if failures := result.critical_failures:
        raise errors.Rejected(source_checks.message(failures, settings, f"in {PAGE}"))
