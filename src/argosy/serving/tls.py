"""TLS of callers' port: a certificate and its key from files, which are read again when they change."""

import ssl
from pathlib import Path
from typing import NamedTuple

from argosy import errors
from argosy.serving.file_stamps import Stamp, stamp

HANDSHAKE_SECONDS = 10.0
"""For a caller to prove that it speaks TLS; there is no connection to count before that."""


class Pair(NamedTuple):
    """A certificate, with its chain behind it, and its private key, both PEM."""

    chain: bytes
    key: bytes


class Certificate:
    """A certificate with its key, as the present content of two files has it."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises Misconfigured where the files hold no certificate, or another's key."""
        self._files = certificate, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.grpc_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        """The same for gRPC, whose clients want to hear that it is HTTP/2."""
        self.grpc_context.set_alpn_protocols(["h2"])
        for context in (self.context, self.grpc_context):
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._seen = self._stamps()
        self.pair = Pair(b"", b"")
        """The pair that the context has."""
        self._load()

    @property
    def path(self) -> Path:
        """The file of the certificate."""
        return self._files[0]

    def look(self) -> None:
        """Read the files again where they changed: connections from now on get the new certificate. Raises Misconfigured, once, where they
        hold none; the old one goes on."""
        now = self._stamps()
        if now != self._seen:
            self._seen = now
            self._load()

    def _stamps(self) -> tuple[Stamp | None, ...]:
        return tuple(map(stamp, self._files))

    def _load(self) -> None:
        certificate, key = self._files
        # Tried apart: a context keeps half of a pair that does not fit.
        for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.context, self.grpc_context):
            try:
                context.load_cert_chain(certificate, key, password=_no_password)
            except ssl.SSLError as error:
                reason = "the key is another certificate's" if "MISMATCH" in str(error) else errors.first_line(error)
                raise errors.Misconfigured(
                    f"TLS: {certificate} and {key} are no certificate and its key in PEM: {reason}"
                ) from error
            except OSError as error:
                where = next((path for path in self._files if not path.exists()), certificate)
                raise errors.Misconfigured(f"TLS: {where} cannot be read: {error.strerror}") from error
        self.pair = Pair(certificate.read_bytes(), key.read_bytes())


def _no_password() -> str:
    raise errors.Misconfigured("TLS: the key is locked with a password; a server that starts alone needs it without")
