"""Finds out where a run comes from, before it starts: what git says of a model's folder, its manifest, the images its steps name."""

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from argosy.cli import code_identity
from argosy.domain import provenance
from argosy.domain.documents import sha256
from argosy.domain.provenance import CLEAN, UNKNOWN, Provenance
from argosy.templates import folder

NOTHING: Mapping[str, bytes] = MappingProxyType({})
PATIENCE_SECONDS = 30
PREFIX = "provenance.argosy.dev/"
CLOCK = "clock.provenance.argosy.dev/"
"""Of a workflow that a clock started: where the clock itself comes from."""


def here(manifest: Path) -> Provenance:
    """Of a run of *manifest* on this machine, whose steps are processes of this environment."""
    return _of(manifest, images={}, code=code_identity.digest())


def of_content(manifest: Path, content: bytes) -> Provenance:
    """As :func:`here`, once *manifest* has *content*."""
    if manifest.exists() and manifest.read_bytes() == content:
        return here(manifest)
    return _of(manifest, images={}, code=code_identity.digest(), content=content)


def on_a_cluster(manifest: Path, document: Mapping[str, Any]) -> Provenance:
    """Of runs of *manifest*, which holds *document*, on a cluster."""
    return _of(manifest, images=images(document), code=None)


def stamped(document: Mapping[str, Any], origin: Provenance) -> dict[str, Any]:
    """The WorkflowTemplate *document* with *origin* as annotations, for people, and as the value that its steps are handed."""
    marked_one = marked(document, origin)
    metadata, spec = marked_one["metadata"], document["spec"]
    parameters = [
        {**entry, "value": origin.text()} if entry["name"] == provenance.PARAMETER else entry
        for entry in spec["arguments"]["parameters"]
    ]
    return {
        **document,
        "metadata": metadata,
        "spec": {**spec, "arguments": {**spec["arguments"], "parameters": parameters}},
    }


def marked(document: Mapping[str, Any], origin: Provenance) -> dict[str, Any]:
    """*document* with *origin* as annotations; those of a CronWorkflow are handed to each workflow that it starts.

    What such a workflow runs is its WorkflowTemplate's, whose parameter says where that comes from.
    """
    marks = {"commit": origin.commit, "tree": origin.tree, "manifest": origin.manifest}
    marks |= {f"image.{step}": image for step, image in origin.images.items()}
    annotations = {f"{PREFIX}{name}": value for name, value in marks.items()}
    metadata = {**document["metadata"]}
    metadata["annotations"] = {**metadata.get("annotations", {}), **annotations}
    found = {**document, "metadata": metadata}
    if document["kind"] == "CronWorkflow":
        clock = {f"{CLOCK}{name}": annotations[f"{PREFIX}{name}"] for name in ("commit", "tree")}
        found["spec"] = {**document["spec"], "workflowMetadata": {"annotations": clock}}
    return found


def stated(document: Mapping[str, Any]) -> Provenance | None:
    """The provenance that *document* states; None where it has no place for it. Raises Misconfigured where that is no provenance."""
    for entry in (document.get("spec", {}).get("arguments") or {}).get("parameters") or []:
        if entry["name"] == provenance.PARAMETER:
            return Provenance.from_text(str(entry.get("value") or ""))
    return None


def images(document: Mapping[str, Any]) -> dict[str, str]:
    """The image of each container in *document*, by the name of its step."""
    found = {}
    for template in document.get("spec", {}).get("templates") or []:
        if "container" in template:
            found[template["name"]] = template["container"]["image"]
        for container in (template.get("containerSet") or {}).get("containers") or []:
            found[container["name"]] = container["image"]
    return found


def _of(manifest: Path, *, images: Mapping[str, str], code: str | None, content: bytes | None = None) -> Provenance:
    model = manifest.resolve().parent
    commit = _git(model, "rev-parse", "--verify", "HEAD")
    return Provenance(
        commit=commit.strip() if commit else UNKNOWN,
        tree=(_tree(model) if content is None else _tree_with(manifest, content)) if commit else UNKNOWN,
        manifest=sha256(manifest.read_bytes() if content is None else content),
        images=images,
        code=code,
    )


def _tree(model: Path) -> str:
    """``clean``, or the digest of *model* where it, or any other file that the commit holds, is not as in the commit.

    A file beside the model's folder that git does not watch goes into no run.
    """
    elsewhere = _git(model, "status", "--porcelain", "--untracked-files=no", "--", ":/")
    own = _git(model, "status", "--porcelain", "--untracked-files=all", "--", ".")
    tracked = _git(model, "ls-files", "-z", "--", ".")
    if elsewhere is None or own is None or tracked is None:
        return UNKNOWN
    held = set(tracked.split("\0"))
    # What git was told to ignore is in no commit either.
    ignored = [name for name in _compiled(model) if name not in held]
    return CLEAN if not (elsewhere or own or ignored) else _digest(model)


def _tree_with(manifest: Path, content: bytes) -> str:
    """As :func:`_tree`, once *manifest* has *content*."""
    model = manifest.resolve().parent
    found, held = _tree(model), _git(model, "show", f"HEAD:./{manifest.name}")
    if found == UNKNOWN or (found == CLEAN and held is not None and held.encode() == content):
        return found
    return _digest(model, {manifest.name: content})


def _compiled(model: Path) -> Iterator[str]:
    """The files that a manifest is made of, and itself."""
    for name in (folder.PIPELINE, folder.MANIFEST, *folder.artifacts_of(model).values()):
        if (model / name).exists():
            yield name


def _digest(model: Path, over: Mapping[str, bytes] = NOTHING) -> str:
    """The digest of the files of *model*; *over*: content in place of what is there."""
    listed = _git(model, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ".") or ""
    there = {name for name in [*listed.split("\0"), *_compiled(model)] if name and (model / name).is_file()}
    contents = {name: over[name] if name in over else (model / name).read_bytes() for name in sorted({*there, *over})}
    lines = [f"{hashlib.sha256(content).hexdigest()} {name}\n" for name, content in contents.items()]
    return sha256("".join(lines).encode())


def _git(model: Path, *words: str) -> str | None:
    """The answer of git in *model*; None where it has nothing to say."""
    command = ["git", "-c", "core.quotePath=false", "-C", str(model), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
