"""Write the manifests that a model's folder compiles to: pipeline.yaml, retrain.yaml, schedule.yaml where its settings have a schedule,
watch.yaml where they have a monitor, and score.yaml where they have tables to score.

The first is an ordinary Argo WorkflowTemplate: `argo submit` takes it as it is, and so does `argosy run`. The second decides whether it
is to run, for whatever asks. The third is a CronWorkflow that starts it; watch.yaml has a template that looks at what the model answers,
score.yaml one that scores tables, each with its CronWorkflow. Commit them beside their source.

A commit cannot hold its own name, so what is committed says nothing of it. `--stamp` prints the manifests as they are to be installed:
with the commit, whether the files are that commit's, the images, and the manifest's digest, as annotations and as the value that steps are
handed. `argosy compile --stamp workflows/NAME | kubectl apply --server-side -f -` installs them.
"""

import argparse
import shlex
import sys
from pathlib import Path

import yaml

from argosy import errors
from argosy.cli import changed_models, manifests, provenance
from argosy.templates import folder, manifest_yaml


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model", nargs="*", type=Path, metavar="FOLDER", help="a model's folder, such as workflows/NAME"
    )
    changed_models.add_argument(parser, "compile")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end 10 where the committed manifest is not up to date"
    )
    parser.add_argument(
        "--stamp", action="store_true", help="write nothing; print the manifests with their provenance, to be installed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compile each folder."""
    folders = changed_models.chosen(arguments.model, arguments.changed_since)
    if arguments.stamp:
        return _stamp(folders)
    written = [
        (model / name, text)
        for model in folders
        for name, text in {
            folder.MANIFEST: manifests.compiled(model),
            folder.RETRAINING: manifests.retraining(model),
            folder.SCHEDULE: manifests.schedule(model),
            folder.WATCH: manifests.watch(model),
            folder.SCORING: manifests.scoring(model),
        }.items()
    ]
    stale = [path for path, text in written if not _put(path, text, check=arguments.check)]
    if stale:
        those = shlex.join(sorted({str(path.parent) for path in stale}))
        raise errors.Rejected(f"not up to date: {', '.join(str(path) for path in stale)}; run `argosy compile {those}`")
    return errors.DONE


def _stamp(models: list[Path]) -> int:
    """Print the committed manifests of *models* with where they come from. Raises Rejected where one is not up to date."""
    documents = []
    for model in models:
        manifest = model / folder.MANIFEST
        if not manifest.exists() or manifest.read_text(encoding="utf-8") != manifests.compiled(model):
            raise errors.Rejected(
                f"{manifest} is not what its folder compiles to; run `argosy compile {shlex.quote(str(model))}` and commit it"
            )
        document = yaml.safe_load(manifest.read_text(encoding="utf-8"))
        origin = provenance.on_a_cluster(manifest, document)
        for doubt in origin.doubts():
            print(f"note: {model}: {doubt}; production refuses a model of it", file=sys.stderr)
        documents.append(provenance.stamped(document, origin))
        documents.append(provenance.stamped(yaml.safe_load(manifests.retraining(model)), origin))
        clocks = (manifests.schedule(model), manifests.watch(model), manifests.scoring(model))
        documents.extend(
            provenance.marked(clock, origin) for text in clocks if text for clock in yaml.safe_load_all(text)
        )
    print(manifest_yaml.stream(documents), end="")
    return errors.DONE


def _put(path: Path, text: str | None, *, check: bool) -> bool:
    """True where *path* holds *text* now, or did; no text means no file."""
    there = path.read_text(encoding="utf-8") if path.exists() else None
    if there == text:
        if text is not None:
            print(f"{path} is up to date")
        return True
    if check:
        return False
    if text is None:
        path.unlink()
        print(f"{path} removed: the settings have no such section any more")
    else:
        manifests.write(path, text)
        print(f"{path} written")
    return True
