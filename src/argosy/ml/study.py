"""Names a search by everything that its trials' scores depend on, so that two searches share trials exactly when they may.

Data, settings, the code of this package and the libraries' versions go in; who runs it, where and when do not.
"""

import functools
import hashlib
import importlib.metadata
from pathlib import Path

from argosy.domain.documents import canonical_json
from argosy.domain.model_settings import XGBOOST, ModelSettings
from argosy.ml import frames, trainers


def name(settings: ModelSettings, features: Path) -> str:
    """The study of *settings* on the examples in the folder *features*."""
    kept = settings.model_dump(mode="json", include={"task", "seed", "label", "split", "search", "training"})
    # How many trials there are, how many a task runs and what becomes of the best one changes no score. How many a round has does: which
    # trials are pruned follows from the rounds before.
    kept["training"] = {"nthread": settings.training.nthread}
    own = {} if settings.training.library == XGBOOST else {settings.training.library: trainers.of(settings).version}
    for neutral in ("trials", "per_task", "stop_after_rounds"):
        kept["search"].pop(neutral, None)
    parts = {
        "settings": kept,
        "features": features_digest(features),
        "code": _code_digest(),
        "libraries": {name: importlib.metadata.version(name) for name in ("numpy", "optuna", "xgboost")} | own,
    }
    return f"{settings.model}-{hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:24]}"


def features_digest(features: Path) -> str:
    """SHA-256 over the examples and their schema."""
    digest = hashlib.sha256()
    for file in (frames.ROWS, frames.SCHEMA):
        digest.update(hashlib.sha256((features / file).read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


@functools.cache
def _code_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
