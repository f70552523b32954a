"""The merge checks of a promotion request: pure checks of its files against what main says.

The one check that needs keys and the model store, the signature, is the caller's; its result joins these as a :class:`Check`.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from argosy import errors
from argosy.domain import as_of, changes, environment_layout, overrides, release, version_file
from argosy.domain.bundle import Release, stores_release
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence
from argosy.domain.overrides import Override
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.second_file import SecondFile

ANEW = "train a new one, of newer data or with another `seed`: the same commit and data give the same release"
"""The way out of a release that is over."""
OVERRIDES = "overrides"
"""The check that only a request has that goes by an override."""
LONGEST_RELEASE = 64 * 1024
"""Bytes; some hundred is usual."""


@dataclass(frozen=True)
class Check:
    """One check. *final*: no reviewer can overrule it."""

    name: str
    passed: bool
    reason: str
    final: bool = False


@dataclass(frozen=True)
class MainState:
    """The state of main for one model, at one commit; ``argosy.promotion.standing`` reads it."""

    model: str
    champion: release.Version | None
    """The version in production."""
    policy_digest: str | None
    """Of the model's gates; None where main has none."""
    rejected: str | None
    """Why the model that is asked about was taken out of service; None where it was not."""
    overrides: Sequence[Override] = ()
    """Gates that the model may go past, by main's word."""
    retired: release.Version | None = None
    """The version that production had when the model was retired there; None where it was not, or is served again."""
    overrides_fault: str | None = None
    """Why main's word of those cannot be read; None where it can, or there is none."""

    def serves(self, model_digest: str) -> bool:
        """True where that model is in production, the champion."""
        return self.champion is not None and self.champion.model_digest == model_digest


def overtaken(evidence: Evidence, main: MainState) -> list[Check]:
    """Check that *evidence* is not stale by main: this champion, this policy, a model that was not taken out."""
    compared, champion = evidence.champion.model_digest, main.champion.model_digest if main.champion else None
    out = main.rejected
    return [
        Check(
            "champion",
            compared == champion,
            f"compared with the model in production, {short(champion)}"
            if compared == champion
            else f"it was compared with {short(compared)}, but production has {short(champion)} by now",
        ),
        Check(
            "policy",
            evidence.policy_digest == main.policy_digest,
            "judged by main's policy"
            if evidence.policy_digest == main.policy_digest
            else f"it was judged by another policy than main's {environment_layout.policy_path(main.model)}",
        ),
        Check(
            "rejected",
            out is None,
            f"this model was taken out of service before: {out}" if out else "never taken out of service",
        ),
    ]


def of_overrides(evidence: Evidence, main: MainState, today: datetime.date) -> list[Check]:
    """Check that each override that *evidence* goes by is one that *main* has for this model, word for word, and has not run
    out by *today*.

    Final: whoever wants it longer renews it, in their own name. None where the evidence goes by none.
    """
    used = evidence.overridden
    if not used:
        return []
    if main.overrides_fault is not None:
        return [Check(OVERRIDES, passed=False, reason=main.overrides_fault, final=True)]
    wrong = overrides.ended(used, main.overrides, evidence.model_digest, today)
    where = environment_layout.overrides_path(evidence.model)
    reason = f"{'; '.join(wrong)}; renew it in {where}, and run the pipeline again" if wrong else _words(used)
    return [Check(OVERRIDES, not wrong, reason, final=True)]


def of_dated(subject: Subject, files: Mapping[str, bytes], main: MainState, today: datetime.date) -> list[Check]:
    """The checks of a request about *subject* that ask what day it is; none where its evidence cannot be read."""
    try:
        _, evidence = _documents(subject, files)
    except (errors.Misconfigured, ValidationError, LookupError):
        return []
    return of_overrides(evidence, main, today)


def _words(used: Sequence[Override]) -> str:
    return "; ".join(f"{one.gate} {one.said()}" for one in used)


def of_order(subject: Subject, before: release.Version | None) -> list[Check]:
    """Check that the environment before that of *subject*, where main names *before*, serves this model; none for the first.

    Not final: in an emergency a reviewer may go past it, by name.
    """
    earlier = environment_layout.preceding(subject.environment)
    if earlier is None:
        return []
    named = before.model_digest if before else None
    passed = named == subject.model_digest
    reason = f"{earlier} serves {short(named)}"
    return [
        Check("order", passed, reason if passed else f"{reason}; {subject.environment} takes what {earlier} serves")
    ]


def without_subject(reason: str) -> Check:
    """The one check of a request whose commit is no promotion, and why it is none."""
    return Check("subject", passed=False, reason=reason, final=True)


def of_state(request: Request) -> list[Check]:
    """That a *request* which ended unmerged can be merged no more, and why it ended; none while it is open."""
    if request.state is State.OPEN:
        return []
    reason = f"it is {request.state}: {request.reason or 'no reason given'}"
    return [Check("open", passed=False, reason=reason, final=True)]


def of_subject(claimed: Subject, found: Subject) -> Check:
    """Check that a request's text names what its commit changes: people read the one, the other is merged."""
    if wrong := changes.disagreements(claimed, found):
        return without_subject(f"its text is about something else than its commit: {'; '.join(wrong)}")
    place = f"{found.model} in {found.environment}"
    return Check("subject", passed=True, reason=f"its commit changes {place}, and nothing else", final=True)


def of_release(version: release.Version, released: Release, *, legacy: bool) -> Check:
    """Check that *version* is what was *released*, in every field that evidence and policy do not bind.

    *legacy*: a release from before online stores were named in releases will do, as for what main had already.
    """
    stores = (version.online_store, released.online_store)
    differences = {
        "model": (version.model, released.model),
        "version": (version.version, released.counter),
        "modelDigest": (version.model_digest, released.model_digest),
        "onlineStore": stores if not (legacy and released.online_store is None) else (None, None),
        "image": (version.image, released.image),
    }
    return _as_released("version.yaml", differences, released)


def _as_released(file: str, fields: Mapping[str, tuple[object, object]], released: Release) -> Check:
    """Check that *fields*, by name what *file* says and what was *released*, are equal in both."""
    wrong = [
        f"{name} is {_shown(said)}, the signed release says {_shown(signed)}"
        for name, (said, signed) in fields.items()
        if said != signed
    ]
    reason = "; ".join(wrong) or f"{file} says what was released as version {released.counter}"
    return Check("release", not wrong, reason, final=True)


def named_release(version: release.Version, content: bytes, where: str) -> Release:
    """The release in *content*, which lies at *where*, once it is the one that *version* names. Raises Misconfigured where it is not.

    A bundle is stored under its release's digest too, so that an address vouches for the release as the other fields do.
    """
    if len(content) > LONGEST_RELEASE:
        raise errors.Misconfigured(
            f"{where} has {len(content)} bytes, and no release is that long; restore it from git"
        )
    try:
        released = Release.model_validate_json(content)
    except ValidationError as error:
        raise errors.Misconfigured(f"{where} cannot be read: {error.errors()[0]['msg']}; restore it from git") from None
    agrees = of_release(version, released, legacy=True)
    if not agrees.passed:
        raise errors.Misconfigured(f"{where} is of another version: {agrees.reason}; restore it from git")
    if not stores_release(version.storage_uri, content):
        raise errors.Misconfigured(
            f"{where} is not the release that lies at {version.storage_uri}; restore it from git"
        )
    return released


def _shown(value: object) -> str:
    return value.text() if isinstance(value, release.OnlineStore) else "none" if value is None else str(value)


def of_features(version: release.Version, *, there: bool) -> list[Check]:
    """Check that the model store has the online features of *version*, where *there* says so; none where it has none of its own.

    They may be gone although the bundle stays: one person was erased from them, or they were collected.
    """
    if version.online_store is None:
        return []
    reason = (
        "its online features are in the model store"
        if there
        else f"its online features {version.online_store.uri} are not in the model store any more, so that its servers would not start"
    )
    return [Check("features", there, reason if there else f"{reason}; {ANEW}", final=True)]


def of_term(released: Release, now: datetime.datetime, *, final: bool) -> Check:
    """Check that *released* has not expired at *now*; servers refuse it afterwards."""
    until = f"{released.not_after:%Y-%m-%d %H:%M} UTC"
    passed = now < released.not_after
    reason = f"may be served until {until}" if passed else f"the release expired at {until}; {ANEW}"
    return Check("term", passed, reason, final=final)


def checks(subject: Subject, files: Mapping[str, bytes], main: MainState) -> list[Check]:
    """Every check of a request about *subject* that proposes *files*, but for those that ask what day it is."""
    try:
        version, evidence = _documents(subject, files)
    except (errors.Misconfigured, ValidationError, LookupError) as error:
        reason = f"{error.args[0]} is missing" if isinstance(error, LookupError) else str(error)
        return [
            Check(
                "documents", passed=False, reason=f"version.yaml or evidence.json cannot be used: {reason}", final=True
            )
        ]
    return [
        _documents_agree(subject, version, evidence, files),
        _verdict(evidence),
        *_cause(evidence),
        _repeatable(subject, evidence),
        _newer(version, main),
        *overtaken(evidence, main),
    ]


def of_revert(
    subject: Subject, files: Mapping[str, bytes], live: release.Version | None, earlier: Mapping[str, bytes]
) -> list[Check]:
    """Every check of a request that goes back from what main names, *live*, to what it named before, the files *earlier*."""
    note = environment_layout.rejected_path(subject.model, subject.reverts or "")
    same = {path: content for path, content in files.items() if path != note} == earlier and bool(earlier)
    named = live.model_digest if live else None
    return [
        Check(
            "documents",
            same and note in files,
            "it puts back what main had, unchanged, and says why"
            if same and note in files
            else "it is not exactly what main named before; close it, a new one will be opened",
            final=True,
        ),
        Check(
            "served",
            named == subject.reverts,
            f"main names {short(subject.reverts)}, which it takes out"
            if named == subject.reverts
            else f"main names {short(named)} by now, not {short(subject.reverts)}; there is nothing to take out",
            final=True,
        ),
    ]


def of_minimum(model: str, version: int, oldest: int | None) -> list[Check]:
    """Check that *version* of *model* is none that servers refuse, which take *oldest* and newer; none where its values set no bound."""
    if oldest is None:
        return []
    passed = version >= oldest
    reason = f"models/{model}/values.yaml lets version {oldest} and newer be served (minimumVersion)"
    return [Check("minimum", passed, reason if passed else f"{reason}, not {version}", final=True)]


def of_retirement(
    subject: Subject, retired: release.Version | None, live: release.Version | None, needed_by: Sequence[int]
) -> list[Check]:
    """Every check of a request that retires *subject*: it says that *retired* was served, main names *live*, and the open requests
    *needed_by* need it."""
    named = live.model_digest if live else None
    same = retired is not None and retired == live
    numbers = ", ".join(f"#{number}" for number in needed_by)
    return [
        Check(
            "served",
            named == subject.model_digest,
            f"main names {short(named)}, which goes"
            if named == subject.model_digest
            else f"main names {short(named)} by now, not {short(subject.model_digest)}; close it and retire what is there",
            final=True,
        ),
        Check(
            "documents",
            same,
            "it says what main named, in every field"
            if same
            else "it does not say what main names; close it, and let `argosy retire` write it anew",
            final=True,
        ),
        Check("needed", not numbers, f"needed by the open {numbers}" if numbers else "no open request needs it"),
    ]


def of_renewal(subject: Subject, files: Mapping[str, bytes], live: Mapping[str, bytes]) -> list[Check]:
    """Every check of a request that signs *subject* anew, but for the signatures themselves: *files* are what main has, *live*."""
    folder = environment_layout.evidence_folder(subject.model, subject.environment)
    signatures = {f"{folder}/{name}" for name in environment_layout.SIGNATURES}
    ours, mains = ({path: text for path, text in of.items() if path not in signatures} for of in (files, live))
    same = ours == mains and bool(mains)
    return [
        Check(
            "documents",
            same,
            "it changes signatures, and nothing of what they vouch for"
            if same
            else "main serves something else by now; close it, and let `argosy keys resign` sign what is there",
            final=True,
        )
    ]


def of_experiment(
    subject: Subject, second: SecondFile, live: release.Version | None, rejected: str | None
) -> list[Check]:
    """Every check of a request that tries *second* beside what main names, *live*, but for signatures; *rejected*: why that model was
    taken out of service."""
    named = live.model_digest if live else None
    beside = named is not None and named == subject.champion_digest
    another = second.model_digest != named
    return [
        Check(
            "served",
            beside,
            f"beside what main names, {short(named)}"
            if beside
            else f"it was to stand beside {short(subject.champion_digest)}, and main names {short(named)} by now; "
            "let `argosy shadow` ask anew",
            final=named is None,
        ),
        Check(
            "another",
            another,
            "another model than the one that is served" if another else "it is served already; there is nothing to try",
            final=True,
        ),
        Check(
            "rejected",
            rejected is None,
            f"it was taken out of service before: {rejected}" if rejected else "never taken out of service",
            final=True,
        ),
    ]


def of_experiments_end(*, there: bool) -> list[Check]:
    """Every check of a request that ends the experiment with a second version; *there*: whether main has one."""
    return [
        Check("tried", there, "main has one, which goes" if there else "main has none by now; close it", final=True)
    ]


def of_second_release(model: str, second: SecondFile, released: Release) -> Check:
    """Check that *second* is what was *released* of *model*, in every field that says which one it is."""
    differences = {
        "model": (model, released.model),
        "version": (second.version, released.counter),
        "modelDigest": (second.model_digest, released.model_digest),
    }
    return _as_released("second.yaml", differences, released)


def of_second_evidence(second: SecondFile, evidence: Evidence) -> Check:
    """Check that the verdict on *second* allows what it is to do. Who answers entities decides about people as whoever is promoted does;
    of a shadow, whose answers nobody gets, the verdict is said."""
    verdict = _verdict(evidence)
    answers = second.role == "candidate"
    return Check("evidence", verdict.passed or not answers, verdict.reason, final=True)


def of_likeness(problem: str) -> Check:
    """Check that requests to the served version can ask the second one, and its answers say the same; *problem*: why not."""
    return Check("schema", not problem, problem or "the requests of the served version ask it too", final=True)


def _documents(subject: Subject, files: Mapping[str, bytes]) -> tuple[release.Version, Evidence]:
    path = environment_layout.version_path(subject.model, subject.environment)
    version = version_file.parse(files[path], path)
    return version, Evidence.model_validate_json(files[_evidence_path(subject)])


def _evidence_path(subject: Subject) -> str:
    return environment_layout.evidence_path(subject.model, subject.environment)


def _documents_agree(
    subject: Subject, version: release.Version, evidence: Evidence, files: Mapping[str, bytes]
) -> Check:
    differences = {
        "the model": len({subject.model, version.model, evidence.model}) > 1,
        "the model's digest": len({subject.model_digest, version.model_digest, evidence.model_digest}) > 1,
        "the evidence's digest": version.evidence_digest != sha256(files[_evidence_path(subject)]),
        "the policy's digest": version.policy_digest != evidence.policy_digest,
    }
    wrong = [what for what, differs in differences.items() if differs]
    reason = (
        f"request, version.yaml and evidence.json disagree about {', '.join(wrong)}"
        if wrong
        else "version and evidence are of one model"
    )
    return Check("documents", not wrong, reason, final=True)


def _verdict(evidence: Evidence) -> Check:
    if evidence.as_of is not None:
        at = as_of.text(evidence.as_of)
        reason = (
            f"evaluated as of {at}, with what was known then and beside no champion; nothing is promoted of such a run"
        )
        return Check("verdict", passed=False, reason=reason, final=True)
    # Whoever signs evidence may have been given one that another program wrote: a word is held against the gates that stand below it.
    if evidence.verdict == "promote" and evidence.failed:
        names = ", ".join(gate.gate for gate in evidence.failed)
        return Check("verdict", passed=False, reason=f"the evaluation says 'promote', and {names} failed", final=True)
    return Check("verdict", evidence.verdict == "promote", f"the evaluation says {evidence.verdict!r}", final=True)


def _cause(evidence: Evidence) -> list[Check]:
    """Check that a retraining whose cause asks for a better model beat the champion on recent rows; none for other causes."""
    if evidence.cause is None or not evidence.cause.must_be_better:
        return []
    passed = evidence.recent is not None and evidence.recent.outcome == "better"
    reason = evidence.recent.reason if evidence.recent else "it was held against no recent rows"
    return [Check("cause", passed, f"retrained for {evidence.cause.kind}: {reason}", final=True)]


def _repeatable(subject: Subject, evidence: Evidence) -> Check:
    """Check the provenance: the model can be reproduced from it. Production insists, staging by its policy; else it is said."""
    why = "; ".join(evidence.provenance.doubts())
    passed = True
    if not why:
        reason = f"made from commit {evidence.provenance.commit[:12]}, whose files those were"
    elif evidence.provenance_waiver:
        reason = f"waived by the policy: {evidence.provenance_waiver}; {why}"
    elif evidence.must_be_repeatable(subject.environment):
        passed = False
        reason = f"{why}; commit, run the pipeline again and propose that, or let the policy waive it (`provenance`)"
    else:
        reason = f"production will refuse it: {why}"
    return Check("provenance", passed, reason, final=True)


def _newer(version: release.Version, main: MainState) -> Check:
    # What was retired may come back by a newer version: any signed one of before would else be the first of its model again.
    last = main.champion or main.retired
    newer = last is None or version.version >= last.version
    had = "has" if main.champion else "had, before the model was retired,"
    reason = f"version {version.version}" + (f", production {had} {last.version}" if last else "")
    return Check(
        "newer", newer, reason if newer else f"{reason}; to go back, revert the commit that brought the newer one"
    )


def short(digest: str | None) -> str:
    """A digest as people compare it."""
    return digest.removeprefix("sha256:")[:12] if digest else "no model"
