"""XGBoost, imported without scikit-learn, for which every process would wait a second: nothing here asks for what needs that.

Where scikit-learn is installed, XGBoost imports it for its estimators. Whoever asks XGBoost for one of those, as a trainer that somebody
brought may, gets it as XGBoost has it: scikit-learn is imported then.
"""

import importlib
import sys
from typing import Any

LATER = {
    **dict.fromkeys(("XGBClassifier", "XGBModel", "XGBRanker", "XGBRegressor"), "sklearn"),
    **dict.fromkeys(("XGBRFClassifier", "XGBRFRegressor"), "sklearn"),
    **dict.fromkeys(("plot_importance", "plot_tree", "to_graphviz"), "plotting"),
    "cv": "training",
}
"""Names of XGBoost that need scikit-learn, and the module of XGBoost that each is from."""
WITHOUT = ("compat", "plotting", "sklearn", "training")
"""Modules of XGBoost that remember whether there is scikit-learn. They are imported anew where they are asked for once more."""


def _later(name: str) -> Any:
    """What *name* of :data:`LATER` is. Raises AttributeError for any other, as modules do."""
    if name not in LATER:
        raise AttributeError(f"module 'xgboost' has no attribute {name!r}")
    return getattr(importlib.import_module(f"xgboost.{LATER[name]}"), name)


if sys.modules.keys() & {"sklearn", "xgboost"}:
    import xgboost
else:
    sys.modules["sklearn"] = None  # type: ignore[assignment] # as importing what is not installed
    try:
        import xgboost
    finally:
        del sys.modules["sklearn"]
    for _name in WITHOUT:
        del sys.modules[f"xgboost.{_name}"]
        delattr(xgboost, _name)
    for _name in LATER:
        delattr(xgboost, _name)
    xgboost.__getattr__ = _later

__all__ = ["xgboost"]
