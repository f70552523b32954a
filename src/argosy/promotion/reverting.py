"""The request that takes a model out of service: it puts back what main named before, and writes down why the model went.

A pure function of main and of what was measured, so that a retry, or two at once, make the same request.
"""

from collections.abc import Mapping

from argosy.domain import environment_layout, promotion_requests, release
from argosy.domain.rollouts import Rollout
from argosy.promotion.standing import ServedBefore
from argosy.report import revert_body

LONGEST_REASON = 500


def subject(live: release.Version, earlier: release.Version, environment: str) -> promotion_requests.Subject:
    """The subject of the request to go back from *live* to *earlier*."""
    return promotion_requests.Subject(
        model=live.model,
        environment=environment,
        model_digest=earlier.model_digest,
        version=earlier.version,
        policy_digest=earlier.policy_digest,
        reverts=live.model_digest,
    )


def proposal(
    rollout: Rollout, live: release.Version, earlier: release.Version, files: Mapping[str, bytes]
) -> promotion_requests.Proposal:
    """The request to go back from *live*, which *rollout* gave up, to *earlier*, whose files main had as *files*."""
    note = environment_layout.rejected_path(live.model, live.model_digest)
    return promotion_requests.Proposal(
        subject=subject(live, earlier, rollout.environment),
        title=f"Revert {live.model} in {rollout.environment} from version {live.version} to {earlier.version}",
        body=revert_body.markdown(rollout, live, earlier),
        files={**files, note: f"{reason(rollout, live)}\n".encode()},
    )


def by_hand(
    live: release.Version, earlier: ServedBefore, environment: str, *, by: str, why: str
) -> promotion_requests.Proposal:
    """The request to go back from *live* to *earlier*, which *by* asks for because of *why*.

    The same model gets the same request as an aborted canary's does: whoever is first opens it, and the other finds it.
    """
    note = environment_layout.rejected_path(live.model, live.model_digest)
    why = promotion_requests.one_line(why, LONGEST_REASON)
    said = f"version {live.version} was rolled back in {environment} by {by}: {why}"
    return promotion_requests.Proposal(
        subject=subject(live, earlier.version, environment),
        title=f"Revert {live.model} in {environment} from version {live.version} to {earlier.version.version}",
        body=revert_body.by_hand(live, earlier.version, environment, by=by, why=why),
        files={**earlier.files, note: f"{promotion_requests.one_line(said, LONGEST_REASON)}\n".encode()},
        author=by,
    )


def reason(rollout: Rollout, live: release.Version) -> str:
    """Why the model went, in one line."""
    why = " ".join(rollout.message.split()) or rollout.phase
    return f"version {live.version} was aborted in {rollout.environment}: {why}"[:LONGEST_REASON]
