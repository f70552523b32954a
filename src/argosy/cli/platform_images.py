"""List every image that an installation needs, by digest where one is known, and what each is called in a mirror.

Reads files, and renders the chart; it asks no registry and no cluster.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import yaml

from argosy import errors
from argosy.cli import models
from argosy.domain import environment_layout, image_list
from argosy.domain.image_list import NeededImage
from argosy.ports.charts import Manifest
from argosy.steps.spec import Family
from argosy.templates import folder, images

SERVERS = {"serve": "the servers of models", "tracking": "MLflow's server, where the platform has none"}
STEPS = "steps of pipelines"
REGISTRY = re.compile(r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)*$")
FILES = (folder.MANIFEST, folder.RETRAINING, folder.WATCH, folder.SCORING)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--environment",
        type=Path,
        metavar="FOLDER",
        help="a checkout of the environment repo: also the images of what is served, and of its workflows",
    )
    parser.add_argument(
        "--manifest",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="what installs a controller, such as Argo's install.yaml: also the images that it names; may be repeated",
    )
    parser.add_argument(
        "--to", metavar="REGISTRY", help="print what to copy: each image, and what it is called in that mirror"
    )
    parser.add_argument(
        "--relock",
        action="store_true",
        help="with --to: write images/images.lock for that mirror, so that pipelines come from it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def with_an_image(values: Manifest) -> Manifest:
    """*values* of the chart, with an image for the platform's own jobs where they name none: that of the lock."""
    given = values.get("converge") or {}
    if given.get("image"):
        return values
    ours = images.of_target("promote", Path())
    known = {"image": ours} if "@sha256:" in ours else {"enabled": False}
    return {**values, "converge": {**given, **known}}


def run(arguments: argparse.Namespace, rendered: Sequence[Manifest]) -> int:
    """List them; *rendered* is what the chart makes."""
    if arguments.relock and not arguments.to:
        raise errors.UsageError("--relock: say with --to which mirror the lock is to name")
    if arguments.to is not None and not REGISTRY.match(arguments.to):
        raise errors.UsageError(
            f"--to {arguments.to!r} is no registry; expected a host and perhaps a path, such as mirror.example.com/ml"
        )
    found = image_list.together(_found(arguments, rendered), image_list.INJECTED)
    found = _without_stale(found)
    for one in found:
        print(_line(one, arguments))
    if tags := sum(not one.pinned for one in found):
        print(
            f"note: {tags} of {len(found)} are named by a tag, and nobody here knows their digests; a registry says them (skopeo inspect)",
            file=sys.stderr,
        )
    if arguments.relock:
        _relock(arguments.to)
    return errors.DONE


def _without_stale(found: list[NeededImage]) -> list[NeededImage]:
    """*found* without tags of our own images that the lock pins, which only manifests of before the lock name; says so."""
    pinned = {one.image.partition("@")[0] for one in found if one.pinned}
    stale = [one for one in found if one.image.endswith(":dev") and one.image.removesuffix(":dev") in pinned]
    if stale:
        print(
            f"note: pipelines here were compiled before {folder.LOCK}, and name {stale[0].image}; `argosy compile workflows/*` pins them",
            file=sys.stderr,
        )
    return [one for one in found if one not in stale]


def _line(one: NeededImage, arguments: argparse.Namespace) -> str:
    target = image_list.mirrored(one.image, arguments.to) if arguments.to else None
    if arguments.json:
        return json.dumps({**asdict(one), "pinned": one.pinned, **({"to": target} if target else {})})
    return f"{one.image} {target}" if target else f"{one.image:<100} {one.why}"


def _found(arguments: argparse.Namespace, rendered: Sequence[Manifest]) -> Iterator[NeededImage]:
    yield from _of_the_project()
    yield from image_list.in_manifests(rendered, "the platform's own jobs")
    if arguments.environment:
        yield from _of_environment(arguments.environment)
    for path in arguments.manifest:
        yield from image_list.in_manifests(_documents(path), path.name)


def _of_the_project() -> Iterator[NeededImage]:
    """The images of the lock, all that everybody needs, and those that compiled pipelines of the working folder name."""
    for target in sorted({*get_args(Family), *SERVERS} - images.ON_REQUEST):
        yield NeededImage(images.of_target(target, Path()), SERVERS.get(target, STEPS))
    for path in sorted(path for name in FILES for path in models.WORKFLOWS.glob(f"*/{name}")):
        yield from image_list.in_manifests(_documents(path), STEPS)


def _of_environment(checkout: Path) -> Iterator[NeededImage]:
    if not (checkout / "models").is_dir():
        raise errors.UsageError(f"--environment {checkout} is no environment repo: it has no folder models")
    places = ("models/*/values.yaml", "models/*/*/version.yaml", environment_layout.server_path("*"))
    served = sorted({path for place in places for path in checkout.glob(place)})
    for path in served:
        yield from image_list.in_manifests(_documents(path), "the servers of models")
    for path in sorted((checkout / ".github" / "workflows").glob("*.y*ml")):
        jobs = [job for one in _documents(path) if isinstance(one, dict) for job in (one.get("jobs") or {}).values()]
        containers = [job["container"] for job in jobs if isinstance(job, dict) and "container" in job]
        named = [one if isinstance(one, dict) else {"image": one} for one in containers]
        yield from image_list.in_manifests(named, "the environment repo's workflows")


def _documents(path: Path) -> list[Any]:
    try:
        return list(
            yaml.load_all(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        )
    except OSError as error:
        raise errors.UsageError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise errors.UsageError(f"{path} is no YAML: {' '.join(str(error).split())}") from error


def _relock(registry: str) -> None:
    """Write the lock of the working folder anew, with the same digests behind *registry*."""
    lock = folder.LOCK
    if not lock.exists():
        raise errors.UsageError(f"there is no {lock}; `make images` writes it, and a release brings it")
    known = json.loads(lock.read_text(encoding="utf-8"))
    known["repository"] = image_list.mirrored(f"{known['repository']}/target", registry).removesuffix("/target")
    lock.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{lock} names {known['repository']} now; `argosy compile workflows/*` pins the steps to it", file=sys.stderr)
