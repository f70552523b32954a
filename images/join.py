"""Joins images that machines of several architectures pushed into one name each, and writes images/images.lock.

    python images/join.py --tag TAG LOCK LOCK [...]

Each LOCK is the images/images.lock that `images/build.py --push` wrote on one machine. Needs docker with buildx. Standard library only.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "images" / "images.lock"


def main(argv: Sequence[str] | None = None) -> None:
    """Join, and write the lock."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("locks", nargs="+", type=Path, metavar="LOCK")
    parser.add_argument("--tag", required=True, help="the tag of the joined images")
    given = parser.parse_args(argv)
    locks = [json.loads(lock.read_text(encoding="utf-8")) for lock in given.locks]
    if len({(lock["repository"], *sorted(lock["images"])) for lock in locks}) != 1:
        sys.exit(
            "error: the locks are not of the same images in one repository; build and push all of them on each machine"
        )
    repository = locks[0]["repository"]
    images = {target: _joined(f"{repository}/{target}", target, locks, given.tag) for target in locks[0]["images"]}
    partial = LOCK.with_suffix(".partial")
    partial.write_text(json.dumps({"repository": repository, "images": images}, indent=2, sort_keys=True) + "\n")
    partial.replace(LOCK)
    print(f"{LOCK.relative_to(ROOT)} written: {len(images)} images for {len(locks)} architectures")


def _joined(
    name: str, target: str, locks: Sequence[dict[str, dict[str, dict[str, object]]]], tag: str
) -> dict[str, object]:
    """The entry of the lock for one image, of all *locks*."""
    parts = [lock["images"][target] for lock in locks]
    _call("create", "--tag", f"{name}:{tag}", *(f"{name}@{part['digest']}" for part in parts))
    digest = _call("inspect", f"{name}:{tag}", "--format", "{{.Manifest.Digest}}").strip()
    return {"digest": digest, "bytes": max(int(str(part["bytes"])) for part in parts)}


def _call(*words: str) -> str:
    command = ["docker", "buildx", "imagetools", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"error: `{' '.join(command[:6])} …` ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    main()
