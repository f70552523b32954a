"""Which image a step runs in: the digest that ``make images`` wrote down, or the tag ``:dev`` until then."""

import json
from pathlib import Path

from argosy.steps.spec import Family

LOCK = Path("images") / "images.lock"
REPOSITORY = "argosy"


def of(family: Family, root: Path) -> str:
    """The image of the steps of *family*, for the project at *root*."""
    lock = root / LOCK
    digests: dict[str, str] = json.loads(lock.read_text(encoding="utf-8")) if lock.exists() else {}
    return f"{REPOSITORY}/{family}@{digests[family]}" if family in digests else f"{REPOSITORY}/{family}:dev"
