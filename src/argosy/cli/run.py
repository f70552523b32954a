"""Run a model's pipeline, or any Argo manifest, on this machine.

Executes the very manifest that a cluster would run: containers of Argosy's own images, and of those that --local-image names, as processes
of this environment; others through podman or docker. Every node is journaled: after an interruption, a kill or a full disk, `argosy resume`
goes on. Steps that were run before with the same code, inputs and data are taken from the cache.
"""

import argparse
import json
from pathlib import Path

import yaml

from argosy import errors
from argosy.cli import executing, manifests
from argosy.engine import api


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("model", nargs="?", help="a model (workflows/NAME/pipeline.yaml), or its folder")
    parser.add_argument(
        "-f",
        "--file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a manifest; once more for those it refers to",
    )
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the workflow"
    )
    parser.add_argument("--parameter-file", type=Path, metavar="FILE", help="parameters as a YAML or JSON object")
    parser.add_argument("--entrypoint", metavar="TEMPLATE", help="start with this template")
    parser.add_argument("--name", metavar="NAME", help="the workflow's name, instead of the manifest's")
    parser.add_argument("--no-cache", action="store_true", help="run every step, whatever the cache holds")
    parser.add_argument(
        "--volume",
        action="append",
        default=[],
        metavar="CLAIM=FOLDER",
        help="the folder of this machine that a PersistentVolumeClaim of the manifest stands for",
    )
    executing.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one workflow; returns 0 or the code of the first step that failed."""
    options = executing.options(
        arguments,
        parameters=_parameters(arguments),
        entrypoint=arguments.entrypoint,
        name=arguments.name,
        use_cache=not arguments.no_cache,
        volumes=_volumes(arguments),
    )
    prepared = api.prepare(api.load(_files(arguments)), options)
    executing.say_ignored(prepared, arguments)
    return executing.carry_out(
        arguments,
        options.home,
        prepared.workflow,
        lambda observer: api.run(prepared, options, observer),
        of_model=executing.is_of_model(prepared.metadata),
    )


def _files(arguments: argparse.Namespace) -> list[Path]:
    if bool(arguments.model) == bool(arguments.file):
        raise errors.UsageError("name a model, or a manifest with -f FILE")
    if arguments.file:
        return list(arguments.file)
    folder = next(
        (folder for folder in (Path("workflows") / arguments.model, Path(arguments.model)) if folder.is_dir()), None
    )
    if folder is None:
        raise errors.UsageError(
            f"there is no model {arguments.model!r}: neither workflows/{arguments.model} nor {arguments.model} is a folder"
        )
    return [manifests.fresh(folder)]


def _volumes(arguments: argparse.Namespace) -> dict[str, Path]:
    volumes = {}
    for text in arguments.volume:
        claim, equals, folder = text.partition("=")
        if not equals or not claim or not Path(folder).is_dir():
            raise errors.UsageError(f"--volume {text!r} is not CLAIM=FOLDER with a folder that is there")
        volumes[claim] = Path(folder)
    return volumes


def _parameters(arguments: argparse.Namespace) -> dict[str, str]:
    parameters = _from_file(arguments.parameter_file) if arguments.parameter_file else {}
    for text in arguments.parameter:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise errors.UsageError(f"-p {text!r} is not NAME=VALUE")
        parameters[name] = value
    return parameters


def _from_file(path: Path) -> dict[str, str]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise errors.Misconfigured(f"cannot read the parameters in {path}: {error}") from None
    if not isinstance(found, dict):
        raise errors.Misconfigured(f"{path} does not hold an object of parameters")
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
