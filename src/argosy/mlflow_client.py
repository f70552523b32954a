"""MLflow's client, imported without pandas: MLflow does without it where it is not installed, as in its distribution `mlflow-skinny`.

What the registry asks of MLflow takes no data frames, and importing pandas is a third of importing MLflow, in each process that opens the
registry. Whoever imported pandas before keeps it, and may import it afterwards.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

from argosy import telemetry

__all__ = ["MlflowClient", "MlflowException"]

os.environ.update(telemetry.OFF)
# By default seven, over four minutes, also where a certificate is not trusted: a step is tried again as a whole, and says why meanwhile.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")


class _NotInstalled(MetaPathFinder):
    """The package *name* as if it were not installed, to the thread that asks for this: what others import meanwhile they get."""

    def __init__(self, name: str) -> None:
        self._name, self._thread = name, threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002
        if fullname == self._name and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    """Imports of *name* by this thread fail, unless it is loaded already."""
    finder = _NotInstalled(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without("pandas"):
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient
