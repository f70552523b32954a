"""Asks Optuna's TPE sampler which points to try next, from the trials so far, and from nothing else.

The study is rebuilt in memory for every round: trials by number, a sampler seeded by the settings and the round. So a round's points do
not depend on who ran the trials before or when they finished. The search's shared database is a record and a memo, never what the
sampler reads.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from argosy import errors
from argosy.domain import settings_checks
from argosy.domain.model_settings import FloatRange, IntRange, ModelSettings
from argosy.domain.search import Asked, SearchHistory, Trial

Space = dict[str, BaseDistribution]


def ask(settings: ModelSettings, history: SearchHistory, *, round_number: int) -> list[Asked]:
    """The points of round *round_number*, numbered on from *history*; fewer in the last round, none when all were asked."""
    space = distributions(settings)
    left = settings.search.trials - len(history.trials)
    study = _study(settings, history, space, round_number)
    if not history.trials:
        study.enqueue_trial(centre(settings))
    return [_asked(study.ask(space)) for _ in range(min(settings.search.per_round, left))]


def centre(settings: ModelSettings) -> dict[str, float | int]:
    """The middle of the search space, in each parameter's own scale: the first point, so that a search never starts badly."""
    return {name: _middle(bounds) for name, bounds in sorted(settings.search.space.items())}


def distributions(settings: ModelSettings) -> Space:
    """The search space as Optuna's distributions. Raises Misconfigured where a parameter is not ours to tune or a range is none."""
    return {name: _distribution(name, bounds, settings) for name, bounds in sorted(settings.search.space.items())}


def frozen(trial: Trial, space: Space, attributes: Mapping[str, Any] | None = None) -> FrozenTrial:
    """*trial* as Optuna keeps it, with user *attributes*."""
    running = {folds: sum(trial.fold_scores[:folds]) / folds for folds in range(1, len(trial.fold_scores) + 1)}
    state = TrialState.COMPLETE if trial.state == "complete" else TrialState.PRUNED
    return optuna.trial.create_trial(
        state=state,
        params=dict(trial.parameters),
        distributions=space,
        value=trial.score if state == TrialState.COMPLETE else None,
        intermediate_values=running,
        user_attrs=dict(attributes or {}),
    )


def _study(settings: ModelSettings, history: SearchHistory, space: Space, round_number: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Within a round nothing is known of the other points yet: the constant liar keeps them apart.
        sampler = optuna.samplers.TPESampler(
            seed=(settings.seed + 7919 * round_number) % 2**32, multivariate=True, constant_liar=True
        )
    study = optuna.create_study(direction=history.direction, sampler=sampler)
    study.add_trials([frozen(trial, space) for trial in sorted(history.trials, key=lambda trial: trial.number)])
    return study


def _asked(trial: optuna.Trial) -> Asked:
    return Asked(number=trial.number, parameters=dict(trial.params))


def _distribution(name: str, bounds: FloatRange | IntRange, settings: ModelSettings) -> BaseDistribution:
    if (problem := settings_checks.range_problem(name, bounds, settings)) is not None:
        raise errors.Misconfigured(f"search.space.{name}: {problem}")
    low, high = _bounds(bounds)
    if isinstance(bounds, IntRange):
        return IntDistribution(bounds.int_low, bounds.int_high, log=bounds.log)
    return FloatDistribution(low, high, log=bounds.log)


def _bounds(bounds: FloatRange | IntRange) -> tuple[float, float]:
    if isinstance(bounds, IntRange):
        return bounds.int_low, bounds.int_high
    return bounds.low, bounds.high


def _middle(bounds: FloatRange | IntRange) -> float | int:
    low, high = _bounds(bounds)
    middle = math.sqrt(low * high) if bounds.log else (low + high) / 2
    return round(middle) if isinstance(bounds, IntRange) else middle
