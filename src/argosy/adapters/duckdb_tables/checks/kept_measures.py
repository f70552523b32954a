"""What was measured of parts of tables, kept as objects by the digest of the part: a part that is the same is not measured again."""

import json
from collections.abc import Mapping
from typing import Any

from argosy.ports.objects import Objects

PREFIX = "measures/"


class KeptMeasures:
    """Those in the store *objects*."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def of(self, digest: str) -> Mapping[str, Any]:
        """What is known of the part with *digest*, as JSON has it; nothing where what is there cannot be read."""
        content = self._objects.get(_key(digest))
        try:
            known = json.loads(content) if content else {}
        except ValueError:
            known = {}
        return known if isinstance(known, dict) else {}

    def keep(self, digest: str, measured: Mapping[str, Any]) -> None:
        """Remember *measured* of the part with *digest*, in place of what was known of it."""
        self._objects.put(_key(digest), json.dumps(dict(measured)).encode())


def _key(digest: str) -> str:
    return f"{PREFIX}{digest.removeprefix('sha256:')}.json"
