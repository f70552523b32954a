"""Makes keys that are files: one to sign with, its public half, the secret under which ids are hashed; and puts new ones in their place.

On a cluster keys come from Secrets. No key is replaced but by a rotation, in which the old one counts beside the new one: what was signed
with it must stay verifiable. Files appear whole, and the next rotation finishes one that was killed.
"""

import contextlib
import datetime
import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from argosy import errors
from argosy.domain import signing_keys
from argosy.domain.signing_keys import PublicKey

PRIVATE_MODE, PUBLIC_MODE = 0o600, 0o644


def ensure_signing_pair(private: Path, public: Path) -> None:
    """Make an EC P-256 key at *private* (mode 0600) and its public half at *public*, both PEM, where there is none yet.

    Where only *private* is gone, the public half of the new one joins those that are there: what they signed is still believed.
    """
    made = _make_key(private)
    if not public.exists():
        _write_once(public, _public_pem(private).encode())
    elif made:
        with _alone(public):
            _add(public, private, expires=None)


def ensure_secret(path: Path) -> None:
    """Make a random secret of 32 bytes, in hex, at *path* (mode 0600) where there is none yet."""
    if not path.exists():
        _write_once(path, secrets.token_hex(32).encode())


def public_half(private: bytes) -> PublicKey:
    """The public half of the key *private* (PEM). Raises Misconfigured where that is none."""
    try:
        return PublicKey(_public(serialization.load_pem_private_key(private, password=None)))
    except (ValueError, TypeError) as error:
        raise errors.Misconfigured("what is to sign is no private key in PEM without a password") from error


def public_keys(path: Path) -> list[PublicKey]:
    """The keys in the file *path*. Raises Misconfigured."""
    try:
        return signing_keys.parse(path.read_bytes())
    except signing_keys.UnreadableError as error:
        raise errors.Misconfigured(f"{path} is no file of public keys: {error}") from error
    except OSError as error:
        raise errors.Misconfigured(f"{path} cannot be read: {error.strerror}; `argosy setup` makes keys") from error


def put_public_keys(path: Path, keys: Sequence[PublicKey]) -> None:
    """Make *keys* the content of the file *path*."""
    _replace(path, signing_keys.text(keys).encode(), PUBLIC_MODE)


def prepare_signing_key(private: Path, public: Path, expires: datetime.date | None) -> PublicKey:
    """Make a key at *private*, where there is none, and let its public half count beside those in *public*; that half.

    *expires*: until when the others count. Doing it again changes nothing.
    """
    with _alone(public):
        _make_key(private)
        return _add(public, private, expires)


def rotation_was_cut_off(private: Path) -> bool:
    """Whether a rotation of *private* was begun and not finished; :func:`rotate_signing_pair` finishes it."""
    return _following(private).exists()


def rotate_signing_pair(private: Path, public: Path, expires: datetime.date | None) -> PublicKey:
    """Put a new key in the place of *private*, once its public half counts beside those in *public*; that half.

    *expires*: until when the others count.
    """
    following = _following(private)
    with _alone(public):
        _make_key(following)
        added = _add(public, following, expires)
        following.replace(private)
        _sync(private.parent)
        return added


def _following(private: Path) -> Path:
    """The key that is to take the place of *private*."""
    return private.with_name(f"{private.stem}.next{private.suffix}")


def _add(public: Path, private: Path, expires: datetime.date | None) -> PublicKey:
    own = public_half(private.read_bytes())
    there = public_keys(public)
    if known := next((key for key in there if key.hint == own.hint), None):
        return known
    new = PublicKey(own.pem, made=datetime.datetime.now(datetime.UTC).date())
    put_public_keys(public, [*(_expiring(key, expires) for key in there), new])
    return new


def _expiring(key: PublicKey, expires: datetime.date | None) -> PublicKey:
    return signing_keys.expiring(key, expires) if expires and key.expires is None else key


def _make_key(path: Path) -> bool:
    """Make a private key at *path*, where there is none. True where it was made."""
    if path.exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    _write_once(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return True


def _public_pem(private: Path) -> str:
    return _public(serialization.load_pem_private_key(private.read_bytes(), password=None))


def _public(private: PrivateKeyTypes) -> str:
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()


@contextlib.contextmanager
def _alone(beside: Path) -> Iterator[None]:
    """Only one process at a time changes the keys in the folder of *beside*."""
    descriptor = os.open(beside.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_once(path: Path, content: bytes) -> None:
    """Write *path* whole or not at all; of two processes at once, one wins and both then see its file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = _partial(path, content, PRIVATE_MODE)
    try:
        os.link(partial, path)
    except FileExistsError:
        pass  # the other process was first; its key is as good as ours
    finally:
        partial.unlink(missing_ok=True)


def _replace(path: Path, content: bytes, mode: int) -> None:
    partial = _partial(path, content, mode)
    try:
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync(path.parent)


def _partial(path: Path, content: bytes, mode: int) -> Path:
    """*content* on the disk, in a file beside *path*."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
