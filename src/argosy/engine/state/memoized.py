"""The memory of ``memoize``: outputs by cache and key, for every run of a home. A cluster keeps the same in ConfigMaps.

``<home>/memory/<namespace>/<cache>/<key>`` is JSON: ``node`` (which gave it), ``outputs``, and ``created`` and ``hit`` (when it was last of
use), in seconds since 1970. Artifacts lie in the object store; an entry whose artifacts are gone is of no use any more.
"""

import json
import time
from pathlib import Path

from argosy.engine.nodes import Outputs
from argosy.engine.state import disk
from argosy.engine.state.object_store import ObjectStore


class Memory:
    """The memory in *folder*. *store*: where the artifacts of its entries lie."""

    def __init__(self, folder: Path, store: ObjectStore) -> None:
        self._folder = folder
        self._store = store

    def recall(self, cache: str, key: str, limit: float | None) -> Outputs | None:
        """The outputs remembered under *key* of *cache*, unless it is older than *limit* seconds."""
        path = self._folder / cache / key
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            outputs, created = Outputs.from_json(entry["outputs"]), float(entry["created"])
        except (OSError, ValueError, KeyError, TypeError):
            return None  # nothing there, or nothing that can be read: what the step gives takes its place
        now = time.time()
        if limit is not None and now - created > limit:
            return None
        if not all(self._store.has(artifact["stored"]["digest"]) for artifact in outputs.artifacts.values()):
            return None
        disk.write_atomically(path, json.dumps({**entry, "hit": now}))
        return outputs

    def remember(self, cache: str, key: str, node: str, outputs: Outputs) -> None:
        """Keep *outputs*, in place of what is there."""
        now = time.time()
        entry = {"node": node, "outputs": outputs.to_json(), "created": now, "hit": now}
        disk.write_atomically(self._folder / cache / key, json.dumps(entry))
