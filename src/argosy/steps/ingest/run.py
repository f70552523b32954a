"""The logic of ``ingest``: sources in, an immutable snapshot out, with where it came from and what was kept aside.

The snapshot's folder holds content and nothing else, so equal data gives an equal digest; times and places are in the lineage.
"""

import datetime
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from argosy import errors
from argosy.domain import as_of, watermarks
from argosy.domain.data import Increment, Lineage, ReachedPlace, SnapshotManifest, SourceLineage, TableManifest
from argosy.domain.documents import sha256
from argosy.domain.model_settings import ModelSettings
from argosy.domain.source_settings import ColumnType, Source
from argosy.files import stored_folder
from argosy.ports.source_reader import Fetched
from argosy.ports.tables import EVENT_TIME, Counts, Earlier, Tables
from argosy.steps.ingest import earlier_snapshot
from argosy.steps.ingest.earlier_snapshot import EarlierSnapshot

MANIFEST = "manifest.json"
NOTHING: Mapping[str, Fetched] = MappingProxyType({})
NO_SIZES: Mapping[str, Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True)
class IngestOutputs:
    """The folders that snapshot, rejected rows and lineage are written to."""

    snapshot: Path
    rejected: Path
    lineage: Path


def run(
    *,
    settings: ModelSettings,
    location: Path,
    origin: str | None = None,
    fetched: Mapping[str, Fetched] = NOTHING,
    moment: datetime.datetime | None = None,
    earlier: EarlierSnapshot = EarlierSnapshot(),  # noqa: B008 - frozen, and empty
    sizes: Mapping[str, Mapping[str, int]] = NO_SIZES,
    tables: Tables,
    code_version: str,
    now: Callable[[], str],
    report: Callable[[str], None],
    outputs: IngestOutputs,
) -> str:
    """Read every source at *location* and write the outputs; returns the snapshot's digest. *now*: the time, RFC 3339. *report*: takes a
    line for people.
    *origin*: where the files of *location* were copied from, for the lineage. *fetched*: sources that are no files there, by name.
    *moment*: rows that were not known then are left out; None: the snapshot is all that there is. *earlier*: what sources were asked to
    read on from. *sizes*: by name, the partitions of a folder of which *location* has only some.

    Raises DivergedError where a source has other rows than *earlier* says, and nothing is written; Rejected for content that breaks the
    contract, and where a source had nothing at *moment*; Misconfigured for files that are not there.
    """
    fetched = {**in_folder(settings, location, origin, sizes), **fetched}
    partial = outputs.snapshot.with_name(f".{outputs.snapshot.name}.partial")
    partial.mkdir(parents=True)
    outputs.rejected.mkdir(parents=True)
    try:
        read = _read_all(settings, fetched, moment, earlier, tables, partial, outputs.rejected)
    except watermarks.DivergedError:
        shutil.rmtree(partial)
        shutil.rmtree(outputs.rejected)
        raise
    for _, source in read:
        if source.read_as:
            report(f"source {source.source!r}: {source.location} has {source.read_as}; model.yaml may say it otherwise")
        if source.absent:
            report(f"source {source.source!r}: {source.location} has {source.absent}")
        if (told := source.increment) is not None:
            report(f"source {source.source!r}: {_said(told)}")
    manifest = SnapshotManifest(model=settings.model, tables=[table for table, _ in read], as_of=moment)
    manifest.write(partial / MANIFEST)
    # Whole or not at all: a folder of this name is a finished snapshot.
    partial.rename(outputs.snapshot)
    digest = manifest.content_digest()
    Lineage(
        snapshot_digest=digest,
        ingested_at=now(),
        as_of=moment,
        code_version=code_version,
        sources=[source for _, source in read],
    ).write(outputs.lineage)
    return digest


def _said(told: Increment) -> str:
    if told.whole is not None:
        return f"read whole, up to {told.until}: {told.whole}"
    return (
        f"read from {told.since} up to {told.until}; {told.rows_taken:,} rows are those of {(told.snapshot or '')[:19]}"
    )


def in_folder(
    settings: ModelSettings,
    location: Path,
    origin: str | None,
    sizes: Mapping[str, Mapping[str, int]] = NO_SIZES,
) -> dict[str, Fetched]:
    """The files and folders of *location*: each in that folder, or that very place where the model has one source there."""
    mine = [source for source in settings.sources if source.is_in_data]
    found = {source.name: location / source.file_name for source in mine}
    itself = _itself(mine, location)
    if itself is not None:
        found = {mine[0].name: itself}
    elif location.is_file() and mine:
        raise errors.Misconfigured(
            f"{location} is a file, but {settings.model} has {len(mine)} sources; name the folder that holds "
            f"{', '.join(each.file_name for each in mine)}"
        )
    absent = [
        f"source {source.name!r}: there is no {'folder' if source.folder else 'file'} {found[source.name]}"
        f"{_pointed_at(found[source.name])}"
        for source in mine
        if not (found[source.name].is_dir() if source.folder else found[source.name].is_file())
    ]
    if absent:
        raise errors.Misconfigured(errors.listed(absent))
    there = {
        source.name: sizes.get(source.name) or _sizes(found[source.name])
        for source in mine
        if source.watermark is not None
    }
    if unnamed := [
        source for source in mine if source.name in there and not watermarks.are_named(source, there[source.name])
    ]:
        raise errors.Misconfigured(errors.listed([_not_named(source, found[source.name]) for source in unnamed]))
    return {
        name: Fetched(file, _origin(origin, file) if origin else str(file), sizes=there.get(name))
        for name, file in found.items()
    }


def _pointed_at(place: Path) -> str:
    """What brings *place*, where DVC's pointer to it lies beside; it is no data itself."""
    pointer = place.with_name(f"{place.name}.dvc")
    return f", but {pointer.name} beside it; `dvc pull {pointer}` brings what it points to" if pointer.is_file() else ""


def _not_named(source: Source, folder: Path) -> str:
    named = source.watermark.column if source.watermark else None
    return (
        f"source {source.name!r}: `watermark.column`: no partition of {folder} is named by {named!r}, as in {named}=2026-01-31; name the "
        "column that they are named by, or leave `watermark` out"
    )


def _sizes(folder: Path) -> dict[str, int]:
    """The partitions of *folder*, with their bytes."""
    files = {each.relative_to(folder).as_posix(): each.stat().st_size for each in _files(folder)}
    return {path: size for path, size in files.items() if not watermarks.is_beside(path)}


def _itself(mine: Sequence[Source], location: Path) -> Path | None:
    """*location*, where that is the very file or folder of the one source that there is."""
    if len(mine) != 1:
        return None
    if mine[0].folder:
        return location if location.is_dir() and not (location / mine[0].folder).is_dir() else None
    return location if not location.is_dir() else None


def _read_all(
    settings: ModelSettings,
    fetched: Mapping[str, Fetched],
    moment: datetime.datetime | None,
    earlier: EarlierSnapshot,
    tables: Tables,
    into: Path,
    rejected: Path,
) -> list[tuple[TableManifest, SourceLineage]]:
    """Every source; what is wrong in several is said at once."""
    read, refusals, later = [], [], {}
    for source in settings.sources:
        try:
            read.append(_read(settings, source, fetched[source.name], moment, earlier, tables, into, rejected))
        except watermarks.DivergedError as diverged:
            raise watermarks.DivergedError(f"source {source.name!r}: {diverged}") from None
        except _NotYetKnownError as nothing:
            later[source.name] = nothing.first
        except errors.Rejected as refusal:
            refusals.append(str(refusal))
    if moment is not None and later:
        refusals.append(_nothing_known(moment, later))
    if refusals:
        raise errors.Rejected(errors.listed(refusals))
    return read


class _NotYetKnownError(Exception):
    """Of a source that had no row at the moment that is asked for; its first came *first*."""

    def __init__(self, first: datetime.datetime) -> None:
        super().__init__(first)
        self.first = first


def _nothing_known(moment: datetime.datetime, first: Mapping[str, datetime.datetime]) -> str:
    """A line that names the first moment as of which the sources without a row, whose *first* those are, had one each."""
    said = ", ".join(f"{name} (its first row: {as_of.text(at)})" for name, at in first.items())
    return (
        f"as of {as_of.text(moment)} nothing was known of {said}; the first moment at which each has a row is "
        f"{as_of.text(max(first.values()))}, and a model takes more than one"
    )


def _read(
    settings: ModelSettings,
    source: Source,
    fetched: Fetched,
    moment: datetime.datetime | None,
    earlier: EarlierSnapshot,
    tables: Tables,
    into: Path,
    rejected: Path,
) -> tuple[TableManifest, SourceLineage]:
    kept = into / f"{source.name}.parquet"
    rules = [rule for rule in settings.reject if rule.source == source.name]
    started = time.monotonic()
    known = as_of.knowledge(settings, source.name, moment)
    part = earlier.part(source, fetched)
    counts = tables.snapshot(
        source, rules, fetched.file, kept=kept, rejected=rejected / kept.name, known=known, earlier=part
    )
    seconds = time.monotonic() - started
    if counts.read == 0 and counts.first_known is not None:
        raise _NotYetKnownError(counts.first_known)
    if counts.kept == 0:
        raise errors.Rejected(
            f"source {source.name!r}: every one of the {counts.read:,} rows of {fetched.file} is kept aside by a `reject` rule"
        )
    reached = earlier_snapshot.reached(source, rules, fetched, counts) if moment is None else None
    increment = earlier_snapshot.increment(source, earlier, part, reached, counts)
    more = {"rows_unknown": counts.unknown if known else None, "increment": increment}
    return _table(source, kept, counts, reached), _lineage(source, fetched, part, counts, seconds).model_copy(
        update=more
    )


def _table(source: Source, kept: Path, counts: Counts, reached: ReachedPlace | None) -> TableManifest:
    columns: dict[str, ColumnType] = {column.name: column.type for column in source.columns}
    if source.observed_at is not None:
        columns[EVENT_TIME] = "timestamp"
    return TableManifest(
        source=source.name,
        path=kept.name,
        digest=stored_folder.digest(kept),
        rows=counts.kept,
        bytes=kept.stat().st_size,
        columns=columns,
        reached=reached,
    )


def _lineage(source: Source, fetched: Fetched, part: Earlier | None, counts: Counts, seconds: float) -> SourceLineage:
    read = _files(fetched.file)
    if part is not None and fetched.file.is_dir():
        below = {each: each.relative_to(fetched.file).as_posix() for each in read}
        read = [each for each in read if not watermarks.is_settled(source, below[each], part.reached)]
    return SourceLineage(
        source=source.name,
        location=fetched.location,
        location_digest=_digest_of(fetched.file, read),
        rows_read=counts.read,
        rows_kept=counts.kept,
        rows_rejected=counts.read + counts.taken - counts.kept,
        rejected_by_reason=dict(counts.rejected),
        bytes_read=sum(each.stat().st_size for each in read),
        seconds=round(seconds, 3),
        reading=fetched.reading,
        read_as=counts.read_as,
        partitions=counts.parts or None,
        absent=counts.absent,
    )


def _origin(origin: str, file: Path) -> str:
    """The address that *file* was copied from: *origin* is it, or the folder it lay in."""
    return origin if origin.endswith(f"/{file.name}") else f"{origin.rstrip('/')}/{file.name}"


def _files(place: Path) -> list[Path]:
    return sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]


def _digest_of(place: Path, files: Sequence[Path]) -> str:
    """That of a file; of a folder that of the paths and digests of the *files* below it."""
    if not place.is_dir():
        return stored_folder.digest(place)
    lines = [f"{each.relative_to(place).as_posix()} {stored_folder.digest(each)}\n" for each in files]
    return sha256("".join(lines).encode())
