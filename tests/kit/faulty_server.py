"""A real server whose model is at fault for some rows: it takes its time for one, and has no number for another. Its online store is empty.

python tests/kit/faulty_server.py BUNDLE ENVIRONMENT
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from argosy.domain import bundle
from argosy.ml.encoding import Matrix
from argosy.ml.predictor import Predictor, UndefinedPrediction
from argosy.ports.features import OnlineView
from argosy.ports.prediction_log import ServedRelease, shadows_of
from argosy.serving import graceful_server, launch
from argosy.serving.arm import Arm
from argosy.serving.second_version import SecondVersion
from kit.serving_kit import MemoryOnline

SLOW, UNDEFINED = 1000.0, 2000.0
"""Values of the feature ``tenure`` for which the model is at fault."""
SLOW_SECONDS = 0.2


class FaultyPredictor:
    """A predictor with its faults; otherwise as it is."""

    def __init__(self, inner: Predictor) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def predict_matrix(self, matrix: Matrix) -> Any:
        """See the predictor."""
        asked = set(matrix[:, [column.name for column in self._inner.signature.features].index("tenure")].tolist())
        if SLOW in asked:
            time.sleep(SLOW_SECONDS)
        if UNDEFINED in asked:
            raise UndefinedPrediction("the model answered with a value that is no number")
        return self._inner.predict_matrix(matrix)


def main(folder: Path, environment: str) -> None:
    """Serve until SIGTERM."""
    digest = bundle.digest(folder)
    predictor = Predictor.load(folder, digest)
    served = ServedRelease(predictor.signature.model, environment, 3, digest)
    around = launch.ServerDependencies(listener=graceful_server.bind("127.0.0.1", 0))
    bundled = launch.ServedBundle(
        FaultyPredictor(predictor),
        served,
        folder,
        online=MemoryOnline({}, [OnlineView("account", ["tenure"], 1)]),
        second=_shadow(predictor, served),
        wants_second="shadow",
    )
    launch.run([bundled], around)


def _shadow(predictor: Predictor, served: ServedRelease) -> SecondVersion:
    """The model without its faults, as a second version."""
    its = replace(served, environment=shadows_of(served.environment), version=4, digest=f"sha256:{'4' * 64}")
    return SecondVersion(Arm(predictor, its, predictor.signature), "shadow", 1.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
