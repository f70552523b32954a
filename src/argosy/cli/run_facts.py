"""The score and the commit of a run of this machine, for a line of a list: read from its files, without the documents' libraries."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy.engine.state import runs

EVIDENCE = "evidence"
"""The output of ``evaluate`` that holds what it measured."""
SCORES = ("performance.auc", "performance.accuracy", "performance.r2")
"""Of each task the score that it is told by; a model of two classes has the first, of several the second, of values the third."""
UNKNOWN = "unknown"


def of(home: Path, run: str) -> dict[str, str]:
    """``score`` and ``commit`` of *run* under *home*; each empty where it is not known."""
    folder = runs.find(home, run)
    return {"score": _score(home, folder), "commit": _commit(folder.manifest())}


def _score(home: Path, folder: runs.RunFolder) -> str:
    places = [runs.artifact(home, node, EVIDENCE) for node in folder.state()[1].values()]
    files = [place / f"{EVIDENCE}.json" for place in places if place is not None]
    evidence = _read(files[-1]) if files else {}
    measured = evidence.get("metrics", {})
    names = SCORES[1:] if evidence.get("task") == "multiclass" else SCORES
    name = next((name for name in names if measured.get(name) is not None), None)
    return f"{name.partition('.')[2]} {measured[name]:.4f}" if name else ""


def _read(file: Path) -> Mapping[str, Any]:
    """The document in *file*; nothing where it was deleted or damaged, which is no reason to list no runs."""
    try:
        found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _commit(manifest: Mapping[str, Any]) -> str:
    given = (manifest.get("arguments") or {}).get("parameters") or []
    text = next((str(each.get("value") or "") for each in given if each["name"] == "provenance"), "")
    commit = str(json.loads(text).get("commit", "")) if text.startswith("{") else ""
    return "" if commit == UNKNOWN else commit
