"""The peer of the search benchmark: what a tutorial's page on Optuna and XGBoost would do with a table of customers.

One file, one process: dummies from pandas, a DMatrix a fold a trial, stratified five-fold cross-validation, a hundred trials, nothing
pruned, XGBoost's own threads on all cores, F1 at the usual 0.5. Not slowed down on purpose: it leaves out what tutorials leave out.

    python tests/bench/plain_script.py data/churn/customers.csv [--seed 1] [--trials 100] [--holdout ids.txt]
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import xgboost as xgb
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

TARGET, POSITIVE, KEY = "churn", "Yes", "customer_id"


def load(path: Path, holdout: Path | None, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """Training and test rows with their labels. *holdout*: a file of the test side's ids; drawn at random where absent."""
    table = pd.read_csv(path)
    labels = (table[TARGET] == POSITIVE).astype(int)
    rows = pd.get_dummies(table.drop(columns=[TARGET, KEY]))
    if holdout is None:
        return tuple(train_test_split(rows, labels, test_size=0.2, stratify=labels, random_state=seed))
    test = table[KEY].isin(set(holdout.read_text(encoding="utf-8").split()))
    return rows[~test], rows[test], labels[~test], labels[test]


def parameters(trial: optuna.Trial) -> dict[str, float | int | str]:
    """The usual search space."""
    return {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "max_depth": trial.suggest_int("max_depth", 2, 8),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
        "min_child_weight": trial.suggest_float("min_child_weight", 1, 20, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 20, log=True),
        "reg_alpha": trial.suggest_float("reg_alpha", 0.001, 10, log=True),
        "scale_pos_weight": trial.suggest_float("scale_pos_weight", 1.0, 4.0),
    }


def main() -> None:
    """Search, fit the best, score it on the test side, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--holdout", type=Path)
    given = parser.parse_args()
    started = time.monotonic()
    train, test, train_labels, test_labels = load(given.customers, given.holdout, given.seed)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=given.seed).split(train, train_labels))

    def objective(trial: optuna.Trial) -> float:
        point, rounds = parameters(trial) | {"seed": given.seed}, trial.suggest_int("rounds", 50, 400)
        scores = []
        for inside, outside in folds:
            fitted_on = xgb.DMatrix(train.iloc[inside], train_labels.iloc[inside])
            scored_on = xgb.DMatrix(train.iloc[outside], train_labels.iloc[outside])
            booster = xgb.train(point, fitted_on, num_boost_round=rounds)
            scores.append(f1_score(train_labels.iloc[outside], booster.predict(scored_on) > 0.5))
        return float(np.mean(scores))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=given.seed))
    trace: list[tuple[float, float]] = []
    study.optimize(
        objective,
        n_trials=given.trials,
        callbacks=[lambda study, _trial: trace.append((time.monotonic() - started, study.best_value))],
    )
    best = dict(study.best_params)
    rounds = best.pop("rounds")
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "seed": given.seed}
    booster = xgb.train(fixed | best, xgb.DMatrix(train, train_labels), num_boost_round=rounds)
    predictions = booster.predict(xgb.DMatrix(test))
    result = {
        "seconds": time.monotonic() - started,
        "cv_f1": study.best_value,
        "f1": f1_score(test_labels, predictions > 0.5),
        "auc": roc_auc_score(test_labels, predictions),
        "log_loss": log_loss(test_labels, predictions),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "trace": trace,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
