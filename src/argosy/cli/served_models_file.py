"""The file by which the workers of `argosy serve` are told what they serve: written whole, and anew when main approves something else."""

import json
from collections.abc import Sequence
from pathlib import Path

from argosy.serving.models_file import ModelEntry


class ServedModelsFile:
    """One such file."""

    def __init__(self, path: Path, entries: Sequence[ModelEntry]) -> None:
        self.path = path
        self.entries = list(entries)
        self._write()

    def replace(self, entry: ModelEntry) -> None:
        """Have *entry* take the place of the one of its model."""
        self.entries = [entry if known.model == entry.model else known for known in self.entries]
        self._write()

    def _write(self) -> None:
        said = {"models": [entry.model_dump(mode="json", exclude_none=True) for entry in self.entries]}
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(said), encoding="utf-8")  # JSON is YAML
        partial.replace(self.path)
