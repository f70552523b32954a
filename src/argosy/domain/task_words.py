"""Words for a model's answers and labels, by its task: a regression states no probability, and classes have no mean."""

from collections.abc import Iterator, Mapping, Sequence

from argosy.domain import figures
from argosy.domain.measuring import AS_EVER, Measuring
from argosy.domain.model_settings import AnyTask, Task

PRIMARY: dict[Task, str] = {"binary": "auc", "multiclass": "accuracy", "regression": "r2"}
"""The score that robustness and slices are told in."""

CALIBRATION: dict[Task, str] = {
    "binary": "Whether a stated probability comes true that often.",
    "multiclass": "Whether the class decided for is right as often as its probability says.",
    "regression": "Whether predicted values are right on average, from the lowest to the highest; in standard deviations of the label.",
}


def score(task: Task, classes: Sequence[str]) -> str:
    """The one number that an answer is counted by."""
    match task:
        case "binary":
            return f"probability of {classes[-1]!r}"
        case "multiclass":
            return "probability of the class decided for"
        case "regression":
            return "predicted value"


def pushed(task: Task, change: float) -> str:
    """The effect of a small push at worst: ``robustness.flip_rate`` in words."""
    if task == "regression":
        return f"moved by {figures.number(change)} standard deviations of the label on average"
    return f"{change:.2%} of decisions turned"


def _part(size: float) -> str:
    return {0.01: "a hundredth", 0.1: "a tenth"}.get(size, f"{size:g}")


ROWS: dict[AnyTask, tuple[str, str]] = {
    "binary": ("rows for training", "rows held out"),
    "multiclass": ("rows for training", "rows held out"),
    "regression": ("rows for training", "rows held out"),
    "answers": ("passages to answer from", "questions asked"),
}
"""What a model is made from, and what it is measured on: both are counted in the evidence."""


def weaknesses(task: AnyTask, measured: Mapping[str, float | None], measuring: Measuring = AS_EVER) -> Iterator[str]:
    """The measured weaknesses of a model, a sentence each, whether or not a gate limits it. *measuring*: by what sizes."""
    if task == "answers":
        return
    name, whole = PRIMARY[task], measured.get(f"performance.{PRIMARY[task]}")
    for metric, what in (
        ("robustness.missing_drop", f"With {_part(measuring.missing)} of all values missing"),
        ("robustness.missing_column_drop", "Without the column that it misses most"),
        (
            "robustness.missing_pattern_drop",
            "With columns missing together as rows have had them, or a view late, at worst",
        ),
        ("robustness.noise_drop", f"With noise of {_part(measuring.noise)} of a standard deviation on its numbers"),
        ("performance.newest_drop", "On its newest rows, against the others held out,"),
    ):
        if (drop := measured.get(metric)) is not None and whole is not None:
            verb = "loses" if drop >= 0 else "gains"
            yield f"{what} it {verb} {figures.number(abs(drop))} of {name} ({figures.number(whole)} on the whole holdout)."
    if (change := measured.get("robustness.flip_rate")) is not None:
        yield f"The worst push of {_part(measuring.push)} of a standard deviation: {pushed(task, change)}."
    if (change := measured.get("robustness.adversarial_flip_rate")) is not None:
        columns, reach = measuring.attacked_columns, _part(measuring.reach)
        yield (
            f"A search over {columns} {'number' if columns == 1 else 'numbers'} at once, each moved by {reach} of a standard deviation at "
            f"most: {pushed(task, change)}."
        )
    if (change := measured.get("robustness.undecided_rate")) is not None:
        what = "the decision threshold moved" if task == "binary" else "the class decided for led"
        yield f"Were {what} by {measuring.threshold_step:g} {'either way' if task == 'binary' else 'less'}: {pushed(task, change)}."
    if change := measured.get("robustness.order_violations"):
        yield f"Of {change:.2%} of rows the answer goes against the declared order of a column."
    if (worst := measured.get("performance.worst_slice")) is not None:
        yield f"On its worst slice by one column its {name} is {figures.number(worst)}."
