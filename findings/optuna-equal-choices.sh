#!/usr/bin/env bash
# Optuna 5.0.0 writes 1 down where 1.0 was tried.
#
# Guess: the parameters of a trial are those that the objective was given. Seen: of categorical choices that are equal in Python ([1, 1.0],
# [True, 1], [0, False]) the objective gets each, and the trial keeps the first, in memory as in a database. To scikit-learn max_features=1
# is one feature and max_features=1.0 all of them: the best trial, trained again by its parameters, is another model.
#
# What Argosy does about it: what is searched are ranges of numbers, whole or not, and no choices.
#
# PYTHON=… findings/optuna-equal-choices.sh takes the libraries that are installed there; without it the versions below are installed.
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
import optuna

optuna.logging.set_verbosity(optuna.logging.ERROR)
print("optuna", optuna.__version__)
for storage in (None, "sqlite:///trials.db"):
    given = []

    def objective(trial):
        given.append(trial.suggest_categorical("max_features", [1, 1.0]))
        return 0.0

    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(objective, 12)
    kept = [trial.params["max_features"] for trial in study.trials]
    print("given:", given, "kept:", kept)
    assert {type(each) for each in given} == {int, float}
    assert {type(each) for each in kept} == {int}
P
"$python" -W ignore try.py
