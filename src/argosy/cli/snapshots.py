"""Finds snapshots by what people call them: a digest or its beginning, a run, `latest`, `champion`, or a file.

They are in the model store, once a run has accepted them, and among the outputs of this machine's runs.
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import models
from argosy.domain import environment_layout, snapshot_layout
from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.domain.model_settings import ModelSettings
from argosy.domain.snapshot_layout import MANIFEST
from argosy.engine.state import runs
from argosy.files import model_folder
from argosy.ports.artifacts import Artifacts
from argosy.promotion.standing import Main
from argosy.settings import Settings
from argosy.templates import folder

LATEST, CHAMPION = "latest", "champion"
DIGEST = re.compile(r"(sha256:)?(?P<hex>[0-9a-f]{4,64})")
SNAPSHOT = "snapshot"


@dataclass(frozen=True)
class Known:
    """A snapshot, where it lies."""

    model: str
    digest: str
    at: datetime.datetime
    manifest: SnapshotManifest
    place: str
    """``store``, or the name of the run whose output it is."""
    path: Path | None = None
    """Its folder on this machine; None in a store, from which it is copied."""

    @property
    def rows(self) -> int:
        """The rows of all its tables."""
        return sum(table.rows for table in self.manifest.tables)


class KeptSnapshots:
    """The snapshots of all models, or of *model* alone."""

    def __init__(self, here: Settings, model: str | None) -> None:
        self._here = here
        self._model = model
        self._store: Artifacts = wiring.artifacts(here)

    def stored(self) -> list[Known]:
        """Those of the store, the newest first."""
        prefix = f"{snapshot_layout.SNAPSHOTS}{self._model}/" if self._model else snapshot_layout.SNAPSHOTS
        found = []
        for each in self._store.folders(snapshot_layout.SNAPSHOTS):
            parsed = snapshot_layout.parsed(each.name)
            if parsed is None or not each.name.startswith(prefix):
                continue
            content = self._store.read(each.name, MANIFEST)
            if content is not None:
                found.append(Known(*parsed, each.at, SnapshotManifest.model_validate_json(content), "store"))
        return sorted(found, key=lambda known: known.at, reverse=True)

    def of_runs(self) -> Iterator[Known]:
        """Those of this machine's runs, the newest first."""
        for run in runs.newest_first(self._here.home):
            if (known := self._of_run(run)) is not None and self._model in (None, known.model):
                yield known

    def everywhere(self) -> list[Known]:
        """Every snapshot once, the newest first; of several places the store's."""
        found: dict[str, Known] = {}
        for known in [*self.stored(), *self.of_runs()]:
            found.setdefault(known.digest, known)
        return sorted(found.values(), key=lambda known: known.at, reverse=True)

    def named(self, name: str) -> Known:
        """The snapshot that *name* means. Raises UsageError where that is none, or several."""
        if name == LATEST:
            return self._latest()
        if name == CHAMPION:
            return self._champion()
        if (matched := DIGEST.fullmatch(name)) and (found := self._of_digest(matched["hex"])):
            return found
        try:
            run = runs.find(self._here.home, None if name == "-" else name)
        except errors.UsageError:
            raise errors.UsageError(
                f"{name!r} is no snapshot (a digest or its beginning, {LATEST}, {CHAMPION}), no run of this machine and no file; "
                "`argosy data list` lists snapshots"
            ) from None
        if (of_run := self._of_run(run)) is None:
            raise errors.UsageError(f"run {run.run} has no snapshot: its data was not read, or the output is deleted")
        return of_run

    def folder(self, known: Known, place: Path) -> Path:
        """The folder of *known* on this machine; what has to be copied is copied below *place*."""
        if known.path is not None:
            return known.path
        into = place / known.digest.removeprefix("sha256:")
        if not into.exists():
            name = snapshot_layout.store_name(known.model, known.digest)
            stored = next(each for each in self._store.folders(snapshot_layout.SNAPSHOTS) if each.name == name)
            self._store.get(stored.uri, into)
        return into

    def _of_run(self, run: runs.RunFolder) -> Known | None:
        nodes = run.state()[1].values()
        found = [path for node in nodes if (path := runs.artifact(self._here.home, node, SNAPSHOT)) is not None]
        if not found or not (found[-1] / MANIFEST).is_file():
            return None
        manifest = SnapshotManifest.read(found[-1] / MANIFEST)
        at = datetime.datetime.fromtimestamp((found[-1] / MANIFEST).stat().st_mtime, datetime.UTC)
        return Known(manifest.model, manifest.content_digest(), at, manifest, run.run, found[-1])

    def _latest(self) -> Known:
        known = self.stored() or list(self.of_runs())
        self._demand_one_model({each.model for each in known}, LATEST)
        if not known:
            raise errors.UsageError("there is no snapshot yet: `argosy run MODEL` makes one")
        return known[0]

    def _champion(self) -> Known:
        main = Main.now(wiring.forge(self._here))
        models_served = [self._model] if self._model else main.models()
        self._demand_one_model(set(models_served), CHAMPION)
        evidence = main.evidence(models_served[0], environment_layout.PRODUCTION) if models_served else None
        if evidence is None:
            raise errors.UsageError(
                f"production serves no {self._model or 'model'} yet, so there is no champion's snapshot"
            )
        found = self._of_digest(evidence.snapshot_digest.removeprefix("sha256:"))
        if found is None:
            raise errors.UsageError(
                f"the champion's snapshot {evidence.snapshot_digest[:19]} is neither in the model store nor among the runs of this machine"
            )
        return found

    def _of_digest(self, beginning: str) -> Known | None:
        found = [each for each in self.everywhere() if each.digest.removeprefix("sha256:").startswith(beginning)]
        if len(found) > 1:
            listed = ", ".join(each.digest.removeprefix("sha256:")[:12] for each in found[:3])
            raise errors.UsageError(
                f"{len(found)} snapshots begin with {beginning}: {listed}, …; write more of the digest"
            )
        return found[0] if found else None

    def _demand_one_model(self, found: set[str], word: str) -> None:
        if self._model is None and len(found) > 1:
            raise errors.UsageError(f"{word!r} of which model? --model {' or '.join(sorted(found))}")


def settings_of(model: str) -> ModelSettings | None:
    """The settings of *model* in the project at hand; None where it is not there."""
    try:
        return model_folder.load_settings(models.folder_of(model) / folder.ARTIFACTS["settings"])
    except errors.UsageError:
        return None


def typed(file: Path, settings: ModelSettings, into: Path) -> Path:
    """The folder of a snapshot *into* with the one table that *file* is by the contract of *settings*.

    Raises UsageError where it is not clear which source it is of, Rejected where it breaks the contract.
    """
    fitting = [source for source in settings.sources if source.file_name == file.name] or list(settings.sources)
    if len(fitting) != 1:
        raise errors.UsageError(
            f"{file} is none of the files of {settings.model} ({', '.join(each.file_name for each in fitting)}); give it that name"
        )
    into.mkdir(parents=True)
    source = fitting[0]
    rules = [rule for rule in settings.reject if rule.source == source.name]
    table = into / f"{source.name}.parquet"
    as_file = (
        source
        if source.is_in_data
        else source.model_copy(update={"sql": None, "kafka": None, "url": None, "file": file.name})
    )
    counts = wiring.tables().snapshot(as_file, rules, file, kept=table, rejected=into / ".rejected.parquet")
    entry = TableManifest(
        source=source.name,
        path=table.name,
        digest="",
        rows=counts.kept,
        bytes=table.stat().st_size,
        columns={column.name: column.type for column in source.columns},
    )
    SnapshotManifest(model=settings.model, tables=[entry]).write(into / MANIFEST)
    return into
