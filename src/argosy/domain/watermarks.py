"""What of a source with a `watermark` is read, and what is taken from the snapshot that was accepted last.

Rows that are older than the newest by more than the stated lateness are settled: they do not come any more, and a snapshot has them. A run
takes these from there and reads the rest, so that the two are what a reading of the whole would give. Whoever finds that a source has other
settled rows than the snapshot raises :class:`DivergedError`, and the source is read whole. Values are counts: of a timestamp microseconds
since 1970. How a source is asked for what is not settled is an adapter's business.
"""

import datetime
import urllib.parse
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence

from argosy.domain import as_of, epoch, time_spans
from argosy.domain.data import ReachedPlace, SnapshotManifest
from argosy.domain.documents import canonical_json, sha256
from argosy.domain.source_settings import EPOCHS, Column, RejectRule, Source

PARAMETER = "full"
"""Of a pipeline: read sources whole, whatever earlier snapshots have."""
DAY = 86_400 * 10**6
DOCUMENTATION = ("meaning", "owner", "unit", "personal")
"""Of a column: what changes none of its values."""


class DivergedError(Exception):
    """Of a source whose settled rows are not those of the snapshot; the message says what was found."""


def contract(source: Source, rules: Sequence[RejectRule]) -> str:
    """The digest of all that decides which rows of *source* a snapshot has, and what they are."""
    own = source.model_dump(mode="json", exclude_none=True, exclude={"columns": {"__all__": set(DOCUMENTATION)}})
    asked = [rule.model_dump(mode="json") for rule in rules if rule.source == source.name]
    return sha256(canonical_json({"source": own, "reject": asked}).encode())


def known(source: Source, rules: Sequence[RejectRule], manifest: SnapshotManifest) -> ReachedPlace | str:
    """How far *manifest*'s table of *source* reaches, or why it cannot be read on from there."""
    table = next((table for table in manifest.tables if table.source == source.name), None)
    if table is None or table.reached is None:
        return "the snapshot before does not say how far it was read"
    if table.reached.contract != contract(source, rules):
        return "the source's settings or `reject` rules are others than those of the snapshot before"
    return table.reached


def column(source: Source) -> Column | None:
    """The column in whose order rows come; None of a source that has none."""
    name = source.watermark.column if source.watermark else None
    return next((column for column in source.columns if column.name == name), None)


def lateness(source: Source) -> int:
    """How far behind the newest value a row may come, as a count."""
    given = source.watermark.lateness if source.watermark else None
    return time_spans.span(given) // epoch.MICROSECOND if isinstance(given, str) else given or 0


def text(column: Column, value: int) -> str:
    """*value* for people and the lineage."""
    if column.type == "integer":
        return str(value)
    try:
        return as_of.text(epoch.moment(value))
    except OverflowError:
        return f"{value} µs"


def offsets(values: Mapping[str, int]) -> str:
    """The offsets of a topic for people and the lineage."""
    return ", ".join(
        f"partition {number}: {offset}" for number, offset in sorted(values.items(), key=lambda each: int(each[0]))
    )


def in_name(column: Column, value: str) -> int | None:
    """The count that *value*, in the name of a partition, stands for; None where that is not to be seen from it."""
    try:
        if column.type == "integer":
            return int(value) if value.strip().lstrip("+-").isdecimal() else None
        if column.format in EPOCHS:
            return int(value) * EPOCHS[column.format]
        moment = (
            datetime.datetime.strptime(value, column.format)  # noqa: DTZ007 - the zone is named beside it
            if column.format
            else datetime.datetime.fromisoformat(value)
        )
        if moment.tzinfo is None:
            if column.timezone is None:
                return None
            moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(column.timezone))
        return epoch.microseconds(moment)
    except (ValueError, OverflowError, zoneinfo.ZoneInfoNotFoundError):
        return None


def is_beside(path: str) -> bool:
    """True where *path*, below a folder of partitions, is none: what writers leave beside them, such as ``_SUCCESS``."""
    return any(part.startswith((".", "_")) for part in path.split("/"))


def are_named(source: Source, paths: Iterable[str]) -> bool:
    """True where some of the partitions *paths* say by their names what the column is there."""
    return any(_named(source, path) is not None for path in paths)


def is_settled(source: Source, path: str, reached: ReachedPlace) -> bool:
    """True where the partition *path* holds nothing but rows that are settled by *reached*.

    Clocks that are set back make a name mean two moments: a day more is read than need be, and what is settled of it left out by its rows.
    """
    named, read = _named(source, path), column(source)
    if named is None or reached.settled is None or read is None:
        return False
    return named + (DAY if read.type == "timestamp" else 0) < reached.settled


def settled_partitions(source: Source, sizes: Mapping[str, int], settled: int | None) -> str:
    """The digest of those partitions of *sizes* (path to bytes) that are older than *settled*, by path and size."""
    if settled is None:
        return sha256(b"")
    named = ((path, _named(source, path)) for path in sorted(sizes))
    older = [path for path, value in named if value is not None and value < settled]
    return sha256("".join(f"{path} {sizes[path]}\n" for path in older).encode())


def _named(source: Source, path: str) -> int | None:
    """What the column is by the name of the partition *path*; None where it does not say."""
    found = column(source)
    if found is None:
        return None
    parts = (part.partition("=") for part in path.split("/")[:-1])
    values = [urllib.parse.unquote(value) for key, _, value in parts if key == found.name]
    return in_name(found, values[0]) if values else None
