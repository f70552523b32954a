"""Online features beside offline ones, for a terminal: counts by feature, the worst first, and values that are not what the sources say."""

from collections.abc import Iterator

from argosy.domain.feature_skew import FeatureSkew, SkewExample, SkewPart, Value

HEADER = ("feature", "", "skewed", "differ", "online only", "offline only", "largest", "missing online", "offline")
TITLES = {"served": "rows that were answered", "store": "entities of the online store, as it would answer now"}
MOST_EXAMPLES = 10


def text(found: FeatureSkew) -> str:
    """The whole comparison."""
    version = "" if found.version is None else f" version {found.version}"
    lines = [
        f"{found.model}{version} ({found.model_digest[:19]}) in {found.environment}, {found.since:%Y-%m-%d %H:%M} to "
        f"{found.until:%Y-%m-%d %H:%M} UTC: {found.logged:,} rows answered, {found.named:,} of them named their entity"
    ]
    for part in found.parts:
        lines += ["", *_part(part)]
    lines += ["", *(_age(found, each.source, str(each.newest or "no rows")) for each in found.sources)]
    lines += [f"note: {problem}" for problem in found.problems]
    return "\n".join([*lines, f"{found.verdict}: {found.explanation}"])


def _age(found: FeatureSkew, source: str, newest: str) -> str:
    return f"newest row of {source} by {found.looked:%Y-%m-%d %H:%M} UTC: {newest}"


def _part(part: SkewPart) -> Iterator[str]:
    unknown = f", {part.unknown:,} of entities that the sources did not know then" if part.unknown else ""
    absent = f", {part.absent:,} that the store does not know" if part.absent else ""
    yield f"{TITLES[part.part]}: {part.rows:,} drawn, {part.compared:,} compared{unknown}{absent}"
    if not part.features:
        return
    features = sorted(part.features, key=lambda each: (-each.share, each.name))
    rows = [HEADER, *(
        (
            each.name, "SKEWED" if each.skewed else "", f"{each.share:.2%}", f"{each.differing:,}", f"{each.online_only:,}",
            f"{each.offline_only:,}", "" if each.largest is None else f"{each.largest:.6g}", f"{each.missing_online:,}",
            f"{each.missing_offline:,}",
        )
        for each in features
    )]  # fmt: skip
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]
    for row in rows:
        first, *rest = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *rest]).rstrip()
    yield from map(_example, part.examples[:MOST_EXAMPLES])


def _example(one: SkewExample) -> str:
    where = f"request {one.request}, row {one.row}" if one.request is not None else "an entity of the online store"
    return f"  {one.feature}: online {_shown(one.online)}, offline {_shown(one.offline)} ({where}, {one.at:%Y-%m-%d %H:%M:%S} UTC)"


def _shown(value: Value) -> str:
    if value is None:
        return "nothing"
    return f"{value:.12g}" if isinstance(value, float) else value
