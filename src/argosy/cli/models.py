"""Finds the models of the project at hand and keeps their manifests up to date.

A model is a folder ``workflows/<model>``. What runs is its committed ``pipeline.yaml``; where that was compiled from other sources than
those that lie there now, it is compiled again, and said so.
"""

import difflib
import sys
from pathlib import Path

import yaml

from argosy import errors
from argosy.templates import folder

WORKFLOWS = Path("workflows")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def folder_of(name: str) -> Path:
    """The folder of the model *name*, which may be a path to it. Raises Misconfigured with what was probably meant."""
    for candidate in (WORKFLOWS / name, WORKFLOWS / name.replace("-", "_"), Path(name)):
        if (candidate / folder.PIPELINE).exists() or (candidate / folder.MANIFEST).exists():
            return candidate
    known = sorted(path.parent.name for path in WORKFLOWS.glob(f"*/{folder.PIPELINE}"))
    if not known:
        raise errors.Misconfigured(
            f"there is no model {name!r}: no {WORKFLOWS}/ with models in {Path.cwd()}; start in a project's folder"
        )
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; models: {', '.join(known)}"
    raise errors.Misconfigured(f"there is no model {name!r} under {WORKFLOWS}/{hint}")


def manifest_of(name: str) -> Path:
    """The manifest of the model *name*, compiled again where its sources have changed since."""
    model = folder_of(name)
    manifest = model / folder.MANIFEST
    if not (model / folder.PIPELINE).exists() or _compiled_from(manifest) == folder.sources_digest(model):
        return manifest
    from argosy.templates import compiler

    text = compiler.compile_folder(model)
    reason = "its sources have changed since" if manifest.exists() else "there was none"
    partial = manifest.with_suffix(".yaml.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(manifest)
    print(f"{manifest} compiled: {reason}", file=sys.stderr)
    return manifest


def _compiled_from(manifest: Path) -> str | None:
    """The digest of the sources *manifest* was compiled from; None where there is no telling."""
    if not manifest.exists():
        return None
    try:
        document = yaml.load(manifest.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 - the safe one, in C
    except yaml.YAMLError:
        return None
    metadata = document.get("metadata") if isinstance(document, dict) else None
    annotations = (metadata or {}).get("annotations") or {}
    digest = annotations.get(folder.SOURCES)
    return str(digest) if digest else None
