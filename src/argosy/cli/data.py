"""List, show and fetch snapshots, say what changed from one to another, and hold files against a model's expectations.

A snapshot is named by its digest or the beginning of it, by a run that made it (`-`: the newest), as `latest` (the newest that a run
accepted), as `champion` (what the model in production was trained on), or it is a file or folder.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy import errors, scratch, wiring
from argosy.cli import snapshots, verb_actions
from argosy.cli.snapshots import KeptSnapshots, Known
from argosy.domain.data import SnapshotManifest
from argosy.domain.data_diff import DataChange
from argosy.domain.model_settings import ModelSettings
from argosy.domain.snapshot_layout import MANIFEST
from argosy.domain.source_settings import Source
from argosy.monitoring import data_changes
from argosy.report import change_tables, formats, terminal_markdown
from argosy.report.plain_text import line
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, KeptSnapshots], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verbs.add_parser(
        "list", help="the snapshots of the model store and of this machine's runs", description="List snapshots."
    )
    listing.set_defaults(do=_list)
    listing.add_argument("of", nargs="?", metavar="MODEL", help="of that model alone, as --model says it")
    show = verb_actions.added(verbs, "show", _show, "what a snapshot holds")
    get = verb_actions.added(verbs, "get", _get, "copy a snapshot to a folder")
    diff = verb_actions.added(verbs, "diff", _diff, "what changed from one snapshot to another")
    check = verb_actions.added(
        verbs, "validate", _validate, "hold a file, or partitions, against a model's expectations"
    )
    check.add_argument(
        "path", type=Path, help="a source's file or folder of partitions, or the folder with all sources"
    )
    for each in (show, get):
        each.add_argument("snapshot", help="digest, run, latest, or champion")
    get.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="a folder that is not there yet")
    diff.add_argument("before", help="digest, run, latest, champion, or a file")
    diff.add_argument("after", help="the same")
    diff.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    diff.add_argument("--markdown", action="store_true", help="print Markdown, as for a request")
    for each in (listing, show, get, diff, check):
        each.add_argument("--model", metavar="NAME", help="of that model alone")
        if each is not get:
            each.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    action: Action = arguments.do
    action(arguments, KeptSnapshots(Settings.from_environment(), arguments.model))
    return errors.DONE


def _list(arguments: argparse.Namespace, found: KeptSnapshots) -> None:
    known = [each for each in found.everywhere() if arguments.of in (None, each.model)]
    for each in known:
        print(json.dumps(_facts(each)) if arguments.json else _row(each))
    if not known and not arguments.json:
        print("no snapshot yet: `argosy run MODEL` makes one")


def _facts(known: Known) -> Mapping[str, object]:
    return {
        "model": known.model,
        "digest": known.digest,
        "at": known.at.isoformat(timespec="seconds"),
        "rows": known.rows,
        "bytes": sum(table.bytes for table in known.manifest.tables),
        "place": known.place,
    }


def _row(known: Known) -> str:
    tables = ", ".join(f"{table.source} {table.rows:,}" for table in known.manifest.tables)
    size = formats.size(sum(table.bytes for table in known.manifest.tables))
    return line(
        f"{known.digest.removeprefix('sha256:')[:12]}  {known.model:<16} {known.at:%Y-%m-%d %H:%M}  {size:>8}  {tables}  ({known.place})"
    )


def _show(arguments: argparse.Namespace, found: KeptSnapshots) -> None:
    known = found.named(arguments.snapshot)
    if arguments.json:
        print(json.dumps({**_facts(known), "manifest": known.manifest.model_dump(mode="json")}))
        return
    print(line(known.digest))
    print(line(f"model {known.model}, {known.at:%Y-%m-%d %H:%M} UTC, {known.place}"))
    for table in known.manifest.tables:
        print(line(f"{table.source}: {table.rows:,} rows, {formats.size(table.bytes)}, {table.digest}"))
        for name, kind in table.columns.items():
            print(line(f"  {name:<32} {kind}"))


def _get(arguments: argparse.Namespace, found: KeptSnapshots) -> None:
    known = found.named(arguments.snapshot)
    into: Path = arguments.into
    if into.exists():
        raise errors.UsageError(f"--into {into} is there already; name a folder that is not")
    with scratch.folder("artifact") as place:
        shutil.copytree(found.folder(known, place), into)
    into.chmod(0o755)
    print(line(f"{known.digest} -> {into}"))


def _diff(arguments: argparse.Namespace, found: KeptSnapshots) -> None:
    with scratch.folder("artifact") as place:
        sides = [
            _side(name, found, place / str(number), arguments.model)
            for number, name in enumerate((arguments.before, arguments.after))
        ]
        model = arguments.model or next((manifest.model for _, _, manifest in sides if manifest.model), None)
        settings = snapshots.settings_of(model) if model else None
        (before, old, _), (after, new, _) = sides
        change = data_changes.between((before, old), (after, new), _contracts(settings), wiring.table_comparison())
    _say(arguments, change)


def _side(name: str, found: KeptSnapshots, place: Path, model: str | None) -> tuple[str, Path, SnapshotManifest]:
    """What people call a side, and its folder."""
    path = Path(name)
    if path.is_dir() and (path / MANIFEST).is_file():
        return name, path, SnapshotManifest.read(path / MANIFEST)
    if path.is_file():
        settings = snapshots.settings_of(model) if model else None
        if settings is None:
            raise errors.UsageError(
                f"{name} is a file: say with --model whose contract it is read by, in the project of that model"
            )
        folder = snapshots.typed(path, settings, place)
        return name, folder, SnapshotManifest.read(folder / MANIFEST)
    known = found.named(name)
    said = known.digest.removeprefix("sha256:")[:12]
    return said if said.startswith(name[:12]) else f"{name} ({said})", found.folder(known, place), known.manifest


def _validate(arguments: argparse.Namespace, _: KeptSnapshots) -> None:
    from argosy.cli import data_validation  # readers of tables, which no other action needs

    data_validation.validated(arguments)


def _contracts(settings: ModelSettings | None) -> Mapping[str, Source]:
    return {source.name: source for source in settings.sources} if settings else {}


def _say(arguments: argparse.Namespace, change: DataChange) -> None:
    if arguments.html:
        from argosy.report import change_page  # the templates, which no other form needs

        arguments.html.write_text(change_page.render(change), encoding="utf-8")
    if arguments.json:
        print(change.canonical_json(), end="")
    elif arguments.markdown:
        print(change_tables.markdown(change), end="")
    else:
        print(terminal_markdown.readable(change_tables.markdown(change), shutil.get_terminal_size().columns).rstrip())
    if arguments.html and not arguments.json:
        print(line(f"written: {arguments.html}"))
