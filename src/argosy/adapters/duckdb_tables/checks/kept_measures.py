"""What was measured of parts of tables, kept as objects by the digest of the part: a part that is the same is not measured again."""

import datetime
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from argosy.domain import part_measures
from argosy.domain.part_measures import PartMeasures
from argosy.ports.objects import Objects


class KeptMeasures:
    """Those in the store *objects*."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def of(self, digest: str) -> Mapping[str, Any]:
        """What is known of the part with *digest*, as JSON has it; nothing where what is there cannot be read."""
        content = self._objects.get(_key(digest))
        try:
            return PartMeasures.model_validate_json(content).measured if content else {}
        except ValidationError:
            return {}

    def keep(self, digest: str, measured: Mapping[str, Any]) -> None:
        """Remember *measured* of the part with *digest*, in place of what was known of it."""
        known = PartMeasures(at=datetime.datetime.now(datetime.UTC), measured=dict(measured))
        self._objects.put(_key(digest), known.model_dump_json().encode())


def _key(digest: str) -> str:
    return f"{part_measures.FOLDER}{digest.removeprefix('sha256:')}.json"
