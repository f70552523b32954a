"""Wheels, each built of a checkout, and environments that have nothing else of Argosy."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

EPOCH = "315532800"
"""The time at which files of a wheel are made."""


def build(sources: Path, folder: Path) -> Path:
    """Build the wheel of the checkout *sources* in *folder*. It asks no index for anything."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=sources,
        check=True,
        capture_output=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
    )
    [found] = folder.glob("*.whl")
    return found


def install(wheel: Path, folder: Path) -> Path:
    """Make the environment *folder* with *wheel*, and what it depends on lent by this one; again, in place of another wheel there."""
    uv = Path(sys.executable).with_name("uv")
    if not folder.joinpath("bin").exists():
        subprocess.run([uv, "venv", "--quiet", "--offline", "--python", sys.executable, folder], check=True)
    install = [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--reinstall", "--python", folder, wheel]
    subprocess.run(install, check=True)
    [lent] = folder.glob("lib/python*/site-packages")
    # A path in such a file is searched last and its own .pth files are not read: the editable installation of this checkout stays unseen.
    (lent / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder
