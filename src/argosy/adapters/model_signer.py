"""Signs and checks folders with OpenSSF model-signing and an EC key: offline, no account.

The signature is a Sigstore bundle over the digests of every file in the folder; its name and place do not matter, so a bundle verifies
wherever it was copied. What a folder means, and whether it is the one that was approved, is the caller's to know.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from argosy import errors
from argosy.ports.signer import Tampered

UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, InvalidSignature)
"""Exceptions of the library for a signature that is wrong, and for a file that is none, or is nested without end."""
CHANGED_FILES = "Signature mismatch"
"""The beginning of the library's message on files that differ, are missing or too many."""
CHANGED = re.compile(r"Hash mismatch for [\\']*([^'\\]+)")
"""The library's message about a file whose content is another."""


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
            _require_key(self._key, "ARGOSY_SIGNING_KEY_FILE", private=True)
            yield self._key
            return
        with tempfile.NamedTemporaryFile("w", prefix="argosy-key-", encoding="utf-8") as file:  # made with mode 0600
            file.write(self._text)
            file.flush()
            _require_key(Path(file.name), "ARGOSY_SIGNING_KEY", private=True)
            yield Path(file.name)


class KeyVerifier:
    """Checks with a public key. See :class:`argosy.ports.signer.Verifier`."""

    def __init__(self, public_key: Path) -> None:
        """*public_key*: a PEM file."""
        self._key = public_key

    def verify(self, folder: Path, signature: Path) -> None:
        from model_signing import verifying

        _require_key(self._key, "ARGOSY_VERIFYING_KEY_FILE", private=False)
        if not signature.is_file():
            raise errors.Rejected(f"{folder} has no signature: there is no file {signature}")
        config = verifying.Config().use_elliptic_key_verifier(public_key=self._key).set_hashing_config(_hashing())
        try:
            config.verify(folder, signature)
        except UNREADABLE as error:
            kind = Tampered if str(error).startswith(CHANGED_FILES) else errors.Rejected
            raise kind(f"{folder} is not what was signed: {_reason(error)} (signature {signature})") from error


def _hashing() -> object:
    """Every file counts, those that git would overlook too."""
    from model_signing import hashing

    return hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)


def _require_key(path: Path, variable: str, *, private: bool) -> None:
    key = _load_private(path, variable) if private else _load_public(path, variable)
    if not isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        raise errors.Misconfigured(f"{variable}: {path} holds no key on an elliptic curve; `argosy setup` makes one")


def _load_private(path: Path, variable: str) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(_content(path, variable), password=None)
    except (ValueError, TypeError) as error:
        raise errors.Misconfigured(f"{variable}: {path} holds no private key in PEM without a password") from error


def _load_public(path: Path, variable: str) -> PublicKeyTypes:
    try:
        return serialization.load_pem_public_key(_content(path, variable))
    except ValueError as error:
        raise errors.Misconfigured(f"{variable}: {path} holds no public key in PEM") from error


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
    if text.startswith("Key mismatch"):
        return "it was signed with another key"
    if changed := CHANGED.findall(text):
        return f"the content of {', '.join(changed)} differs"
    return text if text.startswith(CHANGED_FILES) else f"the signature cannot be read ({type(error).__name__})"
