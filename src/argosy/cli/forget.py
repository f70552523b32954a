"""Erase one person: the rows of one entity of a model, in snapshots, the prediction log, artifacts and cached answers of this machine.

Says what holds them, and changes nothing; `--delete` does it. Snapshots are written anew without the rows, under digests of their own; of
the old ones a tombstone stays, as evidence goes on to name them. What is served is named and stays until another version takes its place.
Done again it goes on where it was killed, and finds nothing where all is gone. The proof, in the monitoring store, does not say whose rows
they were but by the keyed hash of the log. Sources in data/MODEL are looked at and never changed: who is still there comes back with the
next run. Results of scoring are those of model.yaml, where that is a folder, and of each --results. Shared online stores, backups, and old
versions that a bucket keeps are not looked at.
"""

import argparse
import contextlib
import datetime
import mmap
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from argosy import errors, scratch, wiring
from argosy.cli import models
from argosy.domain import environment_layout, erasures, pseudonyms, table_places
from argosy.domain.erasures import ErasedPart, Erasure
from argosy.domain.model_settings import ModelSettings
from argosy.engine.state import home_erasure, locks
from argosy.files import model_folder
from argosy.monitoring import forgetting
from argosy.ports.table_files import TableFiles
from argosy.promotion import retention
from argosy.promotion.standing import Main
from argosy.report.plain_text import line
from argosy.settings import Settings
from argosy.templates import folder as folders

TABLES = (b"PAR1", b"Obj\x01")
"""How files of tables begin whose values are compressed: Parquet's, and Avro's."""
LOCK = "forget.lock"
OFTEN = 100
"""Parts up to which the proof is kept after each, and after so many from then on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model (workflows/NAME), or its folder")
    parser.add_argument("entity", nargs="+", metavar="ID", help="the id, or KEY=VALUE for each join key of the model")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--delete", action="store_true", help="erase it; without this, only say what holds it")
    does.add_argument("--dry-run", action="store_true", help="only say what holds it, as without --delete")
    parser.add_argument(
        "--results",
        action="append",
        default=[],
        metavar="PLACE",
        help="where results of scoring lie: a folder, s3://<bucket>/…; once more for another",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object at the end, which is the proof")


def run(arguments: argparse.Namespace) -> int:
    """Find it, and erase it where that was asked for; returns 75 where something stays that can go later."""
    here = Settings.from_environment()
    if database := next((place for place in arguments.results if place.startswith(table_places.DATABASE)), None):
        raise errors.UsageError(
            f"--results {database}: rows of a database are deleted there; name a folder or a bucket"
        )
    settings = model_folder.load_settings(models.folder_of(arguments.model) / folders.ARTIFACTS["settings"])
    typed = _typed(settings, _entity(settings, arguments.entity))
    hashes = [pseudonyms.hashed(typed, key) for key in wiring.hash_keys(here)]
    entity = {key: str(value) for key, value in typed.items()}  # 007 is 7 in tables, too
    now = datetime.datetime.now(datetime.UTC)
    proof = Erasure(model=settings.model, entity=hashes[0], at=now, parts=[], served=[])
    with _alone(here) if arguments.delete else contextlib.nullcontext():
        parts = _parts(here, settings, entity, hashes, proof, arguments.results, delete=arguments.delete)
        proof = _followed(arguments, here, proof, parts)
    served = _served(here, settings.model, proof.parts)
    return _end(arguments, here, proof.model_copy(update={"served": served, "ended": True}))


@contextlib.contextmanager
def _alone(here: Settings) -> Iterator[None]:
    """While the block runs nobody else on this machine erases: each would put back whom the other took out. Raises TryAgain."""
    with locks.alone(here.home / LOCK) as free:
        if not free:
            raise errors.TryAgain("somebody else is erased on this machine just now; run this again once that is over")
        yield


def _followed(arguments: argparse.Namespace, here: Settings, proof: Erasure, parts: Iterable[ErasedPart]) -> Erasure:
    """*proof* of *parts*, each said as it comes. It is kept as it grows: what is gone is not found again after a kill or a failure."""
    try:
        for part in parts:
            proof = proof.model_copy(update={"parts": [*proof.parts, part]})
            if arguments.delete and _is_kept_now(len(proof.parts)):
                _keep(here, proof)
            if not arguments.json:
                print(line(_said(part)), flush=True)
    except BaseException:
        if arguments.delete and proof.parts:
            _keep(here, proof)
        raise
    return proof


def _is_kept_now(parts: int) -> bool:
    return parts <= OFTEN or parts % OFTEN == 0


def _keep(here: Settings, proof: Erasure) -> None:
    wiring.objects(here, here.monitoring_uri).put(erasures.proof_key(proof), proof.canonical_json().encode())


def _end(arguments: argparse.Namespace, here: Settings, proof: Erasure) -> int:
    """Keep the *proof* of what was erased, and say what it comes to."""
    key = erasures.proof_key(proof)
    if arguments.delete and proof.parts:
        _keep(here, proof)
    if arguments.json:
        print(proof.canonical_json(), end="")
    else:
        for one in proof.served:
            print(f"served: {one.environment} has version {one.version} of {one.model}, trained on it ({one.snapshot_digest[:19]}); "
                  f"`argosy run {one.model}` on the data of today makes its successor")  # fmt: skip
        rest = [part for part in proof.parts if not part.done]
        if not proof.parts:
            print("nothing holds it")
        elif arguments.delete:
            print(
                f"erased from {len(proof.parts) - len(rest)} of {len(proof.parts)} places; proof: {key} in {here.monitoring_uri}"
            )
        else:
            print(f"{len(rest)} places hold it (--delete erases it)")
    return errors.TryAgain.exit_code if arguments.delete and any(not part.done for part in proof.parts) else errors.DONE


def _said(part: ErasedPart) -> str:
    rows = f" ({part.rows} row{'s' if part.rows != 1 else ''})" if part.rows else ""
    after = f", now {part.replaced_by[:19]}" if part.replaced_by else ""
    return f"{'erased' if part.done else 'holds '} {part.kind}: {part.place}{rows}{after}{f': {part.why_not}' if part.why_not else ''}"


def _entity(settings: ModelSettings, words: list[str]) -> dict[str, str]:
    """The join keys as they were typed. Raises UsageError where one is missing, or not the model's."""
    keys = settings.entity
    # Whoever names another key must not be told that nothing holds it: an id with such a sign in it is named with its key.
    if len(keys) == 1 and len(words) == 1 and not re.match(r"\w+=", words[0]):
        return {keys[0]: words[0]}
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) != set(keys):
        raise errors.UsageError(
            f"{settings.model} knows an entity by {', '.join(keys)}; name it by {' '.join(f'{key}=VALUE' for key in keys)}"
        )
    return given


def _typed(settings: ModelSettings, entity: Mapping[str, str]) -> dict[str, str | int]:
    """*entity* as servers were asked about it: a number is not its digits. Raises UsageError where it is none."""
    kinds = {column.name: column.type for column in settings.primary.columns}
    try:
        return {key: int(value) if kinds.get(key) == "integer" else value for key, value in entity.items()}
    except ValueError:
        raise errors.UsageError(f"an id of {settings.model} is a whole number; it is typed in digits alone") from None


def _parts(
    here: Settings,
    settings: ModelSettings,
    entity: Mapping[str, str],
    hashes: list[str],
    proof: Erasure,
    results: Sequence[str],
    *,
    delete: bool,
) -> Iterator[ErasedPart]:
    """All that holds the person, one after another; where *delete* is set it is gone when it is named."""
    yield from forgetting.of_log(wiring.log_eraser(here), settings.model, hashes, delete=delete)
    store, monitored, rows = wiring.artifacts(here), wiring.objects(here, here.monitoring_uri), wiring.row_eraser()
    with scratch.folder("sources") as place:
        yield from forgetting.of_snapshots(
            settings.model, entity, store, rows, monitored, place, proof.at, delete=delete
        )

    def holds(path: Path) -> bool:
        with path.open("rb") as stream:
            if stream.read(4) in TABLES:
                return bool(rows.holds(path, entity))
            if stream.seek(0, os.SEEK_END) == 0:
                return False
            # Looked through where it lies: a source may be larger than the memory.
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _is_named(content, entity)

    find = home_erasure.erase if delete else home_erasure.holding
    for part in find(here.home, holds):
        yield ErasedPart(
            kind=part.kind,
            place=str(part.path.relative_to(here.home)),
            done=delete and part.kept is None,
            why_not=part.kept,
        )
    yield from _online(here, settings.model, holds, delete=delete)
    for each in _results(here, settings, results):
        with scratch.folder("score") as place:
            yield from forgetting.of_results(each, entity, rows, place, delete=delete)
    sources = list(_sources(here, settings.model, holds))
    yield from forgetting.of_measures(proof, hashes, monitored, again=bool(sources), delete=delete)
    yield from sources


def _results(here: Settings, settings: ModelSettings, named: Sequence[str]) -> Iterator[TableFiles]:
    """Where results of scoring are to be looked at: what was *named*, and the folder of the settings where there is one."""
    for place in named:
        yield wiring.table_files(place, "--results")
    if settings.scoring is not None:
        before, day, _ = settings.scoring.results.partition(table_places.AS_OF)
        path = table_places.path_of(before.rpartition("/")[0] if day else before)
        if path is not None and (here.data_root / path).is_dir():
            yield wiring.table_files(str(path), "scoring.out", here.data_root)


def _sources(here: Settings, model: str, holds: home_erasure.Holds) -> Iterator[ErasedPart]:
    """The files of the model's folder of sources with the person. They are somebody else's to change."""
    folder = here.data_root / "data" / model
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if holds(path):
            yield ErasedPart(
                kind="source",
                place=str(path.relative_to(here.data_root)),
                done=False,
                why_not="it is yours to change; until then each run reads the person again. Then run this again",
            )


def _online(here: Settings, model: str, holds: home_erasure.Holds, *, delete: bool) -> Iterator[ErasedPart]:
    """The published online features with the person. Those that main names are signed with the version, and stay as long as that."""
    store, main = wiring.artifacts(here), Main.now(wiring.forge(here))
    named = {
        version.online_store.uri.rstrip("/"): environment
        for environment in environment_layout.ENVIRONMENTS
        if (version := main.version(model, environment)) is not None and version.online_store is not None
    }
    mine = [
        stored for stored in store.folders(retention.ONLINE) if stored.name.startswith(f"{retention.ONLINE}{model}/")
    ]
    for stored in mine:
        with scratch.folder("online") as place:
            store.get(stored.uri, place / "store")
            found = any(holds(path) for path in (place / "store").rglob("*") if path.is_file())
        if not found:
            continue
        environment = named.get(stored.uri.rstrip("/"))
        why = (
            f"{environment} serves it; run this again once a version trained without the person is served there"
            if environment
            else None
        )
        if delete and why is None:
            store.remove(stored.name)
        yield ErasedPart(kind="online features", place=stored.name, done=delete and why is None, why_not=why)


def _is_named(content: mmap.mmap, entity: Mapping[str, str]) -> bool:
    """True where *content*, which is no table, names each id. Digits alone are not looked for: they are in every file."""
    if any(value.isdecimal() for value in entity.values()):
        return False
    if content.find(b"\0") >= 0:  # a database: what stands beside an id there is no part of it, even if it is a letter
        return all(content.find(value.encode()) >= 0 for value in entity.values())
    return all(
        re.search(rb"(?<![\w-])" + re.escape(value.encode()) + rb"(?![\w-])", content) for value in entity.values()
    )


def _served(here: Settings, model: str, parts: list[ErasedPart]) -> list[erasures.ServedOnRows]:
    digests = {f"sha256:{part.place.rpartition('/')[2]}" for part in parts if part.kind == "snapshot"}
    monitored = wiring.objects(here, here.monitoring_uri)
    # Of an erasure that was killed, too: what is served was trained on what is a tombstone by now.
    before = monitored.keys(f"{erasures.FOLDER}{model}/snapshots/")
    digests |= {f"sha256:{key.rpartition('/')[2].removesuffix('.json')}" for key in before}
    return forgetting.served_on(Main.now(wiring.forge(here)), model, digests)
