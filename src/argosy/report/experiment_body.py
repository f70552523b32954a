"""The body of a request that tries a second version, or ends that, in Markdown: who asks, why, what callers notice, how it ends."""

from collections.abc import Iterator

from argosy.domain import figures
from argosy.domain.evidence import Evidence
from argosy.domain.release import Version
from argosy.domain.second_file import SecondFile
from argosy.report.markdown_text import code, escape

OF_SHADOW = (
    "callers get the answers that they get now, byte for byte; what the shadow answers is logged and counted, and returned to nobody",
    "it is asked after the answer is known, by a thread that takes what time the server leaves; where it fails, that is counted",
)
OF_CANDIDATE = (
    "these entities are answered by the second version, always the same ones: people will act on what it says",
    "each answer says which version gave it; where the second one fails, the served one answers instead",
)
OF_BOTH = (
    "both are in one process: the second model's memory comes on top of the first's",
    "its name is in the pod template: after the merge the served version rolls out once more, through its canary",
)


def begins(
    live: Version,
    second: SecondFile,
    environment: str,
    *,
    before: SecondFile | None,
    evidence: tuple[Evidence | None, Evidence | None],
    by: str,
    why: str,
) -> str:
    """The body of the request by which *by* has *second* tried beside *live*, because of *why*, in the place of *before*.

    *evidence*: of both, as far as there is any.
    """
    model = escape(live.model)
    of_role = OF_SHADOW if second.role == "shadow" else OF_CANDIDATE
    command = f"argosy compare {live.model} --environment {environment}"
    stop = f"argosy shadow {live.model} --environment {environment} --stop --reason TEXT"
    sections = (
        f"# {model} in {environment}: {second.said()}, beside version {live.version}",
        f"{escape(by)} asks for it: {escape(why)}",
        f"It takes the place of what is tried now: {before.said()}." if before else "",
        "What a merge does:\n\n" + "\n".join(f"- {one}" for one in (*of_role, *OF_BOTH)),
        f"What it does not: {environment} goes on to serve version {live.version}; `version.yaml` and its evidence stay as they are.",
        "## Which models",
        _models(live, second),
        *_measured(*evidence),
        "## How it ends",
        f"`{command}` says *promote*, *hold* or *inconclusive* by what was logged and the labels that came since. `{stop}` ends it; so "
        f"does the promotion of version {second.version}.{_until(second)}",
        "`argosy pr view N`, with this request's number, says whether the bundle is signed and is what was released, and whether the "
        "requests of the served version can ask it.",
    )
    return "\n\n".join(one for one in sections if one) + "\n"


def ends(live: Version, second: SecondFile | None, environment: str, *, by: str, why: str) -> str:
    """The body of the request by which *by* ends what is tried beside *live*, *second* (None: it cannot be read), because of *why*."""
    tried = f"{second.said()[0].upper()}{second.said()[1:]}." if second else "What is tried cannot be read."
    sections = (
        f"# {escape(live.model)} in {environment}: no second version any more",
        f"{escape(by)} asks for it: {escape(why)}",
        f"{tried} After the merge version {live.version} answers alone, all that was tried included; what was logged of both stays, and "
        f"`argosy compare {live.model} --environment {environment}` goes on to read it.",
        "Its name leaves the pod template: the served version rolls out once more, through its canary.",
    )
    return "\n\n".join(sections) + "\n"


def _until(second: SecondFile) -> str:
    if second.until is None:
        return " Nobody said until when."
    return f" It is meant to last until {second.until}; afterwards `argosy env check` says that it is over, and nothing stops by itself."


def _models(live: Version, second: SecondFile) -> str:
    return (
        f"| | version | model digest |\n|---|---|---|\n| served | {live.version} | `{live.model_digest}` |\n"
        f"| {second.role} | {second.version} | `{second.model_digest}` |"
    )


def _measured(first: Evidence | None, second: Evidence | None) -> Iterator[str]:
    """What each was measured at before it was proposed, gate by gate."""
    if second is None:
        yield "No evidence of the second version is in the environment repo."
        return
    yield "## What was measured before"
    rows = [
        f"| {code(gate.gate)} | {_figure(first.metrics.get(gate.gate) if first else None)} | {_figure(gate.measured)} | "
        f"{escape(gate.limit)} |"
        for gate in second.gates
    ]
    yield "\n".join(["| Gate | served | second | limit |", "|---|---:|---:|---|", *rows])
    yield "Each on its own holdout: what the two are worth on the same rows is what this finds out."


def _figure(value: float | None) -> str:
    return "" if value is None else figures.number(value)
