"""How a model is measured where that is a choice: the section ``measuring`` of its policy, whose owners answer for it.

The defaults are what was measured by before it could be chosen, so that a policy without the section judges as ever.
"""

from collections.abc import Iterator

from pydantic import Field

from argosy.domain.documents import Document


class Measuring(Document):
    """Sizes of what a model is put through, and what its cost is reckoned with."""

    noise: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="Standard deviation of the noise on numbers, in standard deviations of the column.",
    )
    missing: float = Field(default=0.1, gt=0, lt=1, description="Share of all values that go missing at once.")
    push: float = Field(
        default=0.01,
        gt=0,
        le=10,
        description="A push of one number, in standard deviations of the column: far below what a reading differs by from day to day.",
    )
    rows: int = Field(
        default=2000,
        ge=100,
        le=100_000,
        description="Rows of the holdout that pushes, missing columns and the order of answers are tried on; each costs many predictions.",
    )
    attacked_rows: int = Field(
        default=200,
        ge=20,
        le=10_000,
        description="Rows, drawn by the seed, whose decision the adversarial search tries to turn.",
    )
    attacked_columns: int = Field(
        default=3, ge=1, le=10, description="Columns of a row that the adversarial search may change together."
    )
    reach: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="How far the adversarial search may move a number, in standard deviations of the column; never beyond what "
        "the holdout has of it, and whole numbers by whole steps.",
    )
    threshold_step: float = Field(
        default=0.02,
        gt=0,
        lt=0.5,
        description="How far the decision threshold moves either way; for several classes the lead of the class decided for.",
    )
    newest: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        description="Share of the holdout that counts as its newest part, where rows have times and none are kept apart as recent.",
    )
    smallest_slice: int = Field(
        default=50, ge=2, description="Rows below which a slice's scores say more about chance than about the model."
    )
    cpu_hour: float = Field(
        default=0.04, ge=0, allow_inf_nan=False, description="The price of an hour of one CPU, in dollars."
    )


AS_EVER = Measuring()

_OF: dict[str, tuple[str, ...]] = {
    "noise": ("robustness.noise_drop",),
    "missing": ("robustness.missing_drop",),
    "push": ("robustness.flip_rate",),
    "rows": ("robustness.flip_rate", "robustness.missing_", "robustness.order_violations"),
    "attacked_rows": ("robustness.adversarial_",),
    "attacked_columns": ("robustness.adversarial_",),
    "reach": ("robustness.adversarial_",),
    "threshold_step": ("robustness.undecided_rate", "robustness.threshold_f1_drop"),
    "newest": ("performance.newest_drop",),
    "smallest_slice": ("performance.slice.", "performance.worst_slice"),
    "cpu_hour": ("latency.cost_per_million",),
}
"""The measurements that hang on each, by how their names begin."""


def differences(was: Measuring, becomes: Measuring, metric: str) -> Iterator[str]:
    """What *metric* would be measured by otherwise, a phrase each."""
    for name, begins in _OF.items():
        before, after = getattr(was, name), getattr(becomes, name)
        if before != after and metric.startswith(begins):
            yield f"measuring.{name} was {before:g}, and the policy asks for {after:g}"
