"""Words for a model's answers and labels, by its task: a regression states no probability, and classes have no mean."""

from collections.abc import Iterator, Mapping, Sequence

from argosy.domain import figures
from argosy.domain.model_settings import Task

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


def weaknesses(task: Task, measured: Mapping[str, float | None]) -> Iterator[str]:
    """The measured weaknesses of a model, a sentence each, whether or not a gate limits it."""
    name, whole = PRIMARY[task], measured.get(f"performance.{PRIMARY[task]}")
    for metric, what in (
        ("robustness.missing_drop", "With a tenth of all values missing"),
        ("robustness.noise_drop", "With noise of a tenth of a standard deviation on its numbers"),
    ):
        if (drop := measured.get(metric)) is not None and whole is not None:
            verb = "loses" if drop >= 0 else "gains"
            yield f"{what} it {verb} {figures.number(abs(drop))} of {name} ({figures.number(whole)} on the whole holdout)."
    if (change := measured.get("robustness.flip_rate")) is not None:
        yield f"The worst push of a hundredth of a standard deviation: {pushed(task, change)}."
    if (worst := measured.get("performance.worst_slice")) is not None:
        yield f"On its worst slice its {name} is {figures.number(worst)}."
