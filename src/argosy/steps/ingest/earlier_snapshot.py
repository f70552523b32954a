"""The snapshot that was accepted last, as ``ingest`` reads on from it; see :mod:`argosy.domain.watermarks`."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors
from argosy.domain import watermarks
from argosy.domain.data import EarlierRef, Increment, ReachedPlace, SnapshotManifest
from argosy.domain.model_settings import ModelSettings
from argosy.domain.snapshot_layout import EARLIER, MANIFEST, SNAPSHOT
from argosy.domain.source_settings import RejectRule, Source
from argosy.ports.source_reader import Fetched
from argosy.ports.tables import Counts, Earlier

WHOLE = "the run asked for all rows (--full)"
NONE_YET = "no snapshot was accepted yet"
AS_OF = "the run looks at an earlier moment"


@dataclass(frozen=True)
class EarlierSnapshot:
    """What an earlier snapshot has of each source that is not read whole."""

    folder: Path = Path()
    digest: str | None = None
    reached: Mapping[str, ReachedPlace] = field(default_factory=dict)
    """By name, of the sources that are read on from there."""
    whole: Mapping[str, str] = field(default_factory=dict)
    """By name, why a source with a watermark is read whole."""

    def without(self, why: str) -> "EarlierSnapshot":
        """The same, where every source is read whole because of *why*."""
        return dataclasses.replace(self, reached={}, whole={**dict.fromkeys(self.reached, why), **self.whole})

    def part(self, source: Source, fetched: Fetched) -> Earlier | None:
        """What is taken from it for *source*, of which *fetched* was read; None where that is all. Raises DivergedError."""
        reached = self.reached.get(source.name)
        if reached is None or (source.sql is not None and fetched.since is None):
            return None
        if fetched.sizes is not None:
            found = watermarks.settled_partitions(source, fetched.sizes, reached.settled)
            if found != reached.partitions:
                raise watermarks.DivergedError(
                    "partitions that were settled are others than before, by their names and sizes"
                )
        return Earlier(self.folder / f"{source.name}.parquet", reached, fetched.unread)


def opened(
    folder: Path | None, settings: ModelSettings, full: str, moment: datetime.datetime | None
) -> EarlierSnapshot:
    """What the output *folder* of ``fetch-accepted`` holds. *full*: the parameter; *moment*: as of which the run looks at its data."""
    if full not in ("", "true", "false"):
        raise errors.Misconfigured(f"parameter {watermarks.PARAMETER}: {full[:60]!r} is neither `true` nor `false`")
    marked = [source for source in settings.sources if source.watermark is not None]
    if not marked:
        return EarlierSnapshot()
    digest = EarlierRef.read(folder / EARLIER).snapshot_digest if folder is not None else None
    why = WHOLE if full == "true" else AS_OF if moment is not None else NONE_YET if digest is None else None
    if why is not None or folder is None:
        return EarlierSnapshot(whole={source.name: why or NONE_YET for source in marked})
    manifest = SnapshotManifest.read(folder / SNAPSHOT / MANIFEST)
    known = {source.name: watermarks.known(source, settings.reject, manifest) for source in marked}
    return EarlierSnapshot(
        folder / SNAPSHOT,
        digest,
        {name: found for name, found in known.items() if isinstance(found, ReachedPlace)},
        {name: found for name, found in known.items() if isinstance(found, str)},
    )


def reached(source: Source, rules: Sequence[RejectRule], fetched: Fetched, counts: Counts) -> ReachedPlace | None:
    """How far *source* is read now; None of one that is read whole at each run."""
    if source.watermark is None:
        return None
    progress = counts.progress
    settled = progress.settled if progress else None
    return ReachedPlace(
        contract=watermarks.contract(source, rules),
        until=progress.until if progress else None,
        settled=settled,
        set_aside=progress.set_aside if progress else 0,
        partitions=None if fetched.sizes is None else watermarks.settled_partitions(source, fetched.sizes, settled),
        offsets=None if fetched.offsets is None else dict(fetched.offsets),
    )


def increment(
    source: Source, earlier: EarlierSnapshot, part: Earlier | None, now: ReachedPlace | None, counts: Counts
) -> Increment | None:
    """What of *source* was read and what taken, for the lineage."""
    if now is None:
        return None
    return Increment(
        since=_place(source, part.reached.settled, part.reached.offsets) if part else None,
        until=_place(source, now.until, now.offsets),
        snapshot=earlier.digest if part else None,
        rows_taken=counts.taken,
        whole=None if part else earlier.whole.get(source.name, "no value tells where the earlier snapshot ends"),
    )


def _place(source: Source, value: int | None, offsets: Mapping[str, int] | None) -> str | None:
    if offsets is not None:
        return watermarks.offsets(offsets)
    column = watermarks.column(source)
    return None if value is None or column is None else watermarks.text(column, value)
