"""The comparison of two versions for a terminal: what each answered, how they differ, and what follows."""

from collections.abc import Iterator

from argosy.domain import figures
from argosy.domain.version_comparison import ArmDifference, ComparedArm, VersionComparison
from argosy.report import plain_text

HEADER = ("figure", "served", "second", "better by", "interval", "rows")


def text(found: VersionComparison) -> str:
    """The whole comparison."""
    parts = [
        [_title(found), *_arms(found)],
        list(_agreement(found)),
        plain_text.in_columns([HEADER, *map(_line, found.scores)], {0}),
        plain_text.in_columns([("outcome", *HEADER[1:]), *map(_line, found.values)], {0}),
        [f"note: {problem}" for problem in found.problems],
        [f"{found.verdict}: {found.explanation}"],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _title(found: VersionComparison) -> str:
    way = "shadow, on the same rows" if found.way == "shadow" else "split, each on entities of its own"
    return (
        f"{found.model} in {found.environment}, {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC, "
        f"labels as of {found.as_of:%Y-%m-%d %H:%M} UTC ({way})"
    )


def _arms(found: VersionComparison) -> Iterator[str]:
    for name, arm in (("served", found.first), ("second", found.second)):
        yield f"{name}  {_version(arm)}  {arm.predictions:,} predictions, {arm.entities:,} entities, {arm.labelled:,} with a label"


def _version(arm: ComparedArm) -> str:
    digest = arm.model_digest[:19]
    return digest if arm.version is None else f"version {arm.version} ({digest})"


def _agreement(found: VersionComparison) -> Iterator[str]:
    if found.agreement is not None:
        one = found.agreement
        yield (
            f"both answered {one.rows:,} rows: {one.flips:,} decided otherwise ({one.flips / one.rows:.2%}), scores apart by "
            f"{figures.number(one.mean_distance)} on average, {figures.number(one.largest_distance)} at most"
        )


def _line(one: ArmDifference) -> tuple[str, ...]:
    interval = f"{_end(one.low)} to {_end(one.high)}"
    values = (figures.number(one.first), figures.number(one.second), figures.signed(one.difference))
    return one.name, *values, interval, f"{one.rows:,}"


def _end(value: float | None) -> str:
    return "?" if value is None else figures.signed(value)
