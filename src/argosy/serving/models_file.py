"""The file of ``--models``: the bundles that one server answers with, each as the command line names a single one.

It is read again when it changes: an entry whose bundle is another by then is verified, loaded, and takes the place of the one before it.
"""

import math
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from argosy import errors
from argosy.files import model_folder


class ModelEntry(BaseModel):
    """One bundle; see the options of ``python -m argosy.serving`` of the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = None
    """The bundle's own name where absent."""
    bundle: Path
    digest: str
    release: int | None = None
    minimum_release: Path | None = None
    signature: Path | None = None
    unsigned: bool = False
    online: Path | None = None
    online_digest: str | None = None
    score_edges: tuple[Annotated[float, Field(gt=-math.inf, lt=math.inf)], ...] | None = None

    @model_validator(mode="after")
    def _signed_or_not(self) -> "ModelEntry":
        if (self.signature is None) != self.unsigned:
            raise ValueError("name the file of the signature, or unsigned: true for a bundle that nobody signed yet")
        return self


class ModelsFile(BaseModel):
    """All of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: Annotated[list[ModelEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> "ModelsFile":
        names = [entry.model for entry in self.models]
        if None in names:
            raise ValueError("each entry names its model")
        if twice := next((name for place, name in enumerate(names) if name in names[:place]), None):
            raise ValueError(f"{twice} stands here twice; one server answers for a name with one bundle")
        return self

    def entry(self, model: str, path: Path) -> ModelEntry:
        """The entry of *model*. Raises Misconfigured, naming *path*, where there is none."""
        for entry in self.models:
            if entry.model == model:
                return entry
        raise errors.Misconfigured(
            f"{path} names {model} no more; models come and go with the server only, start it anew"
        )


def read(path: Path) -> ModelsFile:
    """The file *path*. Raises Misconfigured with the line and the field."""
    return model_folder.load(path, ModelsFile)
