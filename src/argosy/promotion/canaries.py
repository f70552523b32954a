"""Makes git agree with what an environment's canaries came to: an aborted one becomes a revert request, a healthy one the next request.

Safe to repeat, and to run twice at once: the forge knows one request for each answer. A revert that a person closed stays closed. Left to
others: what the cluster says, what a canary calls for (``domain.rollouts``), the files of a revert (``reverting``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.domain import environment_layout, release
from argosy.domain import rollouts as rules
from argosy.domain.promotion_requests import Request, State
from argosy.domain.rollouts import Conclusion, Rollout
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.promotion import aliases, following, reverting
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class Settled:
    """One canary, the conclusion from it, and the request that followed."""

    rollout: Rollout
    conclusion: Conclusion
    request: Request | None
    """That was opened or found; None where none is called for, or a person closed it."""
    done: str
    """In words; empty where nothing is called for."""

    @property
    def line(self) -> str:
        """One line for a log."""
        where = f"{self.rollout.model} in {self.rollout.environment}"
        return f"{where}: {self.conclusion.reason}{f'; {self.done}' if self.done else ''}"


def settle(
    environment: str,
    seen: Sequence[Rollout],
    *,
    forge: Forge,
    registry: Registry,
    report: Callable[[Settled], None],
) -> list[Settled]:
    """Do what each canary of *environment* calls for, all of them as they were *seen* at once; *report* has each as soon as it is done.

    Raises Rejected, after all were looked at, where a model was given up and there is none to go back to; TryAgain where cluster, forge or
    registry fail.
    """
    settled, stuck = [], []
    names = sorted({rollout.model for rollout in seen})
    main = Main.now(forge).knowing(names)  # one for all: most of them call for nothing
    for rollout in seen:
        try:
            settled.append(_settled(rollout, main, registry))
        except errors.Rejected as error:
            stuck.append(f"{rollout.model}: {error}")
            continue
        report(settled[-1])
    if environment == environment_layout.PRODUCTION:
        # Last, because a registry that fails must not keep a revert from being opened.
        newest = Main.now(forge).knowing(names)
        for model in names:
            aliases.follow_main(newest, model, registry)
    if stuck:
        raise errors.Rejected("; ".join(stuck))
    return settled


def _settled(rollout: Rollout, seen: Main, registry: Registry) -> Settled:
    live, conclusion = _concluded(rollout, seen)
    if live is None or conclusion.action == "nothing":
        return Settled(rollout, conclusion, None, "")
    if conclusion.action == "advance" and (has := _already(rollout, live, seen)):
        return Settled(rollout, conclusion, None, has)  # as with most models at most times: no request is looked for
    main = Main.now(seen.forge)  # what is done is of main as it is by then: others' requests took their time
    live, conclusion = _concluded(rollout, main)
    if live is None or conclusion.action == "nothing":
        return Settled(rollout, conclusion, None, "")
    if conclusion.action == "revert":
        request, done = _revert(rollout, live, main, registry)
    else:
        request, done = _advance(rollout, live, main.forge)
    return Settled(rollout, conclusion, request, done)


def _concluded(rollout: Rollout, main: Main) -> tuple[release.Version | None, Conclusion]:
    live = main.version(rollout.model, rollout.environment)
    return live, rules.conclude(rollout, live)


def _revert(rollout: Rollout, live: release.Version, main: Main, registry: Registry) -> tuple[Request | None, str]:
    earlier = main.served_before(live, rollout.environment)
    if earlier is None:
        raise errors.Rejected(
            f"version {live.version} was given up in {rollout.environment} ({rollout.message}), and main never named another "
            "that could be put back; merge a request for a better one"
        )
    proposal = reverting.proposal(rollout, live, earlier.version, earlier.files)
    opened = _opened(lambda: main.forge.propose(proposal))
    registry.reject(live.model, live.model_digest, reverting.reason(rollout, live))
    return opened


def _already(rollout: Rollout, live: release.Version, main: Main) -> str:
    """That the next environment has what *live* is, in words; empty where it has not."""
    following_one = environment_layout.following(rollout.environment)
    there = main.version(live.model, following_one) if following_one else None
    return f"{following_one} has it" if there and there.model_digest == live.model_digest else ""


def _advance(rollout: Rollout, live: release.Version, forge: Forge) -> tuple[Request | None, str]:
    merged = [
        request
        for request in forge.requests()
        if request.state is State.MERGED
        and request.subject.kind not in {"retirement", "renewal", "experiment"}
        and request.subject.model_digest == live.model_digest
        and (request.subject.model, request.subject.environment) == (live.model, rollout.environment)
    ]
    if not merged:
        return None, "no request brought it, so none follows"
    return _opened(lambda: following.open_next(forge, merged[-1]))


def _opened(ask: Callable[[], Request | None]) -> tuple[Request | None, str]:
    try:
        request = ask()
    except errors.Rejected as error:  # a person closed it; that is an answer, and every later look finds it again
        return None, f"left alone: {error}"
    if request is None:
        return None, "nothing is left to propose"
    return request, f"request {request.number} ({request.state}): {request.title}"
