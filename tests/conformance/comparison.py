"""Compares what the engine does with a manifest with what the real controller was recorded doing."""

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult

Json = dict[str, Any]
CONFIG_MAPS = {"colours": {"colour": "blue"}}
SECRETS = {"key": {"word": "hidden"}}


def run(path: Path, name: str, folder: Path) -> RunResult | str:
    """Run the manifest *path* under *name* by the engine; the reason where it is refused."""
    options = RunOptions(
        home=folder / "home",
        name=name,
        parallelism=4,
        process_images=("*",),
        working_folder=folder,
        config_maps=CONFIG_MAPS,
        secrets=SECRETS,
    )
    manifest = folder / path.name
    manifest.write_text(
        path.read_text(encoding="utf-8")
        .replace("value: SHARED", f"value: {folder}")
        .replace("value: LIMIT", "value: 1"),
        encoding="utf-8",
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return api.run(api.prepare(api.load([manifest]), options), options)
    except errors.ArgosyError as error:
        return str(error)


def differences(result: RunResult | str, recording: Json) -> Iterator[str]:
    """Each difference as a line: the node, then what the engine has against what the controller has."""
    if "refused" in recording:
        # The controller refuses by ending a workflow that has no nodes, too.
        if not isinstance(result, str) and result.nodes:
            yield f"the controller refuses it: {recording['refused']}"
        return
    if isinstance(result, str):
        yield f"the engine refuses it: {result}"
        return
    if result.phase != recording["phase"]:
        yield f"phase: {result.phase} instead of {recording['phase']}"
    if result.message != recording.get("message", ""):
        yield f"message: {result.message!r} instead of {recording.get('message', '')!r}"
    ours = {name: node.seen().as_status() for name, node in result.nodes.items()}
    for name in sorted({*ours, *recording["nodes"]}):
        yield from _of_node(name, ours.get(name), recording["nodes"].get(name))


def _of_node(name: str, ours: Json | None, theirs: Json | None) -> Iterator[str]:
    if ours is None or theirs is None:
        yield f"{name}: {'missing' if ours is None else 'not there'} on the controller's word: {ours or theirs}"
        return
    for key in ("type", "phase", "message", "outputs", "memoizationStatus"):
        if ours.get(key) != theirs.get(key):
            yield f"{name}: {key} {json.dumps(ours.get(key))} instead of {json.dumps(theirs.get(key))}"


def compare(path: Path, name: str, recording: Json) -> list[str]:
    """Run *path* by the engine in a folder of its own and compare it with *recording*."""
    with tempfile.TemporaryDirectory() as folder:
        return list(differences(run(path, name, Path(folder)), recording))
