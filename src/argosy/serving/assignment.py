"""Says which of two versions answers a row: for an entity always the same one, whichever replica is asked and however often it restarts.

Nobody keeps a list. An entity's place between 0 and 1 is a hash of its join keys, and the candidate answers those below its share: a share
that grows moves only those who come to the candidate, one that shrinks only those who leave it.
"""

import hashlib
from collections.abc import Sequence

from argosy.domain import pseudonyms
from argosy.serving.request_columns import Entity

_PLACES = 2**64


class Assignment:
    """Deals entities to the candidate, a share of all."""

    def __init__(self, share: float, salt: str) -> None:
        """*share*: from 0 to 1. *salt*: another one deals all entities anew, so that no two experiments burden the same ones."""
        self.share = share
        self._below = round(share * _PLACES)
        self._salted = hashlib.blake2b(salt.encode(), digest_size=8)

    def takes(self, identity: str) -> bool:
        """True where what has this *identity* is the candidate's."""
        hashed = self._salted.copy()
        hashed.update(identity.encode())
        return int.from_bytes(hashed.digest()) < self._below

    def places(self, count: int, entities: Sequence[Entity | None] | None, request_id: str) -> list[int]:
        """Which of the *count* rows of a request are the candidate's. A row without join keys goes by the *request_id*."""
        if entities is None:
            return list(range(count)) if self.takes(f"request {request_id}") else []
        return [place for place, entity in enumerate(entities) if self.takes(_identity(entity, request_id))]


def _identity(entity: Entity | None, request_id: str) -> str:
    return f"request {request_id}" if entity is None else f"entity {pseudonyms.text(entity)}"
