"""The circumstances of a request as Markdown: a few lines for whoever has a minute, and the ledger of time, folded away."""

from collections.abc import Iterator

from argosy.domain import figures
from argosy.domain.asker import PARAMETER, Asker
from argosy.domain.circumstances import Circumstances, Production, RunPlace
from argosy.domain.step_times import TimeLedger
from argosy.report import formats, retraining
from argosy.report.markdown_text import LONGEST_CELL, escape

HEADING = "## How it came to be"
TOLD = 4
"""Steps that the short line names."""
KNOWN = {
    "argo": "by Argo's creator label, which whoever may create workflows can set",
    "git": "by git's own word where it was typed",
    "system": "the account that typed it",
}


def section(how: Circumstances) -> str:
    """The section of a request that says how the model came to be asked for."""
    rows = [
        ("asked for by", _asker(how.asked_by)),
        ("ran", _place(how.place)),
        *_data(how),
        *((("time", _time(how.ledger)),) if how.ledger else ()),
        ("production meanwhile", _production(how.production)),
    ]
    lines = ["| | |", "| --- | --- |", *(f"| {name} | {_cell(said)} |" for name, said in rows)]
    return "\n\n".join([HEADING, "\n".join(lines), *([_ledger(how.ledger)] if how.ledger else [])])


def _asker(asker: Asker) -> str:
    if asker.unread is not None:
        return f"not known: what was typed into the parameter {PARAMETER} was not understood: {asker.unread}"
    if asker.known == "nobody" or not asker.name:
        return "nobody wrote it down: it was started by neither `argosy run` nor `argosy submit`, and Argo's labels name nobody"
    at = f" on {asker.machine}" if asker.machine else ""
    return f"{asker.name}, {KNOWN[asker.known]}{at}"


def _place(place: RunPlace) -> str:
    where = (
        f"on a cluster, in the namespace {place.namespace}"
        if place.kind == "cluster"
        else f"on the machine {place.name}"
    )
    return f"{where}, as the workflow {place.workflow}, from {retraining.moment(place.began)}"


def _data(how: Circumstances) -> Iterator[tuple[str, str]]:
    read = f"read {retraining.moment(how.read_at)}: " if how.read_at else ""
    sources = "; ".join(f"{each.source}, {each.rows:,} rows from {each.location}" for each in how.sources)
    if read or sources:
        yield "data", f"{read}{sources}"


def _time(ledger: TimeLedger) -> str:
    worked = sorted((step for step in ledger.steps if step.cached < step.tasks), key=lambda step: -step.seconds)
    shares = [f"{step.step} {formats.percent(step.share)}" for step in worked[:TOLD]]
    waited = ledger.waiting / ledger.seconds if ledger.seconds else 0.0
    cached = [step.step for step in ledger.steps if step.cached == step.tasks]
    said = [
        f"{formats.seconds(ledger.seconds)} from the start to the registry, {formats.seconds(ledger.cpu)} of CPU",
        ", ".join([*shares, f"no step at work {formats.percent(waited)}"]),
        *([f"there already from an earlier run: {', '.join(cached)}"] if cached else []),
    ]
    return "; ".join(said)


def _ledger(ledger: TimeLedger) -> str:
    rows = [
        [
            step.step,
            f"{step.tasks:,}" + (f", {step.cached:,} there already" if step.cached else ""),
            formats.seconds(step.seconds) if step.cached < step.tasks else figures.DASH,
            formats.seconds(step.cpu) if step.cached < step.tasks else figures.DASH,
            formats.percent(step.share) if step.cached < step.tasks else figures.DASH,
        ]
        for step in ledger.steps
    ]
    waited = ledger.waiting / ledger.seconds if ledger.seconds else 0.0
    rows += [
        ["no step at work", "", formats.seconds(ledger.waiting), "", formats.percent(waited)],
        ["all", "", formats.seconds(ledger.seconds), formats.seconds(ledger.cpu), formats.percent(1.0)],
    ]
    lines = [
        "| Step | Tasks | Time | CPU | Share |",
        "| --- | --- | --: | --: | --: |",
        *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
    ]
    table = "\n".join(lines)
    said = "Steps that run beside each other both count, so shares may come to more than all."
    return f"<details><summary>Where the time went</summary>\n\n{table}\n\n{said}\n\n</details>"


def _production(production: Production) -> str:
    if production.reason or production.until is None or production.since is None:
        return f"not known: {production.reason or 'nobody looked'}"
    window = f"from {retraining.moment(production.since)} to {retraining.moment(production.until)}"
    moved = f" ({', '.join(production.moved[:TOLD])})" if production.moved else ""
    said = [f"the champion answered {production.rows:,} rows {window}: {production.drift}{moved}"]
    if production.performance:
        said.append(f"real performance: {production.performance}, {production.performance_explanation}")
    return "; ".join(said)


def _cell(text: str) -> str:
    return escape(text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…")
