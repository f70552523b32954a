"""Brings what this release's templates have otherwise into a project that an earlier one wrote: `argosy init --update`.

Each file is a three-way merge of what was written, what would be written now, and what is there; see ``domain.template_updates``.
"""

import argparse
import functools
import os
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from argosy import errors
from argosy.cli import model_from_table, sample_project, template_records
from argosy.cli.models import WORKFLOWS
from argosy.domain import template_updates
from argosy.domain.template_record import TemplateRecord
from argosy.domain.template_updates import FileUpdate
from argosy.files import three_way

CRLF = b"\r\n"


def run(place: Path, *, origin: str | None, dry_run: bool) -> None:
    """Update the project, or the model, that *place* names. *origin*: where a model's table lies now, in place of where it lay.

    Raises Rejected where edits conflict: they stand in the files, marked.
    """
    project, records = template_records.chosen(place)
    if origin is not None and (len(records) != 1 or records[0].made != "table"):
        raise errors.UsageError(
            "--from says where one model's table lies now: name that model, argosy init NAME --update --from FILE"
        )
    _refuse_later(records)
    now = [_anew(record, origin) for record in records]
    found = _updates(project, records, now)
    if not dry_run:
        _carry_out(project, found, now)
    _say(records, found, dry_run=dry_run)
    if conflicts := [each.path for each in found if each.word == "conflict"]:
        named = ", ".join(conflicts)
        raise errors.Rejected(
            f"you and the template changed the same lines of {named}: "
            + (
                "nothing was written"
                if dry_run
                else "both stand there, marked; keep what is right and remove the marks"
            )
        )


def _refuse_later(records: Sequence[TemplateRecord]) -> None:
    """Raise UsageError where a later release than this one wrote one of *records*: its news would be taken out again."""
    here = metadata.version("argosy")
    if later := next((record for record in records if record.is_of_later_than(here)), None):
        raise errors.UsageError(
            f"argosy {later.argosy} wrote {later.path}, and this is {here}: an update would take back what that one brought; "
            f"install {later.argosy} or later (nothing was written)"
        )


def _anew(record: TemplateRecord, origin: str | None) -> TemplateRecord:
    """*record* as this release writes it, by the same answers."""
    if record.made == "sample":
        if record.model is not None and record.model not in sample_project.models(sample_project.root()):
            raise errors.UsageError(
                f"this release has no sample {record.model}, and what you made of it stays yours; remove {record.path} to end its updates"
            )
        return template_records.of("sample", record.model, sample_project.fresh(record.model))
    known = {**dict.fromkeys(model_from_table.ANSWERS), **record.answers}  # an earlier release asked less
    answers = argparse.Namespace(**{**known, **({"origin": origin} if origin else {})})
    texts = model_from_table.anew(record.model or "", answers, record.day)
    return template_records.of(
        "table",
        record.model,
        {path: text.encode() for path, text in texts.items()},
        answers=vars(answers),
        day=record.day,
    )


def _updates(project: Path, records: Sequence[TemplateRecord], now: Sequence[TemplateRecord]) -> list[FileUpdate]:
    """What is to be done in *project*. Raises UsageError where conflicts of an earlier update stand there still, or no text does."""
    before, after = _together(records), _together(now)
    mine = {}
    for path in sorted({**before, **after}):
        if not (project / path).resolve().is_relative_to(project.resolve()):
            raise errors.UsageError(f"{path} is a link that leads out of the project; remove it: nothing was written")
        if os.path.lexists(project / path):
            mine[path] = _text(project / path, path)
    if open_ones := template_updates.unresolved(mine):
        raise errors.UsageError(
            f"conflicts of an earlier update stand in {', '.join(open_ones)}: keep what is right there and remove the marks; "
            "nothing was written"
        )
    labels = ("yours", f"as argosy {records[0].argosy} wrote it", f"argosy {now[0].argosy}")
    merge = functools.partial(three_way.merged, labels=labels)
    return list(template_updates.updates(before, after, mine, merge))


def _text(place: Path, path: str) -> str:
    """The text of *place*, which a project calls *path*, its lines ended as templates end them. Raises UsageError where it is none."""
    if not place.is_file():
        raise errors.UsageError(f"{path} is no file, and the template's is one; move it: nothing was written")
    try:
        return _lines_ended(place.read_bytes()).decode()
    except UnicodeDecodeError as error:
        raise errors.UsageError(
            f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8: nothing was written"
        ) from None


def _lines_ended(content: bytes) -> bytes:
    return content.replace(CRLF, b"\n") if _has_crlf(content) else content


def _has_crlf(content: bytes) -> bool:
    """Whether each line of *content* ends as Windows has it."""
    return 0 < content.count(CRLF) == content.count(b"\n")


def _together(records: Sequence[TemplateRecord]) -> dict[str, str]:
    """The files of all *records*: what several models of a project share was written once."""
    return {path: text for record in reversed(records) for path, text in record.files.items()}


def _carry_out(project: Path, updates: Sequence[FileUpdate], now: Sequence[TemplateRecord]) -> None:
    for each in updates:
        place = project / each.path
        if each.text is not None:
            content = each.text.encode()
            windows = place.exists() and _has_crlf(place.read_bytes())
            sample_project.place(place, content.replace(b"\n", CRLF) if windows else content)
        elif each.word == "removed":
            place.unlink()
    for record in now:
        template_records.keep(project, record)  # last: an update that was broken off begins again


def _say(records: Sequence[TemplateRecord], updates: Sequence[FileUpdate], *, dry_run: bool) -> None:
    for each in updates:
        print(f"{each.word}: {each.path}" + (f" ({each.why})" if each.why else ""))
    names = ", ".join(record.name for record in records)
    if not any(each.word != "kept" for each in updates):
        print(f"nothing to update: {names} as this release has it")
        return
    models = sorted({path.parts[1] for each in updates if (path := Path(each.path)).parts[0] == WORKFLOWS.name})
    compiled = " ".join((WORKFLOWS / model).as_posix() for model in models)
    if dry_run:
        print("nothing was written: --dry-run")
    elif models and not any(each.word == "conflict" for each in updates):
        print(f"try next: argosy compile {compiled}")
