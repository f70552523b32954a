"""A server in this process that speaks as much of S3 as artifacts take: objects put, got, listed and deleted, buckets made.

It does not check signatures: that a real gateway takes them is tried where there is one.
"""

import contextlib
import datetime
import hashlib
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

KEYS = {"access": "argosy", "secret": "argosy-secret"}
Buckets = dict[str, dict[str, bytes]]
PAGE = 1000
"""Names in one answer, as Amazon has it."""
ONE_BY_ONE = threading.Lock()


@dataclass
class Trouble:
    """What a server says for a while in place of an answer, in turn, and how often it has."""

    keeps: bool = False
    """Whether it does what it is asked for all the same."""
    answers: Sequence[tuple[int, str]] = ((503, "SlowDown"), (500, "InternalError"), (503, "ServiceUnavailable"))
    there: threading.Event = field(default_factory=threading.Event)
    said: list[int] = field(default_factory=list)

    def next(self) -> tuple[int, str] | None:
        """The next answer; None where there is no trouble."""
        if not self.there.is_set():
            return None
        status, code = self.answers[len(self.said) % len(self.answers)]
        self.said.append(status)
        return status, code


def _now() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


@contextlib.contextmanager
def s3_server(buckets: Buckets | None = None, port: int = 0, trouble: Trouble | None = None) -> Iterator[str]:
    """The endpoint of a server with *buckets*, on *port* where one is given, which is in *trouble* at times."""
    content = {
        "buckets": {} if buckets is None else buckets,
        "trouble": trouble or Trouble(),
        "begun": _now(),
        "put": {},
    }
    handler = type("Handler", (_Handler,), content)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    buckets: Buckets
    trouble: Trouble
    begun: str
    put: dict[str, str]
    """When each key was put last; what was there before, when the server began."""
    protocol_version = "HTTP/1.1"

    def _place(self) -> tuple[str, str, dict[str, list[str]]]:
        parts = urllib.parse.urlsplit(self.path)
        bucket, _, key = urllib.parse.unquote(parts.path).lstrip("/").partition("/")
        return bucket, key, urllib.parse.parse_qs(parts.query)

    def do_PUT(self) -> None:
        bucket, key, _ = self._place()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._in_trouble():
            if self.trouble.keeps:
                self._kept(self.buckets[bucket], key, body)
        elif not key:
            self.buckets.setdefault(bucket, {})
        elif bucket not in self.buckets:
            self._refuse("NoSuchBucket")
            return
        elif not self._kept(self.buckets[bucket], key, body):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code><Message>it is there</Message></Error>")
            return
        self._answer(200, b"")

    def _kept(self, objects: dict[str, bytes], key: str, body: bytes) -> bool:
        with ONE_BY_ONE:
            if self.headers.get("If-None-Match") == "*" and key in objects:
                return False
            if "If-Match" in self.headers and self.headers["If-Match"] != _tag(objects.get(key)):
                return False
            objects[key] = body
            self.put[key] = _now()
            return True

    def do_GET(self) -> None:
        bucket, key, query = self._place()
        objects = self.buckets.get(bucket)
        if self._in_trouble():
            return
        if objects is None:
            self._refuse("NoSuchBucket")
        elif not key:
            self._answer(200, _page(objects, {name: values[0] for name, values in query.items()}, self._at).encode())
        elif key not in objects:
            self._refuse("NoSuchKey")
        elif self.headers.get("If-Match", _tag(objects[key])) != _tag(objects[key]):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code><Message>it is another</Message></Error>")
        elif piece := self.headers.get("Range"):
            first, _, last = piece.removeprefix("bytes=").partition("-")
            self._answer(206, objects[key][int(first) : int(last) + 1])
        else:
            self._answer(200, objects[key], _tag(objects[key]))

    def do_HEAD(self) -> None:
        bucket, key, _ = self._place()
        objects = self.buckets.get(bucket, {})
        content = objects.get(key) if key or bucket not in self.buckets else b""
        same = content is None or self.headers.get("If-Match", _tag(content)) == _tag(content)
        self.send_response((404 if content is None else 200) if same else 412)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", _tag(content))
        self.end_headers()

    def do_DELETE(self) -> None:
        bucket, key, _ = self._place()
        self.buckets.get(bucket, {}).pop(key, None)
        self.send_response(204)
        self.end_headers()

    def _in_trouble(self) -> bool:
        found = self.trouble.next()
        if found is not None:
            status, code = found
            self._answer(status, f"<Error><Code>{code}</Code><Message>please try again</Message></Error>".encode())
        return found is not None

    def _refuse(self, code: str) -> None:
        self._answer(404, f"<Error><Code>{code}</Code><Message>there is none</Message></Error>".encode())

    def _at(self, key: str) -> str:
        return self.put.get(key, self.begun)

    def _answer(self, status: int, body: bytes, tag: str = "") -> None:
        self.send_response(status)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


def _tag(content: bytes | None) -> str:
    """The ETag of an object; of none, one that no object has."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"' if content is not None else '""'


def _page(objects: dict[str, bytes], query: dict[str, str], at: Callable[[str], str]) -> str:
    """A page of the list of *objects*, put last *at* some time each, as *query* asks for it."""
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
    names = sorted(
        name for name in list(objects) if name.startswith(prefix) and name > query.get("continuation-token", "")
    )
    page, rest = names[:PAGE], names[PAGE:]
    below = {name: name.removeprefix(prefix).partition(delimiter or "\n") for name in page}
    folders = sorted({prefix + first + "/" for first, cut, _ in below.values() if cut})
    return "".join(
        [
            f"<ListBucketResult><IsTruncated>{'true' if rest else 'false'}</IsTruncated>",
            f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else "",
            *(
                f"<Contents><Key>{escape(name)}</Key><LastModified>{at(name)}</LastModified>"
                f"<Size>{len(objects[name])}</Size></Contents>"
                for name, (_, cut, _) in below.items()
                if not cut
            ),
            *(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders),
            "</ListBucketResult>",
        ]
    )
