"""Files behind HTTPS addresses as sources: a real server with TLS that breaks off, changes, and leads elsewhere."""

import contextlib
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from argosy import errors, scratch
from argosy.adapters import web_files
from argosy.adapters.web_files import WebFiles
from argosy.domain.source_settings import Source
from argosy.ports.source_reader import Fetched
from kit.certificates import write_certificate

CONTENT = b"id,x\n" + b"".join(b"p%d,%d\n" % (number, number) for number in range(20_000))


@dataclass
class Site:
    """What a server says, and what it was asked."""

    port: int = 0
    content: bytes = CONTENT
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"one"'})
    breaks: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers ends."""
    ranges: bool = True
    most: int = 10**9
    """Bytes of one part that it gives."""
    unasked: bool = False
    """Whether it answers with a part where nobody asked for one."""
    status: int = 200
    location: str = ""
    asked: list[Mapping[str, str]] = field(default_factory=list)
    says_length: bool = True
    ends: bool = True
    """Whether a connection is ended, where no length is said, or only cut off."""
    between: Callable[[], None] = lambda: None
    """What happens after an answer that broke off."""


class _Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(dict(self.headers.items()) | {"path": self.path})
        if site.location and self.path == "/rows.csv":
            self._head(302, 0, {"Location": site.location})
            return
        asked = self.headers.get("Range")
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self._is_same() else 0
        is_part = bool(begin) or site.unasked
        part = site.content[begin:][: site.most if is_part else None]
        if not site.says_length:
            self._without_length(part)
            return
        about = {"Content-Range": f"bytes {begin}-{begin + len(part) - 1}/{len(site.content)}"} if is_part else {}
        self._head(206 if is_part else site.status, len(part), site.headers | about)
        if site.breaks:
            self.wfile.write(part[: site.breaks.pop(0)])
            self.close_connection = True
            site.between()
        else:
            self.wfile.write(part)

    def _without_length(self, part: bytes) -> None:
        self.protocol_version = "HTTP/1.0"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(part[: self.site.breaks.pop(0) if self.site.breaks else None])
        self.close_connection = True
        if self.site.ends:
            self.connection = self.connection.unwrap()

    def _is_same(self) -> bool:
        return self.site.ranges and self.headers.get("If-Range") == self.site.headers.get("ETag")

    def _head(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(length)}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for this machine."""
    return write_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def site(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server that is trusted, and asked again at once."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(web_files, "PAUSE", 0.0)
    with served(certificate) as site:
        yield site


@contextlib.contextmanager
def served(certificate: Path) -> Iterator[Site]:
    """A server of its own."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def source(site: Site, address: str = "", **url: Any) -> Source:
    """A source that is a file there."""
    return Source.model_validate(
        {
            "name": "rows",
            "url": {"address": address or f"https://127.0.0.1:{site.port}/rows.csv", **url},
            "entity": ["id"],
            "observed_at": "2020-01-01T00:00:00Z",
            "columns": [{"name": "id", "type": "string", "meaning": "Which one."}],
        }
    )


def fetch(asked: Source, into: Path, **secrets: str) -> Fetched:
    return WebFiles(secrets).fetch([asked], into)["rows"]


def test_a_file(site: Site, tmp_path: Path) -> None:
    """As it is, with what the server says of its state; the query of an address may open it, and is nobody's to read."""
    site.headers["Last-Modified"] = "Thu, 29 Feb 2024 12:00:00 GMT"
    pinned = {"sha256": hashlib.sha256(CONTENT).hexdigest(), "bytes": len(CONTENT)}
    found = fetch(source(site, f"https://127.0.0.1:{site.port}/rows.csv?sig=sesame", **pinned), tmp_path)
    assert (found.file.read_bytes(), found.file.name) == (CONTENT, "rows.csv")
    assert found.location == f"https://127.0.0.1:{site.port}/rows.csv"
    assert found.reading is not None
    assert found.reading.asked == f"GET {found.location}"
    assert found.reading.position == {"etag": '"one"', "last-modified": "Thu, 29 Feb 2024 12:00:00 GMT"}


def test_a_connection_that_drops_is_resumed(site: Site, tmp_path: Path) -> None:
    """From where it broke off, as often as there is more each time; what is had is not asked for again."""
    site.breaks = [1000] * 6
    found = fetch(source(site), tmp_path)
    assert found.file.read_bytes() == CONTENT
    assert [each.get("Range") for each in site.asked] == [None, *(f"bytes={1000 * number}-" for number in range(1, 7))]
    assert {each.get("If-Range") for each in site.asked[1:]} == {'"one"'}
    assert found.reading is not None
    assert found.reading.position["resumed"] == "6"


def test_a_part_that_is_not_all_the_rest(site: Site, tmp_path: Path) -> None:
    """A server may give less than was asked for: the file is whole when it is as long as the server says, pinned or not."""
    site.breaks, site.most = [1000], len(CONTENT) // 3
    assert fetch(source(site, bytes=len(CONTENT)), tmp_path).file.read_bytes() == CONTENT
    assert len(site.asked) == 4


@pytest.mark.parametrize("tag", ['"one"', 'W/"one"'])
def test_a_part_that_nobody_asked_for(site: Site, tmp_path: Path, tag: str) -> None:
    """It is no file, and a server that gives nothing else is given up."""
    site.most, site.unasked, site.headers["ETag"] = 1000, True, tag
    with pytest.raises(errors.TryAgain, match="another part than was asked for"):
        fetch(source(site), tmp_path)
    assert len(site.asked) == web_files.ATTEMPTS


@pytest.mark.parametrize("how", ["changed", "no-ranges", "weak"])
def test_a_file_that_is_another_by_then_is_read_anew(site: Site, tmp_path: Path, how: str) -> None:
    """No file is made of two; a server that gives no parts, or tags that promise nothing, has it sent again."""
    site.breaks, site.ranges = [1000], how != "no-ranges"
    if how == "weak":
        site.headers["ETag"] = 'W/"one"'

    def change() -> None:
        if how == "changed":
            site.headers["ETag"], site.content = '"two"', CONTENT.replace(b"p", b"q")

    site.between = change
    found = fetch(source(site), tmp_path)
    assert found.file.read_bytes() == site.content
    assert found.reading is not None
    assert "resumed" not in found.reading.position


def test_a_server_that_only_breaks_off(site: Site, tmp_path: Path) -> None:
    """Some attempts without a byte more, then it is the run's to try again; nothing is left that looks whole."""
    site.breaks = [0] * 10
    with pytest.raises(errors.TryAgain, match=r"source 'rows': https://127.0.0.1:\d+/rows.csv cannot be read: "):
        fetch(source(site), tmp_path)
    assert len(site.asked) == web_files.ATTEMPTS
    assert not (tmp_path / "rows.csv").exists()


def test_a_file_of_no_known_length(site: Site, tmp_path: Path) -> None:
    """The end of the connection is that of the file where the server ended it; where it was cut off only a pinned file is whole."""
    site.says_length = False
    assert fetch(source(site), tmp_path).file.read_bytes() == CONTENT
    site.ends = False
    assert fetch(source(site, bytes=len(CONTENT)), tmp_path).file.read_bytes() == CONTENT
    site.breaks = [1000] * web_files.ATTEMPTS
    with pytest.raises(errors.TryAgain, match="does not say how long the file is"):
        fetch(source(site), tmp_path)


def test_what_is_pinned(site: Site, tmp_path: Path) -> None:
    """Another file is refused, by its size before it is read."""
    with pytest.raises(errors.Rejected, match=r"has the digest .*, and model.yaml says 0000"):
        fetch(source(site, sha256="0" * 64), tmp_path)
    with pytest.raises(errors.Rejected, match=f"has {len(CONTENT):,} bytes, and model.yaml says 7"):
        fetch(source(site, bytes=7), tmp_path)
    site.headers["Content-Encoding"] = "gzip"
    with pytest.raises(errors.Misconfigured, match="comes encoded as gzip"):
        fetch(source(site), tmp_path)


def test_the_disk_has_no_room(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before it is full."""
    monkeypatch.setattr(scratch, "RESERVE", 2**62)
    with pytest.raises(errors.LocalDisk, match="make room there"):
        fetch(source(site), tmp_path)


def test_secrets_go_to_their_address_alone(site: Site, certificate: Path, tmp_path: Path) -> None:
    """By name from the environment; a redirection inside keeps them, one to another machine does not."""
    asked = source(site, headers={"X-Key": "rates"})
    site.location = "/elsewhere.csv"
    fetch(asked, tmp_path, ARGOSY_SOURCE_RATES="sesame")
    assert [(each["path"], each.get("X-Key")) for each in site.asked] == [
        ("/rows.csv", "sesame"),
        ("/elsewhere.csv", "sesame"),
    ]
    with pytest.raises(errors.Misconfigured, match="ARGOSY_SOURCE_RATES is empty, and X-Key is to hold it"):
        fetch(asked, tmp_path)
    with pytest.raises(errors.Misconfigured, match="ARGOSY_SOURCE_RATES cannot be a header") as raised:
        fetch(asked, tmp_path, ARGOSY_SOURCE_RATES="sesame\r\nX: y")
    assert "sesame" not in str(raised.value)
    with served(certificate) as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr(web_files, "is_public", lambda address: True)
        site.location = f"https://127.0.0.1:{other.port}/other.csv"
        assert fetch(asked, tmp_path, ARGOSY_SOURCE_RATES="sesame").file.read_bytes() == CONTENT
        assert [each["path"] for each in other.asked] == ["/other.csv"]
        assert "X-Key" not in other.asked[0]


def test_redirections_lead_nowhere_else(site: Site, certificate: Path, tmp_path: Path) -> None:
    """To no other scheme, to no machine of a private network that nobody named, and not in circles."""
    for place, told in (
        ("http://127.0.0.1/x", "leads to a place of http://"),
        ("file:///etc/hostname", "answers 302 .*file:///etc/hostname. is not allowed"),
        ("/rows.csv", "answers 302"),
    ):
        site.location = place
        with pytest.raises(errors.Misconfigured, match=told):
            fetch(source(site), tmp_path)
    with served(certificate) as other:
        site.location = f"https://127.0.0.1:{other.port}/other.csv"
        with pytest.raises(errors.Misconfigured, match=r"leads to 127\.0\.0\.1, a machine of a private network"):
            fetch(source(site), tmp_path)
        assert other.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *((private, False) for private in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1")),
        *((private, False) for private in ("::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1")),
        *((public, True) for public in ("93.184.215.14", "2606:4700::1")),
    ],
)
def test_machines_of_private_networks(address: str, public: bool) -> None:
    """In every way in which an address is written."""
    assert web_files.is_public(address) is public


@pytest.mark.parametrize(
    ("status", "kind"), [(404, errors.Misconfigured), (403, errors.Misconfigured), (503, errors.TryAgain)]
)
def test_what_the_server_refuses(site: Site, tmp_path: Path, status: int, kind: type[Exception]) -> None:
    """Whether somebody has to act, or it is worth another try."""
    site.status = status
    with pytest.raises(kind, match=f"answers {status} "):
        fetch(source(site), tmp_path)


def test_a_server_that_is_not_trusted(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: the setting that would trust it is named."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(errors.Misconfigured, match=r"certificate of 127\.0\.0\.1 is not trusted"):
        fetch(source(site), tmp_path)


@pytest.mark.parametrize(
    "address",
    ["http://host/x.csv", "https://user:word@host/x.csv", "https://host/x y", "file:///x", "https://host/x#y"],
)
def test_addresses_of_another_kind(address: str) -> None:
    """Refused with the settings."""
    with pytest.raises(ValidationError, match="address"):
        source(Site(), address)
