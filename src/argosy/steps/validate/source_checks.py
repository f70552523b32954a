"""One source held against the suites of a model, and what is said of what does not hold. Reads nothing itself and loads no library."""

from collections.abc import Sequence

from argosy import errors
from argosy.domain.data import ExpectationResult, Layer
from argosy.domain.expectations import Expectation, Expectations
from argosy.domain.model_settings import ModelSettings
from argosy.domain.source_settings import Source
from argosy.ports.expectations import ExpectationChecker, ExpectationFinding
from argosy.ports.tables import EVENT_TIME, LABEL, Derived, TablePiece
from argosy.steps.validate import gx_documents

LONGEST_EXAMPLE = 60
MOST_FAILURES = 10
"""Failures that a message tells in full; all are on the page."""


def demand_sources(settings: ModelSettings, expectations: Expectations) -> None:
    """Raise Misconfigured where *expectations* name a source that the model does not have."""
    known = {source.name for source in settings.sources}
    asked = [expectation.meta.source for _, expectation in expectations.suites.layers() if expectation.meta.source]
    for name in [*asked, *expectations.derived]:
        if name not in known:
            raise errors.Misconfigured(
                f"expectations.json: there is no source {name!r}; sources: {', '.join(sorted(known))}"
            )


def derived(
    settings: ModelSettings, source: Source, parts: Sequence[TablePiece], expectations: Expectations
) -> Derived:
    """The table of *source* in *parts*, with the label where it is the primary one, and the columns derived for expectations."""
    added = expectations.derived.get(source.name, {})
    columns = {column.name for column in source.columns}
    if taken := sorted(set(added) & {*columns, EVENT_TIME, LABEL}):
        raise errors.Misconfigured(
            f"expectations.json: derived column {taken[0]!r} has the name of a column of source {source.name!r}"
        )
    return Derived(parts, source, added, settings.label if source.name == settings.label.source else None)


def of_source(
    settings: ModelSettings, asked: Derived, expectations: Expectations, checker: ExpectationChecker
) -> list[gx_documents.FoundOfOne]:
    """What *checker* finds of the expectations about the source of *asked*. Raises Misconfigured where one cannot be asked."""
    source = asked.source
    mine = [
        (layer, expectation)
        for layer, expectation in expectations.suites.layers()
        if (expectation.meta.source or settings.label.source) == source.name
    ]
    if not mine:
        return []
    contract = [column.name for column in source.columns]
    findings = checker.check(asked, [expectation for _, expectation in mine], contract=contract)
    # A derived column is as personal as what it was made of, which nobody says.
    withheld = {
        *(column.name for column in source.columns if column.personal),
        *(expectations.derived.get(source.name, {}) if any(column.personal for column in source.columns) else ()),
    }
    return [
        gx_documents.FoundOfOne(
            layer, expectation, finding, _result(source, layer, expectation, finding, personal=personal)
        )
        for (layer, expectation), finding in zip(mine, findings, strict=True)
        for personal in [bool(withheld.intersection(expectation.columns))]
    ]


def _result(
    source: Source, layer: Layer, expectation: Expectation, finding: ExpectationFinding, *, personal: bool
) -> ExpectationResult:
    return ExpectationResult(
        layer=layer,
        source=source.name,
        expectation=expectation.type,
        column=", ".join(expectation.columns) or None,
        critical=expectation.meta.critical,
        passed=finding.passed,
        observed=_observed(finding, personal=personal),
        unexpected_count=finding.unexpected_count,
        examples=[] if personal else [_shown(value) for value in finding.examples],
        explanation=expectation.meta.why,
        asked_by="duckdb" if finding.compiled else "great-expectations",
    )


def _observed(finding: ExpectationFinding, *, personal: bool) -> str:
    if finding.observed is None:
        return f"{finding.unexpected_count:,} of {finding.element_count:,}"
    if isinstance(finding.observed, bool | int | float):
        return f"{finding.observed:.6g}" if isinstance(finding.observed, float) else str(finding.observed)
    # A list of values or columns: of a personal column it would be its content.
    return "withheld: personal data" if personal else _shown(finding.observed, longest=400)


def _shown(value: object, longest: int = LONGEST_EXAMPLE) -> str:
    text = _words(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(each)}" for name, each in value.items())
    if isinstance(value, tuple):
        return f"({', '.join(map(_words, value))})"
    return "missing" if value is None else str(value)


def message(failures: Sequence[ExpectationResult], settings: ModelSettings, elsewhere: str) -> str:
    """What *failures* are, in the words of a message, each with who answers for it; *elsewhere*: where all of them are, such as a page."""
    said = [f"{sentence(failure)}; {_owner(failure, settings)} answers for it" for failure in failures[:MOST_FAILURES]]
    if len(failures) > MOST_FAILURES:
        said.append(f"{len(failures) - MOST_FAILURES} more critical failures are {elsewhere}")
    return errors.listed(said)


def _owner(failure: ExpectationResult, settings: ModelSettings) -> str:
    """Who owns the column that *failure* is about, of several all who do; the model's owner where the contract names nobody."""
    named = (failure.column or "").split(", ")
    columns = next((source.columns for source in settings.sources if source.name == failure.source), [])
    owners = [column.owner for column in columns if column.name in named and column.owner]
    return ", ".join(dict.fromkeys(owners)) or settings.owner


def sentence(failure: ExpectationResult) -> str:
    """What does not hold, where, how often, and why it should."""
    column = f" of column {failure.column!r}" if failure.column else ""
    example = f", such as {failure.examples[0]!r}" if failure.examples else ""
    count = (
        f" in {failure.unexpected_count:,} row{'s' if failure.unexpected_count > 1 else ''}{example}"
        if failure.unexpected_count
        else ""
    )
    return (
        f"source {failure.source!r}: {failure.expectation}{column} does not hold{count} (observed: {failure.observed}): "
        f"{failure.explanation}"
    )
