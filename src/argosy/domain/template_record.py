"""What `argosy init` keeps of what it wrote: which release it was, what it was told, and the files as it wrote them.

An update needs all three: the release to say what changed, the answers to write the files anew, the old text to tell an edit from it.
"""

import datetime
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from argosy.domain.documents import Document

RELEASE = re.compile(r"(\d+(?:\.\d+)*)(.*)")
"""A version: its numbers, and what follows them (https://packaging.python.org/en/latest/specifications/version-specifiers/)."""
FOLDER = ".argosy"
"""Of a project, where its records are."""


def _inside(path: str) -> str:
    """*path* as it is: a record comes with a project, and must not reach what lies outside it. Raises ValueError."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} is no path within a project")
    return path


class TemplateRecord(Document):
    """One record: of a sample, of what a project has beside its models, or of a model that was made from a table."""

    form: Literal["1.0"] = "1.0"
    argosy: Annotated[str, Field(pattern=r"^\d+(\.\d+)*([a-z.+][a-z0-9.+]*)?$")]
    """The release."""
    made: Literal["sample", "table"]
    model: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] | None = None
    """None for what a project has beside its models."""
    answers: dict[str, str | list[str] | None] = {}
    """The options of `argosy init`, by their names in Python."""
    day: datetime.datetime | None = None
    """The moment that rows without times of their own were taken to describe."""
    files: dict[Annotated[str, AfterValidator(_inside)], str]
    """Path in the project to the text that was written; manifests are left out, which are compiled."""

    @property
    def name(self) -> str:
        """The record's name, by which an update can be asked for."""
        return self.model or "project"

    @property
    def path(self) -> str:
        """The file of the record, in its project."""
        return f"{FOLDER}/{self.made}-{self.name}.json"

    def is_of_later_than(self, release: str) -> bool:
        """Whether a later release than *release* wrote it."""
        return _order(self.argosy) > _order(release)


def _order(release: str) -> tuple[list[int], bool]:
    """Where *release* stands among others: a release comes after those that were only on the way to it (1.2.dev3, 1.2rc1)."""
    found = RELEASE.fullmatch(release)
    if found is None:
        raise ValueError(f"{release!r} is no version")
    numbers = list(map(int, found[1].split(".")))
    while numbers and not numbers[-1]:  # 1.2 and 1.2.0 are one
        numbers.pop()
    return numbers, not re.match(r"\.?(a|b|rc|dev)\d", found[2])
