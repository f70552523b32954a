"""Say what is wrong with a manifest before anything runs.

Checks that every field is Argo's and has its type, that every template, output and input that is named exists, that no value is pasted into
code, and that no step has privileges. A folder stands for its pipeline.yaml, and beside a pipeline.yaml the model's own files are checked
too: columns, scores, parameters, gates. With a cluster, also that what is installed there is what the manifest says, and nobody edited it
by hand. Ends 10 where something is wrong.

--production asks for more: images by digest, a known commit whose files are these. Of a folder that is asked of git, as `argosy compile
--stamp` would write it; of a file and of what is installed, it is what they say.
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.cli import changed_models, models, provenance, target
from argosy.engine.manifest import loading
from argosy.templates import folder, installed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", nargs="*", type=Path, metavar="FILE", help="a manifest, or the folder of a model")
    changed_models.add_argument(parser, "lint")
    parser.add_argument(
        "--production",
        action="store_true",
        help="also refuse images without a digest, an unknown commit, and files that are not the commit's",
    )
    target.add_arguments(parser, "compare with what is installed on a cluster")


def run(arguments: argparse.Namespace) -> int:
    """Lint each manifest."""
    if absent := next((path for path in arguments.manifest if not path.exists()), None):
        raise errors.Misconfigured(f"there is no {absent}{models.hint(absent)}")
    given = changed_models.chosen(arguments.manifest, arguments.changed_since)
    paths = [_manifest_of(path) if path.is_dir() else path for path in given]
    found = {path: _problems(path, production=arguments.production) for path in paths}
    if arguments.production:
        for named, path in zip(given, paths, strict=True):
            found[path] += _doubts(path, stamp=named.is_dir())
    if target.is_cluster(arguments):
        for path, problems in found.items():
            problems.extend(_edited(path, arguments))
    for path, problems in found.items():
        for problem in problems:
            print(problem)
        if not problems:
            print(f"{path}: nothing wrong")
    if count := sum(len(problems) for problems in found.values()):
        raise errors.Rejected(f"{count} problem{'s' if count > 1 else ''} found")
    return errors.DONE


def _manifest_of(model: Path) -> Path:
    manifest = model / folder.MANIFEST
    if not manifest.exists():
        raise errors.Misconfigured(f"there is no {manifest}; `argosy compile {shlex.quote(str(model))}` writes it")
    return manifest


def _problems(path: Path, *, production: bool) -> list[str]:
    from argosy.cli import folder_check
    from argosy.templates import lint

    problems: list[str] = []
    for manifest in _documents(path):
        problems += [f"{path}: {problem}" for problem in lint.problems(manifest, production=production)]
    if path.name == folder.MANIFEST and (path.parent / folder.ARTIFACTS["settings"]).exists():
        problems += folder_check.problems(path.parent)
    return problems


def _doubts(path: Path, *, stamp: bool) -> list[str]:
    """Why production would refuse what the model's pipeline in *path* makes. *stamp*: as it would be installed from here."""
    return [
        f"{path}: provenance: {doubt}"
        for manifest in _documents(path)
        if (said := provenance.stated(manifest)) is not None
        for doubt in (provenance.on_a_cluster(path, manifest) if stamp else said).doubts()
        if "no digest" not in doubt  # said of the image already
    ]


def _edited(path: Path, arguments: argparse.Namespace) -> list[str]:
    at = target.workflows(arguments)
    problems = []
    for manifest in _documents(path):
        if manifest.get("kind") == "WorkflowTemplate":
            there = at.template(manifest["metadata"]["name"])
            problems += list(installed.differences(manifest, there))
            said = provenance.stated(there) if arguments.production else None
            problems += [f"provenance: {doubt}" for doubt in said.doubts()] if said else []
    return [f"{path}: installed in {at.namespace}: {problem}" for problem in problems]


def _documents(path: Path) -> list[dict[str, Any]]:
    documents = [body for body in loading.bodies(path) if body is not None]
    if not documents or not all(isinstance(document, dict) for document in documents):
        raise errors.Misconfigured(f"{path} holds no manifest")
    return documents
