"""Write the manifests that a model's folder compiles to: pipeline.yaml, and schedule.yaml where its settings have a schedule.

The first is an ordinary Argo WorkflowTemplate: `argo submit` takes it as it is, and so does `argosy run`. The second is a CronWorkflow that
starts it. Commit both beside their source.
"""

import argparse
import shlex
from pathlib import Path

from argosy import errors
from argosy.cli import manifests
from argosy.templates import folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument(
        "model", nargs="+", type=Path, metavar="FOLDER", help="a model's folder, such as workflows/NAME"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end 10 where the committed manifest is not up to date"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compile each folder."""
    written = [
        (model / name, text)
        for model in arguments.model
        for name, text in {
            folder.MANIFEST: manifests.compiled(model),
            folder.SCHEDULE: manifests.schedule(model),
        }.items()
    ]
    stale = [path for path, text in written if not _put(path, text, check=arguments.check)]
    if stale:
        folders = shlex.join(sorted({str(path.parent) for path in stale}))
        raise errors.Rejected(
            f"not up to date: {', '.join(str(path) for path in stale)}; run `argosy compile {folders}`"
        )
    return errors.DONE


def _put(path: Path, text: str | None, *, check: bool) -> bool:
    """Whether *path* holds *text* now, or did; no text means no file."""
    there = path.read_text(encoding="utf-8") if path.exists() else None
    if there == text:
        if text is not None:
            print(f"{path} is up to date")
        return True
    if check:
        return False
    if text is None:
        path.unlink()
        print(f"{path} removed: the settings have no schedule")
    else:
        manifests.write(path, text)
        print(f"{path} written")
    return True
