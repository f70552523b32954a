"""Downloads: each by version and checksum, in a form that a bot can raise and `make kind-lock` can fill in."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from argosy import errors
from argosy_kind import lock, pins
from argosy_kind.pins import FOLDER, PINS, Pins
from kit import prometheus_stack

ROOT = FOLDER.parent
CONTENT = b"kind: List\n"
MANIFEST = b'{"schemaVersion": 2}'
ENTRIES = """# a comment that stays
files:
  - name: toy
    # renovate: datasource=github-releases depName=example/toy
    version: v1.0.0
    url: {server}/toy/{{version}}.yaml
    sha256: "{sha256}"
    of: {of}

images:
  - name: toy
    # renovate: datasource=docker depName=example/toy
    version: 1.0
    repository: {host}/example/toy
    digest: ""
    of: ""
"""


class Publisher(BaseHTTPRequestHandler):
    """A place for files, and a registry that hands tokens to anybody who asks."""

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self._send(200, json.dumps({"token": "for anybody"}).encode())
        elif self.path == "/toy/v1.0.0.yaml":
            self._send(200, CONTENT)
        elif self.path == "/v2/example/toy/manifests/1.0" and self.headers.get("Authorization") == "Bearer for anybody":
            self._send(200, MANIFEST)
        elif self.path.startswith("/v2/"):
            host = self.headers["Host"]
            self._send(401, b"", {"WWW-Authenticate": f'Bearer realm="http://{host}/token",service="toy",scope="pull"'})
        else:
            self._send(404, b"")

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """Where the toy is published."""
    with prometheus_stack.served(Publisher) as address:
        yield address


def written(folder: Path, server: str, *, sha256: str = "", of: str = '""') -> Path:
    """A pins.yaml of one file and one image."""
    path = folder / "pins.yaml"
    text = ENTRIES.format(server=server, host=server.removeprefix("http://"), sha256=sha256, of=of)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_download_is_pinned() -> None:
    """A version and an address that it appears in; a checksum, where there is one, says which version it is of."""
    read = Pins.read()
    assert read.files
    assert read.images
    for file in read.files.values():
        assert re.fullmatch(r"v\d+\.\d+\.\d+", file.version)
        assert file.version in file.address
        assert "{" not in file.address
        assert bool(file.sha256) == bool(file.of)
        assert not file.of or file.of == file.version, f"{file.name} was raised to {file.version}: run `make kind-lock`"
    for image in read.images.values():
        assert re.search(r"\d", image.version), f"{image.name} has a tag that moves"
        assert bool(image.digest) == bool(image.of)
        assert not image.of or image.of == image.version, (
            f"{image.name} was raised to {image.version}: run `make kind-lock`"
        )


def test_nothing_else_names_a_download() -> None:
    """An address or an image outside of pins.yaml would be raised and checked by nobody."""
    files = [path for path in FOLDER.rglob("*") if path.suffix in {".py", ".sh", ".yaml"} and path != PINS]
    found = [(path.name, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    downloads = re.compile(
        r"https?://[^\s\"']*\.(ya?ml|tgz|tar\.gz)\b|image: \"?(docker\.io|quay\.io|ghcr\.io)|@sha256:[0-9a-f]"
    )
    assert len(files) > 10
    assert [one for one in found if downloads.search(one[1])] == []


def test_a_bot_finds_every_version() -> None:
    """By the expression of renovate.json, with a source and the name that it is known by there."""
    settings = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))
    (manager,) = [one for one in settings["customManagers"] if one["managerFilePatterns"] == ["kind-cluster/pins.yaml"]]
    (expression,) = manager["matchStrings"]
    text = PINS.read_text(encoding="utf-8")
    found = list(re.finditer(re.sub(r"\(\?<(?=[a-z])", "(?P<", expression), text))
    read = Pins.read()
    assert [one["currentValue"] for one in found] == [
        *(file.version for file in read.files.values()),
        *(image.version for image in read.images.values()),
    ]
    assert {one["datasource"] for one in found} == {"github-releases", "docker"}
    for one, image in zip(found[len(read.files) :], read.images.values(), strict=True):
        assert one["depName"] == image.repository


def test_what_is_not_locked_is_refused(tmp_path: Path, server: str) -> None:
    """In one line that says what to run."""
    read = Pins.read(written(tmp_path, server))
    with pytest.raises(errors.Misconfigured, match=r"no checksum for toy v1\.0\.0; run `make kind-lock`"):
        read.file("toy", tmp_path)
    with pytest.raises(errors.Misconfigured, match="no checksum for toy"):
        read.image("toy")


def test_a_version_that_was_raised_is_refused(tmp_path: Path, server: str) -> None:
    """The checksum of another version is none."""
    read = Pins.read(written(tmp_path, server, sha256=hashlib.sha256(CONTENT).hexdigest(), of="v0.9.0"))
    with pytest.raises(errors.Misconfigured, match=r"the checksum of v0\.9\.0 for toy v1\.0\.0"):
        read.file("toy", tmp_path)


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path, server: str) -> None:
    """Nothing of it is kept."""
    read = Pins.read(written(tmp_path, server, sha256="0" * 64, of="v1.0.0"))
    with pytest.raises(errors.Misconfigured, match="another file than the one that was pinned"):
        read.file("toy", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_kept_file_is_used_while_it_is_whole(tmp_path: Path, server: str) -> None:
    """One that was damaged is fetched anew."""
    read = Pins.read(written(tmp_path, server, sha256=hashlib.sha256(CONTENT).hexdigest(), of="v1.0.0"))
    kept = read.file("toy", tmp_path / "cache")
    kept.write_bytes(b"damaged")
    assert read.file("toy", tmp_path / "cache").read_bytes() == CONTENT


def test_lock_writes_checksums_and_nothing_else(tmp_path: Path, server: str) -> None:
    """Of files and of images, by the registry's own bytes; comments and order stay."""
    path = written(tmp_path, server)
    before = path.read_text(encoding="utf-8")
    assert lock.main(["--file", str(path)]) == 0
    read = Pins.read(path)
    assert read.file("toy", tmp_path).read_bytes() == CONTENT
    assert read.image("toy").endswith(f"/example/toy@sha256:{hashlib.sha256(MANIFEST).hexdigest()}")
    changed = [line for line in path.read_text(encoding="utf-8").splitlines() if line not in before.splitlines()]
    assert [line.split(":")[0].strip() for line in changed] == ["sha256", "of", "digest", "of"]
    assert lock.main(["--file", str(path)]) == 0


def test_lock_refuses_what_changed_under_its_version(
    tmp_path: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until somebody says that it may."""
    path = written(tmp_path, server, sha256="0" * 64, of="v1.0.0")
    assert lock.main(["--file", str(path)]) == errors.Rejected.exit_code
    assert "somebody changed what was published" in capsys.readouterr().err
    assert Pins.read(path).files["toy"].sha256 == "0" * 64
    assert lock.main(["--file", str(path), "--again"]) == 0
    assert Pins.read(path).files["toy"].sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_lock_without_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line; the file is as it was."""
    path = written(tmp_path, "http://127.0.0.1:9")
    before = path.read_bytes()
    assert lock.main(["--file", str(path)]) == errors.TryAgain.exit_code
    assert capsys.readouterr().err.startswith("error: http://127.0.0.1:9/toy/v1.0.0.yaml cannot be downloaded")
    assert path.read_bytes() == before


@pytest.mark.parametrize("text", ["", "files: []", "files: [{name: x}]\nimages: []", "[", "files: 3\nimages: 3"])
def test_pins_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """Misconfigured, in one line."""
    path = tmp_path / "pins.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"pins\.yaml cannot be read") as refused:
        Pins.read(path)
    assert "\n" not in str(refused.value)


def test_digests() -> None:
    """Nothing but a whole one."""
    assert pins.is_digest("sha256:" + "a" * 64)
    assert not pins.is_digest("a" * 64)
