"""Compiles the native code of Argosy where it is installed, by the C compiler that is there.

ARGOSY_NATIVE=1: compile, and fail where that cannot be done. 0: do not. Otherwise an editable install compiles where there is a compiler,
and a wheel is without it, so that one wheel is for every machine: without native code XGBoost answers, to the same bits and more slowly.

Beside the library lies a record of its bytes and of those it was compiled from. Argosy loads no library without one that fits
(:func:`argosy.ml.native_trees.record`).
"""

import hashlib
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
LIBRARY, RECORD = "libtrees.so", "libtrees.so.sha256"
# Nothing that trades bits for speed; and no number that tells one build from the next.
FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-s", "-Wl,--build-id=none")
MAC_FLAGS = FLAGS[:-2]


class NativeCode(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and put what comes of it into the wheel, which is then for machines of this kind alone."""
        asked = os.environ.get("ARGOSY_NATIVE", "")
        if asked not in {"", "0", "1"}:
            raise RuntimeError(
                f"ARGOSY_NATIVE is {asked!r}; 1 compiles the native code, 0 does not, without it that depends"
            )
        editable = version == "editable"
        compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
        source = Path(self.root) / SOURCE
        if editable and asked == "0":
            for old in (source.with_name(RECORD), source.with_name(LIBRARY)):
                if old.exists():
                    old.unlink()
        elif editable and (asked == "1" or shutil.which(compiler[0])):
            try:
                _compile(compiler, source, source.with_name(LIBRARY))
            except RuntimeError as problem:
                if asked == "1":
                    raise
                self.app.display_warning(f"Argosy goes without native code, XGBoost answers instead: {problem}")
        elif asked == "1":
            self._scratch = tempfile.TemporaryDirectory(prefix="argosy-native-")
            library = Path(self._scratch.name) / LIBRARY
            _compile(compiler, source, library)
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
            for name in (LIBRARY, RECORD):
                build_data["force_include"][str(library.with_name(name))] = f"argosy/ml/native/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's own
        """Remove what was compiled for a wheel, which has it by now."""
        if self._scratch is not None:
            self._scratch.cleanup()


def _compile(compiler: list[str], source: Path, library: Path) -> None:
    flags = MAC_FLAGS if sysconfig.get_platform().startswith("macosx") else FLAGS
    # Another name first: a server that has the old one open keeps it.
    made = library.with_suffix(f".{os.getpid()}.so")
    command = [*compiler, *flags, "-o", str(made), str(source), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"`{shlex.join(command)}` ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        found = zip((source.name, library.name), (source.read_bytes(), made.read_bytes()), strict=True)
        record = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in found)
        # A server that starts between the two finds that they do not fit, and goes without.
        made.replace(library)
        library.with_name(RECORD).write_text(record, newline="\n")
    except FileNotFoundError:
        raise RuntimeError(
            f"there is no C compiler {compiler[0]!r}; set CC, or ARGOSY_NATIVE=0 to go without native code"
        ) from None
    except OSError as problem:
        raise RuntimeError(f"native code cannot be compiled to {library}: {problem}") from None
    finally:
        # A folder that cannot be written to does not let go of what is not there either.
        if made.exists():
            made.unlink()
