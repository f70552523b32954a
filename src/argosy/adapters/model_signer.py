"""Signs and checks folders with OpenSSF model-signing and an EC key: offline, no account.

The signature is a Sigstore bundle over the digests of every file in the folder; its name and place do not matter, so a bundle verifies
wherever it was copied. What a folder means, and whether it is the one that was approved, is the caller's to know.
"""

import contextlib
import dataclasses
import datetime
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from argosy import errors
from argosy.domain import signing_keys
from argosy.domain.signing_keys import PublicKey
from argosy.ports.signer import Tampered

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, InvalidSignature)
"""Exceptions of the library for a signature that is wrong, and for a file that is none, or is nested without end."""
CHANGED_FILES = "Signature mismatch"
"""The beginning of the library's message on files that differ, are missing or too many."""
CHANGED = re.compile(r"Hash mismatch for [\\']*([^'\\]+)")
"""The library's message about a file whose content is another."""


def load() -> None:
    """Import the library, and Sigstore's clients with it, which it imports whoever signs."""
    from model_signing import signing, verifying  # noqa: F401 - to have them in memory


class KeySigner:
    """Signs with a private key. See :class:`argosy.ports.signer.Signer`."""

    def __init__(self, private_key: Path, text: str | None = None) -> None:
        """*private_key*: a PEM file. *text*: the key itself, in place of the file."""
        self._key = private_key
        self._text = text

    def sign(self, folder: Path, signature: Path) -> None:
        from model_signing import signing

        signature.parent.mkdir(parents=True, exist_ok=True)
        with self._file() as key:
            signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(_hashing()).sign(
                folder, signature
            )

    @contextlib.contextmanager
    def _file(self) -> Iterator[Path]:
        """The key as a file, which the library wants: one only this user reads, and gone again, where the key came as text."""
        if self._text is None:
            _require_private(self._key, "ARGOSY_SIGNING_KEY_FILE")
            yield self._key
            return
        with tempfile.NamedTemporaryFile("w", prefix="argosy-key-", encoding="utf-8") as file:  # made with mode 0600
            file.write(self._text)
            file.flush()
            _require_private(Path(file.name), "ARGOSY_SIGNING_KEY")
            yield Path(file.name)


class KeyVerifier:
    """Checks with our public keys, of which a signature names one. See :class:`argosy.ports.signer.Verifier`."""

    def __init__(self, public_keys: Path, today: Callable[[], datetime.date] | None = None) -> None:
        """*public_keys*: a file with one key in PEM, or several. *today*: the day in UTC."""
        self._file = public_keys
        self._today = today or (lambda: datetime.datetime.now(datetime.UTC).date())

    def verify(self, folder: Path, signature: Path) -> None:
        from model_signing import verifying

        keys = _public_keys(self._file)
        if not signature.is_file():
            raise errors.Rejected(f"{folder} has no signature: there is no file {signature}")
        try:
            with _as_file(self._signer(keys, signature)) as key:
                verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(_hashing()).verify(
                    folder, signature
                )
        except UNREADABLE as error:
            kind = Tampered if str(error).startswith(CHANGED_FILES) else errors.Rejected
            raise kind(f"{folder} is not what was signed: {_reason(error)} (signature {signature})") from error

    def _signer(self, keys: Sequence[PublicKey], signature: Path) -> PublicKey:
        """The one of *keys* that *signature* names. Raises _WrongKey where it is none of them, or counts no more."""
        hint = signing_keys.signer(signature.read_bytes())
        if hint is None:
            return keys[0]  # what is no signature, which the library says; or one that names no key
        found = next((key for key in keys if key.hint == hint), None)
        if found is None:
            ours = ", ".join(key.id for key in keys)
            raise _WrongKey(
                f"it was signed with another key, {hint[: signing_keys.DIGITS]!r}, and ours are {ours}; promote a version that one of "
                "these signs. A key that was retired or revoked is not added again: somebody else may have it (`argosy keys list`)"
            )
        if found.expired(self._today()):
            raise _WrongKey(
                f"key {found.id}, which signed it, expired on {found.expires}; promote a version that is signed anew (`argosy keys list`)"
            )
        return found


class _WrongKey(ValueError):
    """A signature's key is none that counts."""


@contextlib.contextmanager
def _as_file(key: PublicKey) -> Iterator[Path]:
    """*key* alone in a file, which the library wants."""
    with tempfile.NamedTemporaryFile("w", prefix="argosy-key-", suffix=".pub.pem", encoding="utf-8") as file:
        file.write(key.pem)
        file.flush()
        yield Path(file.name)


def _public_keys(path: Path) -> list[PublicKey]:
    """The keys in the file *path*, each one that can be used. Raises Misconfigured."""
    variable = "ARGOSY_VERIFYING_KEY_FILE"
    try:
        keys = signing_keys.parse(_content(path, variable))
    except signing_keys.UnreadableError as error:
        raise errors.Misconfigured(f"{variable}: {path} cannot be used: {error}") from error
    return [_as_signers_name_it(key, path, variable) for key in keys]


def _as_signers_name_it(key: PublicKey, path: Path, variable: str) -> PublicKey:
    """*key* in the form of PEM whose digest signatures name: one key can be written down in several."""
    try:
        loaded = serialization.load_pem_public_key(key.pem.encode())
    except ValueError as error:
        raise errors.Misconfigured(f"{variable}: {path} holds no public key in PEM") from error
    _require_curve(loaded, path, variable)
    pem = loaded.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return dataclasses.replace(key, pem=pem.decode())


def _hashing() -> object:
    """Every file counts, those that git would overlook too."""
    from model_signing import hashing

    return hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)


def _require_private(path: Path, variable: str) -> None:
    _require_curve(_load_private(path, variable), path, variable)


def _require_curve(key: object, path: Path, variable: str) -> None:
    if not isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        raise errors.Misconfigured(f"{variable}: {path} holds no key on an elliptic curve; `argosy setup` makes one")


def _load_private(path: Path, variable: str) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(_content(path, variable), password=None)
    except (ValueError, TypeError) as error:
        raise errors.Misconfigured(f"{variable}: {path} holds no private key in PEM without a password") from error


def _content(path: Path, variable: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise errors.Misconfigured(
            f"{variable}: {path} cannot be read: {error.strerror}; `argosy setup` makes keys"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidSignature):
        return "the signature does not match"
    text = str(error)
    if isinstance(error, _WrongKey):
        return text
    if text.startswith("Key mismatch"):
        return "it was signed with another key"
    if changed := CHANGED.findall(text):
        return f"the content of {', '.join(changed)} differs"
    return text if text.startswith(CHANGED_FILES) else f"the signature cannot be read ({type(error).__name__})"
