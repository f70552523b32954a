"""Tries a second version beside the one that an environment serves, and ends that: which version, whether it may stand there, the request.

Left to others: what the second one does with requests (``serving``), which of the two is better (``monitoring.comparing``), and the merge
(``desk``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from argosy import errors
from argosy.domain import environment_layout, merge_checks, promotion_requests, release, second_file
from argosy.domain.evidence import Evidence
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Proposal, Subject
from argosy.domain.second_file import SecondFile
from argosy.promotion import approval
from argosy.promotion.approval import NamedPlace
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.report import experiment_body

LONGEST_REASON = 500
SHORTEST_DIGEST = 12
"""Hex digits of a digest that name one model."""


@dataclass(frozen=True)
class Experiment:
    """A second version as somebody wants it beside the one that an environment serves."""

    live: release.Version
    environment: str
    second: SecondFile
    evidence: tuple[Evidence | None, Evidence | None]
    """Of the served version and of the second one, where main or a request has any."""
    checks: tuple[Check, ...]
    """Whether the second one may stand there."""

    @property
    def subject(self) -> Subject:
        """The subject of its request."""
        second = self.second
        return Subject(
            model=self.live.model,
            environment=self.environment,
            model_digest=second.model_digest,
            version=second.version,
            champion_digest=self.live.model_digest,
            policy_digest=self.live.policy_digest,
            tries=second.role,
            percent=second.percent,
            until=second.until,
        )


def served(main: Main, model: str, environment: str) -> release.Version:
    """What *environment* serves of *model*. Raises Rejected where it serves nothing."""
    live = main.version(model, environment)
    if live is None:
        said = retired.said if (retired := main.retired(model)) else "main names no version of it"
        raise errors.Rejected(f"{environment} does not serve {model}: {said}. A second version stands beside a first")
    return live


def found(main: Main, live: release.Version, environment: str, which: str | None) -> NamedPlace:
    """The version that *which* names: a number, an environment, a digest; None: what the environment before *environment* serves.

    Raises UsageError where there is no such version, or it is *live* itself; Rejected where it was taken out of service.
    """
    before = environment_layout.preceding(environment)
    which, said = (which, which) if which else (before, f"the version of {before}")
    if which is None:
        raise errors.UsageError(f"which version is to be tried in {environment}? --version N")
    there = _named(main, live.model, which)
    if there.version.model_digest == live.model_digest:
        raise errors.UsageError(
            f"{said} is version {live.version}, which {environment} serves already; name another: --version N (`argosy pr list --all`)"
        )
    return there


def _named(main: Main, model: str, which: str) -> NamedPlace:
    if which in environment_layout.ENVIRONMENTS:
        version = served(main, model, which)
        return approval.named(main, model, lambda one: one.model_digest == version.model_digest, f"{which}'s version")
    if which.isascii() and which.isdecimal() and len(which) < SHORTEST_DIGEST:
        return approval.named(main, model, lambda one: one.version == int(which), f"version {which}")
    digits = which.removeprefix("sha256:")
    if len(digits) < SHORTEST_DIGEST or set(digits) - set("0123456789abcdef"):
        raise errors.UsageError(
            f"{which!r} is no version; expected a number, an environment ({', '.join(environment_layout.ENVIRONMENTS)}), or "
            f"{SHORTEST_DIGEST} or more hex digits of a model digest"
        )
    wanted = f"sha256:{digits}"
    return approval.named(main, model, lambda one: one.model_digest.startswith(wanted), f"the model {wanted}")


def experiment(main: Main, environment: str, second: SecondFile, place: NamedPlace, seals: Seals) -> Experiment:
    """*second*, which is named at *place*, beside what *environment* serves. Raises Rejected where it serves nothing."""
    model = place.version.model
    live = served(main, model, environment)
    evidence = (_evidence(main, model, environment), _evidence(place.main, model, place.environment))
    draft = Experiment(live, environment, second, evidence, ())
    return replace(draft, checks=tuple(checks(main, draft.subject, second, seals)))


def _evidence(main: Main, model: str, environment: str) -> Evidence | None:
    main = main.holding(environment_layout.evidence_path(model, environment))
    try:
        return main.evidence(model, environment)
    except errors.Misconfigured:  # it is shown, and decides nothing here
        return None


def checks(main: Main, subject: Subject, second: SecondFile, seals: Seals) -> list[Check]:
    """Every check of a request about *subject* that tries *second*. Raises TryAgain where the model store does not answer."""
    live = main.version(subject.model, subject.environment)
    found = [
        *merge_checks.of_experiment(subject, second, live, main.rejection(subject.model, second.model_digest)),
        *merge_checks.of_minimum(subject.model, second.version, main.minimum_version(subject.model)),
        *seals.of_second(subject.model, second),
        _evidence_check(main, subject.model, second, seals),
    ]
    return [*found, seals.likeness(live, second)] if live and all(one.passed for one in found) else found


def _evidence_check(main: Main, model: str, second: SecondFile, seals: Seals) -> Check:
    try:
        place = approval.named(
            main, model, lambda one: one.model_digest == second.model_digest, f"version {second.version}"
        )
        files = place.main.files_of(model, place.environment)
        evidence = seals.evidence(place.version, files, place.environment)
    except errors.TryAgain:
        raise
    except errors.ArgosyError as error:
        return Check("evidence", passed=False, reason=f"there is none that holds: {error}", final=True)
    return merge_checks.of_second_evidence(second, evidence)


def second_of(subject: Subject, files: Mapping[str, bytes]) -> SecondFile:
    """What the *files* of a request about *subject* say is tried. Raises Misconfigured where that cannot be understood."""
    path = environment_layout.second_path(subject.model, subject.environment)
    return second_file.parse(files.get(path, b""), path)


def proposal(one: Experiment, before: SecondFile | None, *, by: str, why: str) -> Proposal:
    """The request for *one*, in the name of *by*, because of *why*; *before*: what main tries now, which it takes the place of.

    Raises Rejected, with every red check, where the second version may not stand there.
    """
    if red := [check for check in one.checks if not check.passed]:
        reasons = "; ".join(f"{check.name}: {check.reason}" for check in red)
        raise errors.Rejected(f"version {one.second.version} cannot be tried in {one.environment}, {reasons}")
    why = promotion_requests.one_line(why, LONGEST_REASON)
    path = environment_layout.second_path(one.live.model, one.environment)
    return Proposal(
        subject=one.subject,
        title=_title(one),
        body=experiment_body.begins(
            one.live, one.second, one.environment, before=before, evidence=one.evidence, by=by, why=why
        ),
        files={path: one.second.yaml().encode()},
        author=by,
    )


def _title(one: Experiment) -> str:
    second, model = one.second, one.live.model
    if second.role == "shadow":
        return f"Try {model} version {second.version} in {one.environment}, as a shadow of {second.percent} %"
    return f"Let {model} version {second.version} answer {second.percent} % of the entities in {one.environment}"


def end(main: Main, live: release.Version, environment: str, *, by: str, why: str) -> Proposal:
    """The request that ends what *environment* tries beside *live*, in the name of *by*, because of *why*."""
    why = promotion_requests.one_line(why, LONGEST_REASON)
    main = main.holding(environment_layout.second_path(live.model, environment))
    try:
        second = main.second(live.model, environment)
    except errors.Misconfigured:  # that it cannot be understood is one more reason for it to go
        second = None
    return Proposal(
        subject=Subject(
            model=live.model,
            environment=environment,
            model_digest=live.model_digest,
            version=live.version,
            policy_digest=live.policy_digest,
            tries="nothing",
        ),
        title=f"Try no second version of {live.model} in {environment} any more",
        body=experiment_body.ends(live, second, environment, by=by, why=why),
        files={},
        author=by,
    )
