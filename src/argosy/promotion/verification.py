"""Verifies a bundle before it is served: its signature, that it is the approved one, of this model, not expired, and no rollback.

Everything is checked before the model's bytes reach a parser, and golden rows are replayed before the first caller is answered.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.domain import bundle
from argosy.ports.signer import Verifier

if TYPE_CHECKING:  # nobody who only reads main waits for the model's library
    from argosy.domain.answers.answer_bundle import AnswerSignature
    from argosy.ml.answers.assistant import Assistant, Complete
    from argosy.ml.predictor import Predictor
    from argosy.ports.prompt_completion import Completion


@dataclass(frozen=True)
class Approved:
    """The bundle that was approved: its folder, and the digests, model and version that it has to match."""

    folder: Path
    digest: str
    model: str | None = None
    """None: whatever the bundle says it is."""
    version: int | None = None
    online: str | None = None
    """Digest of the online store that is to be used; None: no store, or whatever is there."""


def load(approved: Approved, *, verifier: Verifier | None, signature: Path | None) -> "Predictor":
    """The predictor of *approved*, after every check. *verifier*: None where the caller asked to serve what nobody signed.

    Raises Rejected where signature, release or golden rows say no; Misconfigured where files are missing or not what was named.
    """
    from argosy.ml.predictor import Predictor  # noqa: PLC0415 - who only reads main has no such library
    from argosy.ml.predictor import golden as golden_rows  # noqa: PLC0415

    _verify(approved, verifier, signature)
    predictor = Predictor.load(approved.folder, approved.digest)
    _check_model(approved, predictor.signature.model)
    if difference := predictor.explain_difference(golden_rows(approved.folder)):
        raise errors.Rejected(
            f"the model answers otherwise here than where it was trained ({difference}); serve it from the image it was trained in"
        )
    return predictor


def is_answers(folder: Path) -> bool:
    """Whether the bundle in *folder* is that of a language model, by the names of its files alone: nothing of it is proven yet."""
    return (folder / bundle.ANSWERS).exists() and not (folder / bundle.SIGNATURE).exists()


def load_answers(
    approved: Approved,
    *,
    verifier: Verifier | None,
    signature: Path | None,
    completing: "Callable[[AnswerSignature], Completion | None]",
) -> "Assistant":
    """The assistant of *approved*, a language model, after every check; else as :func:`load`. *completing*: gives what completes the
    prompts of a bundle that asks an endpoint, whose answers are not replayed: they may be other words each time.
    """
    from argosy.domain.answers import answer_bundle  # noqa: PLC0415
    from argosy.ml.answers.assistant import Assistant  # noqa: PLC0415 - as above

    def complete(of: "AnswerSignature") -> "Complete | None":
        completion = completing(of)
        return completion.complete if completion else None

    _verify(approved, verifier, signature)
    assistant = Assistant.load(approved.folder, approved.digest, complete)
    _check_model(approved, assistant.signature.model)
    golden = answer_bundle.GoldenQuestions.read(approved.folder / answer_bundle.GOLDEN)
    if difference := assistant.replay_difference(golden):
        raise errors.Rejected(
            f"the model answers otherwise here than where it was measured ({difference}); serve it from the image of its release"
        )
    return assistant


def _verify(approved: Approved, verifier: Verifier | None, signature: Path | None) -> None:
    """Prove that the bundle is ours; without a *verifier* that is not asked. Raises Rejected where it is not."""
    if verifier is None:
        return
    if signature is None:
        raise errors.Rejected(f"the bundle in {approved.folder} has no signature; nothing unsigned is served")
    verifier.verify(approved.folder, signature)


WAS_SERVED = "which was served here before; if going back is meant (a revert of the promotion), pass --allow-rollback"
IS_MINIMUM = (
    "the oldest that main lets anybody serve (minimumVersion in the model's values.yaml); promote a newer one, or lower that by a "
    "request of its own"
)


def release(
    approved: Approved, *, not_before: int = 0, because: str = WAS_SERVED, now: datetime.datetime | None = None
) -> bundle.Release:
    """The release of *approved*, if it may be served *now*. Rollback protection: none below *not_before*, *because* of what is said.

    Raises Rejected where it may not, Misconfigured where there is none.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    found = _read_release(approved.folder / bundle.RELEASE)
    if found.model_digest != approved.digest:
        raise errors.Rejected(f"release.json is for {found.model_digest}, but {approved.digest} is approved")
    _check_model(approved, found.model)
    if approved.version is not None and found.counter != approved.version:
        raise errors.Rejected(f"release.json says version {found.counter}, but version {approved.version} is approved")
    store = found.online_store
    if store is not None and approved.online not in {None, store.digest}:
        raise errors.Rejected(f"release.json names the online store {store.digest}, but {approved.online} is approved")
    if now >= found.not_after:
        raise errors.Rejected(
            f"version {found.counter} of {found.model} may be served until {found.not_after:%Y-%m-%d %H:%M} UTC only; "
            "train and promote a new one"
        )
    if found.counter < not_before:
        raise errors.Rejected(f"version {found.counter} of {found.model} is older than version {not_before}, {because}")
    return found


def online_store(folder: Path, approved: str) -> None:
    """Prove that the online store in *folder* is the one that was *approved*. Raises Rejected where it is another."""
    if (found := bundle.digest(folder)) != approved:
        raise errors.Rejected(f"the online store in {folder} is {found}, but {approved} is approved; fetch it again")


def _check_model(approved: Approved, name: str) -> None:
    if approved.model is not None and name != approved.model:
        raise errors.Rejected(
            f"the bundle in {approved.folder} is the model {name!r}, but {approved.model!r} is approved"
        )


def _read_release(path: Path) -> bundle.Release:
    if not path.exists():
        raise errors.Misconfigured(f"{path} does not exist: this bundle was never released; register it first")
    return bundle.Release.read(path)
