"""Makes the keys of a laptop: one to sign with, its public half, and the secret under which ids are hashed.

On a cluster keys come from Secrets and nothing here runs. A key that exists is never replaced: what was signed with it must stay
verifiable.
"""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def ensure_signing_pair(private: Path, public: Path) -> None:
    """Make an EC P-256 key at *private* (mode 0600) and its public half at *public*, both PEM, where there is none yet."""
    if not private.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_once(private, pem)
    if not public.exists():
        loaded = serialization.load_pem_private_key(private.read_bytes(), password=None)
        pem = loaded.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        _write_once(public, pem)


def ensure_secret(path: Path) -> None:
    """Make a random secret of 32 bytes, in hex, at *path* (mode 0600) where there is none yet."""
    if not path.exists():
        _write_once(path, secrets.token_hex(32).encode())


def _write_once(path: Path, content: bytes) -> None:
    """Write *path* whole or not at all; of two processes at once, one wins and both then see its file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(partial, path)
    except FileExistsError:
        pass  # the other process was first; its key is as good as ours
    finally:
        partial.unlink(missing_ok=True)
