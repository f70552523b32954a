"""Makes a model's folder from a table: looks at it, guesses, measures a quick baseline, writes what it came to with each reason.

What is guessed is ``domain.new_model``, how files read ``files.new_model_texts``; `argosy init --from` asks here.
"""

import argparse
import dataclasses
import datetime
import filecmp
import json
import keyword
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, scratch, wiring
from argosy.cli import manifests, sample_project, table_origins, template_records
from argosy.cli.models import WORKFLOWS
from argosy.templates import folder as folders

if TYPE_CHECKING:
    import pyarrow as pa

    from argosy.cli.table_origins import Origin
    from argosy.domain.data import FeatureColumn
    from argosy.domain.model_settings import ModelSettings
    from argosy.domain.new_model import NewModel, Wishes
    from argosy.domain.policy import Limit, Policy
    from argosy.files.new_model_texts import NewFolder
    from argosy.ports.tables import Counts

LISTS = {
    "personal": "columns of personal data: never logged or shown",
    "sensitive": "columns by which fairness is measured",
    "drop": "columns not to learn from",
    "keep": "columns to learn from, whatever speaks against it",
}
"""Options that name columns, each with what these are."""
ANSWERS = ("origin", "table", "target", "task", "positive", "key", "time", "owner", *LISTS)
"""What the command line says of a table, by its names in the parsed arguments: what an update asks for no second time."""
POLICIES = sample_project.ENVIRONMENT_REPO / "policies"
MODELS = sample_project.ENVIRONMENT_REPO / "models"
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
OWNER = "owners"
"""Who answers for a model of which nobody said it."""


@dataclass(frozen=True)
class _Found:
    """A new model, with what it was made from and what a quick baseline came to."""

    origin: "Origin"
    asked: "Wishes"
    new: "NewModel"
    folder: "NewFolder"
    settings: "ModelSettings"
    draws: list[dict[str, float | None]]
    counts: "Counts"
    share: float | None
    """Of the positive class."""
    is_told: bool
    """Whether a column that was to be kept tells the label by itself."""


def make(project: Path, model: str, place: str, arguments: argparse.Namespace) -> None:
    """Write the model *model* from the rows at *place* into *project*, whole or not at all, and say each guess."""
    _refuse_name(project, model)
    origin = table_origins.of(place, arguments.table)
    with scratch.folder("table") as drafts:
        found = _look(model, origin, arguments, drafts)
        texts, said = _texts(found), list(_said(found))
        _compile(found, texts, drafts / "project")
        _place(project, found, texts, drafts)
    _remember(project, found, texts, arguments)
    if arguments.json:
        print(json.dumps(_answer(found)))
    else:
        print("\n".join(said))


def anew(model: str, arguments: argparse.Namespace, day: datetime.datetime | None) -> dict[Path, str]:
    """What this release writes of the model *model* by the same *arguments*, by its place in a project; the manifest is left out.

    *day*: the moment that its rows were taken to describe when it was made.
    """
    origin = table_origins.of(arguments.origin, arguments.table)
    with scratch.folder("table") as drafts:
        return _texts(_look(model, origin, arguments, drafts, day))


def _remember(project: Path, found: _Found, texts: dict[Path, str], arguments: argparse.Namespace) -> None:
    files = {path: text.encode() for path, text in texts.items()}
    answers = {name: getattr(arguments, name) for name in ANSWERS}
    record = template_records.of("table", found.folder.model, files, answers=answers, day=found.folder.observed_at)
    template_records.keep(project, record)


def _look(
    model: str, origin: "Origin", arguments: argparse.Namespace, drafts: Path, day: datetime.datetime | None = None
) -> _Found:
    """Everything that is to be known of the new model; its data is written into *drafts*. *day*: in place of the origin's."""

    from argosy.domain import new_model  # not before: the libraries take a second to load
    from argosy.files.new_model_texts import NewFolder
    from argosy.ml import baseline, first_look

    asked = _wishes(arguments)
    _, table = origin.read()
    new = new_model.of(table, asked)
    made = new.key if new.key_is_made else None
    unread = tuple(new_model.Guess("not read", name, reason) for name, reason in origin.left_out().items())
    new = dataclasses.replace(new, guesses=(*new.guesses, *unread))
    when = day or origin.day
    folder = NewFolder(model, arguments.owner or OWNER, origin.name, origin.said, origin.place(made), when, table)
    settings = _settings(new, folder, drafts)
    origin.write(drafts, settings.primary, made)
    examples, counts = _examples(settings, drafts)
    folder = dataclasses.replace(folder, holdout_from=_newest_fifth(examples, new))
    features = [column.name for column in new.of_role("feature")]
    telling = first_look.given_away(examples, new.task, len(new.classes), features)
    new = new.known_later([(name, alone) for name, alone in telling if name not in asked.keep])
    settings = _settings(new, folder, drafts)
    draws = baseline.measured(settings, examples, _features(new))
    share = first_look.positive_share(examples) if new.task == "binary" else None
    return _Found(
        origin, asked, new, folder, settings, draws, counts, share, any(name in asked.keep for name, _ in telling)
    )


def _wishes(arguments: argparse.Namespace) -> "Wishes":
    """What the command line says of the table."""
    from argosy.domain.new_model import Wishes

    lists = {
        name: tuple(word.strip() for text in getattr(arguments, name) or () for word in text.split(",") if word.strip())
        for name in LISTS
    }
    return Wishes(
        target=arguments.target,
        task=arguments.task,
        positive=arguments.positive,
        key=arguments.key,
        time=arguments.time,
        **lists,
    )


def _settings(new: "NewModel", folder: "NewFolder", drafts: Path) -> "ModelSettings":

    from argosy.files import model_folder, new_model_texts

    draft = drafts / folders.ARTIFACTS["settings"]
    draft.write_text(new_model_texts.settings(new, folder), encoding="utf-8")
    return model_folder.load_settings(draft)


def _examples(settings: "ModelSettings", drafts: Path) -> "tuple[pa.Table, Counts]":
    """The rows as ingest will read them, each with its label. Raises Rejected where the contract that was guessed does not hold."""
    source, tables = settings.primary, wiring.tables()
    kept = drafts / "kept.parquet"
    counts = tables.snapshot(
        source, settings.reject, drafts / source.file_name, kept=kept, rejected=drafts / "rejected.parquet"
    )
    from argosy.ports.tables import Derived

    return tables.derive(Derived.of([kept], source, label=settings.label)), counts


def _features(new: "NewModel") -> "list[FeatureColumn]":

    from argosy.domain.data import FeatureColumn

    return [
        FeatureColumn(name=column.name, type="category" if column.profile.type == "string" else "number", view="")
        for column in new.of_role("feature")
    ]


def _refuse_name(project: Path, model: str) -> None:
    if not NAME.fullmatch(model):
        close = re.sub(r"[^a-z0-9_]+", "_", model.casefold()).strip("_0123456789")
        hint = f"; did you mean {close!r}?" if NAME.fullmatch(close) else ""
        raise errors.UsageError(f"{model!r} is no name of a model: small letters, digits and _, a letter first{hint}")
    if not model.isidentifier() or keyword.iskeyword(model):
        raise errors.UsageError(
            f"{model!r} is a word of Python, and a model is a variable of its features.py; take another name"
        )
    taken = [
        path for path in (WORKFLOWS / model, POLICIES / f"{model}.yaml", MODELS / model) if (project / path).exists()
    ]
    if taken:
        places = shlex.join(str(project / path) for path in taken)
        raise errors.UsageError(
            f"{project / taken[0]} is there already, and nothing was written: take another name, or, where nothing of it is to be kept, "
            f"rm -r {places}"
        )


def _newest_fifth(examples: "pa.Table", new: "NewModel") -> datetime.datetime | None:
    """The moment from which the newest fifth of the rows is; None where rows have no times."""
    if new.time is None:
        return None
    moments = sorted(examples.column(new.time).to_pylist())
    found: datetime.datetime = moments[int(len(moments) * 0.8)]
    return found.replace(microsecond=0)


def _texts(found: _Found) -> dict[Path, str]:
    """What is written, by its place in the project."""
    from argosy.files import new_model_texts

    new, folder = found.new, found.folder
    model, rejected = WORKFLOWS / folder.model, 1 - found.counts.kept / found.counts.read
    policy = _policy(found)
    return {
        model / folders.ARTIFACTS["settings"]: new_model_texts.settings(new, folder),
        model / folders.ARTIFACTS["definitions"]: new_model_texts.definitions(new, folder),
        model / folders.ARTIFACTS["expectations"]: new_model_texts.expectations(
            new, folder, rejected=rejected, share=found.share, is_told=found.is_told
        ),
        model / folders.PIPELINE: new_model_texts.pipeline(folder),
        POLICIES / f"{folder.model}.yaml": new_model_texts.policy(policy),
        MODELS / folder.model / "values.yaml": new_model_texts.values(folder.model),
        MODELS / folder.model / "staging" / "README.md": new_model_texts.placeholder(),
        MODELS / folder.model / "production" / "README.md": new_model_texts.placeholder(),
    }


def _policy(found: _Found) -> "Policy":
    from argosy.domain import baseline_limits

    second = 2
    groups = {
        column.name: column.profile.levels[second - 1][1]
        for column in found.new.columns
        if len(column.profile.levels) >= second
    }
    return baseline_limits.policy(found.settings, found.draws, found.counts.kept, groups)


def _compile(found: _Found, texts: dict[Path, str], project: Path) -> None:
    """Add to *texts* the manifest that they compile to, in the empty folder *project*. Raises Rejected where they are too many."""
    model = WORKFLOWS / found.folder.model
    sizes = {path: len(text.encode()) for path, text in texts.items() if path.name in folders.ARTIFACTS.values()}
    if sum(sizes.values()) > folders.LIMIT:
        raise errors.Rejected(
            f"{len(found.new.columns)} columns make files of {sum(sizes.values()):,} bytes, and {folders.LIMIT:,} can travel with a "
            "manifest: leave columns out with --drop COLUMNS"
        )
    for path, text in texts.items():
        _put(project / path, text.encode())
    texts[model / folders.MANIFEST] = manifests.compiled(project / model)


def _place(project: Path, found: _Found, texts: dict[Path, str], drafts: Path) -> None:
    """Write *texts* and the data in *drafts* into *project*, and what a project needs beside them where it has none."""
    copied = list(_copied(project, found, drafts))
    for draft, target in copied:
        if os.path.lexists(target) and not (target.is_file() and filecmp.cmp(target, draft, shallow=False)):
            raise errors.UsageError(
                f"{target} is there already, and other than what would be written; move it: nothing was written"
            )
    if not (project / sample_project.ENVIRONMENT_REPO).exists():
        besides = sample_project.fresh(None)
        for path, content in besides.items():
            if not (project / path).exists():
                _put(project / path, content)
        template_records.keep(project, template_records.of("sample", None, besides))
    for path, text in texts.items():
        _put(project / path, text.encode())
    for draft, target in copied:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(draft, target)


def _copied(project: Path, found: _Found, drafts: Path) -> Iterator[tuple[Path, Path]]:
    """The data in *drafts* that *project* is to have, each file with its place there."""
    if (name := found.origin.in_data) is None:
        return
    data, draft = project / "data" / found.folder.model, drafts / name
    if not draft.is_dir():
        yield draft, data / name
        return
    if (data / name).is_dir() and not all(
        (drafts / path.relative_to(data)).exists() for path in (data / name).rglob("*")
    ):
        raise errors.UsageError(f"{data / name} has other partitions already; move it: nothing was written")
    yield from ((file, data / file.relative_to(drafts)) for file in sorted(draft.rglob("*")) if file.is_file())


def _said(found: _Found) -> Iterator[str]:
    """What was guessed, each with its reason, and what to do next."""
    from argosy.domain import baseline_limits

    new, model = found.new, found.folder.model
    data = f"and data/{model}/{found.folder.file}" if found.origin.in_data else f"for {found.folder.file}"
    yield f"wrote {WORKFLOWS / model}, {POLICIES / model}.yaml {data} ({found.counts.kept:,} rows)"
    yield "guessed, with the reason; each is in model.yaml to be confirmed:"
    for guess in new.guesses:
        yield f"  {guess.what}: {guess.value}: {guess.reason}"
    for title, columns in {"feature": new.of_role("feature"), "left out": new.of_role("left out")}.items():
        for column in columns:
            marks = "".join(f" [{mark}]" for mark in ("personal", "sensitive") if getattr(column, mark))
            yield f"  {title}: {column.name} ({column.profile.type}{f', {column.unit}' if column.unit else ''}){marks}: {column.reason}"
    policy = _policy(found)
    for limit in policy.limits[:2]:
        yield f"  limit: {limit.metric} {_bound(limit)}: {limit.why}"
    for doubt in baseline_limits.doubts(found.settings, found.draws):
        yield f"  doubt: {doubt}"
    yield from _questions(found)
    yield f"try next: {found.origin.before()}argosy run {model}"


def _bound(limit: "Limit") -> str:
    return f"at least {limit.at_least:g}" if limit.at_least is not None else f"at most {limit.at_most:g}"


def _questions(found: _Found) -> Iterator[str]:
    """What only people know, and did not say."""
    new, asked = found.new, found.asked
    if not asked.personal and not any(column.personal for column in new.columns):
        yield "  ask: no column was taken for personal data; --personal COLUMNS names those that are, --personal none that there are none"
    if not asked.sensitive and not any(column.sensitive for column in new.columns):
        yield "  ask: fairness is measured by no column; --sensitive COLUMNS names those that are, --sensitive none that there are none"


def _answer(found: _Found) -> dict[str, object]:
    new = found.new
    return {
        "model": found.folder.model,
        "task": new.task,
        "guesses": [dataclasses.asdict(guess) for guess in new.guesses],
        "columns": [
            {
                "name": column.name,
                "type": column.profile.type,
                "role": column.role,
                "reason": column.reason,
                "unit": column.unit,
                "personal": column.personal,
                "sensitive": column.sensitive,
                "nullable": column.nullable,
            }
            for column in new.columns
        ],
        "rows": found.counts.kept,
    }


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
