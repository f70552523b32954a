"""XGBoost without scikit-learn, until somebody asks for what needs it."""

import subprocess
import sys

PROGRAM = """
import sys
from argosy.ml.xgboost_library import xgboost
assert "sklearn" not in sys.modules
import numpy as np
rows, labels = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
data = xgboost.DMatrix(rows, labels)
model = xgboost.train({"max_depth": 2, "objective": "binary:logistic"}, data, 3)
assert "sklearn" not in sys.modules
try:
    xgboost.nosuch
except AttributeError as error:
    assert str(error) == "module 'xgboost' has no attribute 'nosuch'"
from xgboost import XGBClassifier
from sklearn.base import BaseEstimator, is_classifier
assert issubclass(XGBClassifier, BaseEstimator) and is_classifier(XGBClassifier())
assert XGBClassifier(n_estimators=3).fit(rows, labels).predict(rows).shape == model.predict(data).shape
assert len(xgboost.cv({"objective": "binary:logistic"}, data, 2, nfold=2, stratified=True)) == 2
assert callable(xgboost.plot_importance)
"""


def test_estimators_come_when_they_are_asked_for() -> None:
    """Training asks for none; one that somebody asks for is scikit-learn's own kind, and stratified folds are to be had."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
