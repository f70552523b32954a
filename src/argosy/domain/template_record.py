"""What `argosy init` keeps of what it wrote: which release it was, what it was told, and the files as it wrote them.

An update needs all three: the release to say what changed, the answers to write the files anew, the old text to tell an edit from it.
"""

import datetime
from typing import Literal

from argosy.domain.documents import Document

FOLDER = ".argosy"
"""Of a project, where its records are."""


class TemplateRecord(Document):
    """One record: of a sample, of what a project has beside its models, or of a model that was made from a table."""

    form: Literal["1.0"] = "1.0"
    argosy: str
    """The release."""
    made: Literal["sample", "table"]
    model: str | None = None
    """None for what a project has beside its models."""
    answers: dict[str, str | list[str] | None] = {}
    """The options of `argosy init`, by their names in Python."""
    day: datetime.datetime | None = None
    """The moment that rows without times of their own were taken to describe."""
    files: dict[str, str]
    """Path in the project to the text that was written; manifests are left out, which are compiled."""

    @property
    def name(self) -> str:
        """The record's name, by which an update can be asked for."""
        return self.model or "project"

    @property
    def path(self) -> str:
        """The file of the record, in its project."""
        return f"{FOLDER}/{self.made}-{self.name}.json"
