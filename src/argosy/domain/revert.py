"""The request that takes a model out of service: it puts back what main named before, and writes down why the model went.

A pure function of main and of what was measured, so that a retry, or two at once, make the same request.
"""

from collections.abc import Mapping, Sequence

from argosy.domain import promotion, release
from argosy.domain.markdown_text import code, escape
from argosy.domain.rollouts import Measurement, Rollout

LONGEST_REASON = 500
SHOWN_VALUES = 10


def subject(live: release.Version, earlier: release.Version, environment: str) -> promotion.Subject:
    """What going back from *live* to *earlier* is about."""
    return promotion.Subject(
        model=live.model,
        environment=environment,
        model_digest=earlier.model_digest,
        version=earlier.version,
        policy_digest=earlier.policy_digest,
        reverts=live.model_digest,
    )


def proposal(
    rollout: Rollout, live: release.Version, earlier: release.Version, files: Mapping[str, bytes]
) -> promotion.Proposal:
    """The request to go back from *live*, which *rollout* gave up, to *earlier*, whose files main had as *files*."""
    note = promotion.rejected_path(live.model, live.model_digest)
    return promotion.Proposal(
        subject=subject(live, earlier, rollout.environment),
        title=f"Revert {live.model} in {rollout.environment} from version {live.version} to {earlier.version}",
        body=body(rollout, live, earlier),
        files={**files, note: f"{reason(rollout, live)}\n".encode()},
    )


def reason(rollout: Rollout, live: release.Version) -> str:
    """Why the model went, in one line."""
    why = " ".join(rollout.message.split()) or rollout.phase
    return f"version {live.version} was aborted in {rollout.environment}: {why}"[:LONGEST_REASON]


def body(rollout: Rollout, live: release.Version, earlier: release.Version) -> str:
    """The text of the request: what happened, what was measured, what a merge does. Markdown; all that was measured stays text."""
    note = promotion.rejected_path(live.model, live.model_digest)
    sections = [
        f"# {escape(live.model)}: version {live.version} was given up in {rollout.environment}",
        escape(" ".join(rollout.message.split()) or rollout.phase),
        f"The canary sent all traffic back to version {earlier.version}; main still names version {live.version}. Merging this makes "
        f"main say what is live. It also adds `{note}`: that model is not proposed again unless somebody removes the file by name.",
        "## What was measured",
        _table(rollout.measurements),
        "## Which models",
        f"| | version | model digest |\n|---|---|---|\n| taken out | {live.version} | `{live.model_digest}` |\n"
        f"| put back | {earlier.version} | `{earlier.model_digest}` |",
        f"Rollout {code(f'{rollout.namespace}/{rollout.name}')}; "
        f"{code(f'kubectl argo rollouts get rollout {rollout.name} -n {rollout.namespace}')} shows its pods.",
    ]
    return "\n\n".join(sections) + "\n"


def _table(measurements: Sequence[Measurement]) -> str:
    if not measurements:
        return "No analysis had run: the new pods never became ready."
    rows = [f"| {' | '.join(escape(cell) for cell in _cells(one))} |" for one in measurements]
    return "\n".join(["| Metric | Outcome | Measured (the last ten) | |", "|---|---|---|---|", *rows])


def _cells(one: Measurement) -> tuple[str, ...]:
    return one.metric, one.phase, ", ".join(one.values[-SHOWN_VALUES:]) or "none", one.message
