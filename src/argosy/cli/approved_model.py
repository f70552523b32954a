"""The model that is approved for an environment, fetched and proven: what every verb that answers with it begins with."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.domain import environment_layout, release
from argosy.ports.prediction_log import ServedRelease
from argosy.ports.signer import Tampered
from argosy.promotion import approval
from argosy.promotion.approval import Approval
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ml.answers.assistant import Assistant
    from argosy.ml.predictor import Predictor
    from argosy.promotion.verification import Approved
    from argosy.serving.rollback_protection import Counter


SIGNATURE = "bundle.sig"
"""Where the signature is put, in the folder that a model is fetched into."""


@dataclass(frozen=True)
class ProvenBundle:
    """A bundle after every check."""

    folder: Path
    served: ServedRelease
    last: "Counter"
    """Remembers which version this machine served last."""


@dataclass(frozen=True)
class ProvenModel(ProvenBundle):
    """A model of tables after every check."""

    predictor: "Predictor"


@dataclass(frozen=True)
class ProvenAnswers(ProvenBundle):
    """A language model after every check."""

    assistant: "Assistant"


def proven(
    settings: Settings, found: Approval, environment: str, place: Path, *, allow_rollback: bool = False
) -> ProvenModel:
    """The model of tables of *found*, fetched into the folder *place*: it is the approved one, its signature and release hold, and this
    machine served no newer one in *environment*, unless *allow_rollback*. Raises Rejected, or Misconfigured where files are missing, or
    are those of a language model.
    """
    return _of_tables(settings, found, environment, place, _fetched(settings, found, place), allow_rollback)


def proven_whatever(
    settings: Settings, found: Approval, environment: str, place: Path, *, allow_rollback: bool = False
) -> ProvenModel | ProvenAnswers:
    """As :func:`proven`, whatever the model answers."""
    from argosy.promotion import verification

    wanted = _fetched(settings, found, place)
    prove = _of_answers if verification.is_answers(wanted.folder) else _of_tables
    return prove(settings, found, environment, place, wanted, allow_rollback)


def _fetched(settings: Settings, found: Approval, place: Path) -> "Approved":
    from argosy.promotion import verification

    version = found.version
    store = version.online_store
    return verification.Approved(
        approval.fetch_bundle(wiring.artifacts(settings), version, place / "bundle"),
        version.model_digest,
        model=version.model,
        version=version.version,
        online=store.digest if store else None,
    )


def _of_tables(
    settings: Settings, found: Approval, environment: str, place: Path, wanted: "Approved", allow_rollback: bool
) -> ProvenModel:
    from argosy.promotion import verification

    try:
        predictor = verification.load(wanted, verifier=wiring.verifier(settings), signature=_signature(found, place))
    except Tampered as error:
        raise _refusal(error, found.version, place) from error
    served, last = _released(settings, found, environment, wanted, allow_rollback)
    return ProvenModel(wanted.folder, served, last, predictor)


def _of_answers(
    settings: Settings, found: Approval, environment: str, place: Path, wanted: "Approved", allow_rollback: bool
) -> ProvenAnswers:
    from argosy.promotion import verification

    try:
        assistant = verification.load_answers(
            wanted,
            verifier=wiring.verifier(settings),
            signature=_signature(found, place),
            completing=functools.partial(wiring.serving_completion, settings),
        )
    except Tampered as error:
        raise _refusal(error, found.version, place) from error
    served, last = _released(settings, found, environment, wanted, allow_rollback)
    return ProvenAnswers(wanted.folder, served, last, assistant)


def _released(
    settings: Settings, found: Approval, environment: str, wanted: "Approved", allow_rollback: bool
) -> tuple[ServedRelease, "Counter"]:
    from argosy.promotion import verification
    from argosy.serving import rollback_protection

    version = found.version
    last = rollback_protection.Counter(settings.home / "served" / f"{version.model}-{environment}.json")
    verification.release(wanted, not_before=0 if allow_rollback else last.value())
    return ServedRelease(version.model, environment, version.version, version.model_digest), last


def _refusal(error: Tampered, version: release.Version, place: Path) -> errors.Rejected:
    """*error* about where the files lie rather than our copy of them, and what to do about it."""
    committed = f"{environment_layout.BUNDLE_SIGNATURE} beside the version on main"
    places = {place / SIGNATURE: committed, place / "bundle": version.storage_uri}
    text = str(error)
    for copy, known in places.items():
        text = text.replace(str(copy), known)
    return errors.Rejected(f"{text}. Nothing is served. {approval.remedy(version)}")


def _signature(found: Approval, place: Path) -> Path | None:
    if found.signature is None:
        return None
    path = place / SIGNATURE
    path.write_bytes(found.signature)
    return path
