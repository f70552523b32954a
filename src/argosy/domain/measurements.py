"""The names under which a model is measured: what settings and policies may name, known before anything is measured.

How each is calculated is ``ml``'s business; a test holds these names against what is measured there.
"""

from argosy.domain.model_settings import ModelSettings, Task
from argosy.domain.policy import OWN
from argosy.domain.suggestion import choices

SCORES: dict[Task, tuple[str, ...]] = {
    "binary": ("accuracy", "auc", "best_f1", "brier", "f1", "log_loss", "pr_auc", "precision", "recall"),
    "multiclass": ("accuracy", "auc", "f1", "log_loss", "pr_auc", "precision", "recall"),
    "regression": ("mae", "r2", "rmse"),
}
"""Scores of predictions against labels: what a search and a comparison can go by."""

OF_SEARCHES = ("best_f1", "brier")
"""Scores that are not among the measurements of a model, whose threshold is fixed."""

FAIRNESS_OF_BINARY = (
    "demographic_parity_ratio",
    "demographic_parity_difference",
    "equalized_odds_ratio",
    "equalized_odds_difference",
    "equal_opportunity_difference",
    "calibration_gap",
)
"""All but the last are fairlearn's names. The gap is the largest distance, in any group, of the mean probability from the rate seen."""
FAIRNESS_OF_OTHERS = ("score_ratio", "score_difference")

BUSINESS = ("false_negative", "false_positive", "true_negative", "true_positive")
"""The outcomes (confusion matrix) that ``evaluation.business`` gives a worth to."""

SLICE = "performance.slice."
VALUE_PER_ROW = "performance.value_per_row"
"""What the decisions are worth, by ``evaluation.business``."""
_ALWAYS = (
    "calibration.ece",
    "calibration.mean_gap",
    "explainability.best_alone",
    "explainability.features_for_ninety",
    "explainability.top_share",
    "latency.cost_per_million",
    "latency.p50_ms",
    "latency.p95_ms",
    "latency.p99_ms",
    "robustness.adversarial_flip_rate",
    "robustness.adversarial_flip_rate_any",
    "robustness.flip_rate",
    "robustness.missing_column_drop",
    "robustness.missing_drop",
    "robustness.missing_pattern_drop",
    "robustness.noise_drop",
    "robustness.undefined",
)


def names(settings: ModelSettings) -> list[str]:
    """Every measurement of a model with *settings*, but those of single slices, whose values only the data knows."""
    task, evaluation = settings.task, settings.evaluation
    found = [*_ALWAYS, *(f"performance.{score}" for score in SCORES[task] if score not in OF_SEARCHES)]
    if task != "regression":
        found += ["calibration.brier", "calibration.overconfidence", "robustness.undecided_rate"]
    if task == "binary":
        found += [
            "performance.lift_top_tenth",
            "robustness.threshold_f1_drop",
            *([VALUE_PER_ROW] if evaluation.business else []),
        ]
    if evaluation.slices:
        found.append("performance.worst_slice")
    if settings.primary.timestamp is not None:
        found.append("performance.newest_drop")
    if settings.training.monotone:
        found.append("robustness.order_violations")
    ratios = FAIRNESS_OF_BINARY if task == "binary" else FAIRNESS_OF_OTHERS
    found += [f"fairness.{attribute}.{name}" for attribute in evaluation.sensitive for name in ratios]
    return sorted(found)


def unknown(metric: str, settings: ModelSettings) -> str | None:
    """The error text for a limit on *metric* where no such thing is measured of this model; None where it is."""
    known = names(settings)
    if metric.startswith(f"{OWN}."):
        return None  # one that no package brings fails its gate, and says so
    if metric in known or any(metric.startswith(f"{SLICE}{column}.") for column in settings.evaluation.slices):
        return None
    dimension = metric.partition(".")[0]
    alike = [name for name in known if name.startswith(f"{dimension}.")] or known
    why = ""
    if dimension == "fairness" and not settings.evaluation.sensitive:
        why = "; `evaluation.sensitive` in model.yaml names no attribute"
    return f"nothing is measured under {metric!r}{why}{choices(metric, alike, 'There is')}"


def compared(settings: ModelSettings) -> list[str]:
    """Every measurement that a model with *settings* can be held against the champion by, with an interval of the difference."""
    task, evaluation = settings.task, settings.evaluation
    found = [f"performance.{score}" for score in SCORES[task]]
    found += [VALUE_PER_ROW] if task == "binary" and evaluation.business else []
    found += ["calibration.ece", "calibration.mean_gap", *(["calibration.brier"] if task != "regression" else [])]
    ratios = FAIRNESS_OF_BINARY if task == "binary" else FAIRNESS_OF_OTHERS
    return sorted([*found, *(f"fairness.{attribute}.{name}" for attribute in evaluation.sensitive for name in ratios)])


def not_compared(metric: str, settings: ModelSettings) -> str | None:
    """The error text for a margin of *metric* where the two models are not held against each other by it; None where they are."""
    known = compared(settings)
    if metric in known:
        return None
    if (text := unknown(metric, settings)) is not None:
        return text
    return f"{metric!r} has a limit, but no interval of a difference{choices(metric, known, 'There is')}"


def unknown_score(score: str, task: Task) -> str | None:
    """The error text for *score* where *task* has none of that name; None where it has."""
    known = SCORES[task]
    if score in known:
        return None
    return f"a {task} task has no score {score!r}{choices(score, known, 'It has')}"
