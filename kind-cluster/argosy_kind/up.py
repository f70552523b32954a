"""Make a cluster with kind and install everything into it: `make kind-up`. Safe to repeat; what broke off goes on.

Only what is not there is made: the cluster, our images (`make images`, a quarter of an hour), the parts.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy_kind import install, parts, services
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.pins import FOLDER, Pins
from argosy_kind.site import CACHE, ROOT, Choices, Site

CONTEXT = "kind-argosy"
PROGRAMS = {
    "docker": "https://docs.docker.com/engine/install/",
    "kind": "https://kind.sigs.k8s.io",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
    "git": "https://git-scm.com",
}
ARCHIVES = ROOT / "dist" / "images"
LEDGER = CACHE / "up.json"
HOURS = 3600


def run(arguments: argparse.Namespace) -> None:
    """Make what is not there."""
    check_programs()
    choices, pins = Choices.read(arguments.settings), Pins.read()
    check_pins(pins, choices)
    at = Site(Kubectl(CONTEXT), pins, choices, Ledger(LEDGER))
    try:
        with at.ledger.part("cluster", "kind, and a node"):
            script("up", pins.image("node"))
        with at.ledger.part("images", "what steps and servers run, built and brought to the node") as entry:
            entry.outcome = images()
        parts.install_all(at, parts.chosen(without=choices.without))
    finally:
        print(at.ledger.table(), flush=True)
    print("next: make kind-demo    pages: make kind-open")


def check_programs() -> None:
    """Raises Misconfigured where a program is missing."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise errors.Misconfigured(f"{missing[0]} is not on PATH; get it from {PROGRAMS[missing[0]]}")


def check_pins(pins: Pins, choices: Choices) -> None:
    """Raises Misconfigured, before anything is made, where a download has no checksum."""
    for name in pins.images:
        if name not in choices.images and name not in choices.without:
            pins.image(name)
    for name in pins.files:
        pins.check_file(name)


def images() -> str:
    """Build our images where there are none of this checkout, and bring them to the node; how that went."""
    built = "built"
    if not is_built():
        subprocess.run([sys.executable, "images/build.py"], cwd=ROOT, check=False, timeout=2 * HOURS)
        if not is_built():
            raise errors.TryAgain(
                "`make images` ended without images; what it printed says why, then `make kind-up` again"
            )
    else:
        built = "there already, brought to the node"
    script("images")
    return built


def is_built() -> bool:
    """True where dist/images has the archive of every image that images.lock names."""
    try:
        known = json.loads(services.LOCK.read_text(encoding="utf-8"))["images"]
    except (OSError, ValueError, LookupError):
        return False
    return bool(known) and all((ARCHIVES / f"{target}.tar").exists() for target in known)


def script(*words: str) -> None:
    """Run cluster.sh. Raises TryAgain where it fails; what it printed says why."""
    done = subprocess.run([str(FOLDER / "cluster.sh"), *words], check=False, timeout=HOURS)
    if done.returncode != 0:
        raise errors.TryAgain(
            f"kind-cluster/cluster.sh {words[0]} ended with {done.returncode}; once that is mended, `make kind-up` goes on"
        )


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-up", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--settings", type=Path, metavar="FILE", help="as of make kind-install")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return install.ended(lambda: run(parser().parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
