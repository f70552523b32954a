"""Peak memory of a process and everything it started."""

import os
import subprocess
import sys

import pytest

from argosy.cli import peak_memory

MEGABYTE = 1_000_000
linux = pytest.mark.skipif(not peak_memory.PROC.joinpath("self/smaps_rollup").exists(), reason="only Linux tells")


@linux
def test_a_family_holds_children_of_children() -> None:
    """Steps are children of a server that is a child of the engine."""
    program = "import subprocess, sys; subprocess.run(['sleep', '30'])"
    child = subprocess.Popen([sys.executable, "-c", program])
    try:
        while len(peak_memory.family(child.pid)) < 2:
            assert child.poll() is None
        assert set(peak_memory.family(child.pid)) <= set(peak_memory.family(os.getpid()))
    finally:
        for pid in reversed(peak_memory.family(child.pid)):
            os.kill(pid, 15)
        child.wait()


@linux
def test_the_peak_holds_what_a_child_used() -> None:
    """A child that held 80 MB for a moment shows in the peak after it is gone."""
    program = "x = bytearray(80_000_000); import time; time.sleep(0.5)"
    with peak_memory.Sampler(interval=0.05) as sampler:
        subprocess.run([sys.executable, "-c", program], check=True)
    assert sampler.peak_bytes is not None
    assert 80 * MEGABYTE < sampler.peak_bytes < 2000 * MEGABYTE


def test_looking_takes_a_fiftieth_of_a_core_at_most() -> None:
    """Many large processes are looked at less often; a few as often as was asked for."""
    assert peak_memory.pause(0.5, 0.002) == 0.5
    assert peak_memory.pause(0.5, 0.05) == pytest.approx(2.45)
