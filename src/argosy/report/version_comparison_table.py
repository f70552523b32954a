"""The comparison of two versions for a terminal: what each answered, how they differ, and what follows."""

from collections.abc import Iterator

from argosy.domain import figures
from argosy.domain.version_comparison import ArmDifference, ComparedArm, VersionComparison
from argosy.report import plain_text

SLICES = ("slice", "served", "second", "better by", "interval", "rows", "decided otherwise")
HEADER = ("figure", "served", "second", "better by", "interval", "rows")


def text(found: VersionComparison) -> str:
    """The whole comparison."""
    parts = [
        [title(found), *arms(found)],
        list(agreement(found)),
        plain_text.in_columns([HEADER, *map(line, found.scores)], {0}),
        plain_text.in_columns([("outcome", *HEADER[1:]), *map(line, found.values)], {0}),
        plain_text.in_columns([SLICES, *slices(found)], {0}) if found.slices else [],
        [f"note: {problem}" for problem in found.problems],
        [f"it would take {found.would_take}"] if found.would_take else [],
        [f"{found.verdict}: {found.explanation}"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def slices(found: VersionComparison) -> Iterator[tuple[str, ...]]:
    """A line for each slice."""
    for part in found.slices:
        flips = "" if part.flips is None else f"{part.flips:,} ({part.flips / part.rows:.1%})"
        score = part.score
        figures_of = ("", "", "too few labels", "") if score is None else line(score)[1:5]
        yield f"{part.column}={part.value}", *figures_of, f"{part.rows:,}", flips


def title(found: VersionComparison) -> str:
    """What is compared, of which time."""
    way = "shadow, on the same rows" if found.way == "shadow" else "split, each on entities of its own"
    return (
        f"{found.model} in {found.environment}, {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC, "
        f"labels as of {found.as_of:%Y-%m-%d %H:%M} UTC ({way})"
    )


def arms(found: VersionComparison) -> Iterator[str]:
    """A line for each version."""
    for name, arm in (("served", found.first), ("second", found.second)):
        yield f"{name}  {_version(arm)}  {arm.predictions:,} predictions, {arm.entities:,} entities, {arm.labelled:,} with a label"


def _version(arm: ComparedArm) -> str:
    digest = arm.model_digest[:19]
    return digest if arm.version is None else f"version {arm.version} ({digest})"


def agreement(found: VersionComparison) -> Iterator[str]:
    """How often the two decided otherwise, where both answered the same rows."""
    if found.agreement is not None:
        one = found.agreement
        yield (
            f"both answered {one.rows:,} rows: {one.flips:,} decided otherwise ({one.flips / one.rows:.2%}), scores apart by "
            f"{figures.number(one.mean_distance)} on average, {figures.number(one.largest_distance)} at most"
        )


def line(one: ArmDifference) -> tuple[str, ...]:
    """A figure of both, as :data:`HEADER` has it."""
    interval = f"{_end(one.low)} to {_end(one.high)}"
    values = (figures.number(one.first), figures.number(one.second), figures.signed(one.difference))
    return one.name, *values, interval, f"{one.rows:,}"


def _end(value: float | None) -> str:
    return "?" if value is None else figures.signed(value)
