"""Write the pipeline.yaml that a model's pipeline.py compiles to.

The manifest is an ordinary Argo WorkflowTemplate: `argo submit` takes it as it is, and so does `argosy run`. Commit it beside its source.
"""

import argparse
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
    stale = [model for model in arguments.model if not _compile(model, check=arguments.check)]
    if stale:
        names = " ".join(str(model) for model in stale)
        raise errors.Rejected(
            f"not up to date: {', '.join(f'{model / folder.MANIFEST}' for model in stale)}; run `argosy compile {names}`"
        )
    return errors.DONE


def _compile(model: Path, *, check: bool) -> bool:
    """Whether *model*'s manifest is now, or was, what its pipeline compiles to."""
    text = manifests.compiled(model)
    manifest = model / folder.MANIFEST
    if manifest.exists() and manifest.read_text(encoding="utf-8") == text:
        print(f"{manifest} is up to date")
        return True
    if check:
        return False
    manifests.write(manifest, text)
    print(f"{manifest} written")
    return True
