"""The namespace of users in which root owns no file."""

import os
from pathlib import Path

import pytest

from argosy.engine.processes import accounts, linux

pytestmark = pytest.mark.skipif(not linux.available(), reason="only Linux has namespaces")


def refused() -> None:
    """As the kernel does where it allows no more of them."""
    raise PermissionError(1, "unshare: Operation not permitted")


def test_where_the_kernel_gives_none_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked goes on without one, and nothing is left open."""
    monkeypatch.setattr(linux, "leave_users", refused)
    before = sorted(Path("/proc/self/fd").iterdir())
    assert accounts.nobody() is None
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_it_is_another_than_ones_own_and_inherited_by_nobody() -> None:
    """A step could do nothing with it, and gets none all the same."""
    nobody = accounts.nobody()
    if nobody is None:
        pytest.skip("this machine gives no namespace of users")
    try:
        assert os.fstat(nobody).st_ino != Path("/proc/self/ns/user").stat().st_ino
        assert not os.get_inheritable(nobody)
    finally:
        os.close(nobody)
