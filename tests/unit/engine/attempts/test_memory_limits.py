"""Limits on memory: held to where this machine lets the engine make control groups."""

import subprocess
import sys

import pytest

from argosy.engine.attempts import memory_limits

needs_groups = pytest.mark.skipif(
    not memory_limits.is_limited(), reason="the kernel lets this process make no control group with a limit on memory"
)


@needs_groups
@pytest.mark.parametrize(
    ("megabytes", "killed"), [pytest.param(4, False, id="within"), pytest.param(200, True, id="beyond")]
)
def test_a_group_holds_what_it_took(megabytes: int, killed: bool) -> None:
    """A process that wants more than its group has is ended by the kernel, and the group knows."""
    program = f"import sys; sys.stdin.read(1); b = bytearray({megabytes} << 20); print(len(b))"
    group = memory_limits.group(64 << 20)
    assert group is not None
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        group.take(process.pid)
        process.communicate(b"x")
    assert (process.returncode == -9) is killed
    assert (group.close() is not None) is killed


@needs_groups
def test_what_a_process_started_is_taken_too() -> None:
    """A program that is started before the group takes its parent does not escape."""
    group = memory_limits.group(64 << 20)
    assert group is not None
    program = "read x; echo started"
    with subprocess.Popen(["sh", "-c", f"(sh -c '{program}'; true)"], stdin=subprocess.PIPE, text=True) as process:
        group.take(process.pid)
        held = (group.path / "cgroup.procs").read_text("ascii").split()
        process.communicate("x\n")
    assert str(process.pid) in held
    assert len(held) > 1
    group.close()
