"""An erasure: that one person's rows were removed, and what of, in a document that does not say whose."""

from pydantic import AwareDatetime

from argosy.domain.documents import Document

FOLDER = "erasures/"
"""Of the monitoring store: the proofs, and a tombstone for each snapshot that is no more what its digest says."""


class ErasedPart(Document):
    """One thing that held rows of the person."""

    kind: str
    """snapshot, predictions, artifact, answer, run, online features, measures, results, source."""
    place: str
    rows: int = 0
    """None where what is there cannot be counted, such as a log."""
    done: bool
    why_not: str | None = None
    """What has to happen first, of a part that stays."""
    replaced_by: str | None = None
    """Digest of the snapshot without the person."""


class ServedOnRows(Document):
    """A version that an environment serves and that was trained on a snapshot with the person."""

    model: str
    environment: str
    version: int
    model_digest: str
    snapshot_digest: str


class Erasure(Document):
    """The proof. *entity*: the keyed hash under which the prediction log knows the person, so that who has the key can find it again."""

    model: str
    entity: str
    at: AwareDatetime
    parts: list[ErasedPart]
    served: list[ServedOnRows]
    ended: bool = False
    """Whether every place was looked at; a proof is kept as it grows, and a kill leaves one that is not."""


class Tombstone(Document):
    """What is kept of a snapshot that a person was erased from: evidence goes on to name its digest."""

    model: str
    snapshot_digest: str
    replaced_by: str
    at: AwareDatetime


def proof_key(erasure: Erasure) -> str:
    """The key of the proof in the monitoring store."""
    return f"{proofs(erasure.model)}{erasure.at:%Y%m%dT%H%M%S%fZ}-{erasure.entity[:16]}.json"


def proofs(model: str) -> str:
    """Where the proofs of *model* are, oldest first."""
    return f"{FOLDER}{model}/proofs/"


def tombstone_key(model: str, digest: str) -> str:
    """The key of the tombstone of the snapshot *digest*."""
    return f"{FOLDER}{model}/snapshots/{digest.removeprefix('sha256:')}.json"
