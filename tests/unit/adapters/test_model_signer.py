"""A signature says: these files, all of them, nothing else, by the holder of this key."""

import base64
import datetime
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

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


@pytest.fixture
def rotated(pair: tuple[Path, Path], signature: Path) -> tuple[Path, Path]:
    """The pair after a rotation; the signature is by the key before."""
    keys.rotate_signing_pair(*pair, expires=datetime.date(2027, 3, 1))
    return pair


def test_after_a_rotation_both_keys_count(
    rotated: tuple[Path, Path], bundle: Path, signature: Path, tmp_path: Path
) -> None:
    """What the old key signed, and what the new one signs."""
    KeySigner(rotated[0]).sign(bundle, tmp_path / "new.sig")
    for each in (signature, tmp_path / "new.sig"):
        KeyVerifier(rotated[1], today=lambda: datetime.date(2027, 2, 28)).verify(bundle, each)


def test_a_key_that_expired_is_named(rotated: tuple[Path, Path], bundle: Path, signature: Path, tmp_path: Path) -> None:
    """Only it: what the new one signed counts on."""
    KeySigner(rotated[0]).sign(bundle, tmp_path / "new.sig")
    later = KeyVerifier(rotated[1], today=lambda: datetime.date(2027, 3, 1))
    old = keys.public_keys(rotated[1])[0]
    with pytest.raises(errors.Rejected, match=rf"key {old.id}, which signed it, expired on 2027-03-01; promote"):
        later.verify(bundle, signature)
    later.verify(bundle, tmp_path / "new.sig")


def test_of_several_keys_a_stranger_is_named(rotated: tuple[Path, Path], bundle: Path, tmp_path: Path) -> None:
    """One line: whose it is, and which are ours."""
    keys.ensure_signing_pair(tmp_path / "other.pem", tmp_path / "other.pub.pem")
    KeySigner(tmp_path / "other.pem").sign(bundle, tmp_path / "other.sig")
    ours = ", ".join(key.id for key in keys.public_keys(rotated[1]))
    with pytest.raises(errors.Rejected, match=f"signed with another key, '[0-9a-f]{{12}}', and ours are {ours}; "):
        KeyVerifier(rotated[1]).verify(bundle, tmp_path / "other.sig")


def test_a_flipped_byte_is_found_after_a_rotation(rotated: tuple[Path, Path], bundle: Path, signature: Path) -> None:
    """That a key counts says nothing of the files."""
    (bundle / "release.json").write_text("[]", encoding="utf-8")
    with pytest.raises(errors.Rejected, match=r"the content of release\.json differs"):
        KeyVerifier(rotated[1]).verify(bundle, signature)


def test_a_key_written_down_otherwise_is_the_same_key(pair: tuple[Path, Path], bundle: Path, signature: Path) -> None:
    """A point can be written short; signatures name the long form."""
    loaded = serialization.load_pem_public_key(pair[1].read_bytes())
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    short = loaded.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    # SubjectPublicKeyInfo of P-256 with a compressed point (RFC 5480).
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    body = base64.b64encode(head + short).decode()
    pair[1].write_text(f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n", encoding="utf-8")
    KeyVerifier(pair[1]).verify(bundle, signature)


@pytest.mark.parametrize("calls", [1, 2, 3, 4])
def test_a_rotation_that_was_killed_is_finished_by_the_next(
    pair: tuple[Path, Path], bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Wherever it stopped, what is signed there verifies there; and the next one makes no third key."""
    fsync, left = os.fsync, [calls]

    def dies(descriptor: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", dies)
    with pytest.raises(KeyboardInterrupt):
        keys.rotate_signing_pair(*pair, expires=None)
    monkeypatch.setattr(os, "fsync", fsync)
    KeySigner(pair[0]).sign(bundle, tmp_path / "meanwhile.sig")
    KeyVerifier(pair[1]).verify(bundle, tmp_path / "meanwhile.sig")
    if calls < 4:  # the last one is after all was done
        keys.rotate_signing_pair(*pair, expires=None)
    assert len(keys.public_keys(pair[1])) == 2
    assert sorted(path.name for path in tmp_path.glob("*key*")) == ["key.pem", "key.pub.pem"]


def test_a_private_key_that_was_lost_leaves_what_it_signed(
    pair: tuple[Path, Path], bundle: Path, signature: Path, tmp_path: Path
) -> None:
    """A new one joins the public keys, instead of signing what nobody can check."""
    pair[0].unlink()
    keys.ensure_signing_pair(*pair)
    KeySigner(pair[0]).sign(bundle, tmp_path / "new.sig")
    for each in (signature, tmp_path / "new.sig"):
        KeyVerifier(pair[1]).verify(bundle, each)
