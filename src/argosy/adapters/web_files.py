"""Reads sources that are files behind HTTPS addresses: whole, resumed where a connection drops, and nothing but what the settings allow.

A redirection stays with HTTPS, and leads from the address that somebody wrote down to no machine of a private network; headers that hold a
secret go to that address alone. A part of a file is only continued where the server says that it is the same file still (``If-Range``).
Other trust, and proxies, come from where every client here has them (:mod:`argosy.network`).
"""

import datetime
import hashlib
import http.client
import ipaddress
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from argosy import errors, network, scratch
from argosy.domain import source_addresses
from argosy.domain.data import ReachedPlace, SourceReading
from argosy.domain.source_settings import Source, WebFile
from argosy.ports.source_reader import NOTHING, Fetched

PATIENCE = 60.0
"""Seconds without an answer, or without another byte of one."""
ATTEMPTS = 4
"""Attempts without a byte more, the first among them."""
PAUSE = 1.0
"""Seconds before another one."""
PIECE = 1 << 20
REDIRECTS = 5
PART = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/([0-9]{1,18}|\*)")
GIVEN_LATER = {408, 425, 429, 500, 502, 503, 504}
BROKEN_OFF = (http.client.HTTPException, TimeoutError, ConnectionError)


class WebFiles:
    """Files whose headers' secrets are in *secrets*, by variable; see :class:`argosy.ports.source_reader.SourceReader`."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets

    def fetch(
        self,
        sources: Sequence[Source],
        into: Path,
        since: Mapping[str, ReachedPlace] = NOTHING,  # noqa: ARG002 - a file is read whole
    ) -> Mapping[str, Fetched]:
        """See the port."""
        asked = [(source, source.url) for source in sources if source.url is not None]
        return {source.name: self._fetched(source, file, into / source.file_name) for source, file in asked}

    def _fetched(self, source: Source, file: WebFile, target: Path) -> Fetched:
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        shown = file.address.partition("?")[0]
        partial = target.with_name(f".{target.name}.partial")
        loading = _Loading(f"source {source.name!r}: {shown}", file, self._headers(source, file), partial)
        position = loading.load()
        partial.rename(target)
        return Fetched(target, shown, SourceReading(asked=f"GET {shown}", at=at, position=position))

    def _headers(self, source: Source, file: WebFile) -> dict[str, str]:
        found = {}
        for header, secret in file.headers.items():
            variable = source_addresses.variable(secret)
            value = self._secrets.get(variable, "").strip()
            if not value or not value.isprintable() or not value.isascii():
                wrong = "cannot be a header" if value else "is empty"
                raise errors.Misconfigured(
                    f"source {source.name!r}: {variable} {wrong}, and {header} is to hold it: set it to the whole value, such as "
                    "`Bearer <token>` (on a cluster: in the Secret argosy-data)"
                )
            found[header] = value
        return found


class _Loading:
    """One file on its way."""

    def __init__(self, subject: str, file: WebFile, headers: Mapping[str, str], partial: Path) -> None:
        self._subject, self._file, self._headers, self._partial = subject, file, headers, partial
        self._opener = urllib.request.build_opener(_Redirections(subject, file.address), _Checked)
        self._validator: str | None = None
        self._resumed = 0

    def load(self) -> dict[str, str]:
        """Write the file; what the server says of its state."""
        failures = most = 0
        while True:
            try:
                said = self._attempt(self._size())
                break
            except (urllib.error.HTTPError, OSError, ValueError, http.client.HTTPException) as error:
                # More than ever, not than last time: a server that begins anew each time would never be given up.
                failures, most = (1, self._size()) if self._size() > most else (failures + 1, most)
                fault = self._explained(error)
                if not isinstance(fault, errors.TryAgain) or failures >= ATTEMPTS:
                    raise fault from None
                time.sleep(PAUSE)
        self._demand_pinned()
        return said | ({"resumed": str(self._resumed)} if self._resumed else {})

    def _attempt(self, have: int) -> dict[str, str]:
        request = urllib.request.Request(self._file.address, headers={"Accept-Encoding": "identity"})  # noqa: S310 - https, by its form
        for header, value in self._headers.items():
            request.add_unredirected_header(header, value)
        if have and self._validator:
            request.add_header("Range", f"bytes={have}-")
            request.add_header("If-Range", self._validator)
        with self._opener.open(request, timeout=PATIENCE) as answer:
            goes_on = answer.status == http.client.PARTIAL_CONTENT and 0 < have == _begins(answer)
            if answer.status == http.client.PARTIAL_CONTENT and not goes_on:
                self._partial.unlink(missing_ok=True)
                raise http.client.HTTPException("it answered with another part than was asked for")
            self._resumed += goes_on
            self._validator = _validator(answer)
            self._write(answer, have if goes_on else 0)
            return {name.lower(): value for name in ("ETag", "Last-Modified") if (value := answer.headers.get(name))}

    def _write(self, answer: Any, have: int) -> None:
        if (coded := answer.headers.get("Content-Encoding", "identity")) != "identity":
            raise errors.Misconfigured(
                f"{self._subject} comes encoded as {coded}, although it was asked for plain; name one that is not"
            )
        length = answer.headers.get("Content-Length")
        rest = int(length) if length and length.isdecimal() else None
        # A server may answer with less than the rest that was asked for; then there is more.
        whole = _whole(answer) if have else None
        if rest is not None:
            self._demand_size(whole or have + rest)
            scratch.demand_room(self._partial.parent, rest, self._subject)
        with self._partial.open("r+b" if have else "wb") as stream:
            stream.seek(have)
            written = self._copied(answer, stream, have)
        if rest is not None and written < rest:
            raise http.client.IncompleteRead(b"", rest - written)
        if whole is not None and have + written < whole:
            raise http.client.IncompleteRead(b"", whole - have - written)

    def _copied(self, answer: Any, stream: IO[bytes], have: int) -> int:
        written = 0
        while piece := self._piece(answer):
            if self._file.bytes is not None:
                self._demand_size(have + written + len(piece), at_most=True)
            scratch.demand_room(self._partial.parent, len(piece), self._subject)
            stream.write(piece)
            written += len(piece)
        return written

    def _piece(self, answer: Any) -> bytes:
        """The next bytes of *answer*; none at its end."""
        try:
            piece: bytes = answer.read1(PIECE)
        except ssl.SSLEOFError:
            # Without a length the end of the connection is that of the file, and this connection was not ended but cut off.
            if self._file.bytes is None and self._file.sha256 is None:
                raise http.client.HTTPException(
                    "it does not say how long the file is, and the connection ended without a word; if it ends so each time, name the "
                    "file's `bytes` or `sha256`"
                ) from None
            return b""
        return piece

    def _size(self) -> int:
        return self._partial.stat().st_size if self._partial.exists() else 0

    def _demand_size(self, size: int, *, at_most: bool = False) -> None:
        pinned = self._file.bytes
        if pinned is not None and (size > pinned if at_most else size != pinned):
            has = f"more than {pinned:,}" if at_most else f"{size:,}"
            raise errors.Rejected(
                f"{self._subject} has {has} bytes, and model.yaml says {pinned:,}: it is another file; look at it, then say its `bytes`"
            )

    def _demand_pinned(self) -> None:
        self._demand_size(self._size())
        if self._file.sha256 is None:
            return
        with self._partial.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != self._file.sha256:
            raise errors.Rejected(
                f"{self._subject} has the digest {found}, and model.yaml says {self._file.sha256}: it is another file; look at it, then "
                "say its `sha256`"
            )

    def _explained(self, error: Exception) -> errors.ArgosyError:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            later = error.code in GIVEN_LATER
            kind = errors.TryAgain if later else errors.Misconfigured
            advice = "try again later" if later else "mend the `url` of the source, or what its headers hold"
            return kind(f"{self._subject} answers {error.code} {error.reason}; {advice}")
        if isinstance(error, OSError) and errors.is_disk_full(error):
            return errors.LocalDisk(
                f"{self._subject}: there is no room for it at {self._partial.parent}; free some and try again"
            )
        host = urllib.parse.urlsplit(self._file.address).hostname or ""
        if fault := network.fault(host, error):
            return fault
        return errors.TryAgain(
            f"{self._subject} cannot be read: {errors.first_line(getattr(error, 'reason', error))}; try again"
        )


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Follows redirections that stay with HTTPS, a few of them, and notes where another machine is meant."""

    max_redirections = REDIRECTS

    def __init__(self, subject: str, address: str) -> None:
        self._subject, self._origin = subject, urllib.parse.urlsplit(address).netloc

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        parts = urllib.parse.urlsplit(newurl)
        if parts.scheme != "https":
            raise errors.Misconfigured(
                f"{self._subject} leads to a place of {parts.scheme}://, which is followed nowhere; name an https address"
            )
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is None:
            return None
        if parts.netloc == self._origin:
            for header, value in req.unredirected_hdrs.items():
                following.add_unredirected_header(header, value)
        else:
            return _Elsewhere(newurl, headers=dict(following.headers))
        return following


class _Elsewhere(urllib.request.Request):
    """A request to a machine that nobody wrote down."""


class _Checked(urllib.request.HTTPSHandler):
    """Opens connections, and those that a redirection led to another machine only to a public one."""

    def https_open(self, req: Any) -> Any:
        return self.do_open(_PublicConnection if isinstance(req, _Elsewhere) else _Connection, req)


class _Connection(http.client.HTTPSConnection):
    """A connection that tells being ended from being cut off."""

    def connect(self) -> None:
        super().connect()
        wrapped: Any = self.sock  # the attribute is documented, and in no type stub
        wrapped.suppress_ragged_eofs = False


class _PublicConnection(_Connection):
    """A connection that ends before anything is asked where it leads into a private network."""

    def connect(self) -> None:
        super().connect()
        # Behind a proxy it is the proxy's machine, which decides what it reaches.
        if getattr(self, "_tunnel_host", None) is None and not is_public(self.sock.getpeername()[0]):
            self.close()
            raise errors.Misconfigured(
                f"a redirection leads to {self.host}, a machine of a private network; name that address itself if it is meant"
            )


def is_public(address: str) -> bool:
    """True where *address*, as the system writes it, is one of the public internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).is_global


def _begins(answer: Any) -> int | None:
    matched = PART.fullmatch(answer.headers.get("Content-Range", ""))
    return int(matched[1]) if matched else None


def _whole(answer: Any) -> int | None:
    """The size of the file that a part of is answered with; None where that is not said."""
    matched = PART.fullmatch(answer.headers.get("Content-Range", ""))
    return int(matched[2]) if matched and matched[2] != "*" else None


def _validator(answer: Any) -> str | None:
    """What tells this file from another one; a weak tag does not, byte for byte."""
    tag: str = answer.headers.get("ETag") or "W/"
    return answer.headers.get("Last-Modified") if tag.startswith("W/") else tag
