"""Argosy: machine-learning pipelines on Argo Workflows, promoted by pull request.

In a notebook, ``load("upsell@production").predict(frame)`` of it gives a server's answers, and ``Run("upsell/latest")`` a run.
"""

import importlib
from typing import Any

_LAZY = {"load": ("argosy.cli.model_references", "load"), "Run": ("argosy.cli.run_documents", "run")}
"""What people call, and where it is; loaded when it is asked for, since whoever imports a step must not wait for it."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'argosy' has no attribute {name!r}")
    module, function = _LAZY[name]
    return getattr(importlib.import_module(module), function)
