"""The page about a validation: what was expected, what was found, and what to do; for people, self-contained."""

from argosy.domain.data import Lineage, ValidationResult
from argosy.domain.model_settings import ModelSettings
from argosy.report.page_environment import environment

LAYERS = {
    "schema": "Schema: the columns and what a value may be",
    "statistical": "Statistical: ranges, distributions, missing values",
    "business": "Business: what must hold between columns, and of the label",
}


def render(settings: ModelSettings, lineage: Lineage, result: ValidationResult) -> str:
    """The page as HTML. Times and places are left to the lineage, so that equal data gives an equal page."""
    layers = [(title, [each for each in result.results if each.layer == layer]) for layer, title in LAYERS.items()]
    return (
        environment()
        .get_template("validation.html.j2")
        .render(
            settings=settings,
            lineage=lineage,
            result=result,
            layers=[
                (title, sorted(found, key=lambda each: (each.passed, not each.critical))) for title, found in layers
            ],
            asked={
                by: [each.expectation for each in result.results if each.asked_by == by]
                for by in ("duckdb", "great-expectations")
            },
            failed=sum(not each.passed for each in result.results),
        )
    )
