"""Forgets one person: finds the rows in snapshots and in the prediction log, removes them, and keeps what proves it.

Every step may be done again after a kill: what is gone is not found, what was half done is. What lies on a machine beside the stores (runs,
artifacts, the cache) is the engine's; what is served stays until another version takes its place, and is named.
"""

import datetime
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from argosy.domain import erasures, part_measures
from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.domain.environment_layout import ENVIRONMENTS
from argosy.domain.erasures import ErasedPart, Erasure, ServedOnRows, Tombstone
from argosy.domain.snapshot_layout import MANIFEST, SNAPSHOTS, parsed, store_name
from argosy.files import stored_folder
from argosy.ports.artifacts import Artifacts, StoredFolder
from argosy.ports.erasers import LogEraser, RowEraser
from argosy.ports.objects import Objects
from argosy.ports.table_files import TableFiles
from argosy.promotion.standing import Main


def of_log(log: LogEraser, model: str, hashes: Collection[str], *, delete: bool) -> Iterator[ErasedPart]:
    """The person's predictions, by the hashes under which the log knows them."""
    for found in log.erase(model, hashes, delete=delete):
        why = (
            "a server writes there; run this again once it has begun another segment, within the hour"
            if found.open
            else None
        )
        yield ErasedPart(
            kind="predictions", place=found.place, rows=found.rows, done=delete and not found.open, why_not=why
        )


def of_snapshots(
    model: str,
    entity: Mapping[str, str],
    artifacts: Artifacts,
    rows: RowEraser,
    tombstones: Objects,
    place: Path,
    now: datetime.datetime,
    *,
    delete: bool,
) -> Iterator[ErasedPart]:
    """The snapshots of *model* with rows of *entity*; with *delete* each is replaced by one without. *place*: an empty folder.

    The order in which they were accepted stays: the newest is what the next data is held against.
    """
    kept = [each for each in artifacts.folders(SNAPSHOTS) if (known := parsed(each.name)) and known[0] == model]
    kept.sort(key=lambda each: (each.at, each.name))
    newest = _newest(model, kept, tombstones)
    for stored in kept:
        folder = place / stored.name.rpartition("/")[2]
        artifacts.get(stored.uri, folder)
        tables = SnapshotManifest.read(folder / MANIFEST).tables
        if found := sum(rows.holds(folder / table.path, entity) for table in tables):
            digest = _write_without(folder, entity, rows) if delete else None
            if digest is not None:
                stone = Tombstone(model=model, snapshot_digest=_digest(stored), replaced_by=digest, at=now)
                tombstones.put(erasures.tombstone_key(model, stone.snapshot_digest), stone.canonical_json().encode())
                artifacts.put(folder, store_name(model, digest))
                if stored != newest:
                    _put_again(newest, artifacts, place)
                # Last: after a kill before, it is found again, and all of this is done again.
                artifacts.remove(stored.name)
            yield ErasedPart(kind="snapshot", place=stored.name, rows=found, done=delete, replaced_by=digest)
        shutil.rmtree(folder)


def of_measures(
    proof: Erasure, hashes: Collection[str], monitored: Objects, *, again: bool, delete: bool
) -> Iterator[ErasedPart]:
    """What was measured of parts of tables: their least and greatest values may be the person's, and nobody can tell.

    So all of them count, and go: they are measured again. *again*: a source still has the person; without it those that came after an
    erasure that left nothing of the person in a source are of others. *proof*: this erasure's, *hashes*: those that it may be found by.
    """
    if not again and _measured_without(proof, hashes, monitored):
        return
    for key in list(monitored.keys(part_measures.FOLDER)):
        if delete:
            monitored.delete(key)
        yield ErasedPart(kind="measures", place=key, done=delete)


def _measured_without(proof: Erasure, hashes: Collection[str], monitored: Objects) -> bool:
    """True where the proof for the person before this one is of an erasure that left neither measures nor a source with it."""
    known, own = {each[:16] for each in hashes}, erasures.proof_key(proof)
    before = [
        key
        for key in monitored.keys(erasures.proofs(proof.model))
        if key != own and key.removesuffix(".json").rpartition("-")[2] in known
    ]
    content = monitored.get(before[-1]) if before else None
    if content is None:
        return False
    told = Erasure.model_validate_json(content)
    return told.ended and all(part.done for part in told.parts if part.kind in {"source", "measures"})


def of_results(
    results: TableFiles, entity: Mapping[str, str], rows: RowEraser, place: Path, *, delete: bool
) -> Iterator[ErasedPart]:
    """The files of *results* of scoring with rows of *entity*, each written anew without. *place*: an empty folder."""
    here = place / "part.parquet"
    for name in results.names():
        if not name.endswith(".parquet"):
            continue
        version = results.version(name)
        with results.open(name, version) as given, here.open("wb") as copy:
            shutil.copyfileobj(given, copy)
        if found := rows.holds(here, entity):
            done = delete and _kept_without(results, name, version, here, entity, rows)
            why = "somebody wrote it meanwhile; run this again" if delete and not done else None
            yield ErasedPart(kind="results", place=f"{results.uri}/{name}", rows=found, done=done, why_not=why)
        here.unlink()


def _kept_without(
    results: TableFiles, name: str, version: str | None, file: Path, entity: Mapping[str, str], rows: RowEraser
) -> bool:
    with results.draft(name) as draft:
        rows.leave_out(file, entity, draft)
        return results.keep(name, draft, version)


def _newest(model: str, kept: list[StoredFolder], tombstones: Objects) -> StoredFolder | None:
    """The one of *kept*, sorted by time, that was accepted last; not what a killed erasure put for one that is still there."""
    stones = (tombstones.get(erasures.tombstone_key(model, _digest(each))) for each in kept)
    half_done = {Tombstone.model_validate_json(stone).replaced_by for stone in stones if stone is not None}
    return next((each for each in reversed(kept) if _digest(each) not in half_done), None)


def _write_without(folder: Path, entity: Mapping[str, str], rows: RowEraser) -> str:
    """Write the snapshot in *folder* anew without *entity*; its digest."""
    before = SnapshotManifest.read(folder / MANIFEST)
    after = before.model_copy(update={"tables": [_without(folder, table, entity, rows) for table in before.tables]})
    after.write(folder / MANIFEST)
    return after.content_digest()


def _put_again(stored: StoredFolder | None, artifacts: Artifacts, place: Path) -> None:
    """Put *stored* once more: what is put last is what the next data is held against."""
    if stored is None:
        return
    folder = place / "newest"
    if not folder.exists():
        artifacts.get(stored.uri, folder)
    artifacts.put(folder, stored.name)


def _digest(stored: StoredFolder) -> str:
    known = parsed(stored.name)
    return known[1] if known else ""


def _without(folder: Path, table: TableManifest, entity: Mapping[str, str], rows: RowEraser) -> TableManifest:
    """*table* of the snapshot in *folder*, where it is written anew if it has rows of *entity*."""
    file = folder / table.path
    if not rows.holds(file, entity):
        return table
    partial = file.with_suffix(".partial")
    left = rows.leave_out(file, entity, partial)
    partial.replace(file)
    return table.model_copy(update={"digest": stored_folder.digest(file), "rows": left, "bytes": file.stat().st_size})


def served_on(main: Main, model: str, digests: Collection[str]) -> list[ServedOnRows]:
    """The versions that main names and that were trained on one of the snapshots *digests*."""
    found = []
    for environment in ENVIRONMENTS:
        version, evidence = main.version(model, environment), main.evidence(model, environment)
        if version and evidence and evidence.snapshot_digest in digests:
            found.append(
                ServedOnRows(
                    model=model,
                    environment=environment,
                    version=version.version,
                    model_digest=version.model_digest,
                    snapshot_digest=evidence.snapshot_digest,
                )
            )
    return found
