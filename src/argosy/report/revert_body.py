"""The body of a revert request, in Markdown: what happened, what was measured, what a merge does. All that was measured stays text."""

from collections.abc import Sequence

from argosy.domain import environment_layout, release
from argosy.domain.rollouts import Measurement, Rollout
from argosy.report.markdown_text import code, escape

SHOWN_VALUES = 10


def markdown(rollout: Rollout, live: release.Version, earlier: release.Version) -> str:
    """The body for the request to go back from *live*, which *rollout* gave up, to *earlier*."""
    sections = [
        f"# {escape(live.model)}: version {live.version} was given up in {rollout.environment}",
        escape(" ".join(rollout.message.split()) or rollout.phase),
        f"The canary sent all traffic back to version {earlier.version}; main still names version {live.version}. Merging this makes "
        f"main say what is live. {_note(live)}",
        "## What was measured",
        _table(rollout.measurements),
        _models(live, earlier),
        f"Rollout {code(f'{rollout.namespace}/{rollout.name}')}; "
        f"{code(f'kubectl argo rollouts get rollout {rollout.name} -n {rollout.namespace}')} shows its pods.",
    ]
    return "\n\n".join(sections) + "\n"


def by_hand(live: release.Version, earlier: release.Version, environment: str, *, by: str, why: str) -> str:
    """The body for the request to go back from *live* to *earlier* that *by* asks for because of *why*."""
    sections = [
        f"# {escape(live.model)}: back from version {live.version} to {earlier.version} in {environment}",
        f"{escape(by)} asks for it: {escape(why)}",
        f"Merging this makes {environment} serve what it served before, file by file. {_note(live)}",
        _models(live, earlier),
    ]
    return "\n\n".join(sections) + "\n"


def _note(live: release.Version) -> str:
    note = environment_layout.rejected_path(live.model, live.model_digest)
    return f"It also adds `{note}`: that model is not proposed again unless somebody removes the file by name."


def _models(live: release.Version, earlier: release.Version) -> str:
    return (
        f"## Which models\n\n| | version | model digest |\n|---|---|---|\n| taken out | {live.version} | `{live.model_digest}` |\n"
        f"| put back | {earlier.version} | `{earlier.model_digest}` |"
    )


def _table(measurements: Sequence[Measurement]) -> str:
    if not measurements:
        return "No analysis had run: the new pods never became ready."
    rows = [f"| {' | '.join(escape(cell) for cell in _cells(one))} |" for one in measurements]
    return "\n".join(["| Metric | Outcome | Measured (the last ten) | |", "|---|---|---|---|", *rows])


def _cells(one: Measurement) -> tuple[str, ...]:
    return one.metric, one.phase, ", ".join(one.values[-SHOWN_VALUES:]) or "none", one.message
