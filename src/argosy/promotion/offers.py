"""Asks for a model to be promoted to staging, or says why it is not.

The request is a pure function of what was evaluated: made again after a kill, or by two pipelines at once, it is found. Left to others:
what a forge does about a proposal (``proposals``), and the checks before a merge (``desk``).
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import circumstances, environment_layout, figures, merge_checks, promotion_requests, release
from argosy.domain.circumstances import Circumstances
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence, GateResult, tally
from argosy.domain.promotion_requests import Request, State
from argosy.ports.forge import Forge
from argosy.promotion import following
from argosy.promotion.standing import Main
from argosy.report import request_body


@dataclass(frozen=True)
class Offer:
    """A model that a run offers, by what its steps left."""

    version: int
    """The number that the registry gave."""
    storage_uri: str
    """Address of the released bundle in the model store."""
    online: release.OnlineStore | None
    """Address and digest of its online features there; None of a model that has none."""
    release: Path
    """Folder with the released bundle."""
    evidence: Path
    """Folder with the evidence."""
    signatures: Path
    """Folder with the signatures of bundle and evidence."""
    circumstances: Path | None = None
    """Folder with the circumstances, signed with the evidence; None where the pipeline writes none down."""


@dataclass(frozen=True)
class Offered:
    """The answer to an offer."""

    request: Request | None
    """The request for staging; production's, where staging's is merged and the next one is opened on a merge; None where none is needed."""
    in_production: bool
    """True where production serves this very model already."""


def make(offer: Offer, forge: Forge, *, on_merge: bool) -> Offered:
    """Ask for *offer* to be promoted: open its request, or find it.

    *on_merge*: whether production's request follows staging's merge, rather than staging's health. Raises Rejected with every failed gate
    where the verdict is no, where the model was taken out of service before, and where main has changed since the evaluation; Misconfigured
    where release, evidence and signatures are not of one run.
    """
    evidence = Evidence.read(offer.evidence / "evidence.json")
    state = Main.now(forge).state(evidence.model, evidence.model_digest)
    if evidence.verdict == "champion" and evidence.cause is not None and evidence.cause.must_be_better:
        # It answers nothing, so it is no retraining that went well.
        raise errors.Rejected(
            f"{evidence.model} was trained again ({evidence.cause.kind}), and the model that came of it is the one in production: "
            "what it learned from has not changed; see that the newest rows are in `data`, and in `training.window`"
        )
    if evidence.verdict == "champion" or state.serves(evidence.model_digest):
        return Offered(None, in_production=True)
    if evidence.verdict != "promote":
        raise errors.Rejected(explanation(evidence))
    _refuse_overtaken(evidence, state)
    _refuse_unsigned(offer.signatures)
    request = forge.propose(_proposal(_version(offer, evidence), evidence, offer))
    if request and request.state is State.MERGED and on_merge:
        # Staging has it. Whoever merged may have been cut off before production's request was there.
        request = following.open_next(forge, request) or request
    return Offered(request, in_production=False)


def explanation(evidence: Evidence) -> str:
    """Why the model is not promoted: every gate that failed, with its numbers and what would pass."""
    failed = "".join(f"\n  {_line(gate)}" for gate in evidence.failed)
    # The explanation goes on with the gates, which are listed here with more.
    counted = tally(evidence.gates)
    why = counted if evidence.explanation.startswith(counted) else evidence.explanation
    return f"{evidence.model} is not promoted ({evidence.verdict}): {why}{failed}"


def _line(gate: GateResult) -> str:
    measured = figures.number(gate.measured, "undefined")
    would = f"; would pass: {gate.would_pass}" if gate.would_pass else ""
    return f"{gate.gate}: {measured}, limit {gate.limit}: {gate.reason.removesuffix('.')}{would}"


def _refuse_overtaken(evidence: Evidence, main: merge_checks.MainState) -> None:
    """Refuse evidence that main has overtaken, before anybody reads it."""
    if reason := main.rejected:
        raise errors.Rejected(
            f"{evidence.model} {evidence.model_digest} was taken out of service before: {reason}. Whoever wants it back removes "
            f"{environment_layout.rejected_path(evidence.model, evidence.model_digest)} from the environment repo, in their own name"
        )
    overridden = merge_checks.of_overrides(evidence, main, datetime.datetime.now(datetime.UTC).date())
    for check in (*merge_checks.overtaken(evidence, main), *overridden):
        if not check.passed:
            raise errors.Rejected(f"{check.reason}; run the pipeline again, it will compare with what is there now")


def _refuse_unsigned(signatures: Path) -> None:
    for name in (environment_layout.BUNDLE_SIGNATURE, environment_layout.EVIDENCE_SIGNATURE):
        if not (signatures / name).is_file():
            raise errors.Misconfigured(
                f"{signatures} has no {name}: what is not signed is not proposed; run sign first"
            )


def _version(offer: Offer, evidence: Evidence) -> release.Version:
    return release.Version(
        model=evidence.model,
        version=offer.version,
        model_digest=evidence.model_digest,
        storage_uri=offer.storage_uri,
        online_store=offer.online,
        image=bundles.Release.read(offer.release / bundles.RELEASE).image,
        evidence_digest=sha256((offer.evidence / "evidence.json").read_bytes()),
        policy_digest=evidence.policy_digest,
    )


def _proposal(version: release.Version, evidence: Evidence, offer: Offer) -> promotion_requests.Proposal:
    released = bundles.Release.read(offer.release / bundles.RELEASE)
    if (released.model_digest, released.counter) != (version.model_digest, version.version):
        raise errors.Misconfigured(
            f"release.json is of {released.model_digest}, the evidence of {version.model_digest}"
        )
    if (digest := bundles.digest(offer.release)) != version.model_digest:
        raise errors.Misconfigured(f"the released bundle is {digest}, the evidence is about {version.model_digest}")
    if not (agree := merge_checks.of_release(version, released, legacy=False)).passed:
        raise errors.Misconfigured(f"not one run's outputs: {agree.reason}")
    subject = promotion_requests.Subject(
        model=version.model,
        environment=environment_layout.STAGING,
        model_digest=version.model_digest,
        version=version.version,
        champion_digest=evidence.champion.model_digest,
        policy_digest=evidence.policy_digest,
    )
    how = Circumstances.read(offer.circumstances / circumstances.FILE) if offer.circumstances else None
    report = (offer.evidence / "evidence.md").read_text(encoding="utf-8")
    return promotion_requests.Proposal(
        subject=subject,
        title=promotion_requests.title(subject.model, subject.version, subject.environment),
        body=request_body.markdown(version, released.not_after, report, how),
        files=promotion_requests.files(subject, version.yaml(), _beside(offer)),
    )


def _beside(offer: Offer) -> dict[str, bytes]:
    """The files beside the version file: all that was signed as evidence, and the signatures."""
    released = (offer.release / bundles.RELEASE).read_bytes()
    how = _contents(offer.circumstances) if offer.circumstances else {}
    return {**_contents(offer.evidence), **how, bundles.RELEASE: released, **_contents(offer.signatures)}


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
