"""Compiles the native code of Argosy where it is installed, by the C compiler that is there.

ARGOSY_NATIVE=1: compile, and fail where that cannot be done. 0: do not. Otherwise an editable install compiles where there is a compiler,
and a wheel is without it, so that one wheel is for every machine: without native code XGBoost answers, to the same bits and more slowly.
"""

import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("src", "argosy", "ml", "native", "trees.c")
LIBRARY = "libtrees.so"
# Nothing that trades bits for speed; and no number that tells one build from the next.
FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-s", "-Wl,--build-id=none")
MAC_FLAGS = FLAGS[:-2]


class NativeCode(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and put what comes of it into the wheel, which is then for machines of this kind alone."""
        asked = os.environ.get("ARGOSY_NATIVE", "")
        editable = version == "editable"
        compiler = shlex.split(os.environ.get("CC", "cc"))
        if asked == "0" or (asked != "1" and not (editable and shutil.which(compiler[0]))):
            return
        source = Path(self.root) / SOURCE
        if editable:
            _compile(compiler, source, source.with_name(LIBRARY))
        else:
            self._scratch = tempfile.TemporaryDirectory(prefix="argosy-native-")
            library = Path(self._scratch.name) / LIBRARY
            _compile(compiler, source, library)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
            build_data["force_include"][str(library)] = f"argosy/ml/native/{LIBRARY}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's own
        """Remove what was compiled for a wheel, which has it by now."""
        if self._scratch is not None:
            self._scratch.cleanup()


def _compile(compiler: list[str], source: Path, library: Path) -> None:
    flags = MAC_FLAGS if sysconfig.get_platform().startswith("macosx") else FLAGS
    # Another name first: a server that has the old one open keeps it.
    made = library.with_suffix(f".{os.getpid()}")
    command = [*compiler, *flags, "-o", str(made), str(source), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RuntimeError(
            f"there is no C compiler {compiler[0]!r}; set CC, or ARGOSY_NATIVE=0 to go without native code"
        ) from None
    if done.returncode != 0:
        raise RuntimeError(f"`{shlex.join(command)}` ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
    made.replace(library)
