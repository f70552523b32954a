"""Limits on memory: read as Kubernetes reads them, and held to where this machine lets the engine make control groups."""

import subprocess
import sys

import pytest

from argosy.engine.attempts import memory


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        pytest.param("64Mi", 64 << 20, id="binary"),
        pytest.param("1.5Gi", 3 << 29, id="part"),
        pytest.param("2G", 2_000_000_000, id="decimal"),
        pytest.param("1e6", 1_000_000, id="exponent"),
        pytest.param("128974848", 128974848, id="bytes"),
        pytest.param("1E", 10**18, id="exa"),
    ],
)
def test_quantities(quantity: str, expected: int) -> None:
    """Bytes."""
    assert memory.in_bytes(quantity) == expected


@pytest.mark.parametrize("quantity", ["64MB", "much", "", "1.2.3Mi", "Mi"])
def test_what_is_no_quantity(quantity: str) -> None:
    """The text is told, and what to write."""
    with pytest.raises(ValueError, match="is not a quantity; write for example 64Mi"):
        memory.in_bytes(quantity)


needs_groups = pytest.mark.skipif(
    not memory.is_limited(), reason="the kernel lets this process make no control group with a limit on memory"
)


@needs_groups
@pytest.mark.parametrize(
    ("megabytes", "killed"), [pytest.param(4, False, id="within"), pytest.param(200, True, id="beyond")]
)
def test_a_group_holds_what_it_took(megabytes: int, killed: bool) -> None:
    """A process that wants more than its group has is ended by the kernel, and the group knows."""
    program = f"import sys; sys.stdin.read(1); b = bytearray({megabytes} << 20); print(len(b))"
    group = memory.group(64 << 20)
    assert group is not None
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        group.take(process.pid)
        process.communicate(b"x")
    assert (process.returncode == -9) is killed
    assert (group.close() is not None) is killed


@needs_groups
def test_what_a_process_started_is_taken_too() -> None:
    """A program that is started before the group takes its parent does not escape."""
    group = memory.group(64 << 20)
    assert group is not None
    program = "read x; echo started"
    with subprocess.Popen(["sh", "-c", f"(sh -c '{program}'; true)"], stdin=subprocess.PIPE, text=True) as process:
        group.take(process.pid)
        held = (group.path / "cgroup.procs").read_text("ascii").split()
        process.communicate("x\n")
    assert str(process.pid) in held
    assert len(held) > 1
    group.close()
