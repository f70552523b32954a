"""Goes back by hand to a version that an environment served before: which one, whether it may be served, and the request that does it.

Asked twice, it is done once: where the version that is served came back by a request, there is nothing left to take out unless somebody
names a version. Left to others: what the request holds (``reverting``), its merge (``desk``), and what an aborted canary leads to
(``canaries``).
"""

from dataclasses import dataclass

from argosy import errors
from argosy.domain import merge_checks, release
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State
from argosy.promotion import reverting, standing
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main, ServedBefore


@dataclass(frozen=True)
class WayBack:
    """From the version that is served to one that was."""

    live: release.Version
    earlier: ServedBefore
    environment: str
    checks: tuple[Check, ...]
    """Whether bundle and evidence of the earlier one are signed, are what was released, and may still be served."""


@dataclass(frozen=True)
class BackAlready:
    """The environment serves what was asked for."""

    version: release.Version
    by: Request | None
    """The request that brought it back; None where none did."""


def find(main: Main, model: str, environment: str, number: int | None, seals: Seals) -> WayBack | BackAlready:
    """The way from what *environment* serves of *model* to version *number*, or to the newest before (None).

    Raises Rejected where it serves nothing, or there is nothing to go back to; TryAgain where the model store does not answer.
    """
    live = main.version(model, environment)
    if live is None:
        said = retired.said if (retired := main.retired(model)) else "main names no version of it"
        raise errors.Rejected(f"{environment} does not serve {model}: {said}")
    if number == live.version:
        return BackAlready(live, None)
    if number is None and (by := _brought_back(main, live, environment)):
        return BackAlready(live, by)
    earlier = _earlier(main, live, environment, number)
    subject = reverting.subject(live, earlier.version, environment)
    allowed = merge_checks.of_minimum(model, earlier.version.version, main.minimum_version(model))
    return WayBack(live, earlier, environment, (*seals.checks(subject, earlier.files), *allowed))


def open_request(main: Main, way: WayBack, *, by: str, why: str) -> Request:
    """The request for *way*, opened or found. Raises Rejected, with every red check, where the earlier version could not be served."""
    if red := [check for check in way.checks if not check.passed]:
        reasons = "; ".join(f"{check.name}: {check.reason}" for check in red)
        raise errors.Rejected(
            f"version {way.earlier.version.version} cannot be put back, {reasons}. `--to VERSION` names another"
        )
    request = main.forge.propose(reverting.by_hand(way.live, way.earlier, way.environment, by=by, why=why))
    if request is None:
        raise errors.TryAgain(f"{way.environment} serves another version of {way.live.model} by now; try again")
    return request


def _brought_back(main: Main, live: release.Version, environment: str) -> Request | None:
    """The request that put *live* back, where that was the newest to change what *environment* serves.

    Main's history says which version was left, not the times of the requests: two that end within a second have the same.
    """
    served = (standing.understood(then, live.model, environment) for then in main.servings(live.model, environment))
    left = next((each.model_digest for each in served if each and each.model_digest != live.model_digest), None)
    if left is None or main.rejection(live.model, left) is None:
        return None
    there_and_back = (live.model, environment, live.model_digest, left)
    found = (
        one
        for one in reversed(main.forge.requests())
        if one.state is State.MERGED
        and (one.subject.model, one.subject.environment, one.subject.model_digest, one.subject.reverts)
        == there_and_back
    )
    return next(found, None)


def _earlier(main: Main, live: release.Version, environment: str, number: int | None) -> ServedBefore:
    known: list[int] = []
    for _, version in main.ways_back(live, environment):
        known.append(version.version)
        if number in (None, version.version) and (found := main.served_before(live, environment, version.model_digest)):
            return found
    asked = "another version" if number is None else f"version {number}"
    others = f"; it served {', '.join(map(str, known))}" if known else ""
    raise errors.Rejected(
        f"{environment} never served {asked} of {live.model} before version {live.version}, or it was taken out of service{others}. "
        f"`argosy retire {live.model} --environment {environment}` takes the model out altogether"
    )
