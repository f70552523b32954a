"""The memory a step may use: the least of what the manifest, the control group and the machine say."""

from pathlib import Path

import pytest

from argosy import memory


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of 8 GiB without control groups; the folder in which they would be."""
    monkeypatch.setattr(memory, "_of_machine", lambda: 8 << 30)
    monkeypatch.setattr(memory, "_GROUPS", tmp_path)
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    return tmp_path


def test_without_a_limit_it_is_the_machine() -> None:
    """All of it."""
    assert memory.limit() == 8 << 30


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("1Gi", 1 << 30, id="as-kubernetes-writes-it"),
        pytest.param("1.5Gi", 3 << 29, id="a-fraction"),
        pytest.param("500M", 500 * 10**6, id="thousands"),
        pytest.param("1073741824", 1 << 30, id="bytes"),
        pytest.param("64Gi", 8 << 30, id="more-than-there-is"),
        pytest.param("much", 8 << 30, id="no-amount"),
    ],
)
def test_what_the_manifest_says(written: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In any of the ways in which it may be written; what is no amount is refused elsewhere."""
    monkeypatch.setenv(memory.VARIABLE, written)
    assert memory.limit() == expected


@pytest.mark.parametrize(
    ("line", "file"),
    [
        pytest.param("0::/pod/step", "pod/memory.max", id="second-version-of-those-above"),
        pytest.param("0::/elsewhere/pod", "memory.max", id="inside-a-container"),
        pytest.param("4:memory:/pod", "memory/pod/memory.limit_in_bytes", id="first-version"),
    ],
)
def test_what_the_control_group_says(line: str, file: str, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of either version; inside a container its own group is the root of what is seen."""
    (machine / file).parent.mkdir(parents=True, exist_ok=True)
    (machine / file).write_text("1048576\n", encoding="ascii")
    read = Path.read_text

    def shown(path: Path, encoding: str | None = None) -> str:
        return f"{line}\n" if path == Path("/proc/self/cgroup") else read(path, encoding=encoding)

    monkeypatch.setattr(Path, "read_text", shown)
    assert memory.limit() == 1 << 20


def test_what_a_process_has() -> None:
    """At least the interpreter; less than the machine."""
    assert 5 << 20 < memory.in_use() < 8 << 30


@pytest.mark.parametrize(
    ("columns", "rows"),
    [pytest.param(3, 1000, id="few"), pytest.param(128, 500, id="twice"), pytest.param(10**6, 1, id="any")],
)
def test_a_wide_table_comes_in_fewer_rows_at_once(columns: int, rows: int) -> None:
    """So that a batch of it is no larger than one of a narrow table; but never none."""
    assert memory.rows_at_once(1000, columns) == rows
