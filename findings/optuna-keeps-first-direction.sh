#!/usr/bin/env bash
# Optuna 5.0.0: `create_study(direction="maximize", load_if_exists=True)` goes on with a study that minimises, and its best trial is the
# worst.
#
# Guess: a study that is there with the other direction is an error, as its directions are part of it. Seen: the direction that was asked
# for is dropped without a warning (one line at INFO says that the study exists), best_value is the smallest value and best_params are those
# of the worst model. Who turns a loss into a score, and keeps the study's name, goes on in the wrong direction.
#
# What Argosy does about it: a study's name is a digest of all that its trials' scores depend on, and the sampler never reads the stored
# one.
#
# PYTHON=… findings/optuna-keeps-first-direction.sh takes the libraries that are installed there; without it the versions below are installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check optuna==5.0.0
fi
cd "$scratch"
cat > try.py <<'P'
import warnings

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
print("optuna", optuna.__version__)


def accuracy(trial):
    return 1 - abs(trial.suggest_float("x", 0, 1) - 0.5)


sampler, storage = optuna.samplers.RandomSampler(seed=0), "sqlite:///trials.db"
optuna.create_study(storage=storage, study_name="search", sampler=sampler)
with warnings.catch_warnings():
    warnings.simplefilter("error")
    study = optuna.create_study(
        storage=storage, study_name="search", sampler=sampler, direction="maximize", load_if_exists=True
    )
study.optimize(accuracy, 30)
values = [trial.value for trial in study.trials]
print(f"asked to maximise: {study.direction.name}, best value {study.best_value:.3f} of {min(values):.3f} to {max(values):.3f}")
assert study.direction is optuna.study.StudyDirection.MINIMIZE
assert study.best_value == min(values) < max(values)
P
"$python" -W ignore try.py
