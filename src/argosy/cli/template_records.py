"""The records of what `argosy init` wrote into a project, one file each below ``.argosy``: written with the files, read by an update."""

import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from argosy import errors
from argosy.cli import sample_project
from argosy.cli.models import WORKFLOWS
from argosy.domain.suggestion import choices
from argosy.domain.template_record import FOLDER, TemplateRecord
from argosy.templates import folder

COMPILED = {folder.MANIFEST, folder.RETRAINING, folder.SCHEDULE, folder.WATCH, folder.SCORING}
"""Names of the files of a model's folder that are compiled from its others."""


def of(made: Literal["sample", "table"], model: str | None, files: Mapping[Path, bytes], **more: Any) -> TemplateRecord:
    """The record of *files* as this release writes them."""
    texts = {path.as_posix(): content.decode() for path, content in files.items() if not _is_compiled(path)}
    return TemplateRecord(argosy=metadata.version("argosy"), made=made, model=model, files=texts, **more)


def _is_compiled(path: Path) -> bool:
    return path.parts[0] == WORKFLOWS.name and path.name in COMPILED


def keep(project: Path, record: TemplateRecord) -> None:
    """Write *record* into *project*, whole or not at all."""
    told = record.model_dump(mode="json", exclude_none=True)
    text = json.dumps(told, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    sample_project.place(project / record.path, text.encode())


def chosen(place: Path) -> tuple[Path, list[TemplateRecord]]:
    """The project that *place* is, with all its records; or the working directory, with the one of the model that *place* names.

    Raises UsageError where there is no such record.
    """
    if found := _all(place):
        return place, found
    here = {record.name: record for record in _all(Path())}
    if (name := place.as_posix()) in here:
        return Path(), [here[name]]
    if here and place != Path():
        raise errors.UsageError(
            f"{place} is no project, and no model that argosy init made here{choices(name, here, 'There are')}"
        )
    raise errors.UsageError(
        f"{place.resolve()} has no {FOLDER}/ that says what argosy init wrote: it was made by a release before that, or by hand; "
        "write the same anew with argosy init in an empty folder, and compare"
    )


def _all(project: Path) -> list[TemplateRecord]:
    return [TemplateRecord.read(path) for path in sorted((project / FOLDER).glob("*.json"))]
