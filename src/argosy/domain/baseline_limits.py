"""The first limits of a new model: beyond the worst of what a quick baseline came to on several holdouts, each with that as its reason.

They are a floor to start from, not what a business needs: that only its owners know.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from argosy.domain import figures
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy, Limit, Policy, Waiver

Draws = Sequence[Mapping[str, float | None]]

SCORES = {
    "binary": (("performance.auc", True), ("performance.log_loss", False)),
    "multiclass": (("performance.accuracy", True), ("performance.f1", True)),
    "regression": (("performance.r2", True), ("performance.mae", False)),
}
"""The scores that gate, each with whether more is better."""
GUESSING = {"performance.auc": 0.5, "performance.r2": 0.0}
"""What a model that has learned nothing comes to."""
SLACK = 0.02
"""The least that a limit lies beyond the worst draw."""
MILLISECONDS = 100.0
COMPARED = {"binary": ("auc", ["log_loss"]), "multiclass": ("accuracy", ["log_loss"]), "regression": ("r2", ["mae"])}
FEWEST_COMPARED = 500
FEWEST_OF_A_GROUP = 60
"""Rows of a group that a holdout is to have on average: twice what fairness is measured on."""
TOP_SHARE = "explainability.top_share"
BOUNDS = {
    "robustness.noise_drop": "How much of the score noise of a tenth of a standard deviation may take.",
    "robustness.missing_drop": "How much of the score a tenth of all values missing may take.",
    "robustness.flip_rate": "How much a push of a hundredth of a standard deviation may turn.",
    "calibration.ece": "How far what is predicted may lie from what is seen.",
    TOP_SHARE: "A model that goes by one column alone breaks with that column.",
}
AT_MOST_ONE = {TOP_SHARE, "calibration.ece", "robustness.flip_rate"}


def policy(settings: ModelSettings, draws: Draws, rows: int, groups: Mapping[str, int]) -> Policy:
    """The first policy of a model with *settings*, from the measurements of its baseline's *draws* over *rows* rows.

    *groups*: of each sensitive column, the rows of its second largest group; what no holdout is sure to have is no gate.
    """
    metric, beside = COMPARED[settings.task]
    share = getattr(settings.split, "holdout", 0.2)
    large = [name for name in settings.evaluation.sensitive if groups.get(name, 0) * share >= FEWEST_OF_A_GROUP]
    fairness = list(_fairness(settings, draws, large))
    waiver = Waiver(dimension="fairness", owner=settings.owner, reason=_no_fairness(settings))
    holdout = max(1, int(rows * share))
    return Policy(
        model=settings.model,
        owners=[settings.owner],
        limits=[*_scores(settings, draws), *fairness, *_others(draws)],
        waivers=[] if fairness else [waiver],
        comparison=ComparisonPolicy(
            metric=metric, beside=beside, margin=SLACK, minimum_rows=min(FEWEST_COMPARED, holdout // 2 or 1)
        ),
    )


def doubts(settings: ModelSettings, draws: Draws) -> Iterator[str]:
    """What the baseline says against the whole undertaking."""
    name, _ = SCORES[settings.task][0]
    values = _values(draws, name)
    floor = GUESSING.get(name)
    if floor is not None and values and min(values) <= floor + SLACK:
        yield f"a quick model is hardly better than guessing ({name} {_range(values)}): these columns may not tell the label"


def _scores(settings: ModelSettings, draws: Draws) -> Iterator[Limit]:
    for name, more_is_better in SCORES[settings.task]:
        values = _values(draws, name)
        if not values:
            continue
        room = max(max(values) - min(values), SLACK * max(1.0 if more_is_better else max(values), 1e-12))
        why = f"A quick baseline had {_range(values)} on {len(values)} holdouts; to be confirmed."
        if more_is_better:
            worst = max(min(values) - room, GUESSING.get(name, -math.inf))
            yield Limit(metric=name, at_least=_down(worst), why=why)
        else:
            yield Limit(metric=name, at_most=_up(max(values) + room), why=why)


def _others(draws: Draws) -> Iterator[Limit]:
    for name, what in BOUNDS.items():
        values = _values(draws, name)
        if values:
            yield Limit(
                metric=name, at_most=_beyond(name, values), why=f"{what} A quick baseline had {_range(values)}."
            )
    yield Limit(
        metric="robustness.undefined",
        at_most=0,
        why="No input, however odd, may be answered with something that is no number.",
    )
    yield Limit(metric="latency.p95_ms", at_most=MILLISECONDS, why="What a caller waits for at most; to be confirmed.")


def _fairness(settings: ModelSettings, draws: Draws, attributes: Sequence[str]) -> Iterator[Limit]:
    measure = "equal_opportunity_difference" if settings.task == "binary" else "score_difference"
    for attribute in attributes:
        name = f"fairness.{attribute}.{measure}"
        values = _values(draws, name)
        if len(values) == len(draws):
            yield Limit(
                metric=name,
                at_most=_beyond(name, values),
                why=f"Groups of {attribute} must be served alike. A quick baseline had {_range(values)}; people choose the criterion.",
            )


def _no_fairness(settings: ModelSettings) -> str:
    if settings.evaluation.sensitive:
        return "The groups are too small to measure in every holdout; to be confirmed."
    return "No column was named as sensitive; to be confirmed."


def _beyond(name: str, values: Sequence[float]) -> float:
    """A bound above the worst of *values* by as much again as they differ."""
    worst = max(values)
    bound = worst + max(worst - min(values), abs(worst) / 2, SLACK)
    if name == TOP_SHARE:
        # Which point the search takes moves it more than which rows were drawn: few, shallow trees go by fewer columns.
        bound = max(bound, (1 + worst) / 2)
    return min(_up(bound), 1.0) if name in AT_MOST_ONE and worst <= 1.0 else _up(bound)


def _values(draws: Draws, name: str) -> list[float]:
    return [value for draw in draws if (value := draw.get(name)) is not None and math.isfinite(value)]


def _range(values: Sequence[float]) -> str:
    low, high = figures.number(min(values)), figures.number(max(values))
    return low if low == high else f"{low} to {high}"


def _step(value: float) -> float:
    """A hundredth of the power of ten that *value* is of, and at most 0.01 for what lies below 1."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - 1) if abs(value) >= 1 else 0.01


def _down(value: float) -> float:
    step = _step(value)
    return round(math.floor(value / step) * step, 10)


def _up(value: float) -> float:
    step = _step(value)
    return round(math.ceil(value / step) * step, 10)
