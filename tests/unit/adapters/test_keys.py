"""Keys are made once, kept, and readable by their owner only."""

import stat
from pathlib import Path

from argosy.adapters import keys


def test_a_pair_is_made_once_and_kept(tmp_path: Path) -> None:
    """A second set-up must not orphan what the first key signed."""
    private, public = tmp_path / "k" / "key.pem", tmp_path / "k" / "key.pub.pem"
    keys.ensure_signing_pair(private, public)
    first = private.read_bytes(), public.read_bytes()
    keys.ensure_signing_pair(private, public)
    assert first == (private.read_bytes(), public.read_bytes())
    assert b"PRIVATE" in first[0]
    assert b"PUBLIC" in first[1]


def test_private_files_are_private(tmp_path: Path) -> None:
    """Nobody else on the machine can read a key."""
    keys.ensure_signing_pair(tmp_path / "key.pem", tmp_path / "key.pub.pem")
    keys.ensure_secret(tmp_path / "ids.key")
    for name in ("key.pem", "ids.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    """Only the finished files remain."""
    keys.ensure_secret(tmp_path / "ids.key")
    assert [path.name for path in tmp_path.iterdir()] == ["ids.key"]
    assert len(bytes.fromhex((tmp_path / "ids.key").read_text())) == 32
