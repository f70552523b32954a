"""The snapshots of a model that a run has accepted, in the model store: by digest, each once, never changed."""

from pathlib import Path

from argosy.domain import snapshot_layout
from argosy.ports.artifacts import Artifacts, StoredFolder


class AcceptedSnapshots:
    """Those of *model*."""

    def __init__(self, artifacts: Artifacts, model: str) -> None:
        self._artifacts = artifacts
        self._model = model

    def newest(self) -> tuple[str, StoredFolder] | None:
        """The one that was accepted last, with its digest; None where there is none. Raises TryAgain where the store fails."""
        return max(self._all().items(), key=lambda entry: (entry[1].at, entry[0]), default=None)

    def find(self, digest: str) -> StoredFolder | None:
        """The one of *digest*; None where it is not there."""
        return self._all().get(digest)

    def fetch(self, stored: StoredFolder, into: Path) -> Path:
        """Copy one to the folder *into*, which is returned."""
        self._artifacts.get(stored.uri, into)
        return into

    def accept(self, folder: Path, digest: str) -> None:
        """Keep the snapshot in *folder*; one that is there already stays as it is."""
        self._artifacts.put(folder, snapshot_layout.store_name(self._model, digest))

    def _all(self) -> dict[str, StoredFolder]:
        named = (
            (snapshot_layout.parsed(each.name), each) for each in self._artifacts.folders(snapshot_layout.SNAPSHOTS)
        )
        return {parsed[1]: each for parsed, each in named if parsed is not None and parsed[0] == self._model}
