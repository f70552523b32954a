"""Builds the images and writes images/images.lock, which `argosy compile` reads: `make images`.

    python images/build.py [TARGET ...] [--engine docker|podman|buildah] [--push REGISTRY | --archives FOLDER]

Without a registry the images end up as OCI archives, one file each, for nodes that have none (an air gap, a test cluster); their digests
are those of the archives. Standard library only: whoever builds images needs no Python environment.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "images" / "images.lock"
IMPORT = ROOT / "images" / "import.sh"
PROBES = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("info", "--format", "{{.Host.Arch}}"),
    "buildah": ("info",),
}
"""What builds images, in the order in which it is looked for, each with a command that fails where it could not."""
ENGINES = tuple(PROBES)
TARGETS = ("data", "features", "train", "evaluate", "promote", "monitor", "serve", "tracking")
ON_REQUEST = ("spark",)
"""Built where they are named: half a gigabyte for those whose models ask for it."""
REPOSITORY = "argosy"
"""The last part of every image's path but one: `argosy run` knows by it which images it can run as processes."""
# Files of an image carry this moment, so that the same sources give the same digest: 1980-01-01, the first that a zip file can hold.
EPOCH = "315532800"


class Failed(Exception):
    """What went wrong, and what to do."""


@dataclass(frozen=True)
class Image:
    """One image that was built. ``bytes``: of its layers, as they are stored."""

    digest: str
    bytes: int


@dataclass(frozen=True)
class Engine:
    """A program that builds images."""

    name: str
    options: tuple[str, ...] = ()

    def build(self, target: str, tag: str, base: str | None) -> None:
        """Build *target* and name it *tag*."""
        arguments = [f"BASE_IMAGE={base}"] if base else []
        _call(
            self.name,
            *self.options,
            *{"docker": ("buildx", "build", "--load"), "podman": ("build",), "buildah": ("build", "--layers")}[
                self.name
            ],
            *(() if self.name == "docker" else ("--timestamp", EPOCH)),
            *_where_packages_are(self.name),
            *(f"--build-arg={argument}" for argument in (*arguments, f"SOURCE_DATE_EPOCH={EPOCH}")),
            "--file=images/Containerfile",
            f"--target={target}",
            f"--tag={tag}",
            ".",
        )

    def archive(self, tag: str, file: Path) -> Image:
        """Write *tag* to the OCI archive *file*."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if self.name == "docker":
            _call("docker", "save", "--output", str(file), tag)
        else:
            # In full, as nodes know what a manifest calls by its short name.
            _call(self.name, *self.options, "push", "--quiet", tag, f"oci-archive:{file}:docker.io/{tag}")
        return _read(file)

    def push(self, tag: str, name: str) -> Image:
        """Push *tag* to the registry as *name*."""
        if self.name == "docker":
            _call("docker", "tag", tag, name)
            _call("docker", "push", "--quiet", name)
            shown = json.loads(_call("docker", "buildx", "imagetools", "inspect", "--raw", name))
            found = _call("docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', name)
            digest = next(line.partition("@")[2] for line in found.splitlines() if name.rpartition(":")[0] in line)
            return Image(digest, sum(layer["size"] for layer in shown.get("layers", [])))
        with tempfile.TemporaryDirectory() as scratch:
            written = Path(scratch) / "digest"
            _call(self.name, *self.options, "push", "--quiet", f"--digestfile={written}", tag, f"docker://{name}")
            size = _call(self.name, *self.options, "inspect", "--type=image", tag)
            return Image(
                written.read_text().strip(), int(json.loads(size).get("Size", 0)) if self.name == "podman" else 0
            )


def main() -> None:
    """Build, print what came of it, write the lock: after each image, as the next one may fail for want of disk or network."""
    arguments = _arguments()
    repository = f"{arguments.push}/{REPOSITORY}" if arguments.push else REPOSITORY
    try:
        engine = _engine(arguments.engine)
        for target in arguments.target:
            _write_lock(repository, {target: _one(engine, target, arguments)})
    except Failed as failure:
        sys.exit(f"error: {failure}")
    if not arguments.push:
        shutil.copy(IMPORT, arguments.archives)
        print(f"{arguments.archives / IMPORT.name} brings them to a node, under the names that the lock pins")
    print(f"{LOCK.relative_to(ROOT)} written; `argosy compile workflows/…` pins the steps to it")


def _one(engine: Engine, target: str, arguments: argparse.Namespace) -> Image:
    tag, started = f"{REPOSITORY}/{target}:dev", time.monotonic()
    engine.build(target, tag, arguments.base)
    seconds = time.monotonic() - started
    if arguments.push:
        image = engine.push(tag, f"{arguments.push}/{REPOSITORY}/{target}:{arguments.tag}")
    else:
        image = engine.archive(tag, arguments.archives / f"{target}.tar")
    print(f"{target:<9} {image.digest}  {image.bytes / 1e6:7.0f} MB  {seconds:6.0f} s", flush=True)
    return image


def _engine(wanted: str | None) -> Engine:
    """The first engine that works here, or *wanted*."""
    told = []
    for name in [wanted] if wanted else ENGINES:
        if not shutil.which(name):
            told.append(f"{name} is not installed")
            continue
        options = tuple(os.environ.get(f"{name.upper()}_OPTIONS", "").split())
        try:
            _call(name, *options, *PROBES[name])
        except Failed as failure:  # a client whose daemon is somewhere else, for one
            told.append(str(failure))
            continue
        return Engine(name, options)
    raise Failed("nothing here can build images:\n  " + "\n  ".join(told))


def _where_packages_are(engine: str) -> Sequence[str]:
    """A certificate authority of one's own, for networks that have one: it is there while building and in no image."""
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("ARGOSY_CA_BUNDLE")
    if not bundle or engine == "docker":
        return ()
    return (f"--volume={bundle}:/etc/ssl/certs/ca-certificates.crt:ro",)


def _read(file: Path) -> Image:
    """The digest of the image in the OCI archive *file*, and the size of its layers."""
    with tarfile.open(file) as archive:
        load: Callable[[str], bytes] = lambda name: archive.extractfile(name).read()  # type: ignore[union-attr]  # noqa: E731
        entry = json.loads(load("index.json"))["manifests"][0]
        content = load("blobs/" + entry["digest"].replace(":", "/"))
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != entry["digest"]:
        raise Failed(f"{file} is not what it says: its manifest has another digest; build it again")
    return Image(entry["digest"], sum(layer["size"] for layer in json.loads(content)["layers"]))


def _write_lock(repository: str, built: dict[str, Image]) -> None:
    """Add *built* to the lock; targets of another repository go, because they are another build's."""
    known = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    images = known["images"] if known.get("repository") == repository else {}
    images |= {target: asdict(image) for target, image in built.items()}
    partial = LOCK.with_suffix(".partial")
    partial.write_text(json.dumps({"repository": repository, "images": images}, indent=2, sort_keys=True) + "\n")
    partial.replace(LOCK)


def _call(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-12:]
        raise Failed(f"`{' '.join(command[:4])} …` ended with {done.returncode}:\n  " + "\n  ".join(words))
    return done.stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the images and write images/images.lock.")
    parser.add_argument(
        "target",
        nargs="*",
        default=list(TARGETS),
        help=f"which (default: all of {', '.join(TARGETS)}; beside them {', '.join(ON_REQUEST)})",
    )
    parser.add_argument("--engine", choices=ENGINES, help="what builds them (default: the first that is installed)")
    parser.add_argument(
        "--base", metavar="IMAGE", help="a Python 3.11 image, by digest (default: see images/Containerfile)"
    )
    parser.add_argument("--push", metavar="REGISTRY", help="push them to REGISTRY/argosy/…; the lock names that place")
    parser.add_argument("--tag", default="dev", help="the tag they are pushed as (default: dev); the lock has digests")
    parser.add_argument("--archives", type=Path, metavar="FOLDER", default=ROOT / "dist" / "images")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.target) - {*TARGETS, *ON_REQUEST}):
        parser.error(f"there is no target {unknown[0]!r}; there are {', '.join((*TARGETS, *ON_REQUEST))}")
    return arguments


if __name__ == "__main__":
    main()
