"""A signature says: these files, all of them, nothing else, by the holder of this key."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters import keys
from argosy.adapters.model_signer import KeySigner, KeyVerifier


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public half."""
    private, public = tmp_path / "key.pem", tmp_path / "key.pub.pem"
    keys.ensure_signing_pair(private, public)
    return private, public


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder of files."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "model.ubj").write_bytes(bytes(range(256)) * 4)
    (folder / "release.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def signature(pair: tuple[Path, Path], bundle: Path, tmp_path: Path) -> Path:
    """A signature of the bundle."""
    path = tmp_path / "signatures" / "bundle.sig"
    KeySigner(pair[0]).sign(bundle, path)
    return path


def test_what_was_signed_verifies_wherever_it_lies(pair: tuple[Path, Path], bundle: Path, signature: Path) -> None:
    """The folder's name and place are not part of what is signed."""
    KeyVerifier(pair[1]).verify(bundle, signature)
    KeyVerifier(pair[1]).verify(bundle.rename(bundle.with_name("elsewhere")), signature)


@pytest.mark.parametrize("offset", range(0, 1024, 41))
def test_a_flipped_byte_is_found(pair: tuple[Path, Path], bundle: Path, signature: Path, offset: int) -> None:
    """Any byte of any file counts, and the message names the file."""
    content = bytearray((bundle / "model.ubj").read_bytes())
    content[offset] ^= 1
    (bundle / "model.ubj").write_bytes(content)
    with pytest.raises(errors.Rejected, match=r"the content of model\.ubj differs"):
        KeyVerifier(pair[1]).verify(bundle, signature)


@pytest.mark.parametrize("name", ["extra.bin", ".gitignore", ".github/x"])
def test_a_file_more_is_found(pair: tuple[Path, Path], bundle: Path, signature: Path, name: str) -> None:
    """Nothing can be slipped in, not even what git tools overlook."""
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text("", encoding="utf-8")
    with pytest.raises(errors.Rejected, match="Extra files"):
        KeyVerifier(pair[1]).verify(bundle, signature)


def test_a_file_less_is_found(pair: tuple[Path, Path], bundle: Path, signature: Path) -> None:
    """Nothing can be taken away."""
    (bundle / "release.json").unlink()
    with pytest.raises(errors.Rejected, match="Missing files"):
        KeyVerifier(pair[1]).verify(bundle, signature)


def test_another_key_is_refused(bundle: Path, signature: Path, tmp_path: Path) -> None:
    """A good signature by somebody else is none."""
    keys.ensure_signing_pair(tmp_path / "other.pem", tmp_path / "other.pub.pem")
    with pytest.raises(errors.Rejected, match="signed with another key"):
        KeyVerifier(tmp_path / "other.pub.pem").verify(bundle, signature)


@pytest.mark.parametrize("offset", range(0, 1600, 53))
def test_a_damaged_signature_is_refused(pair: tuple[Path, Path], bundle: Path, signature: Path, offset: int) -> None:
    """Whatever byte of the signature file changes, it never verifies something else, and never ends in a traceback."""
    content = bytearray(signature.read_bytes())
    content[offset % len(content)] ^= 1
    signature.write_bytes(content)
    with pytest.raises(errors.Rejected, match="is not what was signed"):
        KeyVerifier(pair[1]).verify(bundle, signature)


def test_a_signature_nested_without_end_is_refused(
    pair: tuple[Path, Path], bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may open a request may commit any file under that name; the check turns red and ends nothing."""
    from model_signing import verifying

    def verify(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(verifying.Config, "verify", verify)
    (tmp_path / "x.sig").write_bytes(b"{}")
    with pytest.raises(errors.Rejected, match="the signature cannot be read"):
        KeyVerifier(pair[1]).verify(bundle, tmp_path / "x.sig")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe"], ids=["empty", "object", "list", "null", "binary"]
)
def test_no_signature_at_all_is_refused(pair: tuple[Path, Path], bundle: Path, tmp_path: Path, content: bytes) -> None:
    """A file that is no signature is said to be none."""
    (tmp_path / "x.sig").write_bytes(content)
    with pytest.raises(errors.Rejected, match="is not what was signed: the signature cannot be read"):
        KeyVerifier(pair[1]).verify(bundle, tmp_path / "x.sig")


def test_a_missing_signature_is_refused(pair: tuple[Path, Path], bundle: Path, tmp_path: Path) -> None:
    """No file, no trust."""
    with pytest.raises(errors.Rejected, match="has no signature"):
        KeyVerifier(pair[1]).verify(bundle, tmp_path / "none.sig")


@pytest.mark.parametrize("content", [None, b"", b"not a key"], ids=["absent", "empty", "garbage"])
def test_a_bad_key_is_a_setting_to_mend(bundle: Path, signature: Path, tmp_path: Path, content: bytes | None) -> None:
    """Our own key being wrong is not the bundle's fault: another exit code, and the setting is named."""
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.Misconfigured, match="ARGOSY_VERIFYING_KEY_FILE"):
        KeyVerifier(path).verify(bundle, signature)
    with pytest.raises(errors.Misconfigured, match="ARGOSY_SIGNING_KEY_FILE"):
        KeySigner(path).sign(bundle, tmp_path / "x.sig")
